"""The JSON calls of open.tiktokapis.com/v2, with every rule of the reference pages that a client can break."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, Response, g, request

from subiteya.tiktok.sandbox import posts
from subiteya.tiktok.sandbox.accounts import Account
from subiteya.tiktok.sandbox.errors import ApiError
from subiteya.tiktok.sandbox.grants import Caller, caller_of
from subiteya.tiktok.sandbox.publishes import (
    DIRECT_KIND,
    INBOX_KIND,
    Publish,
    check_may_post,
    check_may_share,
    check_privacy,
    open_publish,
    publish_of,
    settle_due,
)
from subiteya.tiktok.sandbox.rules import check_post_info, check_source_info
from subiteya.tiktok.sandbox.transfer import shown_progress
from subiteya.tiktok.sandbox.web.replies import base_url, success, world

api = Blueprint("api", __name__, url_prefix="/v2")
MAX_BODY = 100_000
MAX_LIST = 20
AVATAR_LIFE = 7200

USER_FIELDS = {
    "open_id": "user.info.basic",
    "union_id": "user.info.basic",
    "avatar_url": "user.info.basic",
    "avatar_url_100": "user.info.basic",
    "avatar_large_url": "user.info.basic",
    "display_name": "user.info.basic",
    "bio_description": "user.info.profile",
    "profile_deep_link": "user.info.profile",
    "is_verified": "user.info.profile",
    "username": "user.info.profile",
    "follower_count": "user.info.stats",
    "following_count": "user.info.stats",
    "likes_count": "user.info.stats",
    "video_count": "user.info.stats",
}
VIDEO_FIELDS = frozenset(
    {
        "id",
        "create_time",
        "cover_image_url",
        "share_url",
        "embed_link",
        "title",
        "video_description",
        "duration",
        *posts.COUNTS,
    }
)
View = Callable[[Caller], dict[str, Any]]


def call(*scopes: str, bucket: str, limit: str, per_app: bool = False) -> Callable[[View], Callable[[], Response]]:
    """A view that needs a live token with one of `scopes`; `limit` names the setting with its calls a minute."""

    def decorate(view: View) -> Callable[[], Response]:
        @wraps(view)
        def answer() -> Response:
            caller = _caller(scopes)
            per_minute = getattr(world().settings, limit)
            key = "app" if per_app else caller.token_hash
            world().windows.hit(bucket, key, limit=per_minute, now=world().now())
            settle_due(world())
            return success(view(caller))

        return answer

    return decorate


@api.post("/post/publish/creator_info/query/", endpoint="creator_info")
@call("video.publish", bucket="creator_info", limit="creator_info_per_minute")
def creator_info(caller: Caller) -> dict[str, Any]:
    """`content-posting-api-reference-query-creator-info`."""
    _body()
    account = caller.account
    check_may_post(world(), account)
    return {
        "creator_avatar_url": _avatar(account),
        "creator_username": account.username,
        "creator_nickname": account.nickname,
        "privacy_level_options": list(account.privacy_level_options),
        "comment_disabled": account.comment_disabled,
        "duet_disabled": account.duet_disabled,
        "stitch_disabled": account.stitch_disabled,
        "max_video_post_duration_sec": account.max_video_post_duration_sec,
    }


@api.post("/post/publish/video/init/", endpoint="init")
@call("video.publish", bucket="init", limit="init_per_minute")
def video_init(caller: Caller) -> dict[str, Any]:
    """`content-posting-api-reference-direct-post`."""
    body = _body("post_info", "source_info")
    post_info = check_post_info(body.get("post_info"))
    plan = check_source_info(body.get("source_info"), chunk_rule=world().settings.chunk_rule)
    check_may_post(world(), caller.account)
    check_privacy(world(), caller.account, post_info["privacy_level"])
    started = open_publish(world(), caller.account, kind=DIRECT_KIND, plan=plan, post_info=post_info)
    return _upload(*started)


@api.post("/post/publish/inbox/video/init/", endpoint="inbox_init")
@call("video.upload", bucket="inbox_init", limit="init_per_minute")
def inbox_init(caller: Caller) -> dict[str, Any]:
    """`content-posting-api-reference-upload-video`. A post_info is ignored, as TikTok does; the ledger notes it."""
    body = _body("post_info", "source_info")
    plan = check_source_info(body.get("source_info"), chunk_rule=world().settings.chunk_rule)
    check_may_share(world(), caller.account)
    note = "post_info ignored" if "post_info" in body else ""
    started = open_publish(world(), caller.account, kind=INBOX_KIND, plan=plan, post_info={}, note=note)
    return _upload(*started)


@api.post("/post/publish/status/fetch/", endpoint="status")
@call("video.publish", "video.upload", bucket="status", limit="status_per_minute")
def status_fetch(caller: Caller) -> dict[str, Any]:
    """`content-posting-api-reference-get-video-status`."""
    publish_id = _body("publish_id").get("publish_id")
    if not isinstance(publish_id, str) or not publish_id:
        raise ApiError("invalid_params", "publish_id is required and is a string.")
    publish = publish_of(world(), publish_id)
    if publish is None:
        raise ApiError("invalid_publish_id", "There is no such publish_id.")
    g.publish_id = publish_id
    if publish.username != caller.account.username:
        raise ApiError("token_not_authorized_for_specified_publish_id", "Another account's publish_id.")
    return {
        "status": publish.status,
        "fail_reason": publish.fail_reason,
        "publicaly_available_post_id": _public_ids(publish),
        "uploaded_bytes": shown_progress(world(), publish.uploaded_bytes),
    }


@api.get("/user/info/", endpoint="user_info")
@call("user.info.basic", bucket="user_info", limit="display_per_minute", per_app=True)
def user_info(caller: Caller) -> dict[str, Any]:
    """`tiktok-api-v2-get-user-info`: each field needs the scope it belongs to."""
    names = _fields(USER_FIELDS.keys())
    if not {USER_FIELDS[name] for name in names} <= caller.scopes:
        raise ApiError("scope_not_authorized", "A field needs a scope that was not granted.")
    every = _user(caller.account)
    return {"user": {name: every[name] for name in names}}


@api.post("/video/list/", endpoint="video_list")
@call("video.list", bucket="video_list", limit="display_per_minute", per_app=True)
def video_list(caller: Caller) -> dict[str, Any]:
    """`tiktok-api-v2-video-list`: public videos, newest first; `cursor` in milliseconds."""
    names = _fields(VIDEO_FIELDS)
    body = _body("cursor", "max_count")
    count, cursor = body.get("max_count", 10), body.get("cursor", 0)
    if type(count) is not int or not 1 <= count <= MAX_LIST:
        raise ApiError("invalid_params", "max_count is 1 to 20.")
    if type(cursor) is not int or cursor < 0:
        raise ApiError("invalid_params", "cursor is a whole number of milliseconds.")
    found = posts.posts_of(world(), caller.account.username, before=cursor or 2**62, limit=count + 1, public_only=True)
    page = found[:count]
    return {
        "videos": [_video(post, names) for post in page],
        "cursor": page[-1].cursor if page else cursor,
        "has_more": len(found) > count,
    }


@api.post("/video/query/", endpoint="video_query")
@call("video.list", bucket="video_query", limit="display_per_minute", per_app=True)
def video_query(caller: Caller) -> dict[str, Any]:
    """`tiktok-api-v2-video-query`: the asked ids as far as they are this account's public videos."""
    names = _fields(VIDEO_FIELDS)
    filters = _body("filters").get("filters")
    asked = filters.get("video_ids") if isinstance(filters, dict) else None
    if not isinstance(asked, list) or not 1 <= len(asked) <= MAX_LIST:
        raise ApiError("invalid_params", "filters.video_ids holds 1 to 20 ids.")
    if not all(isinstance(post_id, str) for post_id in asked):
        raise ApiError("invalid_params", "filters.video_ids holds strings.")
    found = [post for post_id in dict.fromkeys(asked) if (post := posts.post_of(world(), post_id))]
    mine = [p for p in found if p.username == caller.account.username and p.is_public(world().now())]
    return {"videos": [_video(post, names) for post in mine]}


