"""Serving the sandbox: one thread a connection, and a stop that waits for nobody."""

from __future__ import annotations

import logging
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from subiteya.tiktok.sandbox.sandbox import Sandbox

logger = logging.getLogger(__name__)
#: Seconds without a byte after which a connection is given up.
IDLE = 120
POLL = 0.01


class _Connections:
    """The sockets that are being served, so that a stop can cut them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()

    def add(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.add(connection)

    def remove(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.discard(connection)

    def cut(self) -> None:
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


def _handler_for(connections: _Connections) -> type[WSGIRequestHandler]:
    class Handler(WSGIRequestHandler):
        """Logs nothing itself: paths hold upload tokens and queries hold codes. The ledger has the calls."""

        timeout = IDLE
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            connections.add(self.connection)

        def finish(self) -> None:
            connections.remove(self.connection)
            with suppress(OSError):
                super().finish()

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            pass

        def log_error(self, format: str, *args: Any) -> None:
            logger.debug("sandbox_connection_error")

    return Handler


class SandboxServer:
    """A running sandbox. `url` has no slash at its end."""

    def __init__(self, sandbox: Sandbox, host: str, port: int) -> None:
        self._sandbox = sandbox
        self._connections = _Connections()
        handler = _handler_for(self._connections)
        made = make_server(host, port, sandbox.wsgi_app, threaded=True, request_handler=handler)
        self._server = cast(ThreadedWSGIServer, made)
        name = f"[{host}]" if ":" in host else host
        self.url = f"http://{name}:{self._server.server_port}"
        sandbox.start(self.url)
        self._thread = threading.Thread(target=self._serve, name="sandbox-server", daemon=True)
        self._thread.start()

    def shutdown(self) -> None:
        """Stop within a second: stalls end, open connections are cut. The sandbox's state stays readable."""
        self._sandbox.world.stopping.set()
        self._server.shutdown()
        self._connections.cut()
        self._thread.join(timeout=1)
        self._sandbox.stop()

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=POLL)  # closes the listening socket at its end


def serve(sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0) -> SandboxServer:
    """Serve `sandbox` from threads of this process; port 0 takes a free one."""
    return SandboxServer(sandbox, host, port)
