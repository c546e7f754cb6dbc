"""Production: secrets, addresses, database, queue and TikTok's keys come from the environment and are required."""

from subiteya.lib import env
from subiteya.lib.logs import logging_config
from subiteya.settings.base import *  # noqa: F403
from subiteya.settings.base import DEBUG, LOG_LEVEL, TIKTOK_SANDBOX

SECRET_KEY = env.text("SECRET_KEY")
FIELD_ENCRYPTION_KEYS = env.fernet_keys("FIELD_ENCRYPTION_KEYS")
env.text("DATABASE_URL")
env.text("REDIS_URL")
env.url("SUBITEYA_SITE_URL")
TIKTOK_CLIENT_KEY = env.text("TIKTOK_CLIENT_KEY")
TIKTOK_CLIENT_SECRET = env.text("TIKTOK_CLIENT_SECRET")
if TIKTOK_SANDBOX:
    raise env.BadSetting("TIKTOK_SANDBOX is for the embedded default: unset it in production.")
if DEBUG:
    raise env.BadSetting("SUBITEYA_DEBUG shows settings and code to whoever meets an error: unset it in production.")

REQUIRE_MFA = env.flag("SUBITEYA_REQUIRE_MFA", default=True)
LOG_FORMAT = env.choice("SUBITEYA_LOG_FORMAT", "json", ("console", "json"))
LOGGING = logging_config(LOG_FORMAT, LOG_LEVEL)
