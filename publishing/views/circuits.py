"""An account's circuit: its page, and what a person may do about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from accounts.access import MemberRequest, signed_in
from accounts.models import TikTokAccount
from accounts.reauthentication import proof_asked
from accounts.selectors import accounts_for
from publishing.causes import sentence
from publishing.errors import NotPossible, StateConflict
from publishing.forms import CircuitForm
from publishing.models import AccountCircuit
from publishing.selectors.circuits import circuit_board, event_words
from publishing.services import circuits as service
from publishing.services.circuits import RECONNECT_CODES
from publishing.states import CircuitState


@dataclass(frozen=True, kw_only=True)
class CircuitAct:
    """One thing a person may do: the service, its words, and the states in which it makes sense."""

    act: Callable[..., None]
    label: str | Promise
    effect: str | Promise
    done: str | Promise
    icon: str
    states: frozenset[CircuitState]


ACTS = {
    "probe": CircuitAct(
        act=service.circuit_probe_now, label=_("Try now"), icon="refresh", done=_("Its first video is tried now."),
        effect=_("The first video that waits is sent at once. If it goes through, the others follow."),
        states=frozenset({CircuitState.OPEN}),
    ),
    "release": CircuitAct(
        act=service.circuit_release, label=_("Release"), icon="play", done=_("Released; its first video is tried now."),
        effect=_("The first video that waits is tried. If it goes through, the others follow."),
        states=frozenset({CircuitState.ISOLATED}),
    ),
    "reset": CircuitAct(
        act=service.circuit_reset, label=_("Publish normally again"), icon="check",
        done=_("It publishes normally again."),
        effect=_("All that waits goes out now, and the failures so far are forgotten. Do it when you know the cause "
                 "is gone."),
        states=frozenset({CircuitState.OPEN, CircuitState.HALF_OPEN, CircuitState.ISOLATED}),
    ),
    "isolate": CircuitAct(
        act=service.circuit_isolate, label=_("Set it apart"), icon="pause", done=_("Set apart: nothing goes out."),
        effect=_("Nothing more goes out on this account until somebody releases it. What is being sent right now is "
                 "finished; everything else waits here."),
        states=frozenset({CircuitState.CLOSED, CircuitState.OPEN, CircuitState.HALF_OPEN}),
    ),
}  # fmt: skip
FAMILIES = {
    CircuitState.CLOSED: ("done", "check-circle"),
    CircuitState.OPEN: ("waiting", "pause"),
    CircuitState.HALF_OPEN: ("working", "ring"),
    CircuitState.ISOLATED: ("attention", "alert"),
}


@require_GET
@signed_in
def circuit_detail(request: MemberRequest, pk: int) -> HttpResponse:
    """Does the account take uploads, why not, what waits, and since when."""
    account = get_object_or_404(accounts_for(request.user), pk=pk)
    board, may_act = circuit_board(account), request.user.may_act
    family, icon = FAMILIES[CircuitState(board.circuit.state)]
    context = {
        "account": account,
        "board": board,
        "family": family,
        "icon": icon,
        "why": _why(board.circuit, account),
        "reconnect": board.circuit.isolated_code in RECONNECT_CODES,
        "acts": [(name, act) for name, act in ACTS.items() if may_act and board.circuit.state in act.states],
        "failures": [(event, event_words(event)) for event in board.failures],
        "story": [(event, event_words(event)) for event in board.story],
        "dots": ["on"] * min(len(board.failures), board.threshold)
        + ["off"] * max(0, board.threshold - len(board.failures)),
    }
    return render(request, "publishing/circuit.html", context)


def _why(circuit: AccountCircuit, account: TikTokAccount) -> str:
    if circuit.state != CircuitState.ISOLATED:
        return ""
    code = circuit.isolated_code
    known = "circuit_isolated" if code == "by_person" else code
    return sentence(known, {"account": str(account), "reason": circuit.isolated_reason})


@require_POST
@signed_in
def circuit_act(request: MemberRequest, pk: int, name: str) -> HttpResponse:
    """Do one of ACTS, with the form's `reason`."""
    account = get_object_or_404(accounts_for(request.user), pk=pk)
    if name == "isolate" and (asked := proof_asked(request)):
        return asked
    act, form = ACTS.get(name), CircuitForm(request.POST)
    if act is None or not form.is_valid():
        messages.error(request, gettext("Say why: whoever looks later will want to know."))
        return redirect("publishing:circuit_detail", pk=pk)
    try:
        act.act(account=account, reason=form.cleaned_data["reason"], actor=request.user)
    except NotPossible as error:
        messages.error(request, str(error))
    except StateConflict:
        messages.error(request, sentence("state_changed"))
    else:
        messages.success(request, f"{account}: {act.done}")
    return redirect("publishing:circuit_detail", pk=pk)
