"""Taking the network away from a child, where the kernel allows it: a namespace of its own, with nothing in it."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache

CLONE_NEWUSER = 0x10000000  # linux/sched.h
CLONE_NEWNET = 0x40000000
PR_SET_NO_NEW_PRIVS = 38  # linux/prctl.h
#: SUBITEYA_MEDIA_NETWORK: cut it where that works; refuse to start a child where it does not; leave it.
ENVIRONMENT = "SUBITEYA_MEDIA_NETWORK"

# Loaded here, not in the child: between fork and exec nothing should import or allocate much.
_LIBC = ctypes.CDLL(None, use_errno=True)
_UNSHARE, _PRCTL = getattr(_LIBC, "unshare", None), getattr(_LIBC, "prctl", None)


class Isolation(StrEnum):
    """How the children of this process are cut off: by their own right, by a user namespace, not at all."""

    NETWORK = "network"
    USER_AND_NETWORK = "user+network"
    NONE = "none"


#: In this order: root needs no user namespace, and one would take its rights over other people's files.
FLAGS = {Isolation.NETWORK: CLONE_NEWNET, Isolation.USER_AND_NETWORK: CLONE_NEWUSER | CLONE_NEWNET}


class IsolationMissing(Exception):
    """SUBITEYA_MEDIA_NETWORK is `required`, and this kernel does not allow it."""


def wanted() -> str:
    """`auto`, `required` or `off`; whatever else the environment says counts as `auto`."""
    value = os.environ.get(ENVIRONMENT, "").strip().lower()
    return value if value in {"required", "off"} else "auto"


def isolation() -> Isolation:
    """What children get now. Raises IsolationMissing."""
    wish = wanted()
    found = Isolation.NONE if wish == "off" else available()
    if wish == "required" and found == Isolation.NONE:
        raise IsolationMissing("this kernel gives children no network namespace of their own")
    return found


@lru_cache(maxsize=1)
def available() -> Isolation:
    """The first way that works here, found out once by a child that does nothing else."""
    return next((way for way, flags in FLAGS.items() if _works(flags)), Isolation.NONE)


def _works(flags: int) -> bool:
    if _UNSHARE is None:
        return False
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", "pass"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, preexec_fn=lambda: unshare(flags), timeout=20, check=False, env={},
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def cut_off(way: Isolation) -> Callable[[], None]:
    """For a child, between fork and exec: no new rights from any program it starts, and no network as `way` says."""
    flags = FLAGS.get(way, 0)

    def prepare() -> None:
        if _PRCTL is not None:
            _PRCTL(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        if flags:
            unshare(flags)

    return prepare


def unshare(flags: int) -> None:
    """unshare(2). Raises OSError: a child that was to have no network does not start with one."""
    if _UNSHARE is None or _UNSHARE(flags):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
