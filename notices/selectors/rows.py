"""Notices as a person reads them: what happened, whether it is mended by now, and the one button."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, Subquery
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from accounts.models import TikTokAccount, User
from notices.models import Notice, NoticeCopy, NoticeCopyQuerySet, NoticeKind, NoticeMessage
from publishing.causes import advice, sentence
from publishing.clocks import readable
from publishing.models import AccountCircuit, Video
from publishing.states import CircuitState, Family, VideoStatus
from publishing.views.buttons import Button, primary_button

#: Colour and icon of each kind, as the families of a video have them.
LOOKS = {
    NoticeKind.VIDEO_FAILED: ("attention", "alert"),
    NoticeKind.VIDEO_TAKEN_DOWN: ("attention", "ban"),
    NoticeKind.APPROVAL_DUE: ("waiting", "check"),
    NoticeKind.SENT_BACK: ("attention", "back"),
    NoticeKind.ACCOUNT_LOST: ("attention", "unplug"),
    NoticeKind.ACCOUNT_PAUSED: ("waiting", "pause"),
    NoticeKind.VIDEO_RECOVERED: ("done", "check-circle"),
    NoticeKind.ACCOUNT_BACK: ("done", "plug"),
    NoticeKind.ACCOUNT_RESUMED: ("done", "check-circle"),
}


@dataclass(frozen=True, kw_only=True)
class NoticeRow:
    """`pk` is the copy's. `mended` says how it stands now and is empty while somebody is needed; `button` is the one
    that mends it. `href`: the page on which that is done.
    """

    pk: int
    copy: NoticeCopy
    notice: Notice
    sentence: str
    advice: str
    who: str
    what: str
    mended: str
    button: Button | None
    href: str
    family: str
    icon: str


def copies_shown(user: User) -> NoticeCopyQuerySet:
    """The person's notices in the app, newest first, with what their rows need: one query."""
    return with_rows(NoticeCopy.objects.for_user(user).filter(shown=True).order_by("-at", "-pk"))


def older_than(copies: NoticeCopyQuerySet, pk: int) -> NoticeCopyQuerySet:
    """Those after the copy `pk` in the list's order; none when it does not exist."""
    at = Subquery(NoticeCopy.objects.filter(pk=pk).values("at")[:1])
    return copies.filter(Q(at__lt=at) | Q(at=at, pk__lt=pk))


def with_rows(copies: NoticeCopyQuerySet) -> NoticeCopyQuerySet:
    """`copies` with everything that `row_of` reads."""
    return copies.select_related("notice__account__circuit", "notice__video__batch__source")


def unread_count(user: Any) -> int:
    """How many unread notices the bell shows; nothing is asked for a stranger."""
    return NoticeCopy.objects.for_user(user).filter(shown=True, read_at=None).count()


def rows_of(copies: Iterable[NoticeCopy]) -> list[NoticeRow]:
    return [row_of(copy) for copy in copies]


def row_of(copy: NoticeCopy) -> NoticeRow:
    """The row of a copy that was loaded by `with_rows`: no further query."""
    notice = copy.notice
    kind = NoticeKind(notice.kind)
    mended, button = _now(notice)
    family, icon = LOOKS[kind]
    words, account = _sentence(notice), str(notice.account)
    return NoticeRow(
        pk=copy.pk, copy=copy, notice=notice, sentence=words, who="" if account in words else account,
        what=_what(notice), mended=mended,
        advice="" if mended or notice.is_good else advice(notice.code, _detail(notice)), button=button,
        href=_href(notice, button), family="ended" if mended else family, icon="check-circle" if mended else icon,
    )  # fmt: skip


def _detail(notice: Notice) -> dict[str, Any]:
    zone = notice.video.time_zone if notice.video else notice.account.time_zone
    return readable({"account": str(notice.account)} | notice.detail, zone)


def _sentence(notice: Notice) -> str:
    """What happened, in the active language."""
    values: dict[str, Any] = {"account": notice.account, "n": notice.detail.get("waiting", 0)}
    match notice.kind:
        case NoticeKind.VIDEO_RECOVERED:
            return _recovered(notice)
        case NoticeKind.ACCOUNT_BACK:
            head = gettext("%(account)s is connected again.") % values
        case NoticeKind.ACCOUNT_RESUMED:
            head = gettext("The pause of %(account)s is over.") % values
        case NoticeKind.APPROVAL_DUE:
            return gettext("A video of %(account)s waits for your approval.") % values
        case _:
            status = notice.detail.get("status", "")
            label = str(VideoStatus(status).label) if status in VideoStatus.values else notice.get_kind_display()
            return sentence(notice.code, _detail(notice)) or label
    goes_on = ngettext("%(n)d video goes on.", "%(n)d videos go on.", values["n"]) % values
    return f"{head} {goes_on}" if values["n"] else head


