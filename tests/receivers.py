"""Real servers that take what we send: mails, and webhooks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from aiosmtpd.controller import Controller

from tests.processes import free_port


class Mailbox:
    """`mails`: (addresses, parsed mail) of each that came; `refuse` turns the next ones away."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], Any]] = []
        self.refuse = False

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.refuse:
            return "550 go away"
        self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.default)))
        return "250 OK"


@contextmanager
def mail_server(settings: Any, port: int | None = None) -> Iterator[Mailbox]:
    """A mail server, and settings that point at it."""
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=port or free_port())
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    settings.SITE_URL = "https://subiteya.example"
    yield box
    controller.stop()


@contextmanager
def web_server() -> Iterator[Any]:
    """A web server that answers each POST with `status`; `got` has (headers, body) of each, `url` its address."""

    class Handler(BaseHTTPRequestHandler):
        status, location = 200, ""
        got: list[tuple[Any, bytes]] = []
        url = ""

        def do_POST(self) -> None:  # noqa: N802
            self.got.append((self.headers, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(Handler.status)
            if Handler.location:
                self.send_header("Location", Handler.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    Handler.url = f"http://127.0.0.1:{server.server_port}"
    yield Handler
    server.shutdown()
    thread.join()
    server.server_close()
