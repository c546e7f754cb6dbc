"""MDN's HTTP Observatory (algorithm 4) as far as an answer's own headers decide it, in our own words.

Every site begins with 100. Each finding has a modifier; those above zero count only while what the others leave is at
least 90. Findings that need a list of the world's preloaded hosts or a certificate are left out: they add nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

START, ENOUGH_FOR_EXTRA = 100, 90
SIX_MONTHS = 15_768_000
MODIFIERS = {
    "csp-implemented-with-no-unsafe-default-src-none": 10,
    "csp-implemented-with-no-unsafe": 5,
    "csp-implemented-with-unsafe-inline-in-style-src-only": 0,
    "csp-implemented-with-insecure-scheme-in-passive-content-only": -10,
    "csp-implemented-with-unsafe-eval": -10,
    "csp-implemented-with-unsafe-inline": -20,
    "csp-implemented-with-insecure-scheme": -20,
    "csp-not-implemented": -25,
    "cookies-secure-with-httponly-sessions-and-samesite": 5,
    "cookies-secure-with-httponly-sessions": 0,
    "cookies-not-found": 0,
    "cookies-without-secure-flag-but-protected-by-hsts": -5,
    "cookies-session-without-secure-flag-but-protected-by-hsts": -10,
    "cookies-without-secure-flag": -20,
    "cookies-samesite-flag-invalid": -20,
    "cookies-anticsrf-without-samesite-flag": -20,
    "cookies-session-without-httponly-flag": -30,
    "cookies-session-without-secure-flag": -40,
    "cross-origin-resource-sharing-not-implemented": 0,
    "cross-origin-resource-sharing-implemented-with-public-access": 0,
    "cross-origin-resource-sharing-implemented-with-universal-access": -50,
    "redirection-to-https": 0,
    "redirection-off-host-from-http": -5,
    "redirection-not-to-https": -20,
    "redirection-missing": -20,
    "referrer-policy-private": 5,
    "referrer-policy-not-implemented": 0,
    "referrer-policy-unsafe": -5,
    "hsts-implemented-max-age-at-least-six-months": 0,
    "hsts-implemented-max-age-less-than-six-months": -10,
    "hsts-not-implemented": -20,
    "sri-implemented-and-all-scripts-loaded-securely": 5,
    "sri-not-implemented-but-no-scripts-loaded": 0,
    "sri-not-implemented-response-not-html": 0,
    "sri-not-implemented-but-all-scripts-loaded-from-secure-origin": 0,
    "sri-not-implemented-but-external-scripts-loaded-securely": -5,
    "sri-not-implemented-and-external-scripts-not-loaded-securely": -50,
    "x-content-type-options-nosniff": 0,
    "x-content-type-options-not-implemented": -5,
    "x-frame-options-implemented-via-csp": 5,
    "x-frame-options-sameorigin-or-deny": 0,
    "x-frame-options-not-implemented": -20,
    "corp-implemented-with-same-origin": 10,
    "corp-implemented-with-same-site": 10,
    "corp-implemented-with-cross-origin": 0,
    "corp-not-implemented": 0,
    "coop-implemented-with-same-origin": 10,
    "coop-not-implemented": 0,
    "coep-implemented-with-require-corp": 10,
    "coep-not-implemented": 0,
}
#: The isolation headers that the published table does not score yet; the newer source does.
NEWER = ("coop-", "coep-")
GRADES = ((100, "A+"), (90, "A"), (85, "A-"), (80, "B+"), (70, "B"), (65, "B-"), (60, "C+"), (50, "C"), (0, "D or F"))
BROAD = {"ftp:", "http:", "https:", "*", "http://*", "http://*.*", "https://*", "https://*.*"}
PRIVATE = {"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"}


@dataclass(frozen=True)
class Cookie:
    name: str
    secure: bool
    http_only: bool
    same_site: str


@dataclass(frozen=True)
class Seen:
    """One answer over https, and what the same address said over http."""

    headers: Mapping[str, str]
    html: str = ""
    cookies: tuple[Cookie, ...] = ()
    redirected_to: str = ""
    host: str = ""
    session: str = "sessionid"
    csrf: str = "csrftoken"


@dataclass(frozen=True)
class Grade:
    findings: tuple[str, ...]
    score: int = field(init=False)
    grade: str = field(init=False)

    def __post_init__(self) -> None:
        modifiers = [MODIFIERS[finding] for finding in self.findings]
        score = START + sum(value for value in modifiers if value < 0)
        if score >= ENOUGH_FOR_EXTRA:
            score += sum(value for value in modifiers if value > 0)
        object.__setattr__(self, "score", max(0, score))
        object.__setattr__(self, "grade", next(name for low, name in GRADES if self.score >= low))

    @property
    def score_without_newer(self) -> int:
        """By the table that its documentation publishes."""
        return Grade(tuple(one for one in self.findings if not one.startswith(NEWER))).score


def grade(seen: Seen) -> Grade:
    """What the Observatory would say."""
    headers = {name.lower(): value for name, value in seen.headers.items()}
    policy = _policy(headers.get("content-security-policy", ""))
    hsts = _hsts(headers.get("strict-transport-security", ""))
    return Grade(
        (
            _csp(policy), _cookies(seen, protected=hsts == "hsts-implemented-max-age-at-least-six-months"),
            _cors(headers), _redirection(seen), _referrer(headers.get("referrer-policy", "")), hsts,
            _sri(seen, headers),
            "x-content-type-options-nosniff" if headers.get("x-content-type-options", "").lower() == "nosniff"
            else "x-content-type-options-not-implemented",
            _frames(headers, policy), _corp(headers.get("cross-origin-resource-policy", "")),
            "coop-implemented-with-same-origin" if headers.get("cross-origin-opener-policy") == "same-origin"
            else "coop-not-implemented",
            "coep-implemented-with-require-corp" if headers.get("cross-origin-embedder-policy") == "require-corp"
            else "coep-not-implemented",
        )
    )  # fmt: skip


def _policy(text: str) -> dict[str, set[str]]:
    parts = [part.split() for part in text.split(";") if part.strip()]
    return {words[0].lower(): set(words[1:]) for words in parts}


def _csp(policy: dict[str, set[str]]) -> str:
    if not policy:
        return "csp-not-implemented"
    fallback = policy.get("default-src", {"*"})
    script, style = policy.get("script-src", fallback), policy.get("style-src", fallback)
    passive = {name: policy.get(name, fallback) for name in ("img-src", "media-src")}
    active = [words for name, words in policy.items() if name not in passive]
    if script & (BROAD | {"'unsafe-inline'", "data:"}) or policy.get("object-src", fallback) & BROAD:
        return "csp-implemented-with-unsafe-inline"
    if _insecure(active):
        return "csp-implemented-with-insecure-scheme"
    if "'unsafe-eval'" in script | style:
        return "csp-implemented-with-unsafe-eval"
    if _insecure(passive.values()):
        return "csp-implemented-with-insecure-scheme-in-passive-content-only"
    if style & (BROAD | {"'unsafe-inline'", "data:"}):
        return "csp-implemented-with-unsafe-inline-in-style-src-only"
    none = policy.get("default-src") == {"'none'"}
    return "csp-implemented-with-no-unsafe" + ("-default-src-none" if none else "")


def _insecure(lists: Iterable[set[str]]) -> bool:
    return any(source.startswith(("http:", "ftp:")) for words in lists for source in words)


def _cookies(seen: Seen, *, protected: bool) -> str:
    worst = ["cookies-secure-with-httponly-sessions-and-samesite"] if seen.cookies else ["cookies-not-found"]
    for cookie in seen.cookies:
        session = cookie.name == seen.session
        if session and not cookie.http_only:
            worst.append("cookies-session-without-httponly-flag")
        if not cookie.secure:
            kind = "cookies-session-without-secure-flag" if session else "cookies-without-secure-flag"
            worst.append(f"{kind}-but-protected-by-hsts" if protected else kind)
        if cookie.same_site.lower() not in {"lax", "strict", ""}:
            worst.append("cookies-samesite-flag-invalid")
        elif not cookie.same_site:
            csrf = cookie.name == seen.csrf
            worst.append("cookies-anticsrf-without-samesite-flag" if csrf else "cookies-secure-with-httponly-sessions")
    return min(worst, key=MODIFIERS.__getitem__)


def _cors(headers: Mapping[str, str]) -> str:
    allowed = headers.get("access-control-allow-origin", "")
    if not allowed:
        return "cross-origin-resource-sharing-not-implemented"
    lends = headers.get("access-control-allow-credentials") == "true"
    kind = "universal" if lends else "public"
    return f"cross-origin-resource-sharing-implemented-with-{kind}-access"


def _redirection(seen: Seen) -> str:
    if not seen.redirected_to:
        return "redirection-missing"
    if not seen.redirected_to.startswith("https://"):
        return "redirection-not-to-https"
    same = seen.redirected_to.removeprefix("https://").split("/")[0] == seen.host
    return "redirection-to-https" if same else "redirection-off-host-from-http"


def _referrer(text: str) -> str:
    last = text.split(",")[-1].strip().lower()
    if not last:
        return "referrer-policy-not-implemented"
    return "referrer-policy-private" if last in PRIVATE else "referrer-policy-unsafe"


def _hsts(text: str) -> str:
    age = re.search(r"max-age=(\d+)", text)
    if age is None:
        return "hsts-not-implemented"
    kind = "at-least" if int(age[1]) >= SIX_MONTHS else "less-than"
    return f"hsts-implemented-max-age-{kind}-six-months"


def _sri(seen: Seen, headers: Mapping[str, str]) -> str:
    if not headers.get("content-type", "").startswith("text/html"):
        return "sri-not-implemented-response-not-html"
    sources = re.findall(r"<script\b[^>]*\ssrc=[\"']([^\"']+)", seen.html)
    if not sources:
        return "sri-not-implemented-but-no-scripts-loaded"
    if any(source.startswith(("http:", "//")) for source in sources):
        return "sri-not-implemented-and-external-scripts-not-loaded-securely"
    if any(source.startswith("https:") for source in sources):
        return "sri-not-implemented-but-external-scripts-loaded-securely"
    return "sri-not-implemented-but-all-scripts-loaded-from-secure-origin"


def _frames(headers: Mapping[str, str], policy: dict[str, set[str]]) -> str:
    if not policy.get("frame-ancestors", {"*"}) & BROAD:
        return "x-frame-options-implemented-via-csp"
    denied = headers.get("x-frame-options", "").upper() in {"DENY", "SAMEORIGIN"}
    return "x-frame-options-sameorigin-or-deny" if denied else "x-frame-options-not-implemented"


def _corp(text: str) -> str:
    return (
        f"corp-implemented-with-{text}"
        if text in {"same-origin", "same-site", "cross-origin"}
        else "corp-not-implemented"
    )
