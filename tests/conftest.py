"""What every suite shares: private folders, a private Redis, a private S3 server, TikTok's sandbox."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from django.utils import translation
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from redis import Redis

from accounts.models import TikTokAccount, User
from accounts.services.connections import account_import
from publishing.causes import CATALOGUE
from publishing.signals import job_moved, video_moved
from subiteya.lib import ratelimits, spans
from subiteya.lib import redis_server as embedded
from subiteya.tiktok.sandbox import Sandbox, SandboxSettings, serve
from tests.factories import UserFactory
from tests.processes import free_port, running, wait_for

# A suite that a script started in the background ignores Ctrl-C, and so would the processes that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes is the machine's business.
hypothesis_settings.register_profile("subiteya", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("subiteya")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark with `database` what asks it: `make integration` runs that again on PostgreSQL."""
    for item in items:
        asks = {"db", "transactional_db", "live_server"} & set(getattr(item, "fixturenames", ()))
        if asks or item.get_closest_marker("django_db"):
            item.add_marker("database")


@pytest.fixture(autouse=True)
def private_folders(settings: Any, tmp_path: Path) -> None:
    """Each test has a bucket and a work folder of its own, on every xdist worker."""
    settings.MEDIA_ROOT = tmp_path / "bucket"
    settings.WORK_DIR = tmp_path / "work"


@pytest.fixture(autouse=True)
def default_language() -> Iterator[None]:
    """No test reads in the language of the person that another test logged in: a request leaves its own behind."""
    translation.deactivate()
    yield
    translation.deactivate()


@pytest.fixture(autouse=True)
def no_counts() -> None:
    """Nobody has asked for anything yet in this minute: without a Redis, processes count for themselves."""
    ratelimits._local.clear()


#: Codes that TikTok's sandbox invents, to see what becomes of one that nobody knows.
INVENTED = {"brand_new"}


@pytest.fixture(autouse=True)
def known_causes() -> Iterator[None]:
    """Whatever a test makes the product do, no row gets a cause that the catalogue cannot tell a person."""
    seen: set[str] = set()

    def note(code: str = "", **_rest: Any) -> None:
        seen.add(code)

    for moved in (video_moved, job_moved):
        moved.connect(note, weak=False)
    yield
    for moved in (video_moved, job_moved):
        moved.disconnect(note)
    assert seen - {""} - INVENTED - set(CATALOGUE) == set()


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    """No test pays for what another asked within the same minute."""
    ratelimits.forget()


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


@pytest.fixture
def cm(db: None) -> User:
    return UserFactory(username="ana")


@pytest.fixture
def connect(tiktok: Any, cm: User) -> Callable[..., TikTokAccount]:
    """Connect an account that exists in the sandbox, in the charge of `cm`."""

    def connect(username: str = "panaderia", **fields: Any) -> TikTokAccount:
        tiktok.sandbox.add_account(username, **fields)
        answer = tiktok.sandbox.mint_tokens(username)
        account, _new = account_import(answer=answer, username=username, sector_name="Gastronomía", managers=[cm])
        return account

    return connect
