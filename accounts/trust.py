"""What a session is once it has given the second factor."""

from __future__ import annotations

from typing import Any

from django_otp import login as otp_login

from accounts.access import MemberRequest
from accounts.middleware import CODE_DUE
from accounts.reauthentication import proof_note


def trust(request: MemberRequest, device: Any) -> None:
    """This session has given both factors; it gets a new key, so that one that was planted is worth nothing."""
    request.session.pop(CODE_DUE, None)
    request.session.cycle_key()
    otp_login(request, device)
    proof_note(request)
