"""Azure's answers, row by row: what each means, and whose fault it is."""

from typing import Any

import pytest

from domain.errors import ClockSkew, PlatformConfig, Throttled, Trouble, Unavailable
from providers.azure.errors import JUDGE, JUST_MADE, NOT_ACTIVE, SENTENCES, TABLE, Reason, codes
from providers.checks import Refused
from providers.error_rules import Failure


def entra(error: str, *numbers: int) -> dict[str, Any]:
    return {"error": error, "error_description": "AADSTS: text that decides nothing", "error_codes": list(numbers)}


def manager(code: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": "text that decides nothing"}}


REFUSED = [
    (400, entra("invalid_request", 90002), "unknown_tenant"),
    (400, entra("invalid_request", 900023), "unknown_tenant"),
    (400, entra("invalid_request", 90038), "other_cloud"),
    (400, entra("invalid_request", 900382), "other_cloud"),
    (401, entra("invalid_request", 900432), "other_cloud"),
    (400, entra("unauthorized_client", 700016), "unknown_application"),
    (400, entra("unauthorized_client", 700011), "unknown_application"),
    (401, entra("invalid_client", 7000229), "unknown_application"),
    (400, entra("unauthorized_client", 7000112), "application_disabled"),
    (400, entra("unauthorized_client", 70001), "application_disabled"),
    (400, entra("unauthorized_client", 1000031), "application_disabled"),
    (401, entra("invalid_client", 7000215), "wrong_secret"),
    (400, entra("invalid_request", 5000224), "account_not_active"),
    (400, entra("invalid_request", 5000225), "account_not_active"),
    *((403, {"error": {"code": code}}, "account_not_active") for code in NOT_ACTIVE),
    (400, entra("invalid_client", 7000215), "wrong_secret"),
    (401, entra("invalid_client", 70002, 7000215), "wrong_secret"),
    (401, entra("invalid_client", 7000222), "expired_credential"),
    (401, entra("invalid_client", 700027), "certificate_refused"),
    (401, entra("invalid_client", 700030), "certificate_refused"),
    (401, entra("invalid_client", 70002, 50012), "certificate_refused"),
    (401, entra("invalid_client", 50013), "certificate_refused"),
    (400, entra("invalid_grant", 50013), "certificate_refused"),
    (400, entra("invalid_grant", 53003), "blocked_by_policy"),
    (400, entra("access_denied", 53011), "blocked_by_policy"),
    (400, entra("invalid_grant", 530032), "blocked_by_policy"),
    (400, entra("invalid_grant", 530035), "blocked_by_policy"),
    (400, entra("invalid_resource", 500011), "tenant_without_azure"),
    # numbers that are new: OAuth's own words decide
    (400, entra("invalid_resource", 123), "tenant_without_azure"),
    (401, entra("invalid_client", 123), "credential_refused"),
    (401, {"error": "invalid_client"}, "credential_refused"),
    (400, entra("unauthorized_client", 123), "unknown_application"),
    (401, manager("InvalidAuthenticationTokenTenant"), "other_tenant"),
    (403, manager("AuthorizationFailed"), "no_role"),
    (404, manager("SubscriptionNotFound"), "unknown_subscription"),
    (400, manager("InvalidSubscriptionId"), "unknown_subscription"),
]

TROUBLE: list[tuple[int, dict[str, Any], type[Trouble]]] = [
    (429, entra("temporarily_unavailable", 90055), Throttled),
    (400, entra("invalid_request", 90055), Throttled),
    (400, entra("invalid_grant", 50196), Throttled),
    (429, {}, Throttled),
    (429, manager("SubscriptionRequestsThrottled"), Throttled),
    (429, manager("TooManyRequests"), Throttled),
    (400, entra("temporarily_unavailable"), Unavailable),
    (400, entra("server_error", 90006), Unavailable),
    (400, entra("server_error", 90012), Unavailable),
    (400, entra("server_error", 90024), Unavailable),
    (400, entra("server_error", 90033), Unavailable),
    (400, entra("server_error", 90090), Unavailable),
    (400, entra("server_error", 50000), Unavailable),
    (500, entra("invalid_client", 7000215), Unavailable),
    (503, manager("AuthorizationFailed"), Unavailable),
    (502, {}, Unavailable),
    (504, {}, Unavailable),
    (401, manager("InvalidAuthenticationToken"), Unavailable),
    (401, manager("ExpiredAuthenticationToken"), Unavailable),
    (401, manager("AuthenticationFailed"), Unavailable),
    (200, {}, Unavailable),
    (302, {}, Unavailable),
    (401, entra("invalid_client", 700024), ClockSkew),
    (400, entra("invalid_client", 700024), ClockSkew),
    (400, entra("invalid_grant", 500133), ClockSkew),
    (400, entra("invalid_request", 900144), PlatformConfig),
    (400, entra("invalid_scope", 70011), PlatformConfig),
    (400, entra("unsupported_grant_type", 70003), PlatformConfig),
    (400, manager("MissingApiVersionParameter"), PlatformConfig),
    (400, manager("InvalidApiVersionParameter"), PlatformConfig),
    (401, manager("InvalidAuthenticationTokenAudience"), PlatformConfig),
    (403, {}, PlatformConfig),
    (404, {}, PlatformConfig),
    (407, {}, PlatformConfig),
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


def test_each_row_is_reached_by_an_answer_above():
    answers = [Failure(status, codes(body)) for status, body, _ in [*REFUSED, *TROUBLE]]
    reached = {next((row for row in TABLE if row.fits(answer)), None) for answer in answers}
    unreached = {row.code for row in TABLE} - {row.code for row in reached if row}
    assert unreached == set()


def test_an_assertion_that_our_clock_spoils_is_our_trouble():
    late = Failure(401, codes(entra("invalid_client", 50013)), clock_differs=True)
    assert isinstance(JUDGE.judge(late), ClockSkew)


def test_a_wait_is_as_long_as_azure_asks_and_not_endless():
    throttled = JUDGE.judge(Failure(429, retry_after=17))
    endless = JUDGE.judge(Failure(429, retry_after=86_400))
    assert isinstance(throttled, Throttled)
    assert isinstance(endless, Throttled)
    assert (throttled.retry_after, endless.retry_after) == (17, 300)


def test_the_operators_are_told_azures_code():
    found = JUDGE.judge(Failure(400, codes(entra("invalid_scope", 70011))))
    assert "70011" in str(found)


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
        {"error": ["invalid_client"]},
        {"error": {"code": 7}},
        {"error": {"code": ["AuthorizationFailed"]}},
        {"error_codes": "7000215"},
        {"error_codes": [None, "7000215", {}, [7000215]]},
        {"error_codes": {"0": 7000215}},
    ],
    ids=repr,
)
def test_codes_come_only_from_where_azure_writes_them(body: dict[str, Any]):
    assert codes(body) == ()


def test_no_more_than_a_few_numbers_are_looked_at():
    assert len(codes({"error_codes": list(range(10_000))})) == 8
