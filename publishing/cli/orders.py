"""From what was typed to a batch: everything typed is checked first, then TikTok is asked, then the file is taken."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext

from accounts.models import TikTokAccount, User
from publishing.causes import sentence
from publishing.cli.bars import Bars, Meter
from publishing.cli.choices import Allowed, Terms, accounts_named, acting_user, direct_terms, operator
from publishing.cli.moments import moment
from publishing.editing.subtitles import FILE_MAX as SUBTITLES_MAX
from publishing.errors import PublishingError, TrackRefused
from publishing.models import Asset, AssetStatus, Batch, SubtitleTrack
from publishing.selectors.duplicates import duplicates_of
from publishing.services.batches import AccountChoice, SubmissionInvalid, batch_submit
from publishing.services.creators import creator_infos
from publishing.services.ingest import asset_probe, source_ingest
from publishing.services.tracks import SCRIPT_MAX, track_from_file, track_request
from publishing.states import PostMode, SubtitleChoice
from subiteya.lib.cli import EXIT_FAILED, EXIT_USAGE, Refused

KEY_MAX = 64
#: The options behind the fields of a submission; what lies in the file or the account is no mistake of typing.
OPTIONS = {
    "source": "file",
    "accounts": "account",
    "privacy_level": "privacy",
    "scheduled_at": "at",
    "track": "subtitles",
}
NOT_TYPED = frozenset({"file", "account"})


@dataclass(frozen=True, kw_only=True)
class Order:
    """One `publish`, understood: all that was typed is right, nothing has been asked or stored yet."""

    file: Path
    user: User
    accounts: tuple[TikTokAccount, ...]
    caption: str
    mode: PostMode
    allowed: Allowed
    subtitles: SubtitleChoice
    subtitle_file: tuple[str, bytes] | None
    script: str
    language: str
    at: datetime | None
    key: str
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A submitted order. `duplicate`: the file's content was in the store before."""

    batch: Batch
    duplicate: bool
    notes: list[str]


def order_from(options: dict[str, Any]) -> Order:
    """Read the options of `publish`. Raises Refused."""
    _check_combinations(options)
    accounts = tuple(accounts_named(options["accounts"], operator()))
    user = acting_user(options["user"], accounts)
    _check_charge(user, accounts)
    due = moment(options["at"], options["tz"], accounts) if options["at"] else None
    return Order(
        file=_file(options["file"]),
        user=user,
        accounts=accounts,
        caption=_caption(options["caption"], options["hashtags"]),
        mode=PostMode(options["mode"]),
        allowed=_allowed(options),
        subtitles=_subtitles(options["subtitles"]),
        subtitle_file=_subtitle_file(options["subtitles"]),
        script=_script(options["script"]),
        language=options["language"],
        at=due.at if due else None,
        key=_key(options["key"], user),
        notes=[due.note] if due and due.note else [],
    )


def place(order: Order, bars: Bars) -> Placed:
    """Ask TikTok, take the file in, check it, submit. The same key again is the same batch. Raises Refused."""
    if known := Batch.objects.filter(submission_key=order.key, created_by=order.user).first():
        return Placed(batch=known, duplicate=True, notes=[gettext("This key was used before: this is its batch.")])
    terms = _terms(order)
    asset, duplicate = _ingest(order, bars)
    _check_length(order, asset, terms)
    try:
        batch = batch_submit(
            user=order.user, source=asset, caption=order.caption, choices=terms.choices, mode=order.mode,
            subtitles=order.subtitles, track=_track(order, asset), scheduled_at=order.at, submission_key=order.key,
        )  # fmt: skip
    except SubmissionInvalid as invalid:
        raise _invalid(invalid, order.accounts) from None
    return Placed(batch=batch, duplicate=duplicate, notes=[*order.notes, *terms.notes, *_twice(batch)])


def _twice(batch: Batch) -> list[str]:
    """What the accounts would have twice: a script is told and not stopped."""
    videos = list(batch.videos.select_related("account", "batch__source"))
    found = duplicates_of(videos, key=batch.submission_key)
    return [duplicate.sentence for duplicates in found.values() for duplicate in duplicates]


def _check_combinations(options: dict[str, Any]) -> None:
    """Options that would be ignored in silence are refused."""
    inbox = options["mode"] == PostMode.INBOX
    settings = [name for name in ("privacy", "allow_comment", "allow_duet", "allow_stitch") if options[name]]
    if inbox and settings:
        name = settings[0].replace("_", "-")
        words = gettext("In inbox mode the person chooses this in TikTok's app: leave out --%(option)s.")
        raise Refused("inbox_ignores", words % {"option": name}, field=name)
    needs = {"tz": ("at", options["at"]), "timeout": ("wait", options["wait"])}
    needs["script"] = ("subtitles auto", options["subtitles"] in {"auto", "system"})
    for name, (other, is_there) in needs.items():
        if options[name] and not is_there:
            words = gettext("--%(option)s goes with --%(other)s.") % {"option": name, "other": other}
            raise Refused("option_without", words, field=name)


def _check_charge(user: User, accounts: Sequence[TikTokAccount]) -> None:
    mine = set(TikTokAccount.objects.for_user(user).values_list("pk", flat=True))
    for account in accounts:
        if account.pk not in mine:
            words = gettext("%(account)s is not in the charge of %(user)s.") % {"account": account, "user": user}
            raise Refused("account_not_yours", words, field="account")


def _file(name: str) -> Path:
    path = Path(name)
    if not path.is_file():
        raise Refused("file_missing", gettext("There is no file %(name)s.") % {"name": name}, field="file")
    return path


