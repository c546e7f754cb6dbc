"""Settings shared by every environment, read from the environment. docs/settings.md explains each name."""

from __future__ import annotations

import hashlib
import socket
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.utils.translation import gettext_lazy as _

from subiteya.lib import env
from subiteya.lib.headers import content_policy
from subiteya.lib.logs import logging_config

BASE_DIR = Path(__file__).resolve().parents[2]
VAR_DIR = env.folder("SUBITEYA_VAR_DIR", BASE_DIR / "var")


def _socket_path() -> Path:
    """The embedded Redis socket; a unix socket's path holds at most 107 bytes."""
    path = VAR_DIR / "redis.sock"
    if len(bytes(path)) < 100:
        return path
    digest = hashlib.sha256(bytes(path)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"subiteya-{digest}" / "redis.sock"


#: A server whose machine is gone says no goodbye: 20 s later the connection is given up, and the next one is tried.
POSTGRESQL_ALIVE = {
    "connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 2,
    "tcp_user_timeout": 20_000,
}  # fmt: skip

#: Compiling a statement takes half a second where its cost was guessed too high; none here runs that long. And a
#: process that was frozen in the middle of a transaction loses its locks before its lease is over (90 s).
POSTGRESQL_SESSION = "-c jit=off -c idle_in_transaction_session_timeout=60000"


def _database(url: str) -> dict[str, Any]:
    """Django's settings for `url`; SQLite in the mode in which several processes write side by side."""
    try:
        database: dict[str, Any] = {**dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True)}
    except ValueError:
        raise env.BadSetting(
            "DATABASE_URL must be an address such as postgres://user:password@host:5432/name."
        ) from None
    # django-prometheus measures each query in its copies of Django's engines.
    database["ENGINE"] = database["ENGINE"].replace("django.db.backends", "django_prometheus.db.backends")
    # A cursor on the server outlives the transaction that PgBouncer lends a connection for.
    pooler = database["DISABLE_SERVER_SIDE_CURSORS"] = env.flag("SUBITEYA_DATABASE_POOLER", default=False)
    if database["ENGINE"].endswith("postgresql"):
        given = database.get("OPTIONS", {})
        # PgBouncer refuses options: docs/scaling.md says how the database is told there. The last one of a name holds.
        options = {} if pooler else {"options": f"{POSTGRESQL_SESSION} {given.get('options', '')}".strip()}
        database["OPTIONS"] = {**POSTGRESQL_ALIVE, **given, **options}
    if database["ENGINE"].endswith("sqlite3"):
        database["OPTIONS"] = {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
        }
    return database


# The web application
DEBUG = env.flag("SUBITEYA_DEBUG", default=False)
WEB_HOST = env.text("SUBITEYA_WEB_HOST", "127.0.0.1")
WEB_PORT = env.number("SUBITEYA_WEB_PORT", 8000, low=1, high=65535)
SITE_URL = env.url("SUBITEYA_SITE_URL", f"http://127.0.0.1:{WEB_PORT}")
ALLOWED_HOSTS = env.names("SUBITEYA_ALLOWED_HOSTS", f"127.0.0.1,localhost,[::1],{urlsplit(SITE_URL).hostname}")
CSRF_TRUSTED_ORIGINS = [SITE_URL]
HTTPS = SITE_URL.startswith("https://")
TRUSTED_PROXIES = env.networks("SUBITEYA_TRUSTED_PROXIES")
# Over HTTPS the browser itself holds the cookies to this host, this path and HTTPS: that is what __Host- means to it.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
COOKIE_PREFIX = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid", f"{COOKIE_PREFIX}csrftoken"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_SSL_REDIRECT = HTTPS
# Asked by programs beside the web server, past the proxy that speaks HTTPS; a key is needed for all but the first.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^metrics$", r"^api/monitor/"]
SECURE_HSTS_SECONDS = env.number("SUBITEYA_HSTS_SECONDS", 31_536_000) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = env.flag("SUBITEYA_HSTS_PRELOAD", default=False)
if not SECURE_HSTS_PRELOAD:
    # With `preload` anybody may put the whole domain on the browsers' lists, for good: its owner decides that.
    SILENCED_SYSTEM_CHECKS = ["security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
ROOT_URLCONF = "subiteya.urls"
WSGI_APPLICATION = "subiteya.wsgi.application"
WEB_THREADS = env.number("SUBITEYA_WEB_THREADS", 8, low=1, high=256)
WEB_PROCESSES = env.number("SUBITEYA_WEB_PROCESSES", 2, low=1, high=64)
WEB_STOP_SECONDS = env.number("SUBITEYA_WEB_STOP_SECONDS", 3, low=0, high=3600)

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "csp",
    "django_rq",
    "django_htmx",
    "django_prometheus",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "audit",
    "django_otp_webauthn",
    "accounts",
    "publishing",
    "insights",
    "monitoring",
    "notices",
]
MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "subiteya.lib.headers.HeadersMiddleware",
    "subiteya.lib.compression.CompressionMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "accounts.middleware.UserLocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware_sessions.SessionLimitsMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "audit.middleware.OriginMiddleware",
    "accounts.middleware.SecondFactorMiddleware",
    "accounts.middleware.UserPreferencesMiddleware",
    "accounts.middleware.ReadOnlyMiddleware",
    "accounts.middleware.TraceMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "publishing.context_processors.shell",
                "monitoring.context_processors.alerts",
                "notices.context_processors.bell",
            ]
        },
    }
]
STATIC_URL = "static/"
STATIC_ROOT = env.folder("SUBITEYA_STATIC_ROOT", BASE_DIR / "staticfiles")
STATICFILES_DIRS = [BASE_DIR / "static"]

