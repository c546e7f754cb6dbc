"""Outgoing calls go to the public internet, whatever a name says, and however often it says something else."""

from __future__ import annotations

import gzip
import ipaddress
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from monitoring.services.webhooks import WebhookRefused, webhook_send
from subiteya.lib.outgoing import Guard, OutgoingRefused, check_url, fetch, is_public, post

PUBLIC = "93.184.215.14"


class Server:
    """A real server on loopback: `seen` are the requests (Host header, path) that reached it."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.seen: list[tuple[str, str]] = []
        self.names: list[str | None] = []
        self.closed, self.hung_up = False, threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # noqa: N802
                server.seen.append((self.headers["Host"], self.path))
                kind, _slash, rest = self.path.lstrip("/").partition("/")
                if kind == "to":
                    self.send_response(302)
                    self.send_header("Location", rest)
                elif kind in {"drip", "header"}:
                    self._drip(kind)
                    return
                elif kind == "bomb":
                    self.send_response(200)
                    self.send_header("Content-Encoding", "gzip")
                    self.end_headers()
                    self.wfile.write(gzip.compress(bytes(20_000_000)))
                    return
                elif kind == "round":
                    self.send_response(302)
                    self.send_header("Location", "/round/")
                else:
                    self.send_response(200)
                    self.send_header("Content-Type", "image/png")
                self.end_headers()
                self.wfile.write(b"x" * int(rest or 0) if kind == "bytes" else b"secret")

            def _drip(self, where: str) -> None:
                """A byte now and then, in the body or in a header, until the other side has had enough."""
                self.wfile.write(b"HTTP/1.0 200 OK\r\nX-Slow: " + (b"no\r\n\r\n" if where == "drip" else b""))
                try:
                    while not server.closed:
                        self.wfile.write(b"x")
                        time.sleep(0.05)
                except OSError:
                    server.hung_up.set()

            def do_POST(self) -> None:  # noqa: N802
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def log_message(self, *_args: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._http.server_address[1]
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            context.sni_callback = lambda _socket, name, _context: self.names.append(name)
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.closed = True
        self._http.shutdown()
        self._http.server_close()


@contextmanager
def serving(certificate: Path | None = None) -> Iterator[Server]:
    server = Server(certificate)
    yield server
    server.close()


@pytest.fixture
def near() -> Iterator[Server]:
    """Something on this machine that nobody outside may reach."""
    with serving() as server:
        yield server


class Resolver:
    """Answers each question with the next of its answers, and the last one from then on."""

    def __init__(self, *answers: str) -> None:
        self.answers, self.asked = list(answers), 0

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        return [self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]]


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "192.88.99.1",
        "::", "::1", "::127.0.0.1", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8",
        "64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "2002:7f00:1::", "2001:0:1::1", "2001:db8::1",
    ],
)  # fmt: skip
def test_it_calls_no_address_that_is_near_or_a_detour(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))
    with pytest.raises(OutgoingRefused) as refused:
        fetch("https://name.example/", most_bytes=10, by=Guard(resolver=Resolver(text)))
    assert refused.value.code == "address"


@pytest.mark.parametrize("text", ["8.8.8.8", PUBLIC, "2606:4700::1111"])
def test_it_lets_public_addresses_through(text: str) -> None:
    assert Guard(resolver=Resolver(text)).addresses("name.example", 443) == [text]


def test_it_is_not_fooled_by_a_name_that_answers_differently_the_second_time(near: Server) -> None:
    first_public = Resolver(PUBLIC, "127.0.0.1")
    guard = Guard(resolver=first_public)

    # What was checked is what is called: nobody asks again between the two.
    assert guard.addresses("rebind.example", near.port) == [PUBLIC]
    asked = first_public.asked
    with pytest.raises(OutgoingRefused) as refused:
        fetch(f"https://rebind.example:{near.port}/", most_bytes=100, by=guard)

    assert refused.value.code == "address"
    assert first_public.asked == asked + 1, "one question for each connection"
    assert near.seen == []


def test_it_is_not_fooled_when_only_the_connection_is_asked(near: Server) -> None:
    """The name is on the list while it is public; the same name then leads to a near address that is not."""
    guard = Guard(allow=["10.0.0.0/8"], resolver=Resolver("127.0.0.1"))

    with pytest.raises(OutgoingRefused):
        fetch(f"https://listed.example:{near.port}/", most_bytes=100, by=guard)
    assert near.seen == []


@pytest.mark.parametrize(
    "url",
    [
        "http://public.example/", "ftp://public.example/", "file:///etc/passwd", "gopher://x/", "https://",
        "https://user:pw@public.example/", "https://public.example\\@evil.example/", "javascript:alert(1)", "//x/",
        "https://[::1", "https://x:99999/",
    ],
)  # fmt: skip
def test_it_takes_only_plain_https(url: str) -> None:
    with pytest.raises(OutgoingRefused) as refused:
        check_url(url, Guard())
    assert refused.value.code == "scheme"


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "0177.0.0.1", "[::1]", "localhost"])
def test_it_sees_through_other_ways_to_write_this_machine(near: Server, host: str) -> None:
    with pytest.raises(OutgoingRefused) as refused:
        fetch(f"https://{host}:{near.port}/", most_bytes=100, by=Guard())
    assert refused.value.code == "address"
    assert near.seen == []


def test_it_checks_every_redirect(near: Server) -> None:
    guard = Guard(allow=[f"good.example:{near.port}"], resolver=Resolver("127.0.0.1"))
    start = f"http://good.example:{near.port}"

    assert fetch(f"{start}/to/{start}/fine", most_bytes=100, by=guard).body == b"secret"
    for target in (f"https://evil.example:{near.port}/x", f"http://127.0.0.1:{near.port}/x", "file:///etc/passwd"):
        near.seen.clear()
        with pytest.raises(OutgoingRefused):
            fetch(f"{start}/to/{target}", most_bytes=100, by=guard)
        assert len(near.seen) == 1, target
    near.seen.clear()
    with pytest.raises(OutgoingRefused) as refused:
        fetch(f"{start}/round/", most_bytes=100, by=guard)
    assert refused.value.code == "redirects"
    assert len(near.seen) == 4


def test_it_reads_no_more_than_it_wants(near: Server) -> None:
    guard = Guard(allow=["127.0.0.0/8"])

    assert len(fetch(f"http://127.0.0.1:{near.port}/bytes/1000", most_bytes=1000, by=guard).body) == 1000
    with pytest.raises(OutgoingRefused) as refused:
        fetch(f"http://127.0.0.1:{near.port}/bytes/1000000", most_bytes=1000, by=guard)
    assert refused.value.code == "too_large"


@pytest.mark.parametrize("where", ["drip", "header"])
def test_it_hangs_up_on_who_sends_a_byte_now_and_then(near: Server, where: str) -> None:
    address, guard, began = f"http://127.0.0.1:{near.port}/{where}/", Guard(allow=["127.0.0.0/8"]), time.monotonic()

    with pytest.raises(OutgoingRefused) as refused:
        fetch(address, most_bytes=100_000, by=guard, deadline=0.5)
    assert refused.value.code == "unavailable"
    if where == "header":
        with pytest.raises(OutgoingRefused):
            post(address, b"x", headers={}, by=guard, deadline=0.5)
    assert time.monotonic() - began < 5
    assert near.hung_up.wait(5)


def test_it_unpacks_nothing(near: Server) -> None:
    answer = fetch(f"http://127.0.0.1:{near.port}/bomb/", most_bytes=100_000, by=Guard(allow=["127.0.0.0/8"]))
    assert answer.body.startswith(b"\x1f\x8b")


def test_it_says_nothing_of_the_address_and_takes_no_proxy(monkeypatch: pytest.MonkeyPatch, near: Server) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{near.port}")
    with pytest.raises(OutgoingRefused) as refused:
        post("https://name.example/?token=PLANTED", b"x", headers={}, by=Guard(resolver=Resolver("127.0.0.1")))

    assert "PLANTED" not in str(refused.value)
    assert near.seen == []


def test_it_sends_webhooks_nowhere_near_unless_listed(near: Server, settings: object) -> None:
    address = f"http://127.0.0.1:{near.port}/hook"
    webhook_send(b"{}", url=address, secret="s")
    assert [path for _host, path in near.seen] == ["/hook"]

    settings.OUTGOING_ALLOW = []  # type: ignore[attr-defined]
    for url in (address, address.replace("http:", "https:"), f"https://localhost:{near.port}/hook"):
        with pytest.raises(WebhookRefused):
            webhook_send(b"{}", url=url, secret="s")
    assert len(near.seen) == 1


def test_it_does_not_follow_where_a_webhook_is_redirected_to(near: Server, settings: object) -> None:
    with pytest.raises(WebhookRefused, match="302"):
        webhook_send(b"{}", url=f"http://127.0.0.1:{near.port}/to/http://127.0.0.1:{near.port}/x", secret="s")
    assert len(near.seen) == 1


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of secure.example, signed by itself, with its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("secure.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def test_it_speaks_tls_with_the_name_and_not_with_the_address(certificate: Path) -> None:
    with serving(certificate) as server:
        guard = Guard(allow=["127.0.0.1"], resolver=Resolver("127.0.0.1"))
        url = f"https://secure.example:{server.port}/"

        answer = fetch(url, most_bytes=100, by=guard, verify=str(certificate))
        with pytest.raises(OutgoingRefused) as stranger:
            fetch(url.replace("secure", "other"), most_bytes=100, by=guard, verify=str(certificate))
        with pytest.raises(OutgoingRefused):
            fetch(url, most_bytes=100, by=guard)

    assert (answer.status, answer.content_type, answer.body) == (200, "image/png", b"secret")
    assert server.names[0] == "secure.example"
    assert server.seen == [(f"secure.example:{server.port}", "/")]
    assert stranger.value.code == "unavailable", "the certificate is for another name"
