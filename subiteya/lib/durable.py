"""Files that are there whole or not at all, also after a crash of the machine."""

from __future__ import annotations

import os
from pathlib import Path


def rename_durably(part: Path, target: Path) -> None:
    """Rename when the bytes are on the disk, and put the new name on the disk too; both on one file system."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(target)
    folder = os.open(target.absolute().parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