# People
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "accounts:login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
OTP_TOTP_ISSUER = "SubiteYa"
# Passkeys belong to a host with a name. Browsers know none for a bare address, such as the demo's.
OTP_WEBAUTHN_RP_NAME, OTP_WEBAUTHN_RP_ID = "SubiteYa", urlsplit(SITE_URL).hostname or "localhost"
PASSKEYS = OTP_WEBAUTHN_RP_ID == "localhost" or (HTTPS and not env.is_address(OTP_WEBAUTHN_RP_ID))
OTP_WEBAUTHN_ALLOWED_ORIGINS = [SITE_URL if PASSKEYS else f"https://{OTP_WEBAUTHN_RP_ID}"]
OTP_WEBAUTHN_ALLOW_PASSWORDLESS_LOGIN = False
REQUIRE_MFA = env.flag("SUBITEYA_REQUIRE_MFA", default=False)
AUDIT_KEYS = env.names("SUBITEYA_AUDIT_KEYS")  # without them, derived from SECRET_KEY
PASSWORD_RESET_TIMEOUT = 3600
# How long a session lives: for administrators, and for everybody else
STAFF_IDLE_MINUTES = env.number("SUBITEYA_STAFF_IDLE_MINUTES", 30, low=1, high=24 * 60)
STAFF_SESSION_HOURS = env.number("SUBITEYA_STAFF_SESSION_HOURS", 12, low=1, high=30 * 24)
IDLE_MINUTES = env.number("SUBITEYA_IDLE_MINUTES", 12 * 60, low=1, high=30 * 24 * 60)
SESSION_HOURS = env.number("SUBITEYA_SESSION_HOURS", 14 * 24, low=1, high=90 * 24)
SESSION_COOKIE_AGE = 3600 * max(STAFF_SESSION_HOURS, SESSION_HOURS)
LANGUAGE_CODE = env.choice("SUBITEYA_LANGUAGE", "es", ("es", "en"))
LANGUAGES = [("es", _("Spanish")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.zone("SUBITEYA_TIME_ZONE", "America/Argentina/Buenos_Aires")
USE_TZ = True

# The database, the bell and the bucket
DATABASES = {"default": _database(env.text("DATABASE_URL", f"sqlite:///{VAR_DIR / 'db.sqlite3'}"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_SOCKET = _socket_path()
REDIS_URL = env.url("REDIS_URL", f"unix://{REDIS_SOCKET}", schemes=("redis", "rediss", "unix"))
REDIS_EMBEDDED = not env.text("REDIS_URL", "")
QUEUE_PREFIX = env.text("SUBITEYA_QUEUE_PREFIX", "subiteya")
RQ_QUEUES = {
    kind: {"URL": REDIS_URL, "DEFAULT_TIMEOUT": -1, "DEFAULT_RESULT_TTL": 0}
    for kind in (f"{QUEUE_PREFIX}-edit", f"{QUEUE_PREFIX}-upload")
}
RQ = {"COMMIT_MODE": "auto"}  # our own code decides when a bell rings: after the commit
S3_BUCKET = env.text("S3_BUCKET", "")
STORAGES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        # Nobody else on the host reads what people brought, whatever the umask is.
        "OPTIONS": {"file_permissions_mode": 0o600, "directory_permissions_mode": 0o700},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MEDIA_ROOT = env.folder("SUBITEYA_MEDIA_DIR", VAR_DIR / "bucket")
if S3_BUCKET:
    STORAGES["default"] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": (env.text("S3_ENDPOINT_URL", "") and env.url("S3_ENDPOINT_URL")) or None,
            "region_name": env.text("S3_REGION", "") or None,
            "access_key": env.text("S3_ACCESS_KEY_ID", "") or None,
            "secret_key": env.text("S3_SECRET_ACCESS_KEY", "") or None,
            "file_overwrite": True,
            "default_acl": None,
        },
    }

CACHES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "shared": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": QUEUE_PREFIX,
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 2},
    },
}
RATELIMIT_USE_CACHE = "shared"
# The monitor's API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["monitoring.api.authentication.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["monitoring.api.permissions.ReadsTheMonitor"],
    "DEFAULT_THROTTLE_CLASSES": ["monitoring.api.permissions.ThirtyAMinute"],
    "DEFAULT_RENDERER_CLASSES": ["monitoring.api.renderers.QuickJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "SubiteYa",
    "DESCRIPTION": "What the agency publishes, how it goes, and what is stuck.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# Workers
WORK_DIR = env.folder("SUBITEYA_WORK_DIR", VAR_DIR / "work")
WORK_DIR_MAX_BYTES = env.number("SUBITEYA_WORK_DIR_MAX_BYTES", 0, low=0)
HOST_NAME = env.text("SUBITEYA_HOST_NAME", socket.gethostname())
EDIT_WORKERS = env.number("SUBITEYA_EDIT_WORKERS", 1, low=0, high=64)
UPLOAD_WORKERS = env.number("SUBITEYA_UPLOAD_WORKERS", 2, low=0, high=256)
TIME_SCALE = env.share("SUBITEYA_TIME_SCALE", 1.0)  # publishing.pace
UPLOAD_SINGLE_PART_MAX = env.number("SUBITEYA_UPLOAD_SINGLE_PART_MAX", 64_000_000, low=5_000_000, high=64_000_000)
UPLOAD_PART_TARGET = env.number("SUBITEYA_UPLOAD_PART_TARGET", 32_000_000, low=10_000_000, high=60_000_000)
UPLOAD_PART_PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)  # seconds before a part is sent again
CIRCUIT_COOL_DOWN_SECONDS = env.number("SUBITEYA_CIRCUIT_COOL_DOWN_SECONDS", 15 * 60, low=10, high=6 * 3600)
HELD_GRACE_SECONDS = env.number("SUBITEYA_HELD_GRACE_SECONDS", 12 * 3600, low=60)
MISSED_GRACE_SECONDS = env.number("SUBITEYA_MISSED_GRACE_SECONDS", 30 * 60, low=60)
POSTS_A_DAY = env.number("SUBITEYA_POSTS_A_DAY", 15, low=1, high=1000)
MAX_FILE_BYTES = env.number("SUBITEYA_MAX_FILE_BYTES", 4_000_000_000, low=1_000_000)
MAX_DURATION_SECONDS = env.number("SUBITEYA_MAX_DURATION_SECONDS", 3600, low=1)
QUOTA_COMING_FILES = env.number("SUBITEYA_QUOTA_COMING_FILES", 10, low=0)
QUOTA_DAY_BYTES = env.number("SUBITEYA_QUOTA_DAY_BYTES", 50_000_000_000, low=0)
QUOTA_STORED_BYTES = env.number("SUBITEYA_QUOTA_STORED_BYTES", 500_000_000_000, low=0)
QUOTA_ACCOUNT_WAITING = env.number("SUBITEYA_QUOTA_ACCOUNT_WAITING", 500, low=0)
MEDIA_NETWORK = env.choice("SUBITEYA_MEDIA_NETWORK", "auto", ("auto", "required", "off"))
WHISPER_MODEL_DIR = env.text("SUBITEYA_WHISPER_MODEL_DIR", "")

