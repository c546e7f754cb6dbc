"""What is recorded: one name for each act, `thing.what_was_done`. docs/audit.md says where each is written."""

from __future__ import annotations

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Action(models.TextChoices):
    SESSION_LOGIN = "session.login", _("Logged in")
    SESSION_LOGIN_FAILED = "session.login_failed", _("Log-in refused")
    SESSION_LOGIN_THROTTLED = "session.login_throttled", _("Log-in refused: too many tries")
    SESSION_LOGOUT = "session.logout", _("Logged out")
    SESSION_REVOKED = "session.revoked", _("Session ended from afar")
    SESSION_CONFIRMED = "session.confirmed", _("Confirmed who they are")
    SESSION_CONFIRM_FAILED = "session.confirm_failed", _("Did not confirm who they are")
    MFA_ENROLLED = "mfa.enrolled", _("Second factor set up")
    MFA_VERIFIED = "mfa.verified", _("Second factor given")
    MFA_FAILED = "mfa.failed", _("Second factor refused")
    MFA_CODES_MADE = "mfa.codes_made", _("Recovery codes made")
    MFA_REMOVED = "mfa.removed", _("Second factor removed")
    MFA_RESET = "mfa.reset", _("Second factor forgotten by somebody else")
    PASSWORD_CHANGED = "password.changed", _("Password changed")  # noqa: S105
    PERSON_CREATED = "person.created", _("Person added")
    PERSON_CHANGED = "person.changed", _("Person changed")
    PERSON_DELETED = "person.deleted", _("Person deleted")
    ROLE_CHANGED = "role.changed", _("Role changed")
    ACCOUNT_CHANGED = "account.changed", _("Account changed")
    CHARGE_CHANGED = "charge.changed", _("People in charge changed")
    TOKEN_CONNECTED = "token.connected", _("Account connected")  # noqa: S105
    TOKEN_IMPORTED = "token.imported", _("Account imported")  # noqa: S105
    TOKEN_REFRESH_FAILED = "token.refresh_failed", _("Renewal of the access refused")  # noqa: S105
    TOKEN_DISCONNECTED = "token.disconnected", _("Account disconnected")  # noqa: S105
    VIDEO_PUBLISHED = "video.published", _("Video submitted")
    VIDEO_RETRIED = "video.retried", _("Video retried")
    VIDEO_CANCELLED = "video.cancelled", _("Video cancelled")
    VIDEO_HELD = "video.held", _("Video held")
    VIDEO_RELEASED = "video.released", _("Video released")
    VIDEO_RESCHEDULED = "video.rescheduled", _("Video given another time")
    VIDEO_RESOLVED = "video.resolved", _("Unconfirmed video settled")
    VIDEO_CHANGED = "video.changed", _("Video corrected")
    VIDEO_UNDONE = "video.undone", _("Act on the video undone")
    VIDEO_APPROVED = "video.approved", _("Video approved")
    VIDEO_SENT_BACK = "video.sent_back", _("Video sent back")
    CIRCUIT_ISOLATED = "circuit.isolated", _("Account set apart")
    CIRCUIT_RELEASED = "circuit.released", _("Account released")
    CIRCUIT_RESET = "circuit.reset", _("Account publishes normally again")
    CIRCUIT_PROBED = "circuit.probed", _("Try asked for")
    EXPORT_CSV = "export.csv", _("File exported")
    KEY_MINTED = "api_key.minted", _("API key made")
    KEY_REVOKED = "api_key.revoked", _("API key revoked")
    KEYS_ROTATED = "keys.rotated", _("Encryption keys rotated")


def actions() -> list[tuple[str, str | Promise]]:
    """For the field: a new act needs no migration."""
    return list(Action.choices)
