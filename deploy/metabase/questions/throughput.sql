-- How much goes in and comes out each day? A widening gap between created and published is a bottleneck.
SELECT day, sum(created) AS created, sum(published) AS published, sum(failed) AS failed
FROM reporting.v_publication_daily
WHERE day > current_date - 30
GROUP BY day
ORDER BY day
