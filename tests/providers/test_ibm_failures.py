"""IBM Cloud's answers, row by row: what each means, and whose fault it is."""

from collections.abc import Mapping
from typing import Any

import pytest

from domain.errors import PlatformConfig, Throttled, Trouble, Unavailable
from providers.checks import Refused
from providers.error_rules import Failure, Judge
from providers.ibm.errors import JUDGE, SENTENCES, TABLE, TOKEN_JUDGE, TOKEN_TABLE, Reason, codes

Body = Mapping[str, Any]


def token(code: str) -> Body:
    return {"errorCode": code, "errorMessage": "text that decides nothing", "context": {"requestId": "1"}}


def api(code: str, message_code: str = "") -> Body:
    return {"errors": [{"code": code, "message_code": message_code, "message": "text"}], "trace": "1"}


REFUSED: list[tuple[Judge, int, Body, str]] = [
    (TOKEN_JUDGE, 400, token("BXNIM0415E"), "unknown_key"),
    (TOKEN_JUDGE, 401, token("BXNIM0415E"), "unknown_key"),
    (TOKEN_JUDGE, 400, token("BXNIM0462E"), "key_disabled"),
    (TOKEN_JUDGE, 401, token("BXNIM0462E"), "key_disabled"),
    (TOKEN_JUDGE, 400, token("BXNIM0439E"), "expired_credential"),
    (TOKEN_JUDGE, 401, token("BXNIM0439E"), "expired_credential"),
    (TOKEN_JUDGE, 400, token("BXNIM0410E"), "key_refused"),
    (TOKEN_JUDGE, 400, token("BXNIM0407E"), "key_refused"),
    (TOKEN_JUDGE, 401, token("BXNIM0499E"), "key_refused"),
    (JUDGE, 403, api("insufficent_permissions"), "access_denied"),
    (JUDGE, 403, api("forbidden", "BXNIM0513E"), "access_denied"),
    (JUDGE, 404, api("not_found", "BXNIM0102E"), "unknown_key"),
]

TROUBLE: list[tuple[Judge, int, Body, type[Trouble]]] = [
    (TOKEN_JUDGE, 429, {}, Throttled),
    (TOKEN_JUDGE, 429, token("BXNIM0415E"), Throttled),
    (JUDGE, 429, api("too_many_requests"), Throttled),
    (TOKEN_JUDGE, 500, token("BXNIM0415E"), Unavailable),
    (TOKEN_JUDGE, 503, {}, Unavailable),
    (TOKEN_JUDGE, 302, {}, Unavailable),
    (TOKEN_JUDGE, 200, {}, Unavailable),
    (JUDGE, 401, api("unauthorized", "BXNIM0308E"), Unavailable),
    (JUDGE, 502, api("insufficent_permissions"), Unavailable),
    (TOKEN_JUDGE, 400, {}, PlatformConfig),
    (TOKEN_JUDGE, 400, token("BXNIM0109E"), PlatformConfig),
    (TOKEN_JUDGE, 403, token("BXNIM0415E"), PlatformConfig),
    (TOKEN_JUDGE, 401, {}, PlatformConfig),
    (JUDGE, 401, {}, PlatformConfig),
    (JUDGE, 403, {}, PlatformConfig),
    (JUDGE, 404, {}, PlatformConfig),
    (JUDGE, 400, api("invalid_query"), PlatformConfig),
    (JUDGE, 407, {}, PlatformConfig),
]


def label(value: object) -> str | None:
    if isinstance(value, Judge):
        return "token" if value is TOKEN_JUDGE else "api"
    return (codes(value) or ("none",))[0] if isinstance(value, Mapping) else None


@pytest.mark.parametrize(("judge", "status", "body", "code"), REFUSED, ids=label)
def test_a_refusal_is_the_customers(judge: Judge, status: int, body: Body, code: str):
    found = judge.judge(Failure(status, codes(body)))
    assert isinstance(found, Refused)
    assert found.reason.value == code


@pytest.mark.parametrize(("judge", "status", "body", "kind"), TROUBLE, ids=label)
def test_trouble_is_never_the_customers(judge: Judge, status: int, body: Body, kind: type[Trouble]):
    assert type(judge.judge(Failure(status, codes(body)))) is kind


def test_each_row_is_reached_by_an_answer_above():
    answers = [(judge, Failure(status, codes(body))) for judge, status, body, _ in [*REFUSED, *TROUBLE]]
    reached = {next((row for row in judge.table if row.fits(failure)), None) for judge, failure in answers}
    assert {*TOKEN_TABLE, *TABLE} <= reached


def test_the_operators_are_told_ibms_code():
    assert "BXNIM0109E" in str(TOKEN_JUDGE.judge(Failure(400, codes(token("BXNIM0109E")))))


def test_each_reason_has_a_sentence_and_a_remedy():
    assert set(SENTENCES) == set(Reason)
    assert all(message.endswith(".") and remedy.endswith(".") for message, remedy in SENTENCES.values())


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"errorCode": 7},
        {"errorCode": ["BXNIM0415E"]},
        {"errors": "BXNIM0415E"},
        {"errors": []},
        {"errors": [None]},
        {"errors": ["BXNIM0415E"]},
        {"errors": [{"code": {"code": "BXNIM0415E"}}]},
        {"error": "BXNIM0415E"},
    ],
    ids=repr,
)
def test_codes_come_only_from_where_ibm_writes_them(body: Body):
    assert codes(body) == ()
