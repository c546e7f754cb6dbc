"""The demo's month as it was told: a notice of each failure, the older ones read. No mail, no webhook hears of it."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.dispatch import receiver
from django.utils import timezone

from notices.models import NoticeCopy, NoticeMessage
from notices.services.making import RED, notice_of_video, notice_safely
from publishing.demo.rows import KEY
from publishing.models import VideoEvent
from publishing.signals import demo_loaded

#: Of each person's notices so many wait to be read.
UNREAD = 3


@receiver(demo_loaded)
@transaction.atomic
def tell_the_demo(sender: object, **_kwargs: Any) -> None:
    """As if the people had been told all month. The rows of the history were written without any signal."""
    events = VideoEvent.objects.filter(video__batch__submission_key__startswith=KEY, new__in=sorted(RED))
    told = [notice_safely(notice_of_video, event) for event in events.select_related("video").order_by("at", "pk")]
    made = [notice.pk for notice in told if notice]
    NoticeMessage.objects.filter(notice__in=made).delete()
    copies = NoticeCopy.objects.filter(notice__in=made)
    for user in copies.order_by().values_list("user", flat=True).distinct():
        own = copies.filter(user=user)
        waiting = list(own.order_by("-at", "-pk").values_list("pk", flat=True)[:UNREAD])
        own.exclude(pk__in=waiting).update(read_at=timezone.now())
    copies.update(mail_at=None)
