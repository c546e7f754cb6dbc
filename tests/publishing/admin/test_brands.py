"""Brand patterns in the admin: their files, their colours, their accounts."""

from __future__ import annotations

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from publishing.models import AccountBrand, BrandPattern
from tests.factories import TikTokAccountFactory
from tests.publishing.editing.bombs import png
from tests.publishing.editing.conftest import make

ADD = "admin:publishing_brandpattern_add"
FIELDS = {
    "name": "Con logo", "fit": "blur", "brightness": 0, "contrast": 1, "saturation": 1, "temperature": 0.5,
    "logo_enabled": "on", "logo_position": "top_right", "logo_width_percent": 18, "logo_opacity": 0.9,
    "volume_db": 0, "music_volume_db": -18, "subtitle_size": 64, "subtitle_color": "#ffee00",
    "subtitle_outline_color": "#000000", "subtitle_position": "bottom", "accounts-TOTAL_FORMS": 0,
    "accounts-INITIAL_FORMS": 0,
}  # fmt: skip
PNG = png(20, 10)


def errors(answer):
    return {name: list(texts) for name, texts in answer.context["adminform"].form.errors.items()}


def test_it_stores_the_logo_and_the_music_of_a_pattern(administrator, tmp_path):
    music = make(tmp_path / "tema.mp3", "-f", "lavfi", "-i", "sine=d=1", "-c:a", "libmp3lame").read_bytes()
    files = {"logo_file": SimpleUploadedFile("luna.png", PNG), "music_file": SimpleUploadedFile("tema.mp3", music)}
    assert administrator.post(reverse(ADD), FIELDS | files).status_code == 302
    pattern = BrandPattern.objects.get()
    assert (pattern.logo.kind, pattern.music.kind, pattern.logo.created_by.username) == ("logo", "music", "carla")
    with default_storage.open(pattern.logo.storage_key) as stored:
        assert stored.read() == PNG


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"logo_file": SimpleUploadedFile("logo.png", b"no picture")}, "logo_file"),
        ({}, "logo_file"),
        ({"logo_enabled": "", "subtitle_color": "yellow"}, "subtitle_color"),
        ({"logo_enabled": "", "contrast": 9}, "contrast"),
    ],
)
def test_it_says_what_is_wrong_with_a_pattern(administrator, change, field):
    answer = administrator.post(reverse(ADD), FIELDS | change)
    assert errors(answer).keys() == {field}
    assert not BrandPattern.objects.exists()


def test_it_draws_the_pattern_with_its_own_numbers(administrator):
    pattern = BrandPattern.objects.create(name="Cálido", saturation=1.5, temperature=1, subtitle_color="#ffee00")
    text = administrator.get(reverse("admin:publishing_brandpattern_change", args=[pattern.pk])).content.decode()
    assert 'values="1.500"' in text
    assert 'values="1.150 0 0 0 0  0 1 0 0 0  0 0 0.750 0 0  0 0 0 1 0"' in text
    assert 'fill="#ffee00"' in text


def test_it_gives_an_account_its_pattern_on_the_accounts_page(administrator):
    account, pattern = TikTokAccountFactory(), BrandPattern.objects.create(name="Cálido")
    change = reverse("admin:accounts_tiktokaccount_change", args=[account.pk])
    data = {
        "sector": account.sector_id, "time_zone": "Europe/Madrid", "brand-TOTAL_FORMS": 1, "brand-INITIAL_FORMS": 0,
        "brand-0-account": account.pk, "brand-0-pattern": pattern.pk, "events-TOTAL_FORMS": 0,
        "events-INITIAL_FORMS": 0,
    }  # fmt: skip
    assert administrator.post(change, data).status_code == 302
    assert AccountBrand.objects.get(account=account).pattern == pattern
