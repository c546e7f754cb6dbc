"""A bucket that is no folder, as S3 is none, and counts what is read of it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from botocore.exceptions import EndpointConnectionError
from django.core.files.base import File
from django.core.files.storage import Storage


class CountingBucket(Storage):
    """`reads` are the keys that were opened, oldest first; `broken` refuses every write, as a bucket that is away."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.reads: list[str] = []
        self.broken = False

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        if name not in self.files:
            raise FileNotFoundError(name)
        self.reads.append(name)
        return File(BytesIO(self.files[name]), name)

    def _save(self, name: str, content: Any) -> str:
        if self.broken:
            raise EndpointConnectionError(endpoint_url="http://bucket.example")
        self.files[name] = b"".join(content.chunks())
        return name

    def exists(self, name: str) -> bool:
        return name in self.files

    def delete(self, name: str) -> None:
        self.files.pop(name, None)
