"""The embedded default: everything below `var/`, the sandbox in TikTok's place, secrets made on first use."""

from subiteya.lib import env
from subiteya.lib.headers import content_policy
from subiteya.lib.local_secrets import local_secrets
from subiteya.settings.base import *  # noqa: F403
from subiteya.settings.base import HTTPS, OUTGOING_ALLOW, SANDBOX_URL, VAR_DIR

_local = local_secrets(VAR_DIR / "secrets.json")
SECRET_KEY = env.text("SECRET_KEY", _local["secret_key"])
FIELD_ENCRYPTION_KEYS = env.fernet_keys("FIELD_ENCRYPTION_KEYS", _local["field_encryption_key"])

TIKTOK_SANDBOX = env.flag("TIKTOK_SANDBOX", default=True)
if TIKTOK_SANDBOX:
    TIKTOK_API_BASE = TIKTOK_AUTHORIZE_BASE = SANDBOX_URL
    CONTENT_SECURITY_POLICY = content_policy(authorize_base=SANDBOX_URL, https=HTTPS)
    OUTGOING_ALLOW = [*OUTGOING_ALLOW, SANDBOX_URL.removeprefix("http://")]  # its pictures of accounts
    TIKTOK_UPLOAD_HOSTS = (SANDBOX_URL.removeprefix("http://"),)
    TIKTOK_CLIENT_KEY = "sandbox-client-key"
    TIKTOK_CLIENT_SECRET = _local["sandbox_client_secret"]
    TIKTOK_AUDITED = env.flag("TIKTOK_AUDITED", default=True)
else:
    TIKTOK_CLIENT_KEY = env.text("TIKTOK_CLIENT_KEY")
    TIKTOK_CLIENT_SECRET = env.text("TIKTOK_CLIENT_SECRET")
