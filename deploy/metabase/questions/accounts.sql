-- Which accounts need somebody? Paused ones first, then those that failed most.
SELECT account, sector, connection, breaker, paused_until, failures_last_hour, failures_7d, published_7d, held_videos
FROM reporting.v_account_health
WHERE breaker <> 'closed' OR failures_7d > 0 OR connection <> 'connected'
ORDER BY breaker = 'closed', failures_last_hour DESC, failures_7d DESC, account
