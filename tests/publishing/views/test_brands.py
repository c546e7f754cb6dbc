"""Brand patterns: whose they are, the editor, and the preview that draws as the edit does."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from io import BytesIO

import av
import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from publishing.editing.ffmpeg import ffmpeg_path, render
from publishing.editing.probe import MediaInfo
from publishing.editing.spec import EditSpec
from publishing.editing.subtitles import Cue
from publishing.models import AccountBrand, Asset, BrandPattern
from publishing.services.brands import brand_from_pattern
from publishing.services.files import local_copy
from publishing.services.ingest import asset_probe, source_ingest
from publishing.services.patterns import pattern_save
from publishing.views.brands import PREVIEWS_A_MINUTE
from tests.factories import AdminFactory, TikTokAccountFactory
from tests.publishing.conftest import clip as clip  # the fixture
from tests.publishing.editing.test_still import difference, pixels
from tests.publishing.views.conftest import logged_in

pytestmark = pytest.mark.django_db

PREVIEW = "/brands/preview/"


@pytest.fixture
def account(ana):
    return TikTokAccountFactory(username="panaderia", managers=[ana])


@pytest.fixture
def pattern(account):
    pattern = BrandPattern.objects.create(name="Panadería")
    AccountBrand.objects.create(account=account, pattern=pattern)
    return pattern


@pytest.fixture
def shared(pattern, bruno):
    """Bruno has an account that uses it too."""
    AccountBrand.objects.create(account=TikTokAccountFactory(managers=[bruno]), pattern=pattern)
    return pattern


@pytest.fixture
def source(ana, clip):
    with clip.open("rb") as file:
        return asset_probe(asset=source_ingest(stream=file, name="clip.mp4", user=ana))


def fields(**changed: object) -> dict:
    """What the editor's form sends."""
    pattern = BrandPattern(name="Panadería")
    names = [each.name for each in BrandPattern._meta.fields if each.name not in {"id", "updated_at", "created_by"}]
    sent = {name: getattr(pattern, name) for name in names} | changed
    return {name: value for name, value in sent.items() if value is not None and value is not False}


def edit_fields(pattern: BrandPattern, **changed: object) -> dict:
    pattern.refresh_from_db()
    return fields(seen=pattern.updated_at.isoformat(), name=pattern.name, **changed)


def png(colour: str = "red") -> SimpleUploadedFile:
    argv = [ffmpeg_path(), "-v", "error", "-f", "lavfi", "-i", f"color=c={colour}:s=200x100", "-frames:v", "1"]
    data = subprocess.run([*argv, "-f", "image2pipe", "-c:v", "png", "-"], check=True, capture_output=True).stdout
    return SimpleUploadedFile("logo.png", data, content_type="image/png")


def test_it_lists_the_patterns_of_the_persons_accounts(as_ana, as_bruno, pattern, django_assert_max_num_queries):
    for n in range(5):
        BrandPattern.objects.create(name=f"ajeno {n}")
    with django_assert_max_num_queries(12):
        page = as_ana.get("/brands/").content.decode()
    assert "Panadería" in page
    assert "@panaderia" in page
    assert "ajeno" not in page
    assert "Panadería" not in as_bruno.get("/brands/").content.decode()
    assert "ajeno 4" in logged_in(AdminFactory()).get("/brands/").content.decode()


def test_it_lets_nobody_change_a_pattern_that_others_use_too(as_ana, as_bruno, shared):
    page = as_ana.get("/brands/").content.decode()
    assert "duplicate it" in page or "Duplic" in page
    for client in (as_ana, as_bruno):
        assert client.get(f"/brands/{shared.pk}/").status_code == 404
        assert client.post(f"/brands/{shared.pk}/", edit_fields(shared, fit="crop")).status_code == 404
        assert client.post(f"/brands/{shared.pk}/delete/").status_code == 404
        assert client.post(f"/brands/{shared.pk}/copy/").status_code == 302
    shared.refresh_from_db()
    assert shared.fit == "blur"
    assert logged_in(AdminFactory()).get(f"/brands/{shared.pk}/").status_code == 200


def test_it_does_not_find_somebody_elses(as_bruno, pattern):
    for address in ("", "frame.jpg"):
        assert as_bruno.get(f"/brands/{pattern.pk}/{address}").status_code == 404
    for address in ("", "copy/", "delete/"):
        assert as_bruno.post(f"/brands/{pattern.pk}/{address}").status_code == 404
    assert as_bruno.post(PREVIEW, fields(pattern=pattern.pk)).status_code == 404
    assert as_bruno.post(PREVIEW, fields(pattern="9" * 30)).status_code == 404