def _caption(caption: str, hashtags: Sequence[str]) -> str:
    """The text with the hashtags behind it, each once."""
    tags = dict.fromkeys(f"#{tag.lstrip('#')}" for tag in hashtags)
    for tag in tags:
        if len(tag) < 2 or len(tag.split()) != 1:
            words = gettext("%(tag)s is not a hashtag: one word, without spaces.") % {"tag": tag}
            raise Refused("hashtag_invalid", words, field="hashtag")
    there = set(caption.casefold().split())
    return " ".join([caption, *(tag for tag in tags if tag.casefold() not in there)]).strip()


def _allowed(options: dict[str, Any]) -> Allowed:
    return Allowed(
        privacy_level=options["privacy"],
        comment=options["allow_comment"],
        duet=options["allow_duet"],
        stitch=options["allow_stitch"],
    )


def _subtitles(value: str) -> SubtitleChoice:
    named = {"none": SubtitleChoice.NONE, "auto": SubtitleChoice.AUTO, "system": SubtitleChoice.SYSTEM}
    return named.get(value, SubtitleChoice.FILE)


def _subtitle_file(value: str) -> tuple[str, bytes] | None:
    """(name, content) of a subtitle file, read one byte beyond what is taken."""
    if _subtitles(value) != SubtitleChoice.FILE:
        return None
    return Path(value).name, _read(value, SUBTITLES_MAX + 1, "subtitles")


def _script(value: str) -> str:
    """What is said: the text itself, or @FILE with it."""
    if not value.startswith("@"):
        return value
    data = _read(value.removeprefix("@"), 4 * SCRIPT_MAX, "script")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        words = gettext("%(name)s is not UTF-8 text.") % {"name": value.removeprefix("@")}
        raise Refused("script_unreadable", words, field="script") from None


def _read(name: str, limit: int, option: str) -> bytes:
    try:
        with Path(name).open("rb") as file:
            return file.read(limit)
    except OSError as error:
        words = gettext("%(name)s cannot be read: %(why)s.") % {"name": name, "why": error.strerror}
        raise Refused(f"{option}_unreadable", words, field=option) from None


def _key(key: str, user: User) -> str:
    """The submission key; a new one when none was given."""
    if len(key) > KEY_MAX:
        words = gettext("--key has at most %(max)s characters.") % {"max": KEY_MAX}
        raise Refused("key_too_long", words, field="key")
    if key and Batch.objects.filter(submission_key=key).exclude(created_by=user).exists():
        raise Refused("key_taken", gettext("This key belongs to a batch of somebody else."), field="key")
    return key or uuid.uuid4().hex


def _terms(order: Order) -> Terms:
    if order.mode == PostMode.INBOX:
        return Terms(choices=[AccountChoice(account=account) for account in order.accounts])
    return direct_terms(order.accounts, creator_infos(accounts=order.accounts), order.allowed)


def _ingest(order: Order, bars: Bars) -> tuple[Asset, bool]:
    """Stream the file into the store and check it now, so that a bad one is refused here."""
    began, size = timezone.now(), order.file.stat().st_size
    try:
        with order.file.open("rb") as file:
            meter = Meter(file, bars, name=order.file.name, label=gettext("Storing"), total=size)
            asset = source_ingest(stream=meter, name=order.file.name, user=order.user, declared_size=size)
        bars.end()
        checked = asset_probe(asset=asset)
    except PublishingError as refusal:
        raise Refused(refusal.code, str(refusal), field="file", exit_code=EXIT_FAILED) from None
    except OSError as error:
        words = gettext("%(name)s cannot be read: %(why)s.") % {"name": order.file, "why": error.strerror}
        raise Refused("file_unreadable", words, field="file", exit_code=EXIT_FAILED) from None
    if checked.status == AssetStatus.REFUSED:
        words = sentence(checked.refused_code, checked.refused_detail)
        raise Refused(checked.refused_code, words, field="file", exit_code=EXIT_FAILED)
    return checked, checked.created_at < began


def _check_length(order: Order, asset: Asset, terms: Terms) -> None:
    for account in order.accounts:
        limit = terms.limits.get(account.pk, 0)
        if limit and asset.duration_ms > limit:
            detail = {"duration_ms": asset.duration_ms, "max_ms": limit, "account": str(account)}
            words = sentence("duration_over_account_limit", detail)
            raise Refused("duration_over_account_limit", words, field="file", exit_code=EXIT_FAILED)


def _track(order: Order, asset: Asset) -> SubtitleTrack | None:
    if order.subtitles == SubtitleChoice.NONE:
        return None
    try:
        if order.subtitle_file:
            name, data = order.subtitle_file
            return track_from_file(asset=asset, data=data, name=name, language=order.language, user=order.user)
        return track_request(asset=asset, language=order.language, script=order.script, user=order.user)
    except TrackRefused as refusal:
        raise Refused(refusal.code, str(refusal), field="subtitles") from None


def _invalid(invalid: SubmissionInvalid, accounts: Sequence[TikTokAccount]) -> Refused:
    """Everything that is wrong, as one refusal."""
    names = {account.pk: f"{account}: " for account in accounts}
    words = dict.fromkeys(names.get(error.account_id or 0, "") + error.sentence for error in invalid.errors)
    first = invalid.errors[0]
    option = OPTIONS.get(first.field, first.field)
    exit_code = EXIT_FAILED if option in NOT_TYPED else EXIT_USAGE
    return Refused(first.code, " ".join(words), field=option, exit_code=exit_code)
