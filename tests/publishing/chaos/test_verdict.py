"""The verdict on prepared rows and ledgers: each kind of wrongness is seen, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from publishing.chaos.verdict import Asked, Left, Post, Row, Verdict, judge

ONE, TWO = Asked("luna", "Batch 1"), Asked("sol", "Batch 1")


def row(pk: int = 1, asked: Asked = ONE, **fields: Any) -> Row:
    defaults = {"status": "posted", "edited_sha256": "aa", "publish_ids": frozenset({f"p{pk}"})}
    return Row(pk=pk, asked=asked, **defaults | fields)


def post(publish_id: str = "p1", asked: Asked = ONE, **fields: Any) -> Post:
    defaults = {"status": "PUBLISH_COMPLETE", "arrived": True, "sha256": "aa"}
    return Post(publish_id=publish_id, asked=asked, **defaults | fields)


def verdict(
    *rows: Row, posts: tuple[Post, ...] = (), asked: tuple[Asked, ...] = (), left: Left | None = None
) -> Verdict:
    return judge(asked=asked or tuple(one.asked for one in rows), rows=rows, posts=posts, left=left or Left())


def wrongs(found: Verdict) -> dict[str, int]:
    names = ("lost", "double_posted", "byte_mismatches", "temp_leaks")
    return {name: count for name in names if (count := getattr(found, name))}


def test_it_finds_nothing_wrong_where_all_agree() -> None:
    found = verdict(row(), row(2, TWO), posts=(post(), post("p2", TWO)))

    assert found.is_good
    assert (found.submitted, found.posted, found.findings) == (2, 2, [])


def test_it_takes_a_former_upload_that_was_cut_or_turned_down_for_none() -> None:
    ids = frozenset({"p1", "p2", "p3"})
    cut = post("p2", arrived=False, status="PROCESSING_UPLOAD", sha256="")
    turned_down = post("p3", status="FAILED")

    assert verdict(row(publish_ids=ids), posts=(post(), cut, turned_down)).is_good


def test_it_sees_a_second_post_of_an_upload_that_we_know() -> None:
    found = verdict(row(publish_ids=frozenset({"p1", "p2"})), posts=(post(), post("p2")))

    assert wrongs(found) == {"double_posted": 1}
    assert found.findings[0]["video"] == 1


def test_it_sees_a_second_post_of_an_upload_that_we_do_not_know() -> None:
    assert wrongs(verdict(row(), posts=(post(), post("never heard of")))) == {"double_posted": 1}


def test_it_counts_a_second_post_that_tiktok_is_still_processing() -> None:
    still = post("p2", status="PROCESSING_UPLOAD")

    assert wrongs(verdict(row(), posts=(post(), still))) == {"double_posted": 1}


def test_it_sees_a_post_that_nobody_asked_for() -> None:
    stranger = post("p9", Asked("luna", "Batch 9"))

    assert wrongs(verdict(row(), posts=(post(), stranger))) == {"double_posted": 1}


def test_it_sees_an_upload_that_went_out_as_another_video() -> None:
    crossed = post("p1", TWO)

    found = verdict(row(), row(2, TWO), posts=(crossed, post("p2", TWO)))

    assert wrongs(found) == {"double_posted": 1}


def test_it_sees_a_submission_without_a_row() -> None:
    assert wrongs(verdict(row(), posts=(post(),), asked=(ONE, TWO))) == {"lost": 1}


@pytest.mark.parametrize("status", ["pending", "editing", "uploading", "verifying", "retrying", "held", "deferred"])
def test_it_counts_what_never_ended_as_lost(status: str) -> None:
    assert wrongs(verdict(row(status=status))) == {"lost": 1}


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("failed_upload", "crashed"),
        ("failed_upload", "bug"),
        ("failed_upload", "edited_missing"),
        ("failed_upload", "account_disconnected"),
        ("failed_edit", "edit_failed"),
        ("missed", "missed"),
        ("cancelled", ""),
        ("rejected", "file_format_check_failed"),
    ],
)
def test_it_counts_what_ended_for_a_reason_of_ours_as_lost(status: str, code: str) -> None:
    assert wrongs(verdict(row(status=status, code=code))) == {"lost": 1}


def test_it_sees_a_post_that_tiktok_does_not_have() -> None:
    assert wrongs(verdict(row())) == {"lost": 1}
    assert wrongs(verdict(row(), posts=(post(arrived=False, status="PROCESSING_UPLOAD"),))) == {"lost": 1}


@pytest.mark.parametrize(("status", "code"), [("failed_upload", "unavailable"), ("rejected", "spam_risk")])
def test_it_sees_a_failure_that_is_public(status: str, code: str) -> None:
    assert wrongs(verdict(row(status=status, code=code), posts=(post(),))) == {"lost": 1}


def test_it_lets_injected_failures_and_rejections_pass_and_counts_them() -> None:
    failed = row(status="failed_upload", code="unavailable")
    rejected = row(2, TWO, status="rejected", code="spam_risk")

    found = verdict(failed, rejected, posts=(post("p2", TWO, status="FAILED"),))

    assert found.is_good
    assert (found.failed, found.rejected) == (1, 1)


@pytest.mark.parametrize("posts", [(), (post(),)])
def test_it_names_what_a_person_is_asked_about(posts: tuple[Post, ...]) -> None:
    found = verdict(row(status="unconfirmed", code="unconfirmed"), posts=posts)

    assert found.is_good
    assert found.unconfirmed == 1
    assert [finding["kind"] for finding in found.findings] == ["unconfirmed"]


def test_it_sees_a_changed_byte() -> None:
    assert wrongs(verdict(row(), posts=(post(sha256="bb"),))) == {"byte_mismatches": 1}


def test_it_sees_what_was_left() -> None:
    left = Left(work=["jobs/1-aa"], bucket=["edited/x.mp4"], processes=["77 ffmpeg"])

    found = verdict(row(), posts=(post(),), left=left)

    assert wrongs(found) == {"temp_leaks": 3}
    assert [finding["what"] for finding in found.findings] == ["jobs/1-aa", "edited/x.mp4", "77 ffmpeg"]
