-- Why did videos fail in the last 30 days?
SELECT cause, status, sum(videos) AS videos, count(DISTINCT account) AS accounts
FROM reporting.v_failures_by_cause
WHERE day > current_date - 30
GROUP BY cause, status
ORDER BY videos DESC, cause
