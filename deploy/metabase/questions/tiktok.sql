-- What does TikTok refuse, hour by hour, this week?
SELECT hour, endpoint, reason, sum(failures) AS failures
FROM reporting.v_tiktok_failures
WHERE hour >= now() - interval '7 days'
GROUP BY hour, endpoint, reason
ORDER BY hour, endpoint, reason
