"""What the public sees: posts, profiles, and the pictures of both."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, send_file
from werkzeug.exceptions import NotFound

from subiteya.tiktok.sandbox import ids
from subiteya.tiktok.sandbox.accounts import account_of
from subiteya.tiktok.sandbox.posts import Post, post_of, posts_of
from subiteya.tiktok.sandbox.publishes import Publish, publish_of, settle_due
from subiteya.tiktok.sandbox.web.replies import world

site = Blueprint("site", __name__)
SHOWN = 60
_SENTENCES = {
    "SELF_ONLY": "Only the account itself sees this post.",
    "FOLLOWER_OF_CREATOR": "Only followers see this post.",
    "MUTUAL_FOLLOW_FRIENDS": "Only friends see this post.",
}
#: Pairs of colours that carry white letters.
_COLOURS = (
    ("#0f766e", "#134e4a"),
    ("#b45309", "#7c2d12"),
    ("#9d174d", "#500724"),
    ("#1d4ed8", "#1e1b4b"),
    ("#4d7c0f", "#1a2e05"),
    ("#6d28d9", "#2e1065"),
    ("#b91c1c", "#450a0a"),
    ("#0369a1", "#082f49"),
)


@site.get("/@<username>/video/<post_id>")
def video(username: str, post_id: str) -> Response:
    """A post's page: plays the uploaded video, or says that there are no bytes."""
    settle_due(world())
    post, account = _post(username, post_id), account_of(world(), username)
    if post is None or account is None:
        return _nothing("This post does not exist, or TikTok took it down.")
    now = world().now()
    page = render_template(
        "post.html",
        post=post,
        account=account,
        counts=post.counts(now),
        sentence=_sentence(post, now),
        playable=_bytes_of(post) is not None,
    )
    return make_response(page)


@site.get("/@<username>/video/<post_id>/media")
def media(username: str, post_id: str) -> Response:
    """The uploaded bytes, with range requests."""
    post = _post(username, post_id)
    publish = _bytes_of(post) if post else None
    if publish is None:
        raise NotFound
    path = world().blobs.path(publish.publish_id)
    return send_file(path, mimetype=publish.content_type, conditional=True, etag=publish.sha256, max_age=0)


@site.get("/@<username>")
def profile(username: str) -> Response:
    """An account's posts, newest first, also those that only the account itself would see."""
    settle_due(world())
    account = account_of(world(), username)
    if account is None:
        return _nothing("This account does not exist in the sandbox.")
    now = world().now()
    shown = posts_of(world(), username, limit=SHOWN, public_only=False)
    likes = sum(post.counts(now)["like_count"] for post in shown)
    page = render_template(
        "profile.html", account=account, posts=[(post, post.counts(now)) for post in shown], likes=likes
    )
    return make_response(page)


@site.get("/_sandbox/avatar/<username>.svg")
def avatar(username: str) -> Response:
    """The letters of an account on its own colours."""
    account = account_of(world(), username)
    words = (account.nickname if account else username).split()
    letters = "".join(word[0] for word in words[:2]).upper() or "?"
    return _svg("avatar.svg", username, letters=letters)


@site.get("/_sandbox/cover/<post_id>.svg")
def cover(post_id: str) -> Response:
    """A post's placeholder picture."""
    return _svg("cover.svg", post_id)


def _svg(template: str, seed: str, **values: str) -> Response:
    colours = _COLOURS[ids.seed_of(seed) % len(_COLOURS)]
    turn = ids.seed_of(seed, size=4) % 60
    answer = make_response(render_template(template, colours=colours, turn=turn, **values))
    answer.mimetype = "image/svg+xml"
    answer.headers["Cache-Control"] = "max-age=3600"
    return answer


def _post(username: str, post_id: str) -> Post | None:
    post = post_of(world(), post_id)
    return post if post and post.username == username and not post.removed else None


def _bytes_of(post: Post) -> Publish | None:
    """The publish whose bytes this post shows, if the sandbox has them still."""
    publish = publish_of(world(), post.publish_id) if post.publish_id else None
    return publish if publish and publish.has_bytes else None


def _sentence(post: Post, now: float) -> str:
    if post.privacy_level in _SENTENCES:
        return _SENTENCES[post.privacy_level]
    return "" if post.is_public(now) else "In moderation: not public yet."


def _nothing(sentence: str) -> Response:
    return make_response(render_template("nothing.html", sentence=sentence), 404)
