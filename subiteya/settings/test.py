"""The suites: SQLite in a file unless DATABASE_URL says otherwise, files in a temporary folder."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_tmp = Path(tempfile.mkdtemp(prefix="subiteya-test-"))
atexit.register(shutil.rmtree, _tmp, ignore_errors=True)
os.environ["SUBITEYA_VAR_DIR"] = str(_tmp)

from subiteya.settings.base import *  # noqa: E402, F403
from subiteya.settings.base import DATABASES, STORAGES  # noqa: E402

SECRET_KEY = "test-only"  # noqa: S105
FIELD_ENCRYPTION_KEYS = ["3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
TIKTOK_CLIENT_KEY = "test-client-key"
TIKTOK_CLIENT_SECRET = "test-client-secret"  # noqa: S105
TIKTOK_SANDBOX = True
TIKTOK_AUDITED = True
OUTGOING_ALLOW = ["127.0.0.1"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
STATIC_ROOT = _tmp / "staticfiles"  # WhiteNoise warns about a folder that is not there
STATIC_ROOT.mkdir()
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": str(_tmp / "test.sqlite3")}
