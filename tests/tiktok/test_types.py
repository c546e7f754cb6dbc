"""What TikTok's answers become, whatever is in them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subiteya.tiktok import (
    BadAnswer,
    CreatorInfo,
    InitAnswer,
    PostInfo,
    PublishStatus,
    TikTokStatus,
    TokenAnswer,
    UserInfo,
    VideoPage,
    utf16_len,
)

TOKENS = {
    "open_id": "o",
    "scope": "video.publish, video.list",
    "access_token": "act.1",
    "expires_in": 7200,
    "refresh_token": "rft.1",
    "refresh_expires_in": 15552000,
}
NAMES = (
    *TOKENS, "creator_username", "privacy_level_options", "max_video_post_duration_sec", "publish_id", "upload_url",
    "status", "fail_reason", "publicaly_available_post_id", "uploaded_bytes", "user", "videos", "cursor", "id",
    "log_id", "view_count", "username",
)  # fmt: skip
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8)
    | st.sampled_from(["\ud83d", "\0", "1" * 5000, *TikTokStatus])
)  # fmt: skip
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(NAMES), inner), max_leaves=4
)


@settings(max_examples=60)
@given(data=st.dictionaries(st.sampled_from(NAMES), JSON))
def test_it_reads_any_answer_or_calls_it_bad(data):
    for kind in (CreatorInfo, InitAnswer, PublishStatus, TokenAnswer, UserInfo, VideoPage):
        try:
            kind.from_json(data)
        except BadAnswer as error:
            assert error.code == "bad_answer"  # noqa: PT017


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (CreatorInfo, {"privacy_level_options": None}),
        (InitAnswer, {"publish_id": "p", "upload_url": 5}),
        (PublishStatus, {"status": []}),
        (UserInfo, {"user": []}),
        (VideoPage, {"videos": ["x"]}),
        (VideoPage, {"videos": [{"id": None}]}),
    ],
)
def test_it_calls_an_answer_bad_that_lacks_what_matters(kind, data):
    with pytest.raises(BadAnswer):
        kind.from_json(data)


def test_it_reads_the_rest_as_absent_when_it_makes_no_sense():
    odd = {"id": "1", "view_count": "many", "like_count": "7", "share_count": -1, "title": None, "duration": 1e300}
    (video,) = VideoPage.from_json({"videos": [odd], "cursor": "x", "has_more": "x"}).videos
    assert (video.view_count, video.like_count, video.share_count, video.title, video.duration) == (0, 7, 0, "", 0)
    odd = {"privacy_level_options": [], "creator_username": None, "max_video_post_duration_sec": []}
    info = CreatorInfo.from_json(odd)
    assert (info.creator_username, info.max_video_post_duration_sec) == ("", 0)


@given(st.text() | st.sampled_from(["a\0b", "\ud83dx", "\udc00"]))
def test_it_keeps_out_of_texts_what_no_database_takes(name):
    info = CreatorInfo.from_json({"creator_nickname": name, "privacy_level_options": []})
    assert info.creator_nickname == "".join(c for c in name if c != "\0" and not "\ud800" <= c <= "\udfff")


def test_it_reads_a_token_answer():
    answer = TokenAnswer.from_json(TOKENS)
    assert answer.scope == ("video.publish", "video.list")
    assert (answer.expires_in, answer.refresh_token, answer.refresh_expires_in) == (7200, "rft.1", 15552000)


@pytest.mark.parametrize("gone", [{"refresh_token": ""}, {"refresh_token": None}])
def test_it_lets_a_refresh_answer_have_no_refresh_token(gone):
    answer = TokenAnswer.from_json(TOKENS | gone)
    assert (answer.refresh_token, answer.refresh_expires_in) == ("", 0)


@pytest.mark.parametrize("name", ["open_id", "access_token", "expires_in", "scope"])
def test_it_names_the_field_that_a_token_answer_lacks(name):
    with pytest.raises(BadAnswer, match=name):
        TokenAnswer.from_json({key: value for key, value in TOKENS.items() if key != name})


@pytest.mark.parametrize(
    ("data", "ids"),
    [
        ({"publicaly_available_post_id": ["1", 2]}, ("1", "2")),
        ({"publicaly_available_post_id": 7}, ("7",)),
        ({"publicaly_available_post_id": "7"}, ("7",)),
        ({"publicly_available_post_id": ["9"]}, ("9",)),
        ({"publicaly_available_post_id": []}, ()),
        ({"publicaly_available_post_id": [None, {}, ""]}, ()),
        ({}, ()),
    ],
)
def test_it_reads_the_post_id_in_every_shape_that_was_seen(data, ids):
    assert PublishStatus.from_json({"status": "PUBLISH_COMPLETE"} | data).post_ids == ids


def test_it_refuses_a_status_that_it_does_not_know_and_keeps_the_log_id():
    with pytest.raises(BadAnswer) as raised:
        PublishStatus.from_json({"status": "DANCING", "log_id": "L1"})
    assert raised.value.log_id == "L1"


@pytest.mark.parametrize(
    ("raw", "count"), [(5, 5), ("5", 5), (5.0, 5), (None, None), (-1, None), (True, None), ("x", None)]
)
def test_it_reads_how_far_the_upload_is(raw, count):
    assert PublishStatus.from_json({"status": "PROCESSING_UPLOAD", "uploaded_bytes": raw}).uploaded_bytes == count


@pytest.mark.parametrize(("publish_id", "fits"), [("v" * 64, True), ("v" * 65, False), ("", False)])
def test_it_takes_only_a_publish_id_that_can_be_stored_whole(publish_id, fits):
    data = {"publish_id": publish_id, "upload_url": "https://x"}
    if fits:
        assert InitAnswer.from_json(data).publish_id == publish_id
    else:
        with pytest.raises(BadAnswer, match="publish_id"):
            InitAnswer.from_json(data)


@pytest.mark.parametrize(("text", "units"), [("abc", 3), ("ñ", 1), ("😀", 2), ("👩‍🍳", 5), ("\ud83d", 1)])
def test_it_counts_as_tiktok_does(text, units):
    assert utf16_len(text) == units


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_it_counts_two_units_for_every_character_outside_the_basic_plane(text):
    assert utf16_len(text) == sum(2 if ord(char) > 0xFFFF else 1 for char in text)


def test_it_takes_a_title_of_exactly_the_limit_and_none_longer():
    assert PostInfo(privacy_level="SELF_ONLY", title="😀" * 1100).payload()["title"] == "😀" * 1100
    with pytest.raises(ValueError, match="2200"):
        PostInfo(privacy_level="SELF_ONLY", title="😀" * 1100 + "a")


def test_it_posts_nothing_that_the_person_did_not_choose():
    payload = PostInfo(privacy_level="SELF_ONLY").payload()
    assert payload == {
        "privacy_level": "SELF_ONLY", "title": "", "disable_comment": True, "disable_duet": True,
        "disable_stitch": True, "video_cover_timestamp_ms": 0, "brand_content_toggle": False,
        "brand_organic_toggle": False, "is_aigc": False,
    }  # fmt: skip
