"""How the sandbox says no. Codes and HTTP numbers: `tiktok-api-v2-error-handling` and the reference pages."""

from __future__ import annotations

HTTP_OF_CODE = {
    "access_token_invalid": 401,
    "scope_not_authorized": 401,
    "scope_permission_missed": 401,
    "token_not_authorized_for_specified_publish_id": 401,
    "rate_limit_exceeded": 429,
    "invalid_params": 400,
    "invalid_publish_id": 400,
    "spam_risk_too_many_posts": 403,
    "spam_risk_too_many_pending_share": 403,
    "reached_active_user_cap": 403,
    "spam_risk_user_banned_from_posting": 403,
    "unaudited_client_can_only_post_to_private_accounts": 403,
    "privacy_level_option_mismatch": 403,
    "url_ownership_unverified": 403,
    "internal_error": 500,
}


class ApiError(Exception):
    """A JSON call is refused with TikTok's `code`."""

    def __init__(self, code: str, message: str = "", *, http: int = 0) -> None:
        self.code, self.message = code, message
        self.http = http or HTTP_OF_CODE.get(code, 400)
        super().__init__(f"{code}: {message}")


class OAuthRefused(Exception):
    """A token call is refused: `error` is one of OAuth's words (`oauth-error-handling`)."""

    def __init__(self, error: str, description: str, *, http: int = 0) -> None:
        self.error, self.description, self.http = error, description, http
        super().__init__(f"{error}: {description}")


class UploadRefused(Exception):
    """A part is refused (`content-posting-api-media-transfer-guide`). `http` is what the client acts on."""

    def __init__(self, http: int, code: str, message: str) -> None:
        self.http, self.code, self.message = http, code, message
        super().__init__(f"{http} {code}: {message}")


class ClientGone(Exception):
    """The body ended before its length: nobody is there to answer."""
