"""User info, video list and query, and posts registered from outside."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import time_machine

from tests.tiktok.sandbox.app import App, code_of

NOW = 1_700_000_000
FIELDS = "id,title,create_time,duration,share_url,view_count,like_count,comment_count,share_count"


def history(count: int, *, username: str = "luna", **more: Any) -> list[dict[str, Any]]:
    """`count` posts, one an hour, the newest last; ids 1000, 1001, …"""
    return [
        {"username": username, "post_id": str(1000 + n), "create_time": NOW - 3600 * (count - n), "title": f"T{n}"}
        | more
        for n in range(count)
    ]


def listed(app: App, token: str, **body: Any) -> dict[str, Any]:
    data: dict[str, Any] = app.post("/v2/video/list/", token, body, params={"fields": FIELDS}).json()["data"]
    return data


def queried(app: App, token: str, *ids: Any) -> requests.Response:
    return app.post(
        "/v2/video/query/", token, {"filters": {"video_ids": list(ids)}}, params={"fields": "id,view_count"}
    )


def user(app: App, token: str, fields: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{app.sandbox.url}/v2/user/info/", params={"fields": fields}, headers=headers, timeout=10)


def test_it_tells_who_the_user_is(app: App) -> None:
    account = app.sandbox.add_account("luna", nickname="La Luna", follower_count=321)

    answer = user(app, app.token(), "open_id,union_id,display_name,username,follower_count,video_count,avatar_url")

    assert code_of(answer) == (200, "ok")
    found = answer.json()["data"]["user"]
    assert requests.get(found.pop("avatar_url"), timeout=10).status_code == 200
    assert found == {
        "open_id": account["open_id"],
        "union_id": account["union_id"],
        "display_name": "La Luna",
        "username": "luna",
        "follower_count": 321,
        "video_count": 0,
    }


@pytest.mark.parametrize("fields", ["", "open_id,", "open_id,password"])
def test_it_refuses_unknown_user_fields(app: App, fields: str) -> None:
    assert code_of(user(app, app.account(), fields)) == (400, "invalid_params")


@pytest.mark.parametrize(
    ("scopes", "fields", "status"),
    [
        (["user.info.basic"], "open_id,display_name", 200),
        (["user.info.basic"], "username", 401),
        (["user.info.basic", "user.info.profile"], "username", 200),
        (["user.info.basic", "user.info.profile"], "likes_count", 401),
        (["video.list"], "open_id", 401),
    ],
)
def test_it_wants_the_scope_of_each_user_field(app: App, scopes: list[str], fields: str, status: int) -> None:
    app.sandbox.add_account("luna")

    assert user(app, app.token("luna", scopes), fields).status_code == status


def test_it_lists_videos_page_by_page(app: App) -> None:
    token = app.account()
    app.sandbox.register_posts(history(7))

    first = listed(app, token, max_count=3)
    second = listed(app, token, max_count=3, cursor=first["cursor"])
    third = listed(app, token, max_count=3, cursor=second["cursor"])

    pages = [[video["id"] for video in page["videos"]] for page in (first, second, third)]
    assert pages == [["1006", "1005", "1004"], ["1003", "1002", "1001"], ["1000"]]
    assert [page["has_more"] for page in (first, second, third)] == [True, True, False]


def test_it_loses_no_video_of_the_same_second(app: App) -> None:
    token = app.account()
    app.sandbox.register_posts([post | {"create_time": NOW} for post in history(5)])

    first = listed(app, token, max_count=2)
    rest = listed(app, token, max_count=20, cursor=first["cursor"])

    assert len({video["id"] for video in first["videos"] + rest["videos"]}) == 5


def test_it_shows_what_was_published(app: App) -> None:
    token = app.account()
    publish_id = app.publish(token, title="Uno #a\ndos")
    app.publish(token, privacy_level="SELF_ONLY")
    entry = app.entry(publish_id)

    videos = listed(app, token)["videos"]

    assert [(video["id"], video["title"]) for video in videos] == [(entry["post_id"], "Uno #a\ndos")]
    assert videos[0]["share_url"] == entry["post_url"]
    assert videos[0].keys() == set(FIELDS.split(","))


def test_it_answers_asked_ids_of_this_account_only(app: App) -> None:
    token = app.account("luna")
    app.account("otra")
    app.sandbox.register_posts([*history(2), *history(1, username="otra", post_id="77")])

    answer = queried(app, token, "1000", "1001", "1001", "77", "404")

    assert [video["id"] for video in answer.json()["data"]["videos"]] == ["1000", "1001"]


@pytest.mark.parametrize("ids", [[], [7], [str(n) for n in range(21)]], ids=str)
def test_it_refuses_bad_queries(app: App, ids: list[Any]) -> None:
    assert code_of(queried(app, app.account(), *ids)) == (400, "invalid_params")


@pytest.mark.parametrize("body", [{"max_count": 21}, {"max_count": 0}, {"max_count": "5"}, {"cursor": -1}, {"page": 2}])
def test_it_refuses_bad_lists(app: App, body: dict[str, Any]) -> None:
    answer = app.post("/v2/video/list/", app.account(), body, params={"fields": "id"})

    assert code_of(answer) == (400, "invalid_params")


def test_it_limits_display_calls_of_the_whole_app(app: App) -> None:
    app.sandbox.configure(display_per_minute=2)
    token, other = app.account("luna"), app.account("otra")

    codes = [user(app, name, "open_id").status_code for name in (token, other, token)]

    assert codes == [200, 200, 429]


def test_it_lets_counts_grow_and_never_fall(app: App) -> None:
    app.account()
    with time_machine.travel(NOW, tick=False) as clock:
        app.sandbox.register_posts(history(1))
        seen = []
        for hours in (0, 1, 5, 24, 24 * 30):
            clock.move_to(NOW - 3600 + hours * 3600)
            seen.append(listed(app, app.token())["videos"][0])

    views = [video["view_count"] for video in seen]
    assert views == sorted(views) and views[0] == 0 and views[-1] > 100
    assert all(video["like_count"] <= video["view_count"] for video in seen)


def test_it_keeps_registered_counts_to_the_digit(app: App) -> None:
    token = app.account()
    app.sandbox.register_posts(history(1, view_count=1234, like_count=7, comment_count=0))

    shown = listed(app, token)["videos"][0]

    assert (shown["view_count"], shown["like_count"], shown["comment_count"]) == (1234, 7, 0)


def test_it_registers_posts_once(app: App) -> None:
    token = app.account()

    first = app.api("POST", "posts", history(3)).json()
    again = app.api("POST", "posts", history(4, view_count=50, title="nuevo")).json()

    assert first == {"created": 3, "updated": 0}
    assert again == {"created": 1, "updated": 3}
    assert [(v["title"], v["view_count"]) for v in listed(app, token)["videos"]] == [("nuevo", 50)] * 4


@pytest.mark.parametrize(
    "change",
    [
        {"username": "nadie"},
        {"post_id": "abc"},
        {"post_id": ""},
        {"create_time": "ayer"},
        {"create_time": 1.5},
        {"title": None},
        {"duration": -1},
        {"privacy_level": "ALL"},
        {"view_count": -1},
        {"view_count": True},
        {"views": 5},
    ],
    ids=str,
)
def test_it_registers_all_posts_or_none(app: App, change: dict[str, Any]) -> None:
    token = app.account()
    posts = history(2)
    posts[1] |= change

    answer = app.api("POST", "posts", posts)

    assert answer.status_code == 400
    assert answer.json()["error"].startswith(f"[1].{next(iter(change))}")
    assert listed(app, token)["videos"] == []
