"""The set-up check: what is needed to publish, and what is missing."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from accounts.access import MemberRequest, signed_in
from accounts.selectors import accounts_for
from publishing.services.creators import Problem, creator_infos
from publishing.services.setup import State, account_checks, installation_lines
from subiteya.lib.ratelimits import use

#: Questions to TikTok by one person, who presses a button for each.
ASKS_A_MINUTE = 20


@require_GET
@signed_in
def setup(request: MemberRequest) -> HttpResponse:
    """The installation's lines, and those of each account in the person's sight."""
    lines, checks = installation_lines(request.user), account_checks(request.user)
    every = [*lines, *(line for check in checks for line in check.lines)]
    context = {
        "lines": lines,
        "checks": checks,
        "bad": sum(line.state == State.BAD for line in every),
        "doubtful": sum(line.state == State.CHECK for line in every),
    }
    return render(request, "publishing/setup.html", context)


@require_POST
@signed_in
def setup_ask(request: MemberRequest, pk: int) -> HttpResponse:
    """Ask TikTok now what the account may post; its answer is what the page shows next."""
    account = get_object_or_404(accounts_for(request.user), pk=pk)
    usage = use(request, group="setup_ask", principal=str(request.user.pk), per_minute=ASKS_A_MINUTE)
    if usage.exceeded:
        text = gettext("That was a lot of questions at once: ask again in %(seconds)s s.")
        messages.error(request, text % {"seconds": usage.seconds})
        return redirect("publishing:setup")
    answer = creator_infos(accounts=[account])[account.pk]
    if isinstance(answer, Problem):
        messages.error(request, answer.sentence)
    else:
        messages.success(request, gettext("TikTok answered about %(account)s.") % {"account": account})
    return redirect("publishing:setup")
