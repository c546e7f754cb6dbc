"""Production: secrets, database, queue and TikTok's keys come from the environment and are required."""

from subiteya.lib import env
from subiteya.settings.base import *  # noqa: F403
from subiteya.settings.base import SITE_URL, TIKTOK_SANDBOX

SECRET_KEY = env.text("SECRET_KEY")
FIELD_ENCRYPTION_KEYS = env.names("FIELD_ENCRYPTION_KEYS") or [env.text("FIELD_ENCRYPTION_KEYS")]
env.text("DATABASE_URL")
env.text("REDIS_URL")
ALLOWED_HOSTS = env.names("SUBITEYA_ALLOWED_HOSTS") or [env.text("SUBITEYA_ALLOWED_HOSTS")]
TIKTOK_CLIENT_KEY = env.text("TIKTOK_CLIENT_KEY")
TIKTOK_CLIENT_SECRET = env.text("TIKTOK_CLIENT_SECRET")
if TIKTOK_SANDBOX:
    raise env.BadSetting("TIKTOK_SANDBOX is for the embedded default: unset it in production.")

HTTPS = SITE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
LOG_FORMAT = env.choice("SUBITEYA_LOG_FORMAT", "json", ("console", "json"))
