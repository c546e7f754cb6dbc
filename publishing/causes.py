"""The catalogue of causes: code -> what happened, what to do, does a retry help, which button.

Codes are TikTok's own error codes and `fail_reason` values, `publishing.editing`'s refusals, and ours. Sentences
are templates over the measured values in `detail`; a missing value never breaks the sentence.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class Action(StrEnum):
    """The one button that mends it."""

    RETRY = "retry"
    RECONNECT = "reconnect"
    CHANGE_FILE = "change_file"
    EDIT_FORM = "edit_form"
    PUBLISH_NOW = "publish_now"
    RESCHEDULE = "reschedule"
    RESOLVE = "resolve"
    DISCARD = "discard"
    ACCOUNT = "account"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Cause:
    """An entry. `what` and `todo` may name values of the detail, as in `{width}`."""

    code: str
    what: str | Promise
    todo: str | Promise
    retry: bool
    action: Action


def _entry(code: str, what: Promise, todo: Promise, *, retry: bool, action: Action) -> tuple[str, Cause]:
    return code, Cause(code, what, todo, retry, action)


_NEW_FILE = _("Upload another file.")
_LATER = _("Try again later.")
_FORM = _("Start it again from New and choose those options once more.")
_RECONNECT = _("Reconnect the account; what waits goes on by itself.")
_NOTHING = _("There is nothing to do.")

CATALOGUE: dict[str, Cause] = dict(
    [
        # The file
        _entry("empty_file", _("The file is empty."), _NEW_FILE, retry=False, action=Action.CHANGE_FILE),
        _entry("not_a_video", _("The file is not a video."), _NEW_FILE, retry=False, action=Action.CHANGE_FILE),
        _entry("playlist", _("The file is a list of videos, not a video."), _NEW_FILE, retry=False,
               action=Action.CHANGE_FILE),
        _entry("truncated", _("The file is cut: part of it is missing."), _("Export it again and upload it whole."),
               retry=False, action=Action.CHANGE_FILE),
        _entry("no_video_stream", _("The file has no video track."), _NEW_FILE, retry=False,
               action=Action.CHANGE_FILE),
        _entry("unsupported_codec", _("The video's format ({codec}) is not supported."),
               _("Export it as MP4 with H.264."), retry=False, action=Action.CHANGE_FILE),
        _entry("too_long", _("It lasts {duration}; the limit is {max_duration}."), _("Upload a shorter one."),
               retry=False, action=Action.CHANGE_FILE),
        _entry("too_short", _("It lasts {duration}; the minimum is {min_duration}."), _("Upload a longer one."),
               retry=False, action=Action.CHANGE_FILE),
        _entry("too_large", _("It weighs {size_text}; the limit is {max_size_text}."), _("Upload a smaller one."),
               retry=False, action=Action.CHANGE_FILE),
        _entry("too_many_pixels", _("The picture is {width}×{height}, larger than we can edit."),
               _("Export it at 4096 pixels a side or less."), retry=False, action=Action.CHANGE_FILE),
        _entry("unreadable", _("The file could not be read."), _("Export it again as MP4 with H.264."), retry=False,
               action=Action.CHANGE_FILE),
        _entry("size_mismatch", _("The upload was cut: {received_text} of {declared_text} arrived."),
               _("Upload it again."), retry=True, action=Action.CHANGE_FILE),
        _entry("disk_full", _("There is no room to store the file."), _("Tell an administrator, then try again."),
               retry=True, action=Action.RETRY),
        _entry("wrong_kind", _("This kind of file is not accepted here."), _NEW_FILE, retry=False,
               action=Action.CHANGE_FILE),
        _entry("source_missing", _("The original file is not in the store any more."), _NEW_FILE, retry=False,
               action=Action.CHANGE_FILE),
        # Subtitles
        _entry("subtitles_invalid", _("The subtitle file cannot be read (line {line})."),
               _("Check that it is SRT, VTT or ASS."), retry=False, action=Action.EDIT_FORM),
        _entry("subtitles_empty", _("There are no subtitles in it."), _("Write at least one line."), retry=False,
               action=Action.EDIT_FORM),
        _entry("script_required",
               _("For automatic subtitles in this language, paste what is said: there is no speech model here."),
               _("Paste the script, or upload a subtitle file."), retry=False, action=Action.EDIT_FORM),
        _entry("no_speech", _("No speech was found in the sound."), _("Upload a subtitle file or go without."),
               retry=False, action=Action.EDIT_FORM),
        _entry("no_audio", _("The video has no sound, so there is nothing to subtitle."),
               _("Upload a subtitle file or go without."), retry=False, action=Action.EDIT_FORM),
        _entry("subtitles_failed", _("The subtitles could not be made."),
               _("The video is already stored: retry the edit."), retry=True, action=Action.RETRY),
        # The edit
        _entry("edit_failed", _("The edit was cut. The video is already stored."),
               _("Retry the edit; nothing is downloaded again."), retry=True, action=Action.RETRY),
        _entry("edit_timeout", _("The edit took too long and was stopped."), _("Retry the edit."), retry=True,
               action=Action.RETRY),
        _entry("edit_invalid", _("The edited video does not meet TikTok's limits."),
               _("Change the brand pattern or the file."), retry=False, action=Action.CHANGE_FILE),
        _entry("render_shared", _("Another account is making the same edit; it is used here too."), _NOTHING,
               retry=False, action=Action.NONE),
        _entry("edited_missing", _("The edited file is not in the store any more."), _("Retry: it is edited again."),
               retry=True, action=Action.RETRY),
        _entry("edited_changed", _("The edited file changed while it was being sent; nothing was published."),
               _("Retry the upload."), retry=True, action=Action.RETRY),
        # The account
        _entry("account_disconnected", _("{account} is disconnected from TikTok."), _RECONNECT, retry=True,
               action=Action.RECONNECT),
        _entry("access_token_invalid", _("TikTok does not accept our access to {account} any more."), _RECONNECT,
               retry=True, action=Action.RECONNECT),
        _entry("auth_removed", _("Somebody removed our access to {account} in TikTok."), _RECONNECT, retry=True,
               action=Action.RECONNECT),
        _entry("scope_not_authorized", _("{account} did not give us the permission to publish."),
               _("Reconnect it and leave every permission ticked."), retry=True, action=Action.RECONNECT),
        _entry("scope_permission_missed", _("{account} did not give us the permission to publish."),
               _("Reconnect it and leave every permission ticked."), retry=True, action=Action.RECONNECT),
        _entry("spam_risk_user_banned_from_posting", _("TikTok does not let {account} post."),
               _("Only the account's owner can solve it with TikTok."), retry=False, action=Action.DISCARD),
        _entry("privacy_level_option_mismatch", _("{account} does not offer the privacy you chose any more."), _FORM,
               retry=False, action=Action.EDIT_FORM),
        _entry("duration_over_account_limit", _("It lasts {duration}; {account} accepts up to {max_duration}."),
               _("Upload a shorter one."), retry=False, action=Action.CHANGE_FILE),
        _entry("unaudited_client_can_only_post_to_private_accounts",
               _("TikTok has not audited the app yet: it may post only to private accounts."),
               _("Make the account private, or use the inbox mode."), retry=True, action=Action.RETRY),
        _entry("spam_risk_too_many_posts", _("TikTok takes no more posts of {account} today."),
               _("It goes out by itself in the next window."), retry=True, action=Action.RESCHEDULE),
        _entry("spam_risk_too_many_pending_share",
               _("{account} has too many videos waiting in its TikTok inbox."),
               _("Finish or delete some in the app; it goes out by itself in the next window."), retry=True,
               action=Action.RESCHEDULE),
        _entry("reached_active_user_cap", _("TikTok takes no more accounts of our app today."),
               _("It goes out by itself in the next window."), retry=True, action=Action.RESCHEDULE),
        _entry("circuit_open", _("{account} is paused: {failures} failures within an hour."),
               _("It goes on by itself; the account's page says when, and why."), retry=False, action=Action.ACCOUNT),
        _entry("circuit_isolated", _("{account} is set apart: {reason}."),
               _("It goes on when somebody releases the account."), retry=False, action=Action.ACCOUNT),
        # TikTok's answers
        _entry("rate_limit_exceeded", _("TikTok asked us to slow down."), _("It goes on by itself."), retry=True,
               action=Action.RETRY),
        _entry("rate_limit_own", _("{account} starts at most six uploads a minute."), _("It goes on by itself."),
               retry=True, action=Action.RETRY),
        _entry("unavailable", _("TikTok does not answer."), _LATER, retry=True, action=Action.RETRY),
        _entry("internal_error", _("TikTok had an internal error."), _LATER, retry=True, action=Action.RETRY),
        _entry("internal", _("TikTok had an internal error while processing the video."), _LATER, retry=True,
               action=Action.RETRY),
        _entry("bad_answer", _("TikTok's answer could not be understood."), _LATER, retry=True, action=Action.RETRY),
        _entry("invalid_params", _("TikTok did not accept the post's data."), _FORM, retry=False,
               action=Action.EDIT_FORM),
        _entry("invalid_param", _("TikTok did not accept the post's data."), _FORM, retry=False,
               action=Action.EDIT_FORM),
        _entry("invalid_publish_id", _("TikTok does not know this upload any more."),
               _("Look at the profile before you repeat it."), retry=False, action=Action.RESOLVE),
        _entry("token_not_authorized_for_specified_publish_id",
               _("This upload belongs to another connection of the account."),
               _("Look at the profile before you repeat it."), retry=False, action=Action.RESOLVE),
        _entry("url_ownership_unverified", _("TikTok has not verified our address."), _("Tell an administrator."),
               retry=False, action=Action.DISCARD),
        _entry("upload_cut", _("The upload was cut at part {part} of {parts}."), _("It goes on from there by itself."),
               retry=True, action=Action.RETRY),
        _entry("upload_rejected", _("TikTok did not accept a part of the file."), _LATER, retry=True,
               action=Action.RETRY),
        _entry("upload_expired", _("TikTok's upload address ran out before the file was through."),
               _("Retry: it starts over."), retry=True, action=Action.RETRY),
        _entry("upload_host_refused", _("TikTok named an upload address that we do not trust."),
               _("Tell an administrator."), retry=False, action=Action.DISCARD),
        # TikTok's verdict on the video
        _entry("file_format_check_failed", _("TikTok rejected it: the file's format."), _NEW_FILE, retry=False,
               action=Action.CHANGE_FILE),
        _entry("duration_check_failed", _("TikTok rejected it: its length."), _NEW_FILE, retry=False,
               action=Action.CHANGE_FILE),
        _entry("frame_rate_check_failed", _("TikTok rejected it: its frame rate; TikTok wants 23 to 60."), _NEW_FILE,
               retry=False, action=Action.CHANGE_FILE),
        _entry("picture_size_check_failed", _("TikTok rejected it: its picture size; TikTok wants 360 to 4096 pixels."),
               _NEW_FILE, retry=False, action=Action.CHANGE_FILE),
        _entry("video_pull_failed", _("TikTok could not fetch the file."), _LATER, retry=True, action=Action.RETRY),
        _entry("publish_cancelled", _("The post was cancelled in TikTok."), _("Discard it or publish it again."),
               retry=True, action=Action.RETRY),
        _entry("spam_risk_text", _("TikTok takes the text for spam."), _("Start it again with another text."),
               retry=False, action=Action.EDIT_FORM),
        _entry("spam_risk", _("TikTok takes the post for spam."), _("Change the text or the video."), retry=False,
               action=Action.EDIT_FORM),
        # Ours
        _entry("missed", _("It had to go out at {due}, and nothing was running."),
               _("Publish it now or choose a time."), retry=True, action=Action.PUBLISH_NOW),
        _entry("unconfirmed", _("We do not know whether it came out."), _("Look at the profile before you repeat it."),
               retry=False, action=Action.RESOLVE),
        _entry("crashed", _("The work was cut three times in the same place."),
               _("Tell an administrator, who sees the details; then retry."), retry=True, action=Action.RETRY),
        _entry("bug", _("Something of ours broke; the team has the details."),
               _("Retry; if it happens again, tell us."), retry=True, action=Action.RETRY),
        _entry("worker_stopped", _("The worker was restarted; the work goes on by itself."), _NOTHING, retry=False,
               action=Action.NONE),
        _entry("lease_expired", _("The worker died; another one goes on."), _NOTHING, retry=False, action=Action.NONE),
        _entry("cancelled_by_person", _("Cancelled."), _("Retry it if it was a mistake."), retry=True,
               action=Action.RETRY),
        # What a person did, for the timeline
        _entry("retry_by_person", _("Taken up again."), _NOTHING, retry=False, action=Action.NONE),
        _entry("reconnected", _("The account is connected again."), _NOTHING, retry=False, action=Action.NONE),
        _entry("rescheduled", _("Moved to {at}."), _NOTHING, retry=False, action=Action.NONE),
        _entry("no_longer_public",
               _("It is not public on TikTok any more: TikTok or the account's owner took it away."),
               _("The account's owner sees the reason in TikTok."), retry=False, action=Action.NONE),
        _entry("public_again", _("It is public on TikTok."), _NOTHING, retry=False, action=Action.NONE),
        _entry("confirmed_by_person", _("A person saw it on the profile."), _NOTHING, retry=False, action=Action.NONE),
        _entry("denied_by_person", _("A person did not find it on the profile."), _NOTHING, retry=False,
               action=Action.NONE),
        _entry("circuit_closed", _("The account publishes again."), _NOTHING, retry=False, action=Action.NONE),
        _entry("probe", _("The first that waited is tried."), _NOTHING, retry=False, action=Action.NONE),
        # Refused actions
        _entry("circuit_isolated_already", _("{account} is already set apart."), _NOTHING, retry=False,
               action=Action.NONE),
        _entry("circuit_not_isolated", _("{account} is not set apart."), _NOTHING, retry=False, action=Action.NONE),
        _entry("circuit_not_open", _("{account} is not paused."), _NOTHING, retry=False, action=Action.NONE),
        _entry("not_cancellable", _("It cannot be cancelled any more."), _NOTHING, retry=False, action=Action.NONE),
        _entry("already_sent", _("The last part is already on its way to TikTok: wait for its answer."), _NOTHING,
               retry=False, action=Action.NONE),
        _entry("not_retryable", _("It is not in a state to be retried."), _NOTHING, retry=False, action=Action.NONE),
        _entry("not_reschedulable", _("Its time cannot be changed now."), _NOTHING, retry=False, action=Action.NONE),
        _entry("not_unconfirmed", _("It is not waiting for your answer any more."), _NOTHING, retry=False,
               action=Action.NONE),
        _entry("time_in_past", _("That time has already passed."), _("Choose a later one."), retry=False,
               action=Action.NONE),
        _entry("state_changed", _("It changed in the meantime."), _("Look at it again."), retry=False,
               action=Action.NONE),
        # The form
        _entry("no_accounts", _("Choose at least one account."), _NOTHING, retry=False, action=Action.EDIT_FORM),
        _entry("account_not_yours", _("This account is not in your charge."), _NOTHING, retry=False,
               action=Action.EDIT_FORM),
        _entry("account_twice", _("The same account is there twice."), _NOTHING, retry=False, action=Action.EDIT_FORM),
        _entry("caption_too_long", _("The text has {length} characters; TikTok takes {max_length}."),
               _("Shorten it."), retry=False, action=Action.EDIT_FORM),
        _entry("privacy_required", _("Choose who may see it."), _NOTHING, retry=False, action=Action.EDIT_FORM),
        _entry("privacy_not_offered", _("{account} does not offer this privacy. Options: {options}."), _NOTHING,
               retry=False, action=Action.EDIT_FORM),
        _entry("branded_not_private", _("Paid partnership content cannot be private."), _NOTHING, retry=False,
               action=Action.EDIT_FORM),
        _entry("source_refused", _("The file was not accepted."), _NEW_FILE, retry=False, action=Action.CHANGE_FILE),
        _entry("track_required", _("The subtitles are missing."), _("Make them or upload a file."), retry=False,
               action=Action.EDIT_FORM),
        _entry("cover_out_of_range", _("The cover lies after the end of the video."), _NOTHING, retry=False,
               action=Action.EDIT_FORM),
    ]
)  # fmt: skip


def cause_for(code: str) -> Cause:
    """The entry of `code`; an unknown code gets a plain entry that shows it."""
    known = CATALOGUE.get(code)
    return known or Cause(
        code,
        _("TikTok answered something new: {code}."),
        _("Retry; if it happens again, tell us."),
        True,
        Action.RETRY,
    )


def sentence(code: str, detail: dict[str, Any] | None = None) -> str:
    """What happened, in the active language, with the measured values. Empty for an empty code."""
    return _fill(cause_for(code).what, code, detail) if code else ""


def advice(code: str, detail: dict[str, Any] | None = None) -> str:
    """What to do about it, in the active language. Empty for an empty code."""
    return _fill(cause_for(code).todo, code, detail) if code else ""


def _fill(template: str | Promise, code: str, detail: dict[str, Any] | None) -> str:
    return str(template).format_map(defaultdict(lambda: "?", {"code": code} | _readable(detail or {})))


def _readable(detail: dict[str, Any]) -> dict[str, str]:
    """Measured values as a person reads them: milliseconds as 11:20, bytes as 65 MB."""
    values = {key: str(value) for key, value in detail.items()}
    for key, value in detail.items():
        if key.endswith("duration_ms") or key in {"max_ms", "min_ms"}:
            name = {"max_ms": "max_duration", "min_ms": "min_duration"}.get(key, key.removesuffix("_ms"))
            values[name] = clock_text(int(value))
        elif isinstance(value, int) and key in {"size", "max_size", "max_bytes", "received", "declared"}:
            values[f"{'max_size' if key == 'max_bytes' else key}_text"] = size_text(value)
    return values


def clock_text(milliseconds: int) -> str:
    """680000 -> 11:20; under a minute with a decimal: 0.4 s."""
    seconds = milliseconds / 1000
    if seconds < 60:
        return gettext("{seconds} s").format(seconds=_short(seconds))
    return f"{int(seconds // 60)}:{int(seconds % 60):02d}"


def _short(value: float) -> str:
    """At most one decimal, with the language's own mark: 442,7."""
    rounded = round(value, 1)
    return str(number_format(int(rounded) if rounded == int(rounded) else rounded))


def size_text(size: int) -> str:
    """Decimal units, as TikTok counts them: 64000000 -> 64 MB."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{_short(size / factor)} {unit}"
    return f"{size} B"