def _recovered(notice: Notice) -> str:
    was = notice.detail.get("was")
    if was == VideoStatus.POSTED:
        return sentence(notice.code)  # public again
    if was == VideoStatus.UNCONFIRMED:
        return gettext("It was unconfirmed, and it is published.")
    return gettext("It had failed, and it is published after all.")


def _what(notice: Notice) -> str:
    """What a person knows the video by."""
    if notice.video is None:
        return ""
    return notice.video.caption.strip() or notice.video.batch.source.original_name


def _now(notice: Notice) -> tuple[str, Button | None]:
    """(how it stands by now, the button while it is not mended)."""
    if notice.kind == NoticeKind.VIDEO_FAILED and notice.video:
        return _video_now(notice, notice.video)
    if notice.kind in {NoticeKind.APPROVAL_DUE, NoticeKind.SENT_BACK} and notice.video:
        return _answered(NoticeKind(notice.kind), notice.video)
    if notice.kind == NoticeKind.ACCOUNT_LOST:
        if notice.account.is_connected:
            return gettext("It is connected again"), None
        target = reverse("accounts:account_reconnect", args=[notice.account_id])
        return "", Button(kind="post", label=gettext("Reconnect and resume"), target=target, icon="plug")
    if notice.kind == NoticeKind.ACCOUNT_PAUSED:
        if _circuit_state(notice.account) == CircuitState.CLOSED:
            return gettext("It publishes again"), None
        target = reverse("publishing:circuit_detail", args=[notice.account_id])
        return "", Button(kind="link", label=gettext("See why the account is paused"), target=target, icon="pause")
    return "", None


def _video_now(notice: Notice, video: Video) -> tuple[str, Button | None]:
    if video.family != Family.ATTENTION:
        return _stands(VideoStatus(video.status)), None
    if (video.status, video.reason_code) != (notice.detail.get("status"), notice.code):
        return gettext("There is a newer notice about it"), None
    return "", primary_button(video)


def _answered(kind: NoticeKind, video: Video) -> tuple[str, Button | None]:
    """Of a video that waits for an approval, or did not get it."""
    target = reverse("publishing:video_detail", args=[video.pk])
    if kind == NoticeKind.APPROVAL_DUE:
        if video.status != VideoStatus.AWAITING_APPROVAL:
            return gettext("It does not wait any more"), None
        return "", Button(kind="link", label=gettext("Look at it and answer"), target=target, icon="eye")
    if video.status != VideoStatus.CANCELLED:
        return _stands(VideoStatus(video.status)), None
    return "", Button(kind="link", label=gettext("See what to correct"), target=target, icon="pencil")


def _circuit_state(account: TikTokAccount) -> str:
    try:
        return account.circuit.state
    except AccountCircuit.DoesNotExist:
        return CircuitState.CLOSED


def _stands(status: VideoStatus) -> str:
    """Of a video that had failed and does not need anybody now."""
    if status == VideoStatus.POSTED:
        return gettext("It is published by now")
    if status == VideoStatus.CANCELLED:
        return gettext("It was discarded")
    if status == VideoStatus.IN_INBOX:
        return gettext("It is in the TikTok inbox")
    return gettext("It is on its way again")


def _href(notice: Notice, button: Button | None) -> str:
    """The page on which it can be mended, or looked at, with the dialog open that does it."""
    if notice.video_id:
        page = reverse("publishing:video_detail", args=[notice.video_id])
        return f"{page}#{button.target}" if button and button.kind == "dialog" else page
    if notice.is_good:
        return f"{reverse('publishing:video_list')}?account={notice.account_id}"
    return reverse("publishing:circuit_detail", args=[notice.account_id])


def last_mail_that_failed(user: User) -> NoticeMessage | None:
    """The person's latest mail, if it has not arrived and an attempt was made."""
    last = NoticeMessage.objects.filter(user=user, attempts__gt=0).order_by("-pk").first()
    return last if last and last.sent_at is None else None
