"""What people type, parsed. The rules of publishing itself are the services'."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.models import TikTokAccount, User
from accounts.selectors import accounts_for
from publishing.models import Asset, SubtitleTrack, Video
from publishing.models.video import VideoQuerySet
from publishing.selectors.filters import day_of, videos_matching
from publishing.selectors.looks import Looker
from publishing.services.acts import MOST, When
from publishing.services.batches import AccountChoice
from publishing.states import ActKind, Family, PostMode, PrivacyLevel, SubtitleChoice, VideoStatus
from publishing.views.scope import sources_for, tracks_for

BIGGEST_ID = 2**63 - 1


def local_moment(day: date, hour: time, zone: ZoneInfo) -> datetime:
    """The instant at which clocks in `zone` show that; the first of two when they go back.

    Raises ValidationError for an hour that the clocks skip.
    """
    moment = datetime.combine(day, hour, tzinfo=zone)
    if moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment.replace(tzinfo=None):
        raise forms.ValidationError(_("That hour does not exist on that day: clocks go forward."))
    return moment


class CaptionField(forms.CharField):
    """A post's text as it is written, line breaks and all; browsers send each break as two characters."""

    def __init__(self) -> None:
        super().__init__(required=False, strip=False, max_length=20_000)

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")


class DayField(forms.CharField):
    """A date, or the name of one that moves with the calendar (`selectors.filters.DAYS`); kept as it is written."""

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value and day_of(value) is None:
            raise forms.ValidationError(_("Choose the day."))


class VideoFilterForm(forms.Form):
    """The list's filters. One that makes no sense is left out: an old link still opens the list."""

    family = forms.ChoiceField(choices=[(family.value, family.value) for family in Family], required=False)
    status = forms.ChoiceField(choices=VideoStatus.choices, required=False)
    cause = forms.RegexField(r"^[a-z0-9_]{1,64}$", required=False)
    account = forms.IntegerField(min_value=1, max_value=BIGGEST_ID, required=False)
    #: The account by its name, where there are too many to choose from a list.
    who = forms.CharField(max_length=100, required=False)
    batch = forms.IntegerField(min_value=1, max_value=BIGGEST_ID, required=False)
    on = forms.ChoiceField(choices=[("created", "created"), ("scheduled", "scheduled")], required=False)
    since = DayField(required=False)
    until = DayField(required=False)
    q = forms.CharField(max_length=100, required=False)
    before = forms.IntegerField(min_value=1, max_value=BIGGEST_ID, required=False)
    at = forms.DateTimeField(required=False)

    @classmethod
    def read(cls, query: Mapping[str, Any]) -> dict[str, Any]:
        """The filters that are set and valid."""
        form = cls(query)
        form.is_valid()
        return {name: value for name, value in form.cleaned_data.items() if value}


class SavedFilterForm(forms.Form):
    """A name for a query of the list."""

    name = forms.CharField(max_length=40, error_messages={"required": _("Give it a name.")})
    query = forms.CharField(max_length=500, required=False)

    def first_error(self) -> str:
        return str(next(iter(self.errors.values()))[0])