# TikTok, or the sandbox in its place: only addresses and keys differ
TIKTOK_SANDBOX = env.flag("TIKTOK_SANDBOX", default=False)
SANDBOX_PORT = env.number("SUBITEYA_SANDBOX_PORT", 8001, low=1, high=65535)
SANDBOX_URL = env.url("SUBITEYA_SANDBOX_URL", f"http://127.0.0.1:{SANDBOX_PORT}")
TIKTOK_API_BASE = env.url("TIKTOK_API_BASE", "https://open.tiktokapis.com")
TIKTOK_AUTHORIZE_BASE = env.url("TIKTOK_AUTHORIZE_BASE", "https://www.tiktok.com")
CONTENT_SECURITY_POLICY = content_policy(authorize_base=TIKTOK_AUTHORIZE_BASE, https=HTTPS)
TIKTOK_UPLOAD_HOSTS = tuple(env.names("TIKTOK_UPLOAD_HOSTS", ".tiktokapis.com"))
TIKTOK_CLIENT_KEY = env.text("TIKTOK_CLIENT_KEY", "")
TIKTOK_CLIENT_SECRET = env.text("TIKTOK_CLIENT_SECRET", "")
TIKTOK_CLIENT_SECRET_OLD = env.text("TIKTOK_CLIENT_SECRET_OLD", "")
TIKTOK_PKCE = env.choice("TIKTOK_PKCE", "base64url", ("hex", "base64url"))
TIKTOK_AUDITED = env.flag("TIKTOK_AUDITED", default=False)

