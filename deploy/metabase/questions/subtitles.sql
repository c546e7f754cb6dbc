-- Do videos with subtitles go through as well as those without? Only strata that have both are compared.
WITH both_sides AS (
    SELECT account, week, day_part
    FROM reporting.v_ab_strata
    GROUP BY account, week, day_part
    HAVING count(DISTINCT subtitles) > 1
)
SELECT subtitles, sum(ended) AS ended, sum(published) AS published,
       round(sum(published) / nullif(sum(ended), 0), 3) AS success_rate
FROM reporting.v_ab_strata
JOIN both_sides USING (account, week, day_part)
GROUP BY subtitles
ORDER BY subtitles
