-- Which accounts must be connected again within a month? Only the refresh token ends by itself.
SELECT account, sector, refresh_expires_at
FROM reporting.v_account_health
WHERE connection = 'connected' AND refresh_expires_at < now() + interval '30 days'
ORDER BY refresh_expires_at
