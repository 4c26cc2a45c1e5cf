"""AliCloud's answers, row by row: what each means, and whose fault it is."""

import pytest

from domain.errors import ClockSkew, PlatformConfig, Throttled, Trouble, Unavailable
from providers.alicloud.errors import JUDGES, KEY_IS_AT_FAULT, NOT_ACTIVE, SENTENCES, TABLE, Reason, Signer, codes
from providers.checks import Refused
from providers.error_rules import Failure


def body(code: str, **more: object) -> dict[str, object]:
    return {"RequestId": "r", "HostId": "h", "Code": code, "Message": "a text that decides nothing", **more}


REFUSED = [
    (404, body("InvalidAccessKeyId.NotFound"), Reason.UNKNOWN_KEY),
    (400, body("InvalidAccessKeyId.NotFound"), Reason.UNKNOWN_KEY),
    (403, body("InvalidAccessKeyId"), Reason.UNKNOWN_KEY),
    (400, body("InvalidAccessKeyId.Inactive"), Reason.KEY_DISABLED),
    (403, body("InvalidAccessKeyId.Inactive"), Reason.KEY_DISABLED),
    (400, body("SignatureDoesNotMatch"), Reason.WRONG_SECRET),
    (403, body("SignatureDoesNotMatch"), Reason.WRONG_SECRET),
    (404, body("EntityNotExist.Role"), Reason.UNKNOWN_ROLE),
    (400, body("InvalidParameter.RoleArn"), Reason.INVALID_INPUT),
    (403, body("InvalidAccountStatus.NotEnoughBalance"), Reason.ACCOUNT_NOT_ACTIVE),
    *((403, body(code), Reason.ACCOUNT_NOT_ACTIVE) for code in NOT_ACTIVE),
    (403, body("NoPermission"), Reason.ACCESS_DENIED),
    (403, body("NotAuthorized"), Reason.ACCESS_DENIED),
    (403, body("Forbidden"), Reason.ACCESS_DENIED),
    (403, body("Forbidden.RAM"), Reason.ACCESS_DENIED),
    (403, body("SomethingNew", AccessDeniedDetail={"AuthAction": "x:Y"}), Reason.ACCESS_DENIED),
]
TROUBLE: list[tuple[int, dict[str, object], type[Trouble]]] = [
    (400, body("Throttling"), Throttled),
    (400, body("Throttling.User"), Throttled),
    (400, body("Throttling.Api"), Throttled),
    (503, body("Throttling"), Throttled),
    (429, body(""), Throttled),
    (503, body("ServiceUnavailable"), Unavailable),
    (400, body("ServiceUnavailable"), Unavailable),
    (503, body("ServiceUnavailableTemporary"), Unavailable),
    (500, body("InternalError"), Unavailable),
    (500, body("InternalFailure"), Unavailable),
    (400, body("SignatureNonceUsed"), Unavailable),
    (502, {}, Unavailable),
    (504, {}, Unavailable),
    (200, {}, Unavailable),
    (302, {}, Unavailable),
    (400, body("InvalidTimeStamp.Expired"), ClockSkew),
    (400, body("InvalidTimeStamp.Format"), ClockSkew),
    (400, body("IllegalTimestamp"), ClockSkew),
    # what no row fits is ours to look at
    (400, body("IncompleteSignature"), PlatformConfig),
    (400, body("InvalidSecurityToken.Expired"), PlatformConfig),
    (400, body("MissingSecurityToken"), PlatformConfig),
    (400, body("InvalidParameter.PolicyGrammar"), PlatformConfig),
    (400, body("SomethingNew"), PlatformConfig),
    (404, body("InvalidAction.NotFound"), PlatformConfig),
    (404, {}, PlatformConfig),
    (403, {}, PlatformConfig),
    (407, {}, PlatformConfig),
]


def judged(signer: Signer, status: int, found: dict[str, object]) -> Trouble | Refused:
    return JUDGES[signer].judge(Failure(status, codes(found)))


@pytest.mark.parametrize(("status", "found", "reason"), REFUSED)
def test_an_answer_about_the_customers_key_is_refused(status: int, found: dict[str, object], reason: Reason):
    answer = judged(Signer.CUSTOMER, status, found)
    assert isinstance(answer, Refused)
    assert answer.reason is reason


@pytest.mark.parametrize(("status", "found", "reason"), REFUSED)
def test_the_same_answer_about_our_own_key_is_our_configuration(status: int, found: dict[str, object], reason: Reason):
    answer = judged(Signer.PLATFORM, status, found)
    if reason in KEY_IS_AT_FAULT:
        assert isinstance(answer, PlatformConfig)
        assert str(found["Code"]) in answer.message
    else:
        assert isinstance(answer, Refused)


@pytest.mark.parametrize(("status", "found", "trouble"), TROUBLE)
@pytest.mark.parametrize("signer", Signer)
def test_any_other_answer_is_trouble(signer: Signer, status: int, found: dict[str, object], trouble: type[Trouble]):
    assert type(judged(signer, status, found)) is trouble


def test_a_policy_of_our_own_user_that_denies_is_our_configuration():
    denied = body("NoPermission", AccessDeniedDetail={"PolicyType": "AccountLevelIdentityBasedPolicy"})
    assert isinstance(judged(Signer.PLATFORM, 403, denied), PlatformConfig)
    assert isinstance(judged(Signer.CUSTOMER, 403, denied), Refused)


def test_a_trust_policy_that_denies_is_the_customers():
    denied = body("NoPermission", AccessDeniedDetail={"PolicyType": "AssumeRolePolicy"})
    assert isinstance(judged(Signer.PLATFORM, 403, denied), Refused)


def test_every_row_is_tested_and_every_reason_has_its_sentences():
    tested = [(status, code) for status, found, _ in [*REFUSED, *TROUBLE] for code in codes(found)]
    untested = [row for row in TABLE if not any(row.fits(Failure(status, (code,))) for status, code in tested)]
    assert [row for row in untested if row.status != 429] == []
    assert set(SENTENCES) == set(Reason)
    assert all(message.endswith(".") and remedy.endswith(".") for message, remedy in SENTENCES.values())


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"Code": "A.B"}, ("A.B", "A")),
        ({"Code": "A"}, ("A", "A")),
        ({"Code": 7}, ()),
        ({"Code": None, "AccessDeniedDetail": {}}, ("AccessDeniedDetail",)),
        ({"AccessDeniedDetail": {"PolicyType": 7}}, ("AccessDeniedDetail",)),
        ({"AccessDeniedDetail": "text"}, ()),
        ({"value": []}, ()),
        ({}, ()),
    ],
    ids=str,
)
def test_the_codes_are_read_from_whatever_the_body_is(found: dict[str, object], expected: tuple[str, ...]):
    assert codes(found) == expected
