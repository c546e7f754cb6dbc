"""The words of each message: a mail as plain text and simple HTML, and the webhook's document."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext, ngettext

from accounts.models import User
from monitoring.alerts.messages import site
from monitoring.services.sending import TIMEOUT_SECONDS
from notices.models import MessageKind, Notice, NoticeCopy, NoticeMessage
from notices.selectors.rows import NoticeRow, rows_of, with_rows
from notices.selectors.summary import list_address, summary_of
from notices.services.people import preferences_of

#: Videos of one group that a mail names one by one.
NAMED = 5


@dataclass(frozen=True, kw_only=True)
class Group:
    """Notices of one cause on one account. `href`: all of them in the app, when there are several."""

    first: NoticeRow
    named: list[NoticeRow]
    count: int
    href: str

    @property
    def more(self) -> int:
        return self.count - len(self.named)

    @property
    def how_many(self) -> str:
        """In words; empty for one."""
        return _how_many(self.count, videos=bool(self.first.what)) if self.count > 1 else ""


def letter(message: NoticeMessage, person: User) -> EmailMultiAlternatives | None:
    """The mail as it is to be written now, in the person's language; None when it would say nothing any more."""
    wants = preferences_of(person)
    with translation.override(person.language), timezone.override(wants.zone):
        subject, context = _CONTENTS[MessageKind(message.kind)](message, person)
        if not subject:
            return None
        context |= {"site": settings.SITE_URL, "zone": wants.zone, "person": person}
        context["preferences"] = site(reverse("notices:preferences"))
        name = f"notices/mail/{message.kind}"
        mail = EmailMultiAlternatives(
            subject=" ".join(f"[SubiteYa] {subject}".split())[:200],
            body=render_to_string(f"{name}.txt", context).strip() + "\n",
            to=[person.email],
            # The same mail twice is known as one by its id.
            headers={"Message-ID": f"<notice-{message.pk}@{_host()}>", "Auto-Submitted": "auto-generated"},
            connection=get_connection(timeout=TIMEOUT_SECONDS),
        )
        mail.attach_alternative(render_to_string(f"{name}.html", context), "text/html")
    return mail


def _host() -> str:
    return urlsplit(settings.SITE_URL).hostname or "localhost"


def _notices(message: NoticeMessage, person: User) -> tuple[str, dict[str, Any]]:
    copies = NoticeCopy.objects.for_user(person).filter(mail=message).order_by("pk")
    rows = rows_of(with_rows(copies))
    groups = grouped(rows)
    if not rows:
        return "", {}
    if len(groups) > 1:
        return _how_many(len(rows), videos=False), {"groups": groups}
    first = rows[0]
    subject = f"{first.who}: {first.sentence}" if first.who else first.sentence
    words = groups[0].how_many
    return f"{words} · {subject}" if words else subject, {"groups": groups}


def _how_many(count: int, *, videos: bool) -> str:
    if videos:
        return ngettext("%(n)d video", "%(n)d videos", count) % {"n": count}
    return ngettext("%(n)d notice", "%(n)d notices", count) % {"n": count}


def grouped(rows: Iterable[NoticeRow]) -> list[Group]:
    """By kind, cause and account; what needs somebody comes before what is well again."""
    found: dict[tuple[str, str, int], list[NoticeRow]] = {}
    for row in rows:
        found.setdefault((row.notice.kind, row.notice.code, row.notice.account_id), []).append(row)
    groups = [_group(members) for members in found.values()]
    return sorted(groups, key=lambda group: (group.first.notice.is_good, -group.count))


def _group(members: list[NoticeRow]) -> Group:
    first = next((row for row in members if not row.mended), members[0])
    video = first.notice.video
    href = list_address(video) if video and len(members) > 1 else reverse("notices:open", args=[first.pk])
    return Group(first=first, named=members[:NAMED], count=len(members), href=href)


def _summary(message: NoticeMessage, person: User) -> tuple[str, dict[str, Any]]:
    summary = summary_of(person, preferences_of(person), message.made_at)
    if not summary:
        return "", {}
    counts = summary.published_count, sum(cause.count for cause in summary.needs), summary.today_count
    parts = [_part(which, n) for which, n in enumerate(counts) if n]
    return gettext("Your day: %(what)s") % {"what": ", ".join(parts) or gettext("what waits")}, {"summary": summary}


def _part(which: int, n: int) -> str:
    words = (
        ngettext("%(n)d published", "%(n)d published", n),
        ngettext("%(n)d needs you", "%(n)d need you", n),
        ngettext("%(n)d goes out today", "%(n)d go out today", n),
    )
    return words[which] % {"n": n}


def _test(message: NoticeMessage, person: User) -> tuple[str, dict[str, Any]]:
    return gettext("This is a test"), {"notices": site(reverse("notices:list"))}


_CONTENTS = {MessageKind.NOTICES: _notices, MessageKind.SUMMARY: _summary, MessageKind.TEST: _test}


def document(notice: Notice) -> bytes:
    """The webhook's body: one notice, in the product's language. `id` is the same when it comes twice."""
    copy = NoticeCopy(notice=notice)
    with translation.override(settings.LANGUAGE_CODE):
        row = rows_of([copy])[0]
        video = notice.video
        body: dict[str, Any] = {
            "version": "1",
            "id": notice.pk,
            "kind": notice.kind,
            "at": notice.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "good": notice.is_good,
            "account": {"id": notice.account_id, "username": notice.account.username},
            "video": {"id": video.pk, "traceId": video.trace_id, "videoStatus": video.status} if video else None,
            "code": notice.code,
            "sentence": row.sentence,
            "url": site(row.href),
        }
    return json.dumps(body, ensure_ascii=False).encode()