# Hosts, `host:port` and networks that outgoing calls may reach although they are near (subiteya.lib.outgoing)
OUTGOING_ALLOW = env.names("SUBITEYA_OUTGOING_ALLOW")
# Who is told about alerts (docs/alerts.md) and notices (docs/notices.md), and by which mail server
ALERT_EMAILS = env.names("SUBITEYA_ALERT_EMAILS")
ALERT_WEBHOOK_URL = env.text("SUBITEYA_ALERT_WEBHOOK_URL", "") and env.safe_url("SUBITEYA_ALERT_WEBHOOK_URL")
ALERT_WEBHOOK_SECRET = env.text("SUBITEYA_ALERT_WEBHOOK_SECRET", None if ALERT_WEBHOOK_URL else "")
NOTICE_WEBHOOK_URL = env.text("SUBITEYA_NOTICE_WEBHOOK_URL", "") and env.safe_url("SUBITEYA_NOTICE_WEBHOOK_URL")
NOTICE_WEBHOOK_SECRET = env.text("SUBITEYA_NOTICE_WEBHOOK_SECRET", None if NOTICE_WEBHOOK_URL else "")
# Without a mail server that somebody named, as in the demo, nobody gets mails about notices (docs/notices.md).
HAS_MAIL_SERVER = bool(env.text("EMAIL_HOST", ""))
NOTICE_MAILS = env.flag("SUBITEYA_NOTICE_MAILS", default=HAS_MAIL_SERVER)
EMAIL_HOST = env.text("EMAIL_HOST", "127.0.0.1")
EMAIL_PORT = env.number("EMAIL_PORT", 25, low=1, high=65535)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=False)
EMAIL_USE_SSL = env.flag("EMAIL_USE_SSL", default=False)
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "subiteya@localhost")

LOG_FORMAT = env.choice("SUBITEYA_LOG_FORMAT", "console", ("console", "json"))
LOG_LEVEL = env.choice("SUBITEYA_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = logging_config(LOG_FORMAT, LOG_LEVEL)
# What grows with the work and is forgotten after so many days; 0: never (monitoring.services.keeping)
KEEP_JOB_EVENTS_DAYS = env.number("SUBITEYA_KEEP_JOB_EVENTS_DAYS", 90, low=0, high=36_500)
KEEP_TIKTOK_FAILURES_DAYS = env.number("SUBITEYA_KEEP_TIKTOK_FAILURES_DAYS", 90, low=0, high=36_500)
KEEP_CIRCUIT_EVENTS_DAYS = env.number("SUBITEYA_KEEP_CIRCUIT_EVENTS_DAYS", 400, low=0, high=36_500)
KEEP_ACTS_DAYS = env.number("SUBITEYA_KEEP_ACTS_DAYS", 90, low=0, high=36_500)
KEEP_INTAKES_DAYS = env.number("SUBITEYA_KEEP_INTAKES_DAYS", 30, low=0, high=36_500)
KEEP_WEBHOOKS_DAYS = env.number("SUBITEYA_KEEP_WEBHOOKS_DAYS", 30, low=0, high=36_500)
SPAN_RETENTION_DAYS = env.number("SUBITEYA_SPAN_RETENTION_DAYS", 14, low=1, high=3650)
