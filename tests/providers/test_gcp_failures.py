"""Google's answers, row by row: what each means, and whose fault it is."""

from collections.abc import Sequence
from typing import Any

import pytest

from domain.errors import ClockSkew, PlatformConfig, Throttled, Trouble, Unavailable
from providers.checks import Refused
from providers.error_rules import Failure, Row
from providers.gcp.errors import FEDERATION, FEDERATION_TABLE, JUDGE, JUST_MADE, SENTENCES, TABLE, Reason, codes


def oauth(error: str) -> dict[str, Any]:
    return {"error": error, "error_description": "text that decides nothing"}


def api(status: str, *reasons: str) -> dict[str, Any]:
    info = "type.googleapis.com/google.rpc.ErrorInfo"
    details = [{"@type": info, "reason": reason, "domain": "googleapis.com"} for reason in reasons]
    return {"error": {"code": 403, "message": "text that decides nothing", "status": status, "details": details}}


REFUSED = [
    (400, oauth("invalid_grant"), "key_refused"),
    (401, oauth("disabled_client"), "account_disabled"),
    (401, oauth("deleted_client"), "account_disabled"),
    (401, oauth("invalid_client"), "account_disabled"),
    (401, oauth("unauthorized_client"), "account_disabled"),
    (400, oauth("unauthorized_client"), "account_disabled"),
    (400, oauth("access_denied"), "blocked_by_policy"),
    (403, oauth("access_denied"), "blocked_by_policy"),
    (403, api("PERMISSION_DENIED", "SERVICE_DISABLED"), "api_disabled"),
    (403, api("PERMISSION_DENIED", "BILLING_DISABLED"), "project_suspended"),
    (403, api("PERMISSION_DENIED", "CONSUMER_SUSPENDED"), "project_suspended"),
    (403, api("PERMISSION_DENIED", "CONSUMER_INVALID"), "project_suspended"),
    (403, api("PERMISSION_DENIED", "GCP_SUSPENDED"), "project_suspended"),
    (403, api("PERMISSION_DENIED", "SECURITY_POLICY_VIOLATED"), "blocked_by_policy"),
    (403, api("PERMISSION_DENIED", "ORG_RESTRICTION_VIOLATION"), "blocked_by_policy"),
    (403, api("PERMISSION_DENIED", "LOCATION_POLICY_VIOLATED"), "blocked_by_policy"),
    (403, api("PERMISSION_DENIED", "USER_BLOCKED_BY_ADMIN"), "blocked_by_policy"),
    (403, api("PERMISSION_DENIED", "RESOURCE_USAGE_RESTRICTION_VIOLATED"), "blocked_by_policy"),
    (401, api("UNAUTHENTICATED", "ACCOUNT_STATE_INVALID"), "account_disabled"),
    (403, api("PERMISSION_DENIED"), "no_access"),
    (403, api("PERMISSION_DENIED", "IAM_PERMISSION_DENIED"), "no_access"),
    (404, api("NOT_FOUND"), "no_access"),
]

TROUBLE: list[tuple[int, dict[str, Any], type[Trouble]]] = [
    (403, api("PERMISSION_DENIED", "RATE_LIMIT_EXCEEDED"), Throttled),
    (403, api("PERMISSION_DENIED", "RESOURCE_QUOTA_EXCEEDED"), Throttled),
    (429, api("RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED"), Throttled),
    (429, {}, Throttled),
    (401, api("UNAUTHENTICATED"), Unavailable),
    (401, api("UNAUTHENTICATED", "ACCESS_TOKEN_EXPIRED"), Unavailable),
    (500, oauth("invalid_grant"), Unavailable),
    (503, api("PERMISSION_DENIED"), Unavailable),
    (200, {}, Unavailable),
    (302, {}, Unavailable),
    (403, api("PERMISSION_DENIED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"), PlatformConfig),
    (400, api("INVALID_ARGUMENT"), PlatformConfig),
    (400, oauth("invalid_scope"), PlatformConfig),
    (400, oauth("invalid_request"), PlatformConfig),
    (400, oauth("unsupported_grant_type"), PlatformConfig),
    (403, {}, PlatformConfig),
    (404, {}, PlatformConfig),
    (407, {}, PlatformConfig),
]


