"""OCI's answers, row by row: what each means, and whose fault it is."""

import pytest

from domain.errors import ClockSkew, PlatformConfig, Throttled, Trouble, Unavailable
from providers.checks import Refused
from providers.error_rules import Failure, Judge
from providers.oci.errors import NOT_ACTIVE, SENTENCES, TABLE, Reason, codes

JUDGE = Judge("OCI", TABLE)

REFUSED = [
    (401, "NotAuthenticated", Reason.NOT_AUTHENTICATED),
    (404, "NotAuthorizedOrNotFound", Reason.NOT_AUTHORIZED),
    (404, "NamespaceNotFound", Reason.NOT_AUTHORIZED),
    (404, "BucketNotFound", Reason.NOT_AUTHORIZED),
    (403, "NotAuthorized", Reason.NOT_AUTHORIZED),
    (402, "SignUpRequired", Reason.NOT_AUTHORIZED),
    (403, "SignUpRequired", Reason.NOT_AUTHORIZED),
    (402, "", Reason.ACCOUNT_NOT_ACTIVE),
    *((403, code, Reason.ACCOUNT_NOT_ACTIVE) for code in NOT_ACTIVE),
]
TROUBLE: list[tuple[int, str, type[Trouble]]] = [
    (429, "TooManyRequests", Throttled),
    (429, "", Throttled),
    (400, "TooManyRequests", Throttled),
    (409, "IncorrectState", Unavailable),
    (409, "ExternalServerIncorrectState", Unavailable),
    (500, "InternalServerError", Unavailable),
    (502, "", Unavailable),
    (503, "ServiceUnavailable", Unavailable),
    (504, "NotAuthenticated", Unavailable),
    (200, "", Unavailable),
    (301, "", Unavailable),
    # what no row fits is ours to look at
    (401, "", PlatformConfig),
    (401, "SomethingNew", PlatformConfig),
    (403, "", PlatformConfig),
    (403, "NotAllowed", PlatformConfig),
    (404, "", PlatformConfig),
    (404, "NotFound", PlatformConfig),
    (404, "InvalidParameter", PlatformConfig),
    (400, "InvalidParameter", PlatformConfig),
    (400, "MissingParameter", PlatformConfig),
    (400, "CannotParseRequest", PlatformConfig),
    (405, "MethodNotAllowed", PlatformConfig),
]


def failure(status: int, code: str, *, clock_differs: bool = False) -> Failure:
    return Failure(status, (code,) if code else (), clock_differs=clock_differs)


@pytest.mark.parametrize(("status", "code", "reason"), REFUSED)
def test_an_answer_about_the_customer_is_refused(status: int, code: str, reason: Reason):
    judged = JUDGE.judge(failure(status, code))
    assert isinstance(judged, Refused)
    assert judged.reason is reason


@pytest.mark.parametrize(("status", "code", "trouble"), TROUBLE)
def test_any_other_answer_is_trouble(status: int, code: str, trouble: type[Trouble]):
    assert type(JUDGE.judge(failure(status, code))) is trouble


def test_the_answer_to_a_wrong_clock_is_about_the_clock_when_ours_is_wrong():
    assert isinstance(JUDGE.judge(failure(401, "NotAuthenticated", clock_differs=True)), ClockSkew)


@pytest.mark.parametrize(("status", "code"), [(404, "NotAuthorizedOrNotFound"), (403, "NotAuthorized")])
def test_a_clock_changes_nothing_about_an_answer_that_came_after_the_signature(status: int, code: str):
    assert isinstance(JUDGE.judge(failure(status, code, clock_differs=True)), Refused)


def test_every_row_is_tested_and_every_reason_has_its_sentences():
    tested = {(status, code) for status, code, _ in [*REFUSED, *TROUBLE]}
    assert {(row.status, row.code) for row in TABLE} - tested <= {
        *((None, "TooManyRequests"), (429, None), (402, None)),
        *((None, code) for code in NOT_ACTIVE),
    }
    assert set(SENTENCES) == set(Reason)
    assert all(message.endswith(".") and remedy.endswith(".") for message, remedy in SENTENCES.values())


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"code": "NotAuthenticated", "message": "…"}, ("NotAuthenticated",)),
        ({"code": 401}, ()),
        ({"code": None}, ()),
        ({"code": ["NotAuthenticated"]}, ()),
        ({"value": ["NotAuthenticated"]}, ()),
        ({}, ()),
    ],
    ids=str,
)
def test_the_code_is_read_from_whatever_the_body_is(body: dict[str, object], found: tuple[str, ...]):
    assert codes(body) == found
