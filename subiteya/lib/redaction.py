"""The last net under secrets, for everything that is written down about the work: log lines and spans.

The last net, not the first: nothing should name these at all.
"""

from __future__ import annotations

import re
from typing import Any

_NAMED = (
    r"[\w-]*(?:upload_token|access_token|refresh_token|client_secret|code_verifier|password[12]?|passwd|secret_key"
    r"|secret_access_key|webhook_secret|encryption_keys|otp_token|sessionid|session_key|csrftoken|csrfmiddlewaretoken)"
)
_SECRETS = re.compile(
    r"(?P<bearer>\bBearer\s+|\bAuthorization:\s*Basic\s+)[\w.~+/=!*-]+"
    rf"|(?P<named>\b(?:{_NAMED})[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;}})]+"
    r"|(?P<query>[?&](?:code|state)=)[^\s\"'&]+"
    r"|(?P<link>/connect/)[\w=-]+:[\w:=-]+"  # the link that an account's owner got opens a trip to TikTok
    r"|(?P<login>\b[a-z][a-z0-9+]*://[^\s:/@]*:)[^\s/@]+(?=@)"  # postgres://user:password@host
    r"|\b(?-i:act|rft|clt)\.[\w!*.~-]{6,}"
    r"|\b(?-i:gAAAA)[\w-]{20,}={0,2}"  # what Fernet encrypted
    r"|\bsy_[\w-]{43}"  # a key of our own API
    r"|\botpauth://[^\s\"']+",  # the secret of a second factor
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """`text` with tokens, bearer headers, upload addresses' tokens, keys and encrypted values blotted out."""
    return _SECRETS.sub(_blot, text)


def _blot(match: re.Match[str]) -> str:
    return f"{next(filter(None, match.groups()), '')}[redacted]"


def redacted(value: Any) -> Any:
    """`value` as JSON knows it, redacted down to its last text; what is none of JSON's types becomes text."""
    if isinstance(value, dict):
        return {str(key): redacted_item(str(key), item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [redacted(item) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return redact(str(value))


def redacted_item(key: str, value: Any) -> Any:
    """The same for a value whose own name may say that it is a secret."""
    return "[redacted]" if re.fullmatch(_NAMED, key, re.IGNORECASE) else redacted(value)
