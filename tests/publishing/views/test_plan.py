"""What the Retry button says that it will do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone, translation

from publishing.models import AccountBrand, BrandPattern, Render, Video, WorkingAsset, WorkingKind
from publishing.selectors.plans import RetryPlan, retry_plan, retry_words
from publishing.states import JobStatus, SubtitleChoice, VideoStatus
from tests.factories import EditedAssetFactory, JobFactory, SubtitleTrackFactory

pytestmark = pytest.mark.django_db

KEY = "k" * 64


@pytest.fixture
def bucket(settings):
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": "tests.buckets.CountingBucket"}}


@pytest.fixture
def failed(bucket, make_video):
    video = make_video(VideoStatus.FAILED_EDIT)
    JobFactory(video=video, status=JobStatus.FAILED, render_key=KEY, host="h", started_at=timezone.now())
    return video


@pytest.fixture
def subtitled(failed):
    track = SubtitleTrackFactory(asset=failed.batch.source)
    failed.batch.track, failed.batch.subtitles = track, SubtitleChoice.AUTO
    failed.batch.save(update_fields=["track", "subtitles"])
    failed.subtitle_variant = SubtitleChoice.AUTO
    failed.save(update_fields=["subtitle_variant"])
    return failed


def keep(kind, key, *, days=1):
    now = timezone.now()
    expires_at = now + timedelta(days=days)
    WorkingAsset.objects.create(kind=kind, key=key, host="h", path="/p", size=1, used_at=now, expires_at=expires_at)


def words(client, video):
    page = client.get(f"/videos/{video.pk}/").content.decode()
    assert ("retry-plan" in page) == ('id="retry-plan"' in page)
    return page.split('id="retry-plan">')[1].split("</p>")[0] if "retry-plan" in page else ""


def test_it_repeats_all_that_no_host_keeps(failed):
    assert retry_plan(failed) == RetryPlan((), ("file", "edit"))


def test_it_reuses_the_file_of_any_host_until_it_expires(failed):
    keep(WorkingKind.SOURCE, failed.batch.source.sha256)
    assert retry_plan(failed) == RetryPlan(("file",), ("edit",))
    WorkingAsset.objects.update(expires_at=timezone.now())
    assert retry_plan(failed) == RetryPlan((), ("file", "edit"))


def test_it_reuses_the_file_in_a_bucket_that_is_a_folder(make_video):
    assert retry_plan(make_video(VideoStatus.FAILED_EDIT)) == RetryPlan(("file",), ("edit",))


@pytest.mark.parametrize(("status", "reused"), [("ready", True), ("failed", False), ("pending", False)])
def test_it_reuses_subtitles_that_are_made(subtitled, status, reused):
    subtitled.batch.track.status = status
    plan = retry_plan(subtitled)
    assert ("subtitles" in plan.reused, "subtitles" in plan.repeated) == (reused, not reused)


def test_it_only_stores_an_edit_that_a_host_keeps(failed):
    keep(WorkingKind.RENDER, KEY)
    assert retry_plan(failed) == RetryPlan(("edit",), ("store",))


def test_it_takes_the_edit_that_another_account_made(failed):
    Render.objects.create(key=KEY, asset=EditedAssetFactory(), lease_until=timezone.now())
    assert retry_plan(failed) == RetryPlan(("edit",), ())


def test_it_edits_again_when_the_brand_has_changed_since(failed):
    keep(WorkingKind.RENDER, KEY)
    AccountBrand.objects.create(account=failed.account, pattern=BrandPattern.objects.create(name="Cálido"))
    assert retry_plan(failed) == RetryPlan((), ("file", "edit"))


def test_it_only_uploads_what_is_edited(make_video):
    video = make_video(VideoStatus.FAILED_UPLOAD, edited=EditedAssetFactory(), reason_code="unavailable")
    assert retry_plan(video) == RetryPlan(("edit",), ("upload",))
    video.reason_code = "edited_missing"
    assert retry_plan(video) == RetryPlan(("file",), ("edit",))


class TestWords:
    def test_it_says_so_beside_the_button(self, as_ana, subtitled):
        keep(WorkingKind.SOURCE, subtitled.batch.source.sha256)
        text = "Se reutiliza: el archivo y los subtítulos. Se repite: la edición."
        assert words(as_ana, subtitled) == text
        page = as_ana.get(f"/videos/{subtitled.pk}/").content.decode()
        assert f'title="{text}" aria-describedby="retry-plan"' in page

    def test_it_says_so_in_english(self, failed):
        with translation.override("en"):
            assert retry_words(failed) == "Done again: the download of the file and the edit."

    def test_it_calls_new_what_was_never_done(self, as_ana, make_video):
        video = make_video(VideoStatus.MISSED, reason_code="missed")
        assert words(as_ana, video) == "Se reutiliza: el archivo. Falta: la edición."

    @pytest.mark.parametrize("status", [VideoStatus.POSTED, VideoStatus.EDITING, VideoStatus.UNCONFIRMED])
    def test_it_says_nothing_where_no_button_retries(self, as_ana, make_video, status):
        assert words(as_ana, make_video(status)) == ""

    def test_it_keeps_the_page_up_to_date(self, as_ana, failed):
        address = f"/videos/{failed.pk}/live/"
        before = as_ana.get(address).content.decode()
        keep(WorkingKind.SOURCE, failed.batch.source.sha256)
        assert "Se reutiliza: el archivo." not in before
        assert "Se reutiliza: el archivo." in as_ana.get(address).content.decode()
        assert Video.objects.get(pk=failed.pk).status == VideoStatus.FAILED_EDIT
