"""Who gets what at every address: the one declared table. tests/test_roles.py asks each address as each of ROLES.

Answers: `open` (the page itself answers, be it with a complaint about a field), `login` (sent to the log-in), `code`
(sent to give the second factor), `enrol` (sent to set one up), `key` (401: a key is needed), else the status.
A new address needs a row, or its name in one; a row matches whole names (`app:name`, a nameless one by its route).
"""

from __future__ import annotations

from dataclasses import dataclass

#: A stranger; somebody whose code is due; a CM, in charge of the row that is asked for; a CM of other accounts; an
#: approver in charge of it; an auditor; an administrator without the second factor, where it is required; one with.
ROLES = ("stranger", "half_open", "cm", "other_cm", "approver", "auditor", "admin_without", "admin")


@dataclass(frozen=True)
class Row:
    """One kind of address: `names` is a regular expression, `get` and `post` an answer for each of ROLES."""

    what: str
    names: str
    get: str
    post: str

    def answer(self, method: str, role: str) -> str:
        return dict(zip(ROLES, (self.get if method == "GET" else self.post).split(), strict=True))[role]


# What is asked for       stranger half  cm   other appr. audit. without admin
LOOK = "                  login    code  open open  open  open   enrol   open"
LOOK_AT_OWN = "           login    code  open 404   open  open   enrol   open"
CHANGE = "                login    code  open open  open  403    enrol   open"
CHANGE_OWN = "            login    code  open 404   open  403    enrol   open"
#: Of one person, whatever the account: their saved filter, act or notice.
MINE = "                  login    code  open 404   404   404    enrol   404"
CHANGE_MINE = "           login    code  open 404   404   403    enrol   404"
NO_GET = "                405      code  405  405   405   405    enrol   405"
NO_POST = "               405      code  405  405   405   403    enrol   405"
OWN_LOG_IN = "            login    code  open open  open  open   open    open"
OWN_ACT = "               405      code  405  405   405   405    enrol   405"
WRONG_CODE = "            login    code  403  403   403   403    {0}     403"
ADMIN = "                 login    code  login login login login enrol   {0}"
ADMIN_POST = "            login    code  login login login 403   enrol   {0}"


def names(space: str, *some: str) -> str:
    return f"{space}:({'|'.join(some)})"


#: The administration's models: those whose rows are edited there, those whose rows are only looked at.
EDITED = "auth_group|accounts_(user|sector)|publishing_(brandpattern|accountbrand)"
LOOKED_AT = f"(?!{EDITED}|accounts_tiktokaccount|monitoring_apikey)[a-z]+_[a-z]+"


