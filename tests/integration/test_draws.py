"""Many submissions at once leave their subtitles to the system: every place of the lot is given once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from insights.models import Publication
from publishing.models import SubtitleDraw
from publishing.services.batches import AccountChoice, batch_submit
from publishing.services.draws import variant_at
from publishing.states import PostMode, PrivacyLevel, SubtitleChoice
from tests.factories import AdminFactory, SubtitleTrackFactory, TikTokAccountFactory

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
SUBMISSIONS = 16


def test_it_gives_every_place_once_and_locks_nobody_out() -> None:
    user, track = AdminFactory(), SubtitleTrackFactory()
    accounts = [TikTokAccountFactory(), TikTokAccountFactory()]

    def submit(number: int) -> None:
        mine = accounts if number % 2 else accounts[::-1]  # the other way round: a deadlock, were they locked so
        try:
            batch_submit(
                user=user, source=track.asset, caption="", mode=PostMode.DIRECT, track=track,
                subtitles=SubtitleChoice.SYSTEM, submission_key=f"k{number}",
                choices=[AccountChoice(account=one, privacy_level=PrivacyLevel.SELF_ONLY) for one in mine],
            )  # fmt: skip
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(submit, range(SUBMISSIONS)))

    for account in accounts:
        draws = list(SubtitleDraw.objects.filter(account=account).order_by("position"))
        assert [draw.position for draw in draws] == list(range(SUBMISSIONS))
        assert all(draw.variant == variant_at(account_id=account.pk, position=draw.position) for draw in draws)
    assert Publication.objects.filter(assignment="draw").count() == 2 * SUBMISSIONS
