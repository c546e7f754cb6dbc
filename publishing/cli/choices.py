"""Whom and what the options of the command line name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext

from accounts.models import TikTokAccount, User
from accounts.roles import Role
from accounts.selectors import accounts_for
from publishing.causes import sentence
from publishing.services.batches import AccountChoice
from publishing.services.creators import Problem
from publishing.states import PrivacyLevel
from subiteya.lib.cli import EXIT_FAILED, Refused
from subiteya.tiktok import CreatorInfo


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """What a person ticked for every account. Empty `privacy_level`: nothing chosen."""

    privacy_level: str = ""
    comment: bool = False
    duet: bool = False
    stitch: bool = False


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What goes to each account; `limits` are milliseconds by account id, where TikTok named one."""

    choices: list[AccountChoice]
    notes: list[str] = field(default_factory=list)
    limits: dict[int, int] = field(default_factory=dict)


def operator() -> User:
    """Whoever runs manage.py holds the database: they see what an administrator sees."""
    return User(is_staff=True, role=Role.ADMINISTRATOR)


def user_named(username: str) -> User:
    """An active person. Raises Refused."""
    user: User | None = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise Refused("user_unknown", gettext("There is no person %(name)s.") % {"name": username}, field="user")
    return user


def accounts_named(names: Iterable[str], user: User) -> list[TikTokAccount]:
    """The accounts called @name, each once, as far as `user` may see them. Raises Refused naming the first unknown."""
    visible = accounts_for(user)
    found = {account.pk: account for account in (_account(name.lstrip("@"), visible) for name in names)}
    return list(found.values())


def _account(name: str, visible: Iterable[TikTokAccount]) -> TikTokAccount:
    same = [account for account in visible if account.username.casefold() == name.casefold()]
    if len(same) == 1:
        return same[0]
    if same:
        words = gettext("Two accounts are called @%(name)s: rename or disconnect one of them first.")
        raise Refused("account_ambiguous", words % {"name": name}, field="account")
    known = ", ".join(str(account) for account in visible) or gettext("none")
    words = gettext("There is no account @%(name)s here. Accounts: %(known)s.")
    raise Refused("account_unknown", words % {"name": name, "known": known}, field="account")


def acting_user(username: str, accounts: Sequence[TikTokAccount]) -> User:
    """On whose behalf: the named person, else the only administrator, else the first CM in charge of `accounts`."""
    if username:
        return user_named(username)
    administrators = list(User.objects.filter(is_superuser=True, is_staff=True, is_active=True)[:2])
    if len(administrators) == 1:
        return administrators[0]
    people = User.objects.filter(is_active=True).order_by("username")
    for account in accounts:
        people = people.filter(accounts=account)
    if person := people.first():
        return person
    words = gettext("Say on whose behalf with --user: nobody here is in charge of all of these accounts.")
    raise Refused("user_required", words, field="user")


def direct_terms(
    accounts: Sequence[TikTokAccount], infos: Mapping[int, CreatorInfo | Problem], allowed: Allowed
) -> Terms:
    """What a person allowed, as far as each creator allows it; notes say where not. Raises Refused.

    Privacy has no default: without a choice only accounts that offer exactly one level pass.
    """
    known = {account: _info(account, infos[account.pk]) for account in accounts}
    levels = {account: _level(info, allowed) for account, info in known.items()}
    if not allowed.privacy_level and not all(levels.values()):
        offers = "; ".join(f"{account}: {_offer(info)}" for account, info in known.items())
        words = gettext("Choose who may see it with --privacy. %(offers)s.") % {"offers": offers}
        raise Refused("privacy_required", words, field="privacy")
    for account, info in known.items():
        _check_offered(account, info, levels[account])
    return Terms(
        choices=[_choice(account, info, levels[account], allowed) for account, info in known.items()],
        notes=[note for account, info in known.items() for note in _closed(account, info, allowed)],
        limits={account.pk: 1000 * info.max_video_post_duration_sec for account, info in known.items()},
    )


def _info(account: TikTokAccount, answer: CreatorInfo | Problem) -> CreatorInfo:
    if isinstance(answer, Problem):
        words = f"{account}: {answer.sentence}"
        raise Refused(answer.code, words, field="account", exit_code=EXIT_FAILED)
    return answer


def _level(info: CreatorInfo, allowed: Allowed) -> str:
    only = info.privacy_level_options[0] if len(info.privacy_level_options) == 1 else ""
    return allowed.privacy_level or only


def _check_offered(account: TikTokAccount, info: CreatorInfo, level: str) -> None:
    if level not in info.privacy_level_options:
        words = sentence("privacy_not_offered", {"account": str(account), "options": _offer(info)})
        raise Refused("privacy_not_offered", words, field="privacy")


def _offer(info: CreatorInfo) -> str:
    """`PUBLIC_TO_EVERYONE (Everyone), SELF_ONLY (Only me)`."""
    labels: dict[str, str] = {str(value): str(label) for value, label in PrivacyLevel.choices}
    return ", ".join(f"{level} ({labels.get(level, '?')})" for level in info.privacy_level_options)


def _choice(account: TikTokAccount, info: CreatorInfo, level: str, allowed: Allowed) -> AccountChoice:
    return AccountChoice(
        account=account,
        privacy_level=level,
        allow_comment=allowed.comment and not info.comment_disabled,
        allow_duet=allowed.duet and not info.duet_disabled,
        allow_stitch=allowed.stitch and not info.stitch_disabled,
    )


def _closed(account: TikTokAccount, info: CreatorInfo, allowed: Allowed) -> Iterable[str]:
    """What was asked for and the creator has switched off in TikTok: never dropped in silence."""
    asked = [
        ("--allow-comment", allowed.comment and info.comment_disabled),
        ("--allow-duet", allowed.duet and info.duet_disabled),
        ("--allow-stitch", allowed.stitch and info.stitch_disabled),
    ]
    for option, is_closed in asked:
        if is_closed:
            words = gettext("%(account)s has this switched off in TikTok: %(option)s does nothing there.")
            yield words % {"account": account, "option": option}