TABLE = (
    # Logging in and one's own log-in
    Row("the log-in", "accounts:login", get="open code open open open open enrol open",
        post="open code open open open open enrol open"),
    Row("the code after the password", "accounts:verify", get="login open open open open open open open",
        post="login open open open open open open open"),
    Row("one's own second factor", names("accounts", "security", "enrol_qr"), get=OWN_LOG_IN,
        post="405 code 405 405 405 405 405 405"),
    Row("setting it up (a wrong code)", "accounts:enrol", get=OWN_LOG_IN, post=WRONG_CODE.format("403")),
    Row("its codes and its end, where there is none", names("accounts", "recovery_codes"),
        get=OWN_ACT, post="login code open open open open enrol open"),
    Row("its end: not for administrators", names("accounts", "second_factor_remove"),
        get=OWN_ACT, post="login code open open open open enrol 403"),
    Row("the proof before what can do harm (a wrong one)", "accounts:prove", get=OWN_LOG_IN,
        post=WRONG_CODE.format("403")),
    Row("one's own sessions: all others", "accounts:sessions_end_others", get=OWN_ACT,
        post="login code open open open open enrol open"),
    Row("one's own sessions and passkeys, by number (no such one)",
        names("accounts", "session_end", "passkey_begin", "passkey_add", "passkey_remove"),
        get=OWN_ACT, post="login code 404 404 404 404 enrol 404"),
    Row("a passkey in place of the code, where there is none", names("accounts", "passkey_ask", "passkey_verify"),
        get="405 405 405 405 405 405 405 405", post="login 404 404 404 404 404 404 404"),
    Row("another password", "accounts:password_change", get=OWN_LOG_IN.replace("open    open", "enrol   open"),
        post=OWN_LOG_IN.replace("open    open", "enrol   open")),
    Row("a new password by mail", names("accounts", "password_forgotten", "password_new"),
        get="open code open open open open enrol open", post="open code open open open 403 enrol open"),
    Row("arriving with its link", "accounts:password_link", get="open code open open open open enrol open",
        post="405 code 405 405 405 403 enrol 405"),
    Row("logging out", "accounts:logout", get="405 405 405 405 405 405 405 405",
        post="login login login login login login login login"),
    Row("the language", "accounts:set_language", get="405 405 405 405 405 405 405 405",
        post="open open open open open open open open"),
    # Open by nature: a signed link, TikTok's signed calls, the health check
    Row("the link for an account's owner", "accounts:account_invitation",
        get="open code open open open open enrol open", post="open code open open open 403 enrol open"),
    Row("TikTok's webhook", "publishing:webhook", get=NO_GET, post="open code open open open 403 enrol open"),
    Row("is it up?", "publishing:health", get="open open open open open open open open",
        post="405 405 405 405 405 403 405 405"),
    # Pages
    Row("pages, each with what the person may see", "|".join([
        names("accounts", "account_list", "account_names"),
        names("publishing", "video_list", "video_list_live", "setup", "brand_list"),
        names("insights", "subtitles", "subtitles_csv", "hashtags", "hashtags_csv"),
        names("monitoring", "today", "today_live", "board", "board_live", "alerts"),
        names("notices", "list", "bell"),
    ]), get=LOOK, post=NO_POST),
    Row("pages about one row of an account in charge", "|".join([
        names("publishing", "asset_detail", "asset_frame", "asset_media", "brand_frame", "video_detail", "video_live",
              "circuit_detail"),
        names("monitoring", "video_trace"),
    ]), get=LOOK_AT_OWN, post=NO_POST),
    Row("an account's picture (it has none)", "accounts:account_picture", get="login code 404 404 404 404 enrol 404",
        post=NO_POST),
    Row("subtitles: looked at, and changed", "publishing:track_detail", get=LOOK_AT_OWN, post=CHANGE_OWN),
    Row("the audit record: for whoever sees everything", "monitoring:audit",
        get="login code 404 404 404 open enrol open", post=NO_POST),
    Row("what to do about an alert", "monitoring:runbook", get="login code 404 404 404 404 enrol open", post=NO_POST),
    # Pages and parts of pages that there are only to change something
    Row("forms", "|".join([names("publishing", "batch_new", "brand_new"), names("notices", "preferences")]),
        get=CHANGE, post=CHANGE),
    Row("forms about one row of an account in charge", names("publishing", "video_subtitles", "brand_detail"),
        get=CHANGE_OWN, post=CHANGE_OWN),
    Row("what the form of New asks for", names("publishing", "creator_info"), get=CHANGE, post=NO_POST),
    Row("suggestions for New", "insights:suggestions", get="405 code 405 405 405 403 enrol 405", post=CHANGE),
    Row("back from TikTok", "accounts:account_callback", get=CHANGE, post=NO_POST),
    # What changes something
    Row("acts that name no row in the address", "|".join([
        names("accounts", "account_connect"),
        names("publishing", "batch_check", "asset_upload", "filter_save", "act_preview", "act_do", "brand_preview"),
        names("insights", "block_here", "unblock"),
        names("notices", "read", "test_mail"),
    ]), get=NO_GET, post=CHANGE),
    Row("acts on a row of an account in charge", "|".join([
        names("accounts", "account_reconnect", "account_disconnect"),
        names("publishing", "video_(cancel|retry|hold|release|reschedule|without_subtitles|change|resolve)",
              "setup_ask", "brand_copy", "brand_delete", "circuit_act"),
        names("insights", "unblock_here"),
    ]), get=NO_GET, post=CHANGE_OWN),
    Row("an approver's answer", names("publishing", "video_(approve|send_back)"), get=NO_GET,
        post="login code 403 404 open 403 enrol open"),
    Row("acts that name their row in the form (no such row)", "|".join([
        names("publishing", "track_create"), names("insights", "block"), names("notices", "unread"),
    ]), get=NO_GET, post="login code 404 404 404 403 enrol 404"),
    Row("what is one person's own", names("publishing", "filter_(rename|delete|restore)", "act_undo"), get=NO_GET,
        post=CHANGE_MINE),
    Row("one's own notice", "notices:open", get=MINE, post=CHANGE_MINE),
    # For programs
    Row("Prometheus, with a key", "monitoring:prometheus", get="key code key key key key enrol key", post=NO_POST),
    Row("the JSON API: administrators with both factors", names("monitoring", "metrics", "schema", "docs"),
        get="key 403 403 403 403 403 403 open", post="key 403 403 403 403 403 403 405"),
    Row("Alertmanager, with a key", "monitoring:alertmanager", get="key key key key key key key key",
        post="key key key key key key key key"),
    # The administration: administrators only, and what is read-only there nobody changes
    Row("its log-in", "admin:login", get="open code 403 403 403 403 enrol open",
        post="open code 403 403 403 403 enrol open"),
    Row("its log-out", "admin:logout", get="open code open open open open enrol 405",
        post="open code open open open 403 enrol login"),
    Row("its pages", names("admin", "index", "app_list", "password_change"),
        get=ADMIN.format("open"), post=ADMIN_POST.format("open")),
    Row("its script's words, and a password that was changed", names("admin", "jsi18n", "password_change_done"),
        get=ADMIN.format("open"), post=ADMIN_POST.format("405")),
    Row("its search for a row (none is named)", "admin:autocomplete", get=ADMIN.format("403"),
        post=ADMIN_POST.format("405")),
    Row("what is not there", r"admin:view_on_site|/admin/\(\?P<url>.*", get=ADMIN.format("404"),
        post=ADMIN_POST.format("404")),
    Row("a row's short address", r"/admin/[a-z]+/[a-z]+/<path:object_id>/", get=ADMIN.format("open"),
        post=ADMIN_POST.format("open")),
    Row("another's password", "admin:auth_user_password_change", get=ADMIN.format("open"),
        post=ADMIN_POST.format("open")),
    Row("rows that are edited", f"admin:({EDITED})_(changelist|history|add|change|delete)",
        get=ADMIN.format("open"), post=ADMIN_POST.format("open")),
    Row("accounts: made by connecting them, changed, never deleted",
        "admin:accounts_tiktokaccount_(changelist|history|change)", get=ADMIN.format("open"),
        post=ADMIN_POST.format("open")),
    Row("keys: made, never changed", "admin:monitoring_apikey_(changelist|history|add)", get=ADMIN.format("open"),
        post=ADMIN_POST.format("open")),
    Row("lists and histories of what is only looked at", f"admin:{LOOKED_AT}_(changelist|history)",
        get=ADMIN.format("open"), post=ADMIN_POST.format("open")),
    Row("rows that are only looked at", f"admin:({LOOKED_AT}|monitoring_apikey)_change", get=ADMIN.format("open"),
        post=ADMIN_POST.format("403")),
    Row("what nobody adds or deletes by hand",
        f"admin:({LOOKED_AT}|accounts_tiktokaccount|monitoring_apikey)_delete|"
        f"admin:({LOOKED_AT}|accounts_tiktokaccount)_add", get=ADMIN.format("403"), post=ADMIN_POST.format("403")),
)  # fmt: skip