def test_it_makes_a_pattern_for_the_ticked_accounts(as_ana, ana, account, bruno):
    foreign = TikTokAccountFactory(managers=[bruno])
    answer = as_ana.post("/brands/new/", fields(accounts=[account.pk], subtitle_color="#ffee00"))
    made = BrandPattern.objects.get()
    assert answer.url == f"/brands/{made.pk}/"
    assert (made.created_by, made.subtitle_color, made.accounts.get().account) == (ana, "#ffee00", account)
    refused = as_ana.post("/brands/new/", fields(name="otra", accounts=[foreign.pk]))
    assert refused.status_code == 422
    assert not AccountBrand.objects.filter(account=foreign).exists()


def test_it_moves_an_account_from_one_pattern_to_another_and_away(as_ana, pattern, account):
    other = BrandPattern.objects.create(name="Otra", created_by=account.managers.get())
    as_ana.post(f"/brands/{other.pk}/", edit_fields(other, accounts=[account.pk]))
    assert AccountBrand.objects.get().pattern == other
    as_ana.post(f"/brands/{other.pk}/", edit_fields(other))
    assert not AccountBrand.objects.exists()
    assert as_ana.get("/brands/").status_code == 200


def test_it_keeps_what_was_typed_and_the_file_when_a_field_is_wrong(as_ana, pattern):
    sent = edit_fields(pattern, logo_enabled="on", logo_file=png(), brightness="7", subtitle_size="77")
    answer = as_ana.post(f"/brands/{pattern.pk}/", sent)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="77"' in page
    assert 'aria-invalid="true"' in page
    logo = Asset.objects.get(kind="logo")
    assert f'<option value="{logo.pk}" selected>' in page
    pattern.refresh_from_db()
    assert pattern.logo is None
    as_ana.post(f"/brands/{pattern.pk}/", edit_fields(pattern, logo_enabled="on", logo=logo.pk))
    pattern.refresh_from_db()
    assert pattern.logo == logo


def test_it_offers_no_file_of_somebody_else(as_ana, as_bruno, pattern):
    as_ana.post(f"/brands/{pattern.pk}/", edit_fields(pattern, logo_enabled="on", logo_file=png()))
    logo = Asset.objects.get(kind="logo")
    assert as_bruno.post("/brands/new/", fields(name="robada", logo=logo.pk)).status_code == 422
    assert as_bruno.post(PREVIEW, fields(logo=logo.pk)).status_code == 422


def test_it_does_not_overwrite_what_somebody_else_saved_meanwhile(as_ana, ana, pattern):
    late = edit_fields(pattern, fit="crop", accounts=[pattern.accounts.get().account_id])
    stamp = pattern.updated_at.isoformat()
    pattern.fit = "pad"
    pattern_save(pattern=pattern, user=ana, accounts=[pattern.accounts.get().account], seen=stamp)
    answer = as_ana.post(f"/brands/{pattern.pk}/", late)
    pattern.refresh_from_db()
    assert (answer.status_code, pattern.fit) == (422, "pad")
    assert f'name="seen" value="{pattern.updated_at.isoformat()}"' in answer.content.decode()
    assert '<option value="crop" selected>' in answer.content.decode()
    as_ana.post(f"/brands/{pattern.pk}/", late | {"seen": pattern.updated_at.isoformat()})
    pattern.refresh_from_db()
    assert pattern.fit == "crop"


def test_it_duplicates_without_the_accounts(as_ana, pattern, ana):
    as_ana.post(f"/brands/{pattern.pk}/copy/")
    as_ana.post(f"/brands/{pattern.pk}/copy/")
    copies = BrandPattern.objects.exclude(pk=pattern.pk)
    assert len({copy.name for copy in copies}) == 2
    assert {copy.created_by for copy in copies} == {ana}
    assert not AccountBrand.objects.filter(pattern__in=copies).exists()


def test_it_deletes_only_what_no_account_uses(as_ana, pattern):
    as_ana.post(f"/brands/{pattern.pk}/delete/")
    assert BrandPattern.objects.filter(pk=pattern.pk).exists()
    free = BrandPattern.objects.create(name="libre", created_by=pattern.accounts.get().account.managers.get())
    as_ana.post(f"/brands/{free.pk}/delete/")
    assert not BrandPattern.objects.filter(pk=free.pk).exists()


