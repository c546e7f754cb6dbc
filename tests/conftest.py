"""What every suite shares: private folders, a private Redis, a private S3 server, TikTok's sandbox."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from redis import Redis

from subiteya.lib import redis_server as embedded
from subiteya.lib import spans
from subiteya.tiktok.sandbox import Sandbox, SandboxSettings, serve
from tests.processes import free_port, running, wait_for

# A suite that a script started in the background ignores Ctrl-C, and so would the processes that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def private_folders(settings: Any, tmp_path: Path) -> None:
    """Each test has a bucket and a work folder of its own, on every xdist worker."""
    settings.MEDIA_ROOT = tmp_path / "bucket"
    settings.WORK_DIR = tmp_path / "work"


@pytest.fixture(autouse=True)
def no_places() -> Iterator[None]:
    """Spans go nowhere, unless a test adds a place for them: most tests have no database, or roll it back."""
    kept = spans.places[:]
    spans.places.clear()
    yield
    spans.places[:] = kept


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Redis server, on a unix socket that only this session knows."""
    folder = tmp_path_factory.mktemp("redis", numbered=True)
    socket = folder / "redis.sock"
    argv = embedded.redis_argv(server=embedded.find_redis_server(), socket=socket, folder=folder)
    with running(argv, log=folder / "log"):
        wait_for(socket.exists)
        yield f"unix://{socket}"


@pytest.fixture
def redis(redis_server: str, settings: Any) -> Iterator[Redis]:
    """An empty Redis, and settings that point at it."""
    settings.REDIS_URL = redis_server
    settings.CACHES = settings.CACHES | {"shared": settings.CACHES["shared"] | {"LOCATION": redis_server}}
    client = Redis.from_url(redis_server)
    client.flushall()
    yield client
    client.close()


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of moto's S3 server, a process of its own."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = tmp_path_factory.mktemp("s3", numbered=True) / "log"
    with running([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], log=log):
        wait_for(lambda: b"Running on" in log.read_bytes(), seconds=60)
        yield url


@pytest.fixture
def s3_bucket(s3_server: str, settings: Any, request: pytest.FixtureRequest) -> Any:
    """An empty bucket as the default storage; answers boto3's Bucket."""
    name = f"subiteya-{abs(hash(request.node.nodeid)) % 10**12}"
    options = {"endpoint_url": s3_server, "region_name": "us-east-1"}
    keys = {"access_key": "test", "secret_key": "test"}
    resource = boto3.resource("s3", **options, aws_access_key_id="test", aws_secret_access_key="test")
    bucket = resource.create_bucket(Bucket=name)
    bucket.objects.all().delete()
    storage = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {"bucket_name": name, "file_overwrite": True, "default_acl": None, **options, **keys},
    }
    settings.STORAGES = {**settings.STORAGES, "default": storage}
    return bucket


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A quick TikTok of this test's own: its answers come at once."""
    sandbox = Sandbox(tmp_path / "sandbox", SandboxSettings(processing_seconds=0, moderation_seconds=0))
    server = serve(sandbox, "127.0.0.1", 0)
    yield sandbox
    server.shutdown()
    sandbox.close()


@pytest.fixture
def tiktok(settings: Any, sandbox: Any) -> SimpleNamespace:
    """Settings that point at the sandbox; answers the sandbox and its address."""
    settings.TIKTOK_API_BASE = settings.TIKTOK_AUTHORIZE_BASE = sandbox.url
    settings.TIKTOK_UPLOAD_HOSTS = (sandbox.url.removeprefix("http://"),)
    settings.TIKTOK_CLIENT_KEY = sandbox.settings.client_key
    settings.TIKTOK_CLIENT_SECRET = sandbox.settings.client_secret
    return SimpleNamespace(sandbox=sandbox, url=sandbox.url)
