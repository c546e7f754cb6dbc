"""The tables of codes and reasons, against a second writing of TikTok's pages."""

from __future__ import annotations

import pytest

from subiteya.tiktok import (
    KNOWN_CODES,
    KNOWN_FAIL_REASONS,
    FailureClass,
    HostNotAllowed,
    InvalidGrant,
    LocalFailure,
    OAuthError,
    RangeMismatch,
    RateLimited,
    TikTokError,
    TikTokUnavailable,
    UnknownRefusal,
    UploadGone,
    classify_fail_reason,
)
from subiteya.tiktok.errors import error_for

CODES = {
    FailureClass.AUTH: {
        "access_token_invalid", "scope_not_authorized", "scope_permission_missed", "spam_risk_user_banned_from_posting",
    },
    FailureClass.NEUTRAL: {"rate_limit_exceeded"},
    FailureClass.QUOTA: {"spam_risk_too_many_posts", "spam_risk_too_many_pending_share", "reached_active_user_cap"},
    FailureClass.CONTENT: {
        "invalid_params", "invalid_param", "unaudited_client_can_only_post_to_private_accounts",
        "privacy_level_option_mismatch", "url_ownership_unverified", "spam_risk_text", "spam_risk",
        "invalid_publish_id", "token_not_authorized_for_specified_publish_id",
    },
    FailureClass.COUNT: {"internal_error"},
}  # fmt: skip
REASONS = {
    ("content", False): {
        "file_format_check_failed", "duration_check_failed", "frame_rate_check_failed", "picture_size_check_failed",
        "spam_risk_text", "spam_risk",
    },
    ("count", True): {"internal"},
    ("neutral", True): {"video_pull_failed"},
    ("neutral", False): {"publish_cancelled"},
    ("auth", False): {"auth_removed", "spam_risk_user_banned_from_posting"},
    ("quota", True): {"spam_risk_too_many_posts", "spam_risk_too_many_pending_share"},
}  # fmt: skip


@pytest.mark.parametrize("breaker", FailureClass)
def test_it_puts_each_code_in_the_class_of_the_breaker(breaker):
    assert {code for code in KNOWN_CODES if error_for(code).breaker == breaker} == CODES[breaker]


@pytest.mark.parametrize(("breaker", "retryable"), REASONS)
def test_it_classifies_each_reason_of_a_failed_post(breaker, retryable):
    verdicts = {reason: classify_fail_reason(reason) for reason in KNOWN_FAIL_REASONS}
    found = {
        reason for reason, verdict in verdicts.items() if (verdict.breaker, verdict.retryable) == (breaker, retryable)
    }
    assert found == REASONS[breaker, retryable]


def test_it_counts_what_it_does_not_know_and_never_repeats_it():
    error, reason = error_for("brand_new", status=400), classify_fail_reason("brand_new")
    assert type(error) is UnknownRefusal
    assert (error.breaker, error.retryable) == (reason.breaker, reason.retryable) == (FailureClass.COUNT, False)


@pytest.mark.parametrize(("status", "kind"), [(429, RateLimited), (500, TikTokUnavailable), (503, TikTokUnavailable)])
def test_it_goes_by_the_http_status_where_the_code_is_new(status, kind):
    assert type(error_for("brand_new", status=status)) is kind


def test_it_tells_the_cap_of_the_app_from_the_cap_of_an_account():
    wide = {code: error_for(code).app_wide for code in CODES[FailureClass.QUOTA]}
    assert [code for code, app_wide in wide.items() if app_wide] == ["reached_active_user_cap"]


@pytest.mark.parametrize(
    ("kind", "breaker", "retryable"),
    [
        (UploadGone, FailureClass.COUNT, False),
        (LocalFailure, FailureClass.NEUTRAL, True),
        (HostNotAllowed, FailureClass.CONTENT, False),
        (OAuthError, FailureClass.COUNT, False),
        (InvalidGrant, FailureClass.AUTH, False),
    ],
)
def test_it_says_of_each_error_whether_to_repeat_and_whether_to_count(kind, breaker, retryable):
    assert (kind("x").breaker, kind("x").retryable) == (breaker, retryable)


def test_it_keeps_what_support_asks_for():
    error = error_for("rate_limit_exceeded", "slow down", log_id="L1", status=429, retry_after=7.0)
    assert (error.code, error.log_id, error.status, error.retry_after) == ("rate_limit_exceeded", "L1", 429, 7.0)
    assert "slow down" in str(error)
    assert "L1" in str(error)


def test_it_is_one_tree():
    assert issubclass(InvalidGrant, OAuthError)
    assert issubclass(OAuthError, TikTokError)
    assert RangeMismatch(uploaded_bytes=5).breaker == FailureClass.NEUTRAL