def test_it_previews_the_very_frame_of_the_edit(as_ana, pattern, source, redis, tmp_path):
    look = {
        "fit": "crop", "brightness": 0.08, "contrast": 1.3, "saturation": 1.6, "temperature": -0.7,
        "subtitle_size": 110, "subtitle_color": "#FFEE00", "subtitle_box": True, "subtitle_position": "middle",
    }  # fmt: skip
    answer = as_ana.post(PREVIEW, fields(sample="Medialunas ñandú", share=0.5, pattern=pattern.pk, **look))
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    shown = tmp_path / "shown.jpg"
    shown.write_bytes(answer.content)
    for name, value in look.items():
        setattr(pattern, name, value)
    info = MediaInfo.from_json(source.probe)
    spec = EditSpec(
        source=info, source_path=local_copy(source), output_path=tmp_path / "edited.mp4",
        brand=brand_from_pattern(pattern), cues=(Cue(0, info.duration_ms, "Medialunas ñandú"),),
    )  # fmt: skip
    moment = (info.duration_ms - 300) * 0.5 // 100 * 100 / 1000
    edited = pixels(render(spec), "-ss", f"{moment:.3f}")
    assert difference(pixels(shown), edited) < 4
    plain = as_ana.post(PREVIEW, fields(sample="Medialunas ñandú", share=0.5))
    other = tmp_path / "plain.jpg"
    other.write_bytes(plain.content)
    assert difference(pixels(other), edited) > 8


def test_it_previews_a_logo_that_is_not_stored(as_ana, redis, tmp_path):
    logo = {"logo_enabled": "on", "logo_width_percent": 50, "logo_opacity": 1}
    answer = as_ana.post(PREVIEW, fields(logo_file=png(), **logo))
    assert answer.status_code == 200
    shown = tmp_path / "shown.jpg"
    shown.write_bytes(answer.content)
    corner = (60 * 360 + 270) * 3
    red, green, _blue = pixels(shown)[corner : corner + 3]
    assert red > 200 > 80 > green
    assert not Asset.objects.exists()


def test_it_shows_the_frame_before_the_edit_and_a_test_picture_without_a_video(as_ana, redis):
    after = as_ana.post(PREVIEW, fields(fit="crop"))
    before = as_ana.post(PREVIEW, fields(before="on"))
    sizes = [next(av.open(BytesIO(answer.content)).decode(video=0)) for answer in (after, before)]
    assert [(frame.width, frame.height) for frame in sizes] == [(360, 640), (360, 202)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"brightness": "nan"}, {"contrast": "9"}, {"fit": "spiral"}, {"subtitle_color": "red;drawtext"},
        {"share": "inf"}, {"sample": "x" * 81}, {"logo_enabled": "on"}, {"subtitle_size": ""},
    ],
)  # fmt: skip
def test_it_says_what_is_wrong_in_place_of_a_picture(as_ana, redis, wrong):
    answer = as_ana.post(PREVIEW, fields() | wrong)
    assert answer.status_code == 422
    assert answer.json()["error"]


def test_it_says_when_the_logo_is_none(as_ana, redis):
    broken = SimpleUploadedFile("logo.png", b"\x89PNG\r\n\x1a\n not a picture", content_type="image/png")
    text = SimpleUploadedFile("logo.png", b"plain text", content_type="image/png")
    for file in (broken, text):
        answer = as_ana.post(PREVIEW, fields(logo_enabled="on", logo_file=file))
        assert (answer.status_code, bool(answer.json()["error"])) == (422, True)


@time_machine.travel(datetime(2026, 5, 4, 12, 0, 30, tzinfo=UTC), tick=False)
def test_it_draws_so_many_a_minute_for_one_person(ana, bruno, redis):
    as_ana, as_bruno = logged_in(ana), logged_in(bruno)
    wrong = fields(fit="spiral")
    for _time in range(PREVIEWS_A_MINUTE):
        assert as_ana.post(PREVIEW, wrong).status_code == 422
    answer = as_ana.post(PREVIEW, wrong)
    assert (answer.status_code, int(answer["Retry-After"]) > 0) == (429, True)
    assert answer.json()["error"]
    assert as_bruno.post(PREVIEW, wrong).status_code == 422


def test_it_shows_a_picture_of_each_in_the_list(as_ana, pattern):
    assert reverse("publishing:brand_frame", args=[pattern.pk]) in as_ana.get("/brands/").content.decode()
    answer = as_ana.get(f"/brands/{pattern.pk}/frame.jpg")
    assert (answer.status_code, answer.content[:2]) == (200, b"\xff\xd8")
