"""The audit record as its page asks for it: groups of acts, filters, and how the chain stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from audit.catalogue import Action
from audit.models import AuditEntry, AuditHead
from monitoring.selectors.videos import start_of
from publishing.selectors.filters import day_of

#: What stands before the dot of an act, by the group that the page offers. Each act is in one.
GROUPS: dict[str, tuple[str | Promise, frozenset[str]]] = {
    "access": (_("Log-ins and second factors"), frozenset({"session", "mfa", "password"})),
    "people": (_("People and roles"), frozenset({"person", "role", "charge"})),
    "accounts": (_("Accounts and their access"), frozenset({"account", "token", "circuit"})),
    "videos": (_("Videos"), frozenset({"video"})),
    "data": (_("Files taken away and keys"), frozenset({"export", "api_key", "keys"})),
}
#: The filter for what nobody did who had logged in: commands, processes, strangers.
NOBODY = "none"


@dataclass(frozen=True)
class Standing:
    """How many entries have their place in the chain, how many wait for it, and which is the last."""

    sealed: int
    unsealed: int
    number: int
    hash: str


def audit_standing() -> Standing:
    head = AuditHead.objects.first() or AuditHead()
    unsealed = AuditEntry.objects.unsealed().count()
    sealed = AuditEntry.objects.exclude(sequence=None).count()
    return Standing(sealed=sealed, unsealed=unsealed, number=head.sequence, hash=head.hash)


def group_actions(group: str) -> list[str]:
    """The acts of a group."""
    kinds = GROUPS[group][1]
    return [action for action in Action.values if action.partition(".")[0] in kinds]


def entries_matching(asked: Mapping[str, Any]) -> QuerySet[AuditEntry]:
    """The entries that pass every filter in `asked`, newest first; those that are empty do nothing.

    `group`, `person` (a key, or NOBODY), `since` and `until` (days, both included), `trace` (a whole id), `q`: a name,
    an object or its id, an address.
    """
    found: QuerySet[AuditEntry] = AuditEntry.objects.order_by("-pk")
    if group := asked.get("group"):
        found = found.filter(action__in=group_actions(group))
    if person := asked.get("person"):
        found = found.filter(actor=None if person == NOBODY else int(person))
    if first := day_of(asked.get("since", "")):
        found = found.filter(at__gte=start_of(first))
    if last := day_of(asked.get("until", "")):
        found = found.filter(at__lt=start_of(last + timedelta(days=1)))
    if trace := asked.get("trace"):
        found = found.filter(trace_id=trace)
    if words := asked.get("q"):
        found = found.filter(_words(words))
    return found


def _words(words: str) -> Q:
    named = Q(actor_name__icontains=words) | Q(object_text__icontains=words.lstrip("@"))
    return named | Q(object_id=words) | Q(address=words)


def people() -> list[tuple[str, str]]:
    """Everybody who can be in the record and is still here: key and name."""
    return [(str(pk), name) for pk, name in User.objects.order_by("username").values_list("pk", "username")]
