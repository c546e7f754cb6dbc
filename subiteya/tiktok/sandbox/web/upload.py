"""PUT upload_url: one part of a video."""

from __future__ import annotations

from flask import Blueprint, Response, g, request

from subiteya.tiktok.sandbox import transfer
from subiteya.tiktok.sandbox.errors import ApiError, ClientGone, UploadRefused
from subiteya.tiktok.sandbox.publishes import Publish, publish_at
from subiteya.tiktok.sandbox.web.replies import Dropped, failure, success, world

upload = Blueprint("upload", __name__)


@upload.put("/_upload/<token>", endpoint="chunk")
def chunk(token: str) -> Response:
    """206 stored, 201 all stored; 400, 403, 404, 416 as `content-posting-api-media-transfer-guide` has them."""
    publish = publish_at(world(), token)
    try:
        return _receive(publish)
    except UploadRefused as refusal:
        return _refused(publish, refusal)
    except ClientGone:
        return Dropped()


def drain_body(publish: Publish | None = None, *, share: float = 1) -> None:
    """Read the body, or that share of it, and forget it: the client should see the answer, not a reset."""
    length = request.content_length or 0
    transfer.drain(world(), publish, request.environ["wsgi.input"].read, int(length * share))


def _receive(publish: Publish | None) -> Response:
    alive = transfer.check_alive(world(), publish)
    part = transfer.part_of(
        alive,
        content_type=request.headers.get("Content-Type", ""),
        content_length=request.headers.get("Content-Length", ""),
        content_range=request.headers.get("Content-Range", ""),
    )
    g.body_taken = True
    done = transfer.receive_part(
        world(),
        alive,
        part,
        request.environ["wsgi.input"].read,
        bytes_per_second=_speed(),
    )
    answer = success({})
    answer.status_code = 206 if done.uploaded_at is None else 201
    return _with_progress(answer, done, shift=_wrong_by(done))


def _refused(publish: Publish | None, refusal: UploadRefused) -> Response:
    if not g.body_taken:
        drain_body(publish)
    answer = failure(ApiError(refusal.code, refusal.message, http=refusal.http))
    fresh = publish_at(world(), request.view_args["token"]) if request.view_args else None
    return _with_progress(answer, fresh) if fresh else answer


def _with_progress(answer: Response, publish: Publish, *, shift: int = 0) -> Response:
    progress = transfer.shown_progress(world(), publish.uploaded_bytes + shift)
    answer.headers["Content-Range"] = f"bytes 0-{progress}/{publish.plan.video_size}"
    return answer


def _speed() -> int:
    return int(g.fault.params["bytes_per_second"]) if g.fault and g.fault.kind == "slow" else 0


def _wrong_by(publish: Publish) -> int:
    """Half a part too little, which is no boundary at all."""
    return -(publish.plan.chunk_size // 2) if g.fault and g.fault.kind == "wrong_range" else 0
