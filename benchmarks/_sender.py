"""One upload by our own code in a fresh process: `python -m benchmarks._sender` (JSON in, JSON out).

`level` "transport": `TikTokClient.upload_chunk` for each part. "transfer": the whole of `publishing.services.transfer`,
under a claimed job with its heartbeat, its database and its spans. Asked: url, file, sha256, xxh3 ("" for a row
from before it), target (bytes of a part), ca ("" for plain HTTP), repeat. Answered: seconds and CPU seconds of the
sending, and the process's peak memory.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "subiteya.settings.test")
django.setup()

from django.utils import timezone  # noqa: E402

from accounts.services.clients import client_with  # noqa: E402
from publishing.models import AssetKind  # noqa: E402
from publishing.services.jobs import heartbeat, job_bound, job_claim, worker_name  # noqa: E402
from publishing.services.sessions import session_initialised, session_open  # noqa: E402
from publishing.services.transfer import CONTENT_TYPE, transfer  # noqa: E402
from publishing.states import JobStatus, VideoStatus  # noqa: E402
from subiteya.lib.tracing import SpanKind, span  # noqa: E402
from subiteya.tiktok import ChunkPlan, InitAnswer, TikTokClient, chunk_plan  # noqa: E402
from tests.factories import EditedAssetFactory, JobFactory, VideoFactory  # noqa: E402


def transported(client: TikTokClient, asked: dict[str, Any], plan: ChunkPlan) -> None:
    """Only the parts, as the client sends them."""
    for first, last in plan.ranges():
        client.upload_chunk(
            asked["url"], Path(asked["file"]), first=first, last=last, video_size=plan.video_size,
            content_type=CONTENT_TYPE,
        )  # fmt: skip


def transferred(client: TikTokClient, asked: dict[str, Any], plan: ChunkPlan) -> float:
    """The upload of a job that has just been claimed; answers when the sending began."""
    sums = {"sha256": asked["sha256"], "xxh3": asked["xxh3"] or None}
    asset = EditedAssetFactory(kind=AssetKind.EDITED, size=plan.video_size, **sums)
    video = VideoFactory(edited=asset, status=VideoStatus.UPLOADING)
    claim = job_claim(JobFactory(video=video, status=JobStatus.QUEUED, run_at=timezone.now()).pk, owner=worker_name())
    assert claim
    with job_bound(claim.job), span("process upload", kind=SpanKind.CONSUMER), heartbeat(claim):
        session = session_open(claim, plan=plan, asset=asset)
        session_initialised(claim, session, InitAnswer(publish_id="v_pub_file~1", upload_url=asked["url"]))
        started = time.perf_counter()
        transfer(claim, client, session, Path(asked["file"]))
    assert session.uploaded_bytes == plan.video_size
    return started


def peak_kib() -> int:
    """The most memory that this process ever held resident."""
    found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"))
    assert found
    return int(found[1])


def main() -> None:
    asked = json.load(sys.stdin)
    client = client_with("act.benchmark")
    if asked["ca"]:
        client._session.verify = asked["ca"]
    size = Path(asked["file"]).stat().st_size
    plan = chunk_plan(size, single_max=min(asked["target"], 64_000_000), target=asked["target"])
    cpu = time.process_time()
    started = time.perf_counter()
    if asked["level"] == "transfer":
        cpu = time.process_time()
        started = transferred(client, asked, plan)
    else:
        transported(client, asked, plan)
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "cpu": time.process_time() - cpu, "peak_kib": peak_kib()}))


if __name__ == "__main__":
    main()