class RescheduleForm(forms.Form):
    """Another day and hour, in the zone of the video's account."""

    day = forms.DateField()
    hour = forms.TimeField()

    def __init__(self, *args: Any, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone

    def clean(self) -> dict[str, Any]:
        cleaned = dict(self.cleaned_data)
        if "day" in cleaned and "hour" in cleaned:
            cleaned["at"] = local_moment(cleaned["day"], cleaned["hour"], self.zone)
        return cleaned


class ActForm(forms.Form):
    """An act over many videos: which, and for another time the day and hour on the clocks of each account.

    `videos` may be there many times, each a list of keys; `selection` is the list's query string, and wins.
    """

    kind = forms.ChoiceField(choices=ActKind.choices)
    selection = forms.CharField(required=False, max_length=2000)
    key = forms.CharField(required=False, max_length=64)
    tomorrow = forms.BooleanField(required=False)
    day = forms.DateField(required=False)
    hour = forms.TimeField(required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = dict(self.cleaned_data)
        if cleaned.get("kind") != ActKind.RESCHEDULE:
            return cleaned | {"when": None}
        day, hour = cleaned.get("day"), cleaned.get("hour")
        if day and hour and not cleaned["tomorrow"]:
            return cleaned | {"when": When(at=datetime.combine(day, hour))}
        if (day or hour or self.errors) and not cleaned["tomorrow"]:
            raise forms.ValidationError(_("Choose the day and the hour."))
        return cleaned | {"when": When(to_tomorrow=True)}

    def chosen(self, user: User, *fields: str) -> VideoQuerySet:
        """The videos that are meant, by `videos` and the other `fields`, as far as `user` may see them."""
        if self.cleaned_data["selection"]:
            return _all_of(user, VideoFilterForm.read(QueryDict(self.cleaned_data["selection"])))
        assert isinstance(self.data, QueryDict), "a form that was posted"
        texts = [text for name in ("videos", *fields) for text in self.data.getlist(name)]
        keys = [int(text) for text in ",".join(texts).split(",") if text.isdecimal() and len(text) < 18]
        return Video.objects.for_user(user).filter(pk__in=keys)


def _all_of(user: User, asked: Mapping[str, Any]) -> VideoQuerySet:
    """Every video that passes, by their numbers where they are few enough for an act."""
    found = Looker(user=user).page(asked, size=MOST)
    return videos_matching(user, asked) if found.after else Video.objects.filter(pk__in=found.pks)


class SendBackForm(forms.Form):
    """Why a video that waits for an approval does not get it."""

    reason = forms.CharField(max_length=300)


class CoverForm(forms.Form):
    """Another text and cover for a video that has not gone out."""

    caption = CaptionField()
    cover_timestamp_ms = forms.IntegerField(min_value=0, max_value=2**31 - 1)


class ResolveForm(forms.Form):
    """A person's answer about an unconfirmed video; the link is welcome, not required."""

    posted = forms.ChoiceField(choices=[("yes", "yes"), ("no", "no")])
    post_url = forms.URLField(required=False, max_length=500, assume_scheme="https")

    def clean_post_url(self) -> str:
        url: str = self.cleaned_data["post_url"]
        if url and not url.startswith(("https://", "http://")):
            raise forms.ValidationError(_("Paste the link as TikTok gives it."))
        return url


class ChoiceForm(forms.Form):
    """One account's part of the posting form; its fields are named `<account pk>-<field>`."""

    privacy_level = forms.ChoiceField(choices=PrivacyLevel.choices, required=False)
    allow_comment = forms.BooleanField(required=False)
    allow_duet = forms.BooleanField(required=False)
    allow_stitch = forms.BooleanField(required=False)
    own_caption = forms.BooleanField(required=False)
    caption = CaptionField()

    def choice(self, account: TikTokAccount, *, brand_content: bool, brand_organic: bool) -> AccountChoice:
        """What was chosen; only meaningful after `is_valid()`."""
        chosen = self.cleaned_data
        return AccountChoice(
            account=account,
            privacy_level=chosen.get("privacy_level", ""),
            allow_comment=chosen["allow_comment"],
            allow_duet=chosen["allow_duet"],
            allow_stitch=chosen["allow_stitch"],
            brand_content=brand_content,
            brand_organic=brand_organic,
            caption=chosen.get("caption", "") if chosen["own_caption"] else None,
        )


class SubmissionForm(forms.Form):
    """The New page. Somebody else's file, subtitles or account is as unknown as one that does not exist."""

    submission_key = forms.CharField(max_length=64)
    source = forms.ModelChoiceField(Asset.objects.none(), error_messages={"required": _("Choose a video file.")})
    caption = CaptionField()
    mode = forms.ChoiceField(choices=PostMode.choices)
    subtitles = forms.ChoiceField(choices=SubtitleChoice.choices)
    track = forms.ModelChoiceField(SubtitleTrack.objects.none(), required=False)
    when = forms.ChoiceField(choices=[("now", "now"), ("later", "later")])
    scheduled_day = forms.DateField(required=False)
    scheduled_hour = forms.TimeField(required=False)
    scheduled_zone = forms.CharField(required=False, max_length=64)
    is_aigc = forms.BooleanField(required=False)
    cover_timestamp_ms = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1)
    discloses = forms.BooleanField(required=False)
    brand_organic = forms.BooleanField(required=False)
    brand_content = forms.BooleanField(required=False)
    accounts = forms.ModelMultipleChoiceField(TikTokAccount.objects.none(), required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        visible = {"source": sources_for(user), "track": tracks_for(user), "accounts": accounts_for(user)}
        for name, rows in visible.items():
            self.fields[name].queryset = rows  # type: ignore[attr-defined]  # these three are fields of rows

    def clean(self) -> dict[str, Any]:
        cleaned = dict(self.cleaned_data)
        direct = cleaned.get("mode") == PostMode.DIRECT
        if direct and cleaned["discloses"] and not (cleaned["brand_organic"] or cleaned["brand_content"]):
            self.add_error("discloses", _("Say what the video promotes: your own brand, another one, or both."))
        if cleaned.get("when") == "later":
            cleaned["scheduled_at"] = self._moment(cleaned)
        return cleaned

    def _moment(self, cleaned: Mapping[str, Any]) -> datetime | None:
        zone, day, hour = cleaned.get("scheduled_zone"), cleaned.get("scheduled_day"), cleaned.get("scheduled_hour")
        if not (day and hour and zone in available_timezones()):
            self.add_error("when", _("Choose the day and the hour."))
            return None
        try:
            return local_moment(day, hour, ZoneInfo(zone))
        except forms.ValidationError as error:
            self.add_error("when", error)
            return None

    def fields_of(self, user: User) -> dict[str, Any]:
        """What `batch_submit` takes, besides the key. The inbox takes the file and ignores the rest."""
        asked = self.cleaned_data
        direct = asked["mode"] == PostMode.DIRECT
        subtitles = SubtitleChoice(asked["subtitles"])
        return {
            "user": user,
            "source": asked["source"],
            "caption": asked["caption"].strip() if direct else "",
            "choices": tuple(self.choices()),
            "mode": PostMode(asked["mode"]),
            "subtitles": subtitles,
            "track": asked["track"] if subtitles != SubtitleChoice.NONE else None,
            "scheduled_at": asked.get("scheduled_at"),
            "is_aigc": asked["is_aigc"] and direct,
            "cover_timestamp_ms": (asked["cover_timestamp_ms"] or 0) if direct else 0,
        }

    def choices(self) -> list[AccountChoice]:
        """One per chosen account, in the list's order."""
        discloses = self.cleaned_data["discloses"]
        brands = {
            name: discloses and self.cleaned_data[name] and self.cleaned_data["mode"] == PostMode.DIRECT
            for name in ("brand_content", "brand_organic")
        }
        return [form.choice(account, **brands) for account, form in self._parts()]

    def _parts(self) -> Iterator[tuple[TikTokAccount, ChoiceForm]]:
        for account in self.cleaned_data["accounts"]:
            form = ChoiceForm(self.data, prefix=str(account.pk))
            form.is_valid()
            yield account, form


class CircuitForm(forms.Form):
    """Why a person interferes with an account's circuit."""

    reason = forms.CharField(max_length=200)