def bearer() -> str:
    """The access token of the request; empty when there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme == "Bearer" else ""


def _caller(scopes: tuple[str, ...]) -> Caller:
    caller = caller_of(world(), bearer())
    if caller is None:
        raise ApiError("access_token_invalid", "The access token is invalid or has expired.")
    if not caller.scopes & set(scopes):
        raise ApiError("scope_not_authorized", f"The user did not authorize {' or '.join(scopes)}.")
    return caller


def _body(*known: str) -> dict[str, Any]:
    """The JSON object of the request; an empty body is an empty object."""
    if request.mimetype != "application/json":
        raise ApiError("invalid_params", "Content-Type is application/json; charset=UTF-8.")
    if (request.content_length or 0) > MAX_BODY:
        raise ApiError("invalid_params", "The body is too long.")
    try:
        body = json.loads(request.get_data() or b"{}")
    except ValueError:
        raise ApiError("invalid_params", "The body is not JSON.") from None
    if not isinstance(body, dict):
        raise ApiError("invalid_params", "The body is not a JSON object.")
    others = sorted(body.keys() - set(known))
    if others:
        raise ApiError("invalid_params", f"{others[0]} is not a field.")
    return body


def _fields(known: Any) -> list[str]:
    names = [name.strip() for name in request.args.get("fields", "").split(",")]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ApiError("invalid_params", "fields is required and names known fields.")
    return names


def _upload(publish_id: str, token: str) -> dict[str, Any]:
    g.publish_id = publish_id
    return {"publish_id": publish_id, "upload_url": f"{base_url()}/_upload/{token}"}


def _public_ids(publish: Publish) -> Any:
    """Ids once moderation is through: a list of numbers, or one string, as `post_id_shape` says."""
    post = posts.post_of(world(), publish.post_id) if publish.post_id else None
    public = [post.post_id] if post and post.is_public(world().now()) else []
    if world().settings.post_id_shape == "single":
        return "".join(public)
    return [int(post_id) for post_id in public]


def _avatar(account: Account) -> str:
    expires = int(world().now()) + AVATAR_LIFE
    return f"{base_url()}/_sandbox/avatar/{account.username}.svg?x-expires={expires}"


def _user(account: Account) -> dict[str, Any]:
    mine = posts.posts_of(world(), account.username, limit=100_000, public_only=True)
    now = world().now()
    return {
        "open_id": account.open_id,
        "union_id": account.union_id,
        "avatar_url": _avatar(account),
        "avatar_url_100": _avatar(account),
        "avatar_large_url": _avatar(account),
        "display_name": account.nickname,
        "bio_description": account.bio_description,
        "profile_deep_link": f"{base_url()}/@{account.username}",
        "is_verified": False,
        "username": account.username,
        "follower_count": account.follower_count,
        "following_count": account.following_count,
        "likes_count": sum(post.counts(now)["like_count"] for post in mine),
        "video_count": len(mine),
    }


def _video(post: posts.Post, names: list[str]) -> dict[str, Any]:
    page = f"{base_url()}/@{post.username}/video/{post.post_id}"
    every = {
        "id": post.post_id,
        "create_time": post.create_time,
        "cover_image_url": f"{base_url()}/_sandbox/cover/{post.post_id}.svg",
        "share_url": page,
        "embed_link": page,
        "video_description": post.title,
        "title": post.title,
        "duration": post.duration,
        **post.counts(world().now()),
    }
    return {name: every[name] for name in names}