FEDERATION_REFUSED = [
    (400, oauth("invalid_target"), "unknown_identity_provider"),
    (401, oauth("unauthorized_client"), "subject_refused"),
    (400, oauth("unauthorized_client"), "subject_refused"),
    (403, oauth("unauthorized_client"), "subject_refused"),
    (400, oauth("invalid_grant"), "identity_token_refused"),
    (403, api("PERMISSION_DENIED"), "impersonation_denied"),
    (403, api("PERMISSION_DENIED", "IAM_PERMISSION_DENIED"), "impersonation_denied"),
    (404, api("NOT_FOUND"), "impersonation_denied"),
    (400, api("FAILED_PRECONDITION"), "impersonation_denied"),
]


def label(value: object) -> str | None:
    return "/".join(codes(value)) or "none" if isinstance(value, dict) else None


@pytest.mark.parametrize(("status", "body", "code"), REFUSED, ids=label)
def test_a_refusal_is_the_customers(status: int, body: dict[str, Any], code: str):
    found = JUDGE.judge(Failure(status, codes(body)))
    assert isinstance(found, Refused)
    assert found.reason.value == code


@pytest.mark.parametrize(("status", "body", "kind"), TROUBLE, ids=label)
def test_trouble_is_never_the_customers(status: int, body: dict[str, Any], kind: type[Trouble]):
    assert type(JUDGE.judge(Failure(status, codes(body)))) is kind


@pytest.mark.parametrize(("status", "body", "code"), FEDERATION_REFUSED, ids=label)
def test_a_refusal_on_the_way_through_a_pool_is_the_customers(status: int, body: dict[str, Any], code: str):
    found = FEDERATION.judge(Failure(status, codes(body)))
    assert isinstance(found, Refused)
    assert found.reason.value == code


@pytest.mark.parametrize(("status", "body", "kind"), TROUBLE, ids=label)
def test_trouble_on_the_way_through_a_pool_is_never_the_customers(
    status: int, body: dict[str, Any], kind: type[Trouble]
):
    assert type(FEDERATION.judge(Failure(status, codes(body)))) is kind


@pytest.mark.parametrize(
    ("table", "refused"), [(TABLE, REFUSED), (FEDERATION_TABLE, [*REFUSED, *FEDERATION_REFUSED])], ids=["key", "pool"]
)
def test_each_row_is_reached_by_an_answer_above(table: Sequence[Row], refused: Sequence[Any]):
    answers = [Failure(status, codes(body)) for status, body, _ in [*refused, *TROUBLE]]
    reached = {next((row for row in table if row.fits(answer)), None) for answer in answers}
    unreached = {row.code for row in table} - {row.code for row in reached if row}
    assert unreached == set()


def test_an_assertion_that_our_clock_spoils_is_our_trouble():
    late = Failure(400, codes(oauth("invalid_grant")), clock_differs=True)
    assert isinstance(JUDGE.judge(late), ClockSkew)
    assert isinstance(FEDERATION.judge(late), ClockSkew)


def test_the_operators_are_told_googles_code():
    assert "invalid_scope" in str(JUDGE.judge(Failure(400, codes(oauth("invalid_scope")))))


def test_each_reason_has_a_sentence_and_a_remedy():
    assert set(SENTENCES) == set(Reason)
    assert all(message.endswith(".") and remedy.endswith(".") for message, remedy in SENTENCES.values())
    assert set(JUST_MADE) <= set(Reason)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"error": None},
        {"error": 7},
        {"error": ["invalid_grant"]},
        {"error": {"status": 7}},
        {"error": {"details": "SERVICE_DISABLED"}},
        {"error": {"details": {"0": {"reason": "SERVICE_DISABLED"}}}},
        {"error": {"details": [None, "SERVICE_DISABLED", 7, {"reason": 7}, {"reason": ["SERVICE_DISABLED"]}]}},
        {"details": [{"reason": "SERVICE_DISABLED"}]},
    ],
    ids=repr,
)
def test_codes_come_only_from_where_google_writes_them(body: dict[str, Any]):
    assert codes(body) == ()


def test_no_more_than_a_few_details_are_looked_at():
    assert len(codes(api("PERMISSION_DENIED", *["X"] * 10_000))) == 9
