"""The catalogue of causes: code -> what happened, what to do, does a retry help, which button.

Codes are TikTok's own error codes and `fail_reason` values, `publishing.editing`'s refusals, and ours. Sentences
are templates over the measured values in `detail`; a missing value never breaks the sentence.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from publishing.cause import Action, Cause, entry
from publishing.clocks import moment
from publishing.measures import clock_text, short, size_text
from publishing.states import PrivacyLevel

__all__ = [
    "CAP_CODES", "CATALOGUE", "Action", "Cause", "advice", "cause_for", "clock_text", "sentence", "size_text",
]  # fmt: skip


_NEW_FILE = _("Upload another file.")
_LATER = _("Try again later.")
_FORM = _("Start it again from New and choose those options once more.")
_RECONNECT = _("Reconnect the account; what waits goes on by itself.")
_IN_FORM = _("Correct it in the form; nothing of it is lost.")
_NOTHING = _("There is nothing to do.")

#: Values of a detail that are bytes.
SIZES = frozenset({"size", "max_size", "max_bytes", "received", "declared", "used"})
#: TikTok's caps of the day.
CAP_CODES = frozenset({"spam_risk_too_many_posts", "spam_risk_too_many_pending_share", "reached_active_user_cap"})

CATALOGUE: dict[str, Cause] = dict(
    [
        # The file
        entry("empty_file", _("The file is empty."), _NEW_FILE, retry=False, action=Action.CHANGE_FILE),
        entry("not_a_video", _("The file is not a video."), _NEW_FILE, retry=False, action=Action.CHANGE_FILE),
        entry("playlist", _("The file is a list of videos, not a video."), _NEW_FILE, retry=False,
               action=Action.CHANGE_FILE),
        entry("truncated", _("The file is cut: part of it is missing."), _("Export it again and upload it whole."),
               retry=False, action=Action.CHANGE_FILE),
        entry("no_video_stream", _("The file has no video track."), _NEW_FILE, retry=False,
               action=Action.CHANGE_FILE),
        entry("unsupported_codec", _("The video's format ({codec}) is not supported."),
               _("Export it as MP4 with H.264."), retry=False, action=Action.CHANGE_FILE),
        entry("too_long", _("It lasts {duration}; the limit is {max_duration}."), _("Upload a shorter one."),
               retry=False, action=Action.CHANGE_FILE),
        entry("too_short", _("It lasts {duration}; the minimum is {min_duration}."), _("Upload a longer one."),
               retry=False, action=Action.CHANGE_FILE),
        entry("too_large", _("It weighs {size_text}; the limit is {max_size_text}."), _("Upload a smaller one."),
               retry=False, action=Action.CHANGE_FILE),
        entry("too_many_pixels", _("The picture is {width}×{height}, larger than we can edit."),
               _("Export it at 4096 pixels a side or less."), retry=False, action=Action.CHANGE_FILE),
        entry("too_many_frames", _("It has {fps} frames a second; the limit is {max_fps}."),
               _("Export it at 60 frames a second or fewer."), retry=False, action=Action.CHANGE_FILE),
        entry("unreadable", _("The file could not be read."), _("Export it again as MP4 with H.264."), retry=False,
               action=Action.CHANGE_FILE),
        entry("size_mismatch", _("The upload was cut: {received_text} of {declared_text} arrived."),
               _("Upload it again."), retry=True, action=Action.CHANGE_FILE),
        entry("disk_full", _("There is no room to store the file ({size_text})."),
               _("Tell an administrator, then try again."), retry=True, action=Action.RETRY),
        entry("disk_quota", _("The room that we may use on the disk is full: {max_size_text}."),
               _("Tell an administrator, then try again."), retry=True, action=Action.RETRY),
        entry("store_failed", _("The store for the files does not answer."), _LATER, retry=True,
               action=Action.RETRY),
        entry("quota_coming", _("{count} of your files are on their way in already; the limit is {limit} at a time."),
               _("Wait until one has arrived, or cancel one: then there is room at once."), retry=True,
               action=Action.RETRY),
        entry("quota_day",
               _("With these {size_text} you would send more than {max_size_text} in 24 hours; {used_text} are used."),
               _("There is room for it again {until}."), retry=True, action=Action.RETRY),
        entry("quota_too_large",
               _("It weighs {size_text}; a person may send {max_size_text} in 24 hours, so it never fits."),
               _("Upload a smaller one."), retry=False, action=Action.CHANGE_FILE),
        entry("quota_stored",
               _("With these {size_text} your files would take more than {max_size_text}; {used_text} are stored."),
               _("Tell an administrator: it needs a higher limit."), retry=False,
               action=Action.NONE),
        entry("wrong_kind", _("This kind of file is not accepted here."), _NEW_FILE, retry=False,
               action=Action.CHANGE_FILE),
        entry("source_missing", _("The original file is not in the store any more."), _NEW_FILE, retry=False,
               action=Action.CHANGE_FILE),
        # Subtitles
        entry("subtitles_invalid", _("The subtitle file cannot be read (line {line})."),
               _("Check that it is SRT, VTT or ASS."), retry=False, action=Action.EDIT_FORM),
        entry("subtitles_empty", _("There are no subtitles in it."), _("Write at least one line."), retry=False,
               action=Action.EDIT_FORM),
        entry("script_required",
               _("For automatic subtitles in this language, paste what is said: there is no speech model here."),
               _("Paste the script, or upload a subtitle file."), retry=False, action=Action.EDIT_FORM),
        entry("no_speech", _("No speech was found in the sound."), _("Upload a subtitle file or go without."),
               retry=False, action=Action.EDIT_FORM),
        entry("no_audio", _("The video has no sound, so there is nothing to subtitle."),
               _("Upload a subtitle file or go without."), retry=False, action=Action.EDIT_FORM),
        entry("subtitles_failed", _("The subtitles could not be made."),
               _("The video is already stored: retry the edit."), retry=True, action=Action.RETRY),
        # The edit
        entry("edit_failed", _("The edit was cut. The video is already stored."),
               _("Retry the edit; nothing is downloaded again."), retry=True, action=Action.RETRY),
        entry("edit_timeout", _("The edit took too long and was stopped."), _("Retry the edit."), retry=True,
               action=Action.RETRY),
        entry("edit_invalid", _("The edited video does not meet TikTok's limits. {why}"),
               _("Change the brand pattern or the file."), retry=False, action=Action.CHANGE_FILE),
        entry("render_shared", _("Another account is making the same edit; it is used here too."), _NOTHING,
               retry=False, action=Action.NONE),
        entry("edited_missing", _("The edited file is not in the store any more."), _("Retry: it is edited again."),
               retry=True, action=Action.RETRY),
        entry("edited_changed", _("The edited file changed while it was being sent; nothing was published."),
               _("Retry the upload."), retry=True, action=Action.RETRY),
        # The account
        entry("account_disconnected", _("{account} is disconnected from TikTok."), _RECONNECT, retry=True,
               action=Action.RECONNECT),
        entry("access_token_invalid", _("TikTok does not accept our access to {account} any more."), _RECONNECT,
               retry=True, action=Action.RECONNECT),
        entry("auth_removed", _("Somebody removed our access to {account} in TikTok."), _RECONNECT, retry=True,
               action=Action.RECONNECT),
        entry("scope_not_authorized", _("{account} did not give us the permission to publish."),
               _("Reconnect it and leave every permission ticked."), retry=True, action=Action.RECONNECT),
        entry("scope_permission_missed", _("{account} did not give us the permission to publish."),
               _("Reconnect it and leave every permission ticked."), retry=True, action=Action.RECONNECT),
        entry("spam_risk_user_banned_from_posting", _("TikTok does not let {account} post."),
               _("Only the account's owner can solve it with TikTok."), retry=False, action=Action.DISCARD),
        entry("privacy_level_option_mismatch",
               _("{account} does not offer the privacy you chose any more. Options: {options}."), _FORM,
               retry=False, action=Action.EDIT_FORM),
        entry("duration_over_account_limit", _("It lasts {duration}; {account} accepts up to {max_duration}."),
               _("Upload a shorter one."), retry=False, action=Action.CHANGE_FILE),
        entry("unaudited_client_can_only_post_to_private_accounts",
               _("TikTok has not audited the app yet: it may post only to private accounts."),
               _("Make the account private, or use the inbox mode."), retry=True, action=Action.RETRY),
        entry("spam_risk_too_many_posts", _("TikTok takes no more posts of {account} today."),
               _("It goes out by itself in the next window."), retry=True, action=Action.RESCHEDULE),
        entry("spam_risk_too_many_pending_share",
               _("{account} has too many videos waiting in its TikTok inbox."),
               _("Finish or delete some in the app; it goes out by itself in the next window."), retry=True,
               action=Action.RESCHEDULE),
        entry("reached_active_user_cap", _("TikTok takes no more accounts of our app today."),
               _("It goes out by itself in the next window."), retry=True, action=Action.RESCHEDULE),
        entry("access_ends", _("The access to {account} ends {at}, before this goes out."),
               _("Reconnect the account now and nothing stops."), retry=True, action=Action.RECONNECT),
        entry("cap_near",
               _("It would be number {posts} of {account} within 24 hours; TikTok usually takes {max_posts}."),
               _("Choose another time, or leave it: it then goes out in the next window."), retry=False,
               action=Action.RESCHEDULE),
        entry("circuit_near", _("{account} had {failures} failures in the last hour; the next one pauses it."),
               _("The account's page says what failed."), retry=False, action=Action.ACCOUNT),
        entry("circuit_open", _("{account} is paused: {failures} failures within an hour."),
               _("It goes on by itself; the account's page says when, and why."), retry=False, action=Action.ACCOUNT),
        entry("circuit_isolated", _("{account} is set apart: {reason}."),
               _("It goes on when somebody releases the account."), retry=False, action=Action.ACCOUNT),
        # TikTok's answers
        entry("rate_limit_exceeded", _("TikTok asked us to slow down."), _("It goes on by itself."), retry=True,
               action=Action.RETRY),
        entry("rate_limit_own", _("{account} starts at most six uploads a minute."), _("It goes on by itself."),
               retry=True, action=Action.RETRY),
        entry("unavailable", _("TikTok does not answer."), _LATER, retry=True, action=Action.RETRY),
        entry("internal_error", _("TikTok had an internal error."), _LATER, retry=True, action=Action.RETRY),
        entry("internal", _("TikTok had an internal error while processing the video."), _LATER, retry=True,
               action=Action.RETRY),
        entry("bad_answer", _("TikTok's answer could not be understood."), _LATER, retry=True, action=Action.RETRY),
        entry("invalid_params", _("TikTok did not accept the post's data."), _FORM, retry=False,
               action=Action.EDIT_FORM),
        entry("invalid_param", _("TikTok did not accept the post's data."), _FORM, retry=False,
               action=Action.EDIT_FORM),
        entry("invalid_publish_id", _("TikTok does not know this upload any more."),
               _("Look at the profile before you repeat it."), retry=False, action=Action.RESOLVE),
        entry("token_not_authorized_for_specified_publish_id",
               _("This upload belongs to another connection of the account."),
               _("Look at the profile before you repeat it."), retry=False, action=Action.RESOLVE),
        entry("url_ownership_unverified", _("TikTok has not verified our address."),
               _("Tell an administrator, then try again."), retry=True, action=Action.RETRY),
        entry("upload_cut", _("The upload was cut at part {part} of {parts}."), _("It goes on from there by itself."),
               retry=True, action=Action.RETRY),
        entry("upload_rejected", _("TikTok did not accept a part of the file."), _LATER, retry=True,
               action=Action.RETRY),
        entry("upload_expired", _("TikTok's upload address ran out before the file was through."),
               _("Retry: it starts over."), retry=True, action=Action.RETRY),
        entry("range_mismatch", _("TikTok and we disagree about how much of the file arrived."),
               _("Retry: TikTok is asked again where to go on."), retry=True, action=Action.RETRY),
        entry("upload_gone", _("TikTok has forgotten this upload."), _("Retry: it starts over."), retry=True,
               action=Action.RETRY),
        entry("file_short", _("The edited file became shorter while it was being sent; nothing was published."),
               _("Retry the upload."), retry=True, action=Action.RETRY),
        entry("file_unreadable",
               _("The edited file could not be read while it was being sent; nothing was published."),
               _("Retry the upload."), retry=True, action=Action.RETRY),
        entry("upload_host_refused", _("TikTok named an upload address that we do not trust."),
               _("Tell an administrator, then try again."), retry=True, action=Action.RETRY),
        # TikTok's verdict on the video
        entry("file_format_check_failed", _("TikTok rejected it: the file's format ({codec})."),
               _("Export it as MP4 with H.264."), retry=False,
               action=Action.CHANGE_FILE),
        entry("duration_check_failed", _("TikTok rejected it: it lasts {duration}."),
               _("Upload a shorter one."), retry=False,
               action=Action.CHANGE_FILE),
        entry("frame_rate_check_failed", _("TikTok rejected it: it has {fps} frames a second; TikTok wants 23 to 60."),
               _("Export it at 30 frames a second."), retry=False, action=Action.CHANGE_FILE),
        entry("picture_size_check_failed",
               _("TikTok rejected it: its picture is {width}×{height}; TikTok wants 360 to 4096 pixels a side."),
               _("Export it at 1080×1920."), retry=False, action=Action.CHANGE_FILE),
        entry("video_pull_failed", _("TikTok could not fetch the file."), _LATER, retry=True, action=Action.RETRY),
        entry("publish_cancelled", _("The post was cancelled in TikTok."), _("Discard it or publish it again."),
               retry=True, action=Action.RETRY),
        entry("spam_risk_text", _("TikTok takes the text for spam."), _("Start it again with another text."),
               retry=False, action=Action.EDIT_FORM),
        entry("spam_risk", _("TikTok takes the post for spam."), _("Change the text or the video."), retry=False,
               action=Action.EDIT_FORM),
        # Ours
        entry("missed", _("It had to go out at {due}, and nothing was running."),
               _("Publish it now or choose a time."), retry=True, action=Action.PUBLISH_NOW),
        entry("unconfirmed", _("We do not know whether it came out."), _("Look at the profile before you repeat it."),
               retry=False, action=Action.RESOLVE),
        entry("crashed", _("The work was cut three times in the same place."),
               _("Tell an administrator, who sees the details; then retry."), retry=True, action=Action.RETRY),
        entry("bug", _("Something of ours broke; the team has the details."),
               _("Retry; if it happens again, tell us."), retry=True, action=Action.RETRY),
        entry("worker_stopped", _("The worker was restarted; the work goes on by itself."), _NOTHING, retry=False,
               action=Action.NONE),
        entry("lease_expired", _("The worker died; another one goes on."), _NOTHING, retry=False, action=Action.NONE),
        entry("cancelled_by_person", _("Cancelled."), _("Retry it if it was a mistake."), retry=True,
               action=Action.RETRY),
        # What a person did, for the timeline
        entry("subtitles_changed", _("Its subtitles were corrected; it is edited again."), _NOTHING, retry=False,
               action=Action.NONE),
        entry("subtitles_dropped", _("It goes out without subtitles; it is edited again."), _NOTHING, retry=False,
               action=Action.NONE),
        entry("post_changed", _("Its text or its cover was changed."), _NOTHING, retry=False, action=Action.NONE),
        entry("due", _("Its hour has come."), _NOTHING, retry=False, action=Action.NONE),
        entry("retry_by_person", _("Taken up again."), _NOTHING, retry=False, action=Action.NONE),
        entry("held_by_person", _("Somebody holds it."), _("It goes out when somebody lets it go."), retry=False,
               action=Action.RELEASE),
        entry("released_by_person", _("Let go."), _NOTHING, retry=False, action=Action.NONE),
        entry("approved", _("Approved."), _NOTHING, retry=False, action=Action.NONE),
        entry("approval_again", _("Changed: it waits to be approved again."), _NOTHING, retry=False,
               action=Action.NONE),
        entry("sent_back", _("{by} sent it back: “{reason}”."), _("Correct it, or take it up again as it is."),
               retry=True, action=Action.EDIT_FORM),
        entry("not_awaiting", _("It does not wait for an approval."), _NOTHING, retry=False, action=Action.NONE),
        entry("not_approver", _("Only an approver may do this."), _NOTHING, retry=False, action=Action.NONE),
        entry("own_video", _("You submitted it: another approves it."), _NOTHING, retry=False, action=Action.NONE),
        entry("approval_too_late", _("Its hour has passed while it waited."), _("Choose another time first."),
               retry=False, action=Action.NONE),
        entry("undone", _("Put back as it was."), _NOTHING, retry=False, action=Action.NONE),
        entry("reconnected", _("The account is connected again."), _NOTHING, retry=False, action=Action.NONE),
        entry("rescheduled", _("Moved to {at}."), _NOTHING, retry=False, action=Action.NONE),
        entry("no_longer_public",
               _("It is not public on TikTok any more: TikTok or the account's owner took it away."),
               _("The account's owner sees the reason in TikTok."), retry=False, action=Action.NONE),
        entry("public_again", _("It is public on TikTok."), _NOTHING, retry=False, action=Action.NONE),
        entry("confirmed_by_person", _("A person saw it on the profile."), _NOTHING, retry=False, action=Action.NONE),
        entry("denied_by_person", _("A person did not find it on the profile."), _NOTHING, retry=False,
               action=Action.NONE),
        entry("circuit_closed", _("The account publishes again."), _NOTHING, retry=False, action=Action.NONE),
        entry("probe", _("The first that waited is tried."), _NOTHING, retry=False, action=Action.NONE),
        # Refused actions
        entry("circuit_isolated_already", _("{account} is already set apart."), _NOTHING, retry=False,
               action=Action.NONE),
        entry("circuit_not_isolated", _("{account} is not set apart."), _NOTHING, retry=False, action=Action.NONE),
        entry("circuit_not_open", _("{account} is not paused."), _NOTHING, retry=False, action=Action.NONE),
        entry("not_correctable", _("It is on its way: hold it first."), _("Then correct it and release it."),
               retry=False, action=Action.NONE),
        entry("inbox_ignores", _("TikTok's inbox takes the file only."), _("The rest is chosen in the TikTok app."),
               retry=False, action=Action.NONE),
        entry("not_cancellable", _("It cannot be cancelled any more."), _NOTHING, retry=False, action=Action.NONE),
        entry("already_sent", _("The last part is already on its way to TikTok: wait for its answer."), _NOTHING,
               retry=False, action=Action.NONE),
        entry("not_retryable", _("It is not in a state to be retried."), _NOTHING, retry=False, action=Action.NONE),
        entry("not_reschedulable", _("Its time cannot be changed now."), _NOTHING, retry=False, action=Action.NONE),
        entry("not_unconfirmed", _("It is not waiting for your answer any more."), _NOTHING, retry=False,
               action=Action.NONE),
        entry("not_holdable", _("It is not on its way: there is nothing to hold."), _NOTHING, retry=False,
               action=Action.NONE),
        entry("held_already", _("Somebody holds it already."), _NOTHING, retry=False, action=Action.NONE),
        entry("not_held", _("Nobody holds it."), _NOTHING, retry=False, action=Action.NONE),
        entry("at_tiktok", _("TikTok has it already."), _NOTHING, retry=False, action=Action.NONE),
        entry("posted_already", _("It is published already."), _NOTHING, retry=False, action=Action.NONE),
        entry("cancelled_already", _("It is cancelled already."), _NOTHING, retry=False, action=Action.NONE),
        entry("retry_useless", _("The same again would fail again: it needs another file or other options."),
               _("Open it: its page says what to change."), retry=False, action=Action.NONE),
        entry("too_many_videos", _("That is {count} videos; {limit} at most at once."),
               _("Narrow the filters, or do it in parts."), retry=False, action=Action.NONE),
        entry("undo_too_late", _("It can be undone for {seconds} s, and they are over."), _NOTHING, retry=False,
               action=Action.NONE),
        entry("undo_not_yours", _("Only the person who did it can undo it."), _NOTHING, retry=False,
               action=Action.NONE),
        entry("too_many_filters", _("There is room for {limit} filters of your own."), _("Delete one first."),
               retry=False, action=Action.NONE),
        entry("filter_name_taken", _("You already have a filter with that name."), _("Choose another name."),
               retry=False, action=Action.NONE),
        entry("time_in_past", _("That time has already passed."), _("Choose a later one."), retry=False,
               action=Action.NONE),
        entry("state_changed", _("It changed in the meantime."), _("Look at it again."), retry=False,
               action=Action.NONE),
        # The form
        entry("quota_waiting", _("{account} already has {waiting} videos that wait; the limit is {limit}."),
               _("There is room as soon as one of them is published or cancelled; the next one is due {until}."),
               retry=True, action=Action.EDIT_FORM),
        entry("no_accounts", _("Choose at least one account."), _IN_FORM, retry=False, action=Action.EDIT_FORM),
        entry("account_not_yours", _("This account is not in your charge."), _IN_FORM, retry=False,
               action=Action.EDIT_FORM),
        entry("account_twice", _("The same account is there twice."), _IN_FORM, retry=False, action=Action.EDIT_FORM),
        entry("caption_too_long", _("The text has {length} characters; TikTok takes {max_length}."),
               _("Shorten it."), retry=False, action=Action.EDIT_FORM),
        entry("privacy_required", _("Choose who may see it."), _IN_FORM, retry=False, action=Action.EDIT_FORM),
        entry("privacy_not_offered", _("{account} does not offer this privacy. Options: {options}."), _IN_FORM,
               retry=False, action=Action.EDIT_FORM),
        entry("branded_not_private", _("Paid partnership content cannot be private."), _IN_FORM, retry=False,
               action=Action.EDIT_FORM),
        entry("source_refused", _("The file was not accepted."), _NEW_FILE, retry=False, action=Action.CHANGE_FILE),
        entry("track_required", _("The subtitles are missing."), _("Make them or upload a file."), retry=False,
               action=Action.EDIT_FORM),
        entry("cover_out_of_range", _("The cover lies after the end of the video."), _IN_FORM, retry=False,
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
    return (
        str(template).format_map(defaultdict(lambda: "?", {"code": code, "why": ""} | _readable(detail or {}))).strip()
    )


def _readable(detail: dict[str, Any]) -> dict[str, str]:
    """Measured values as a person reads them: milliseconds as 11:20, bytes as 65 MB, 29.97 as 29,97."""
    values = {key: str(value) for key, value in detail.items()}
    for key, value in detail.items():
        if key.endswith("duration_ms") or key in {"max_ms", "min_ms"}:
            name = {"max_ms": "max_duration", "min_ms": "min_duration"}.get(key, key.removesuffix("_ms"))
            values[name] = clock_text(int(value))
        elif isinstance(value, int) and key in SIZES:
            values[f"{'max_size' if key == 'max_bytes' else key}_text"] = size_text(value)
        elif key == "until" and isinstance(value, str) and (at := parse_datetime(value)):
            values[key] = moment(at, timezone.get_current_timezone_name())
        elif key == "fps" and isinstance(value, int | float):
            values[key] = short(value)
        elif key == "options" and isinstance(value, list):
            values[key] = ", ".join(_privacy(str(option)) for option in value)
        elif key == "why":
            # Another cause, or what a program said: only the former is for people.
            values[key] = sentence(str(value), {**detail, "why": ""}) if value in CATALOGUE else ""
    return values


def _privacy(value: str) -> str:
    return str(PrivacyLevel(value).label) if value in PrivacyLevel else value
