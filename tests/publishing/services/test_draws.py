"""Letting the system choose: by lot inside each account, decided once, two of four."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from publishing.models import Batch, SubtitleDraw
from publishing.services.batches import AccountChoice, Submission, SubmissionInvalid, batch_draft, batch_submit
from publishing.services.draws import BLOCK, variant_at
from publishing.states import PostMode, PrivacyLevel, SubtitleAssignment, SubtitleChoice
from tests.factories import AdminFactory, SubtitleTrackFactory, TikTokAccountFactory


def test_it_gives_two_of_every_four_draws_subtitles_and_the_same_for_ever() -> None:
    for account in range(1, 40):
        drawn = [variant_at(account_id=account, position=position) for position in range(12)]
        for block in (drawn[:4], drawn[4:8], drawn[8:]):
            assert sorted(block) == sorted(BLOCK)
        assert drawn == [variant_at(account_id=account, position=position) for position in range(12)]


def test_it_cannot_be_foreseen_without_the_key(settings) -> None:
    before = [variant_at(account_id=1, position=position) for position in range(40)]
    settings.SECRET_KEY = "another key, as long as Django wants one to be"
    assert [variant_at(account_id=1, position=position) for position in range(40)] != before


def test_it_uses_every_order_of_a_block() -> None:
    orders = {tuple(variant_at(account_id=account, position=place) for place in range(4)) for account in range(200)}
    assert len(orders) == 6


@pytest.fixture
def system(db):
    """Submit for `accounts` with the subtitles left to the system."""
    user, track = AdminFactory(), SubtitleTrackFactory()

    def submit(*accounts, key: str) -> Batch:
        return batch_submit(
            user=user, source=track.asset, caption="Ricas", mode=PostMode.DIRECT, track=track, submission_key=key,
            choices=[AccountChoice(account=account, privacy_level=PrivacyLevel.SELF_ONLY) for account in accounts],
            subtitles=SubtitleChoice.SYSTEM,
        )  # fmt: skip

    submit.user, submit.track = user, track
    return submit


def test_it_draws_per_account_and_keeps_what_it_drew(system) -> None:
    baker, cook = TikTokAccountFactory(), TikTokAccountFactory()
    for number in range(4):
        system(baker, key=f"b{number}")
    system(baker, cook, key="both")
    system(baker, cook, key="both")  # a double click draws nothing

    draws = SubtitleDraw.objects.filter(account=baker).order_by("position").select_related("video")
    assert [draw.position for draw in draws] == [0, 1, 2, 3, 4]
    assert sorted(draw.variant for draw in draws[:4]) == ["auto", "auto", "none", "none"]
    assert SubtitleDraw.objects.get(account=cook).position == 0
    for draw in SubtitleDraw.objects.select_related("video__batch"):
        assert (
            draw.variant
            == draw.video.subtitle_variant
            == variant_at(account_id=draw.account_id, position=draw.position)
        )
        assert draw.video.subtitle_assignment == SubtitleAssignment.DRAW
        assert (draw.video.subtitles is None) == (draw.variant == "none")
        assert draw.video.batch.subtitles == SubtitleChoice.SYSTEM


def test_it_needs_lines_to_draw_for(system) -> None:
    asked = {
        "user": system.user, "source": system.track.asset, "caption": "", "mode": PostMode.DIRECT,
        "scheduled_at": None, "is_aigc": False, "cover_timestamp_ms": 0, "subtitles": SubtitleChoice.SYSTEM,
        "choices": (AccountChoice(account=TikTokAccountFactory(), privacy_level=PrivacyLevel.SELF_ONLY),),
    }  # fmt: skip
    with pytest.raises(SubmissionInvalid, match="track_required"):
        batch_draft(Submission(track=None, **asked))
    (draft,) = batch_draft(Submission(track=system.track, **asked))
    assert draft.subtitle_variant == SubtitleChoice.SYSTEM
    assert not SubtitleDraw.objects.exists()


def test_it_never_draws_one_place_twice(system) -> None:
    account = TikTokAccountFactory()
    first = system(account, key="a").videos.get()
    other = system(TikTokAccountFactory(), key="b").videos.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        SubtitleDraw.objects.filter(video=other).update(account=account, position=0)
    assert first.subtitle_draw.position == 0
