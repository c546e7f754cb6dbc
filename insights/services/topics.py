"""Topics of what was published: read from the caption once, and summed by day for every ranking."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date

from django.db import transaction
from django.db.models import F

from insights.models import Publication, PublicationTopic, Topic, TopicDay

#: TikTok cuts nothing, but a word of this length is no hashtag that anybody follows.
LONGEST = 100
#: How a topic is written is looked up in so many uses of any topic, the latest.
LATEST_USES = 5_000
#: Joins emoji, and chooses their coloured form: part of a hashtag.
JOINERS = frozenset("\u200d\ufe0e\ufe0f")
#: What only changes how an emoji looks: joiners and the five skin tones.
VARIANTS = JOINERS | frozenset(map(chr, range(0x1F3FB, 0x1F400)))
#: Letters, marks and numbers of any script, `_`, emoji and their skin tones. Direction marks are none of them.
PARTS = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "So", "Sk"})


def hashtags(caption: str) -> dict[str, str]:
    """Topic → hashtag as first written, without `#`, in the caption's order.

    A hashtag is a `#` that does not stand in a word (or that follows another hashtag), and then letters, digits,
    `_` and emoji of any script; a number alone is none. The topic folds case and accents: `#Panadería`,
    `#panaderia` and `#PANADERÍA` are one.
    """
    found: dict[str, str] = {}
    for hashtag in _written(unicodedata.normalize("NFC", caption.replace("＃", "#"))):
        topic = fold(hashtag)
        if topic:
            found.setdefault(topic, hashtag)
    return found


def fold(hashtag: str) -> str:
    """The topic of a hashtag with or without `#`: compatible forms made equal, no case, no accents, no variants.

    Empty when nothing is left, for a number alone, and for what is too long. An `ñ` stays one: it is a letter,
    no accent.
    """
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", hashtag).casefold())
    bare = "".join(part for part in _unaccented(text) if _belongs(part) and part not in VARIANTS)
    if len(bare) > LONGEST or not bare.strip("_") or bare.isdigit():
        return ""
    return bare


def _unaccented(text: str) -> Iterator[str]:
    """Latin, Greek and Cyrillic letters without their accents; the marks of other scripts are what they say."""
    for character in text:
        if character == "ñ":
            yield character
            continue
        apart = unicodedata.normalize("NFD", character)
        base, marks = apart[:1], apart[1:]
        name = unicodedata.name(base, "")
        if marks and name.startswith(("LATIN", "GREEK", "CYRILLIC")):
            yield base
        elif not (unicodedata.category(character) == "Mn" and 0x0300 <= ord(character) <= 0x036F):
            yield character


def _written(caption: str) -> Iterator[str]:
    before = ""
    position = 0
    while position < len(caption):
        character = caption[position]
        if character == "#" and not (before.isalnum() or before in {"_", "&", "/"}):
            end = position + 1
            while end < len(caption) and _belongs(caption[end]):
                end += 1
            if end > position + 1:
                yield caption[position + 1 : end]
            position = end
            before = ""  # the next may follow at once
            continue
        before = character
        position += 1


def _belongs(character: str) -> bool:
    return character in JOINERS or unicodedata.category(character) in PARTS


@transaction.atomic
def topics_keep(publication: Publication, caption: str) -> int:
    """Write the topics of a post that was just published, and count them in its day; how many are new.

    Once: a second call finds them and adds nothing.
    """
    assert publication.posted_at is not None, "topics are those of published posts"
    Publication.objects.select_for_update().get(pk=publication.pk)  # one after the other: each is counted once
    known = set(PublicationTopic.objects.filter(publication=publication).values_list("topic__name", flat=True))
    new = {name: hashtag for name, hashtag in hashtags(caption).items() if name not in known}
    if not new:
        return 0
    topics = _topics(new)
    PublicationTopic.objects.bulk_create(
        PublicationTopic(publication=publication, topic=topics[name], hashtag=hashtag) for name, hashtag in new.items()
    )
    for topic in sorted(topics.values(), key=lambda topic: topic.pk):
        _add(publication, topic.pk, videos=1)
    return len(new)


@transaction.atomic
def topics_counted(publication: Publication) -> None:
    """Count in its day that the post was compared with its account's median. Call once, when that is decided."""
    assert publication.is_hit is not None, "only what was compared is counted"
    for topic in publication.topics.order_by("topic").values_list("topic", flat=True):
        _add(publication, topic, counted=1, hits=int(publication.is_hit))


def day_of(publication: Publication) -> date:
    """The day of its publication, in UTC: the same wherever it is asked from."""
    assert publication.posted_at is not None, "only what was published has a day"
    return publication.posted_at.astimezone(UTC).date()


def _topics(new: dict[str, str]) -> dict[str, Topic]:
    """The rows of these topics, made where there are none."""
    Topic.objects.bulk_create([Topic(name=name, hashtag=new[name]) for name in sorted(new)], ignore_conflicts=True)
    return Topic.objects.in_bulk(list(new), field_name="name")


def _add(publication: Publication, topic: int, **numbers: int) -> None:
    day, _made = TopicDay.objects.get_or_create(
        day=day_of(publication), account_id=publication.account_id, sector_id=publication.sector_id, topic_id=topic
    )
    more = {name: F(name) + number for name, number in numbers.items()}
    TopicDay.objects.filter(pk=day.pk).update(**more)


def spellings_choose() -> int:
    """Show each topic of the latest uses as it is mostly written in these; how many changed."""
    latest = PublicationTopic.objects.order_by("-pk").values_list("topic", "hashtag")[:LATEST_USES]
    best: dict[int, tuple[int, str]] = {}
    for (topic, hashtag), uses in Counter(latest).items():
        best[topic] = min(best.get(topic, (0, hashtag)), (-uses, hashtag))
    changed = [row for row in Topic.objects.filter(pk__in=list(best)) if row.hashtag != best[row.pk][1]]
    for row in changed:
        row.hashtag = best[row.pk][1]
    Topic.objects.bulk_update(changed, ["hashtag"], batch_size=500)
    return len(changed)
