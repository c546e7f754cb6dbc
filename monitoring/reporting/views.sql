-- What Metabase may read. Created by monitoring/reporting/views.py after every migration, dropped before the next one.
-- No token, no text of a client, no person. :zone is the agency's time zone; days are its days.

CREATE VIEW reporting.v_publication_daily AS
WITH happened AS (
    SELECT id AS video_id, created_at AS at, 'created' AS what FROM publishing_video
    UNION ALL
    SELECT id, posted_at, 'published' FROM publishing_video WHERE posted_at IS NOT NULL
    UNION ALL
    SELECT video_id, at, 'failed' FROM publishing_videoevent
    WHERE old <> new AND new IN (:failed)
)
SELECT
    (happened.at AT TIME ZONE :zone)::date AS day,
    sector.name AS sector,
    account.username AS account,
    video.subtitle_variant AS subtitles,
    count(DISTINCT video.id) FILTER (WHERE what = 'created') AS created,
    count(DISTINCT video.id) FILTER (WHERE what = 'published') AS published,
    count(DISTINCT video.id) FILTER (WHERE what = 'failed') AS failed
FROM happened
JOIN publishing_video video ON video.id = happened.video_id
JOIN accounts_tiktokaccount account ON account.id = video.account_id
JOIN accounts_sector sector ON sector.id = account.sector_id
GROUP BY 1, 2, 3, 4;

CREATE VIEW reporting.v_account_health AS
WITH failed AS (
    SELECT
        video.account_id,
        count(DISTINCT video.id) AS week,
        count(DISTINCT video.id) FILTER (WHERE event.at > now() - interval '1 hour') AS hour
    FROM publishing_videoevent event
    JOIN publishing_video video ON video.id = event.video_id
    WHERE event.old <> event.new AND event.new IN (:failed) AND event.at >= now() - interval '7 days'
    GROUP BY 1
),
published AS (
    SELECT
        account_id,
        count(*) FILTER (WHERE posted_at >= now() - interval '7 days') AS week,
        max(posted_at) AS last
    FROM publishing_video WHERE posted_at IS NOT NULL
    GROUP BY 1
),
held AS (
    SELECT account_id, count(*) AS videos FROM publishing_video WHERE status = 'held' GROUP BY 1
)
SELECT
    account.username AS account,
    sector.name AS sector,
    account.status AS connection,
    coalesce(circuit.state, 'closed') AS breaker,
    circuit.open_until AS paused_until,
    coalesce(failed.week, 0) AS failures_7d,
    coalesce(failed.hour, 0) AS failures_last_hour,
    coalesce(published.week, 0) AS published_7d,
    published.last AS last_published_at,
    coalesce(held.videos, 0) AS held_videos,
    token.expires_at AS access_expires_at,
    token.refresh_expires_at AS refresh_expires_at
FROM accounts_tiktokaccount account
JOIN accounts_sector sector ON sector.id = account.sector_id
LEFT JOIN accounts_oauthtoken token ON token.account_id = account.id
LEFT JOIN publishing_accountcircuit circuit ON circuit.account_id = account.id
LEFT JOIN failed ON failed.account_id = account.id
LEFT JOIN published ON published.account_id = account.id
LEFT JOIN held ON held.account_id = account.id;

-- Subtitles are compared inside strata of the same account, week and part of the day: a Friday evening is not a
-- Tuesday morning. A video counts where it ended, as what it is now.
CREATE VIEW reporting.v_ab_strata AS
WITH ended AS (
    SELECT
        account_id,
        subtitle_variant,
        status,
        coalesce(posted_at, updated_at) AT TIME ZONE :zone AS at
    FROM publishing_video WHERE posted_at IS NOT NULL OR status IN (:failed)
)
SELECT
    sector.name AS sector,
    account.username AS account,
    date_trunc('week', ended.at)::date AS week,
    CASE
        WHEN extract(hour FROM ended.at) < 6 THEN 'night'
        WHEN extract(hour FROM ended.at) < 12 THEN 'morning'
        WHEN extract(hour FROM ended.at) < 19 THEN 'afternoon'
        ELSE 'evening'
    END AS day_part,
    ended.subtitle_variant AS subtitles,
    count(*) AS ended,
    count(*) FILTER (WHERE ended.status = 'posted') AS published
FROM ended
JOIN accounts_tiktokaccount account ON account.id = ended.account_id
JOIN accounts_sector sector ON sector.id = account.sector_id
GROUP BY 1, 2, 3, 4, 5;

CREATE VIEW reporting.v_failures_by_cause AS
SELECT
    (event.at AT TIME ZONE :zone)::date AS day,
    account.username AS account,
    event.new AS status,
    event.code AS cause,
    count(DISTINCT event.video_id) AS videos
FROM publishing_videoevent event
JOIN publishing_video video ON video.id = event.video_id
JOIN accounts_tiktokaccount account ON account.id = video.account_id
WHERE event.old <> event.new AND event.new IN (:failed)
GROUP BY 1, 2, 3, 4;

CREATE VIEW reporting.v_tiktok_failures AS
SELECT
    date_trunc('hour', failure.at) AS hour,
    account.username AS account,
    failure.endpoint,
    failure.reason,
    failure.code,
    failure.status AS http_status,
    count(*) AS failures,
    avg(failure.seconds) AS average_seconds
FROM monitoring_tiktokfailure failure
LEFT JOIN accounts_tiktokaccount account ON account.id = failure.account_id
GROUP BY 1, 2, 3, 4, 5, 6;
