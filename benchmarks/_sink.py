"""A server that takes the parts of an upload and throws them away, in a process of its own.

`python -m benchmarks._sink [CERTIFICATE KEY]` prints its port, then one line of JSON for each connection that ends:
bytes, requests, and the seconds from the first byte of the first request to the last answer. Whoever sends, curl or
ours, is timed by the same clock, and starting the sender's program does not count.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import sys
import threading
import time

BUFFER = 1 << 20
LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
RANGE = re.compile(rb"\r\ncontent-range:\s*bytes (\d+)-(\d+)/(\d+)", re.IGNORECASE)


def serve(line: socket.socket, secure: ssl.SSLContext | None) -> None:
    """All requests of one connection."""
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    taken, requests, began, ended = 0, 0, 0.0, 0.0
    with secure.wrap_socket(line, server_side=True) if secure else line as stream:
        buffer = memoryview(bytearray(BUFFER))
        while head := _head(stream):
            began = began or time.perf_counter()
            asked, rest = head
            length, part = LENGTH.search(asked), RANGE.search(asked)
            size = int(length[1]) if length else 0
            _discard(stream, buffer, size - len(rest))
            stream.sendall(_answer(part))
            taken, requests, ended = taken + size, requests + 1, time.perf_counter()
    print(json.dumps({"bytes": taken, "requests": requests, "seconds": ended - began}), flush=True)


def _head(stream: socket.socket) -> tuple[bytes, bytes] | None:
    """The head of a request, and what came of its body with it; None when there is no further one."""
    data = b""
    while b"\r\n\r\n" not in data:
        block = stream.recv(65536)
        if not block:
            return None
        data += block
    head, _end, rest = data.partition(b"\r\n\r\n")
    return head, rest


def _discard(stream: socket.socket, buffer: memoryview, left: int) -> None:
    while left:
        got = stream.recv_into(buffer, min(left, BUFFER))
        if not got:
            raise ConnectionError("the sender left in the middle of a part")
        left -= got


def _answer(part: re.Match[bytes] | None) -> bytes:
    """As TikTok: 201 to the last part, 206 to the others, with how far it is."""
    first, last, size = (int(each) for each in part.groups()) if part else (0, 0, 1)
    status = b"201 Created" if last == size - 1 else b"206 Partial Content"
    return b"HTTP/1.1 %s\r\nContent-Length: 0\r\nContent-Range: bytes 0-%d/%d\r\n\r\n" % (status, last + 1, size)


def main(argv: list[str]) -> None:
    secure = None
    if argv:
        secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        secure.load_cert_chain(*argv)
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listening:
        print(listening.getsockname()[1], flush=True)
        while True:
            line, _address = listening.accept()
            threading.Thread(target=serve, args=(line, secure), daemon=True).start()


if __name__ == "__main__":
    main(sys.argv[1:])
