"""The sum of a file, worked out by a thread of its own while the file is sent.

A SHA-256 takes as long as sending on a fast line, any sum as long as a slow disk; the processor is idle on a slow line.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

from publishing.services.checksums import BLOCK, Begin, digest_of

#: Seconds after which whoever waits for the rest is asked whether it still matters.
LOOK = 0.5


class HashBeside:
    """The sum of `path` that `begin` begins, as far as `up_to` allows: what is read for it was just sent, or is next.

    So the disk reads it once. A context manager; leaving it ends the thread.
    """

    def __init__(self, path: Path, begin: Begin) -> None:
        self._path, self._begin = path, begin
        self._seen = _signature(path)
        self._allowed, self._is_over = 0, False
        self._may_go_on = threading.Condition()
        self._digest = ""
        self._thread = threading.Thread(target=self._run, name="hash", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exc_info: object) -> None:
        with self._may_go_on:
            self._is_over = True
            self._may_go_on.notify()
        self._thread.join()

    def up_to(self, offset: int) -> None:
        """Hash the bytes before `offset`, and no more yet."""
        with self._may_go_on:
            self._allowed = max(self._allowed, offset)
            self._may_go_on.notify()

    def digest(self, check: Callable[[], None]) -> str:
        """The sum of the whole file as it is now. Calls `check` while it waits, which may raise.

        A file that was touched since the beginning is hashed again: what was hashed may not be what it is.
        """
        self.up_to(self._seen[0])
        while self._thread.is_alive():
            check()
            self._thread.join(LOOK)
        if self._digest and _signature(self._path) == self._seen:
            return self._digest
        return digest_of(self._path, self._begin)

    def _run(self) -> None:
        hasher, done, size = self._begin(), 0, self._seen[0]
        buffer = memoryview(bytearray(BLOCK))
        try:
            with self._path.open("rb", buffering=0) as file:
                while done < size:
                    if not (room := self._room(done)):
                        return
                    got = file.readinto(buffer[: min(room, BLOCK)])
                    if not got:
                        return
                    hasher.update(buffer[:got])
                    done += got
        except OSError:
            return  # `digest` meets it again, where it can be told
        self._digest = hasher.hexdigest()

    def _room(self, done: int) -> int:
        """How many bytes may be hashed now; waits for some, 0 when nobody wants them any more."""
        with self._may_go_on:
            self._may_go_on.wait_for(lambda: self._is_over or self._allowed > done)
            return 0 if self._is_over else self._allowed - done


def _signature(path: Path) -> tuple[int, ...]:
    """Changes with every write to the file, and when another takes its name."""
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino
