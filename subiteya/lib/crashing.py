"""Places in which the tests let a worker die: between what TikTok or the bucket did and what the database knows.

`SUBITEYA_CRASH_AT` names a file. The process that passes the point named in it takes the file away and kills
itself, as the kernel or the power would: no handler runs. Without the variable, which no installation sets,
nothing happens.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

VARIABLE = "SUBITEYA_CRASH_AT"
#: Every point, in the order in which a video passes them.
CRASH_POINTS = (
    "edit_claimed",
    "edit_source_ready",
    "edit_render_claimed",
    "edit_rendered",
    "edit_stored",
    "edit_asset_written",
    "edit_finished",
    "upload_claimed",
    "upload_permitted",
    "upload_checked",
    "upload_init_written",
    "upload_init_answered",
    "upload_initialised",
    "upload_part_sent",
    "upload_part_written",
    "upload_last_marked",
    "upload_last_sent",
    "upload_verifying",
    "poll_answered",
    "poll_finished",
)
_file = os.environ.get(VARIABLE, "")


def crash_point(name: str) -> None:
    """Die here when a test wants it; once, because the file is gone then."""
    if not _file:
        return
    path = Path(_file)
    with suppress(FileNotFoundError):
        if path.read_text(encoding="utf-8").strip() == name:
            path.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
