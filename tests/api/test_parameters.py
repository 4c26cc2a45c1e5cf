"""What a portal's developer reads when a parameter of a request is wrong."""

from typing import Any

import httpx
import pytest

from tests.api.portal import Portal, add_key
from tests.api.routes import calls

CANARY = "kanarienvogel"


async def asked(portal: Portal, path: str, query: str) -> httpx.Response:
    return await portal.http.get(f"{path}?tenant_id={portal.rig.tenant_id}&{query}")


def problems(answer: httpx.Response) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer.json()["detail"]["problems"]
    return found


async def test_every_route_refuses_a_parameter_that_it_does_not_have_and_lists_its_own(offline: Portal) -> None:
    """Reading, writing, and what needs no key; before the body and without its name, which could be a secret."""
    for call in calls(offline.app):
        answer = await offline.http.request(call.method, f"{call.url}?{CANARY}=1")
        known = call.query
        [problem] = [each for each in problems(answer) if each["code"] == "unknown_parameter"]
        assert (answer.status_code, answer.json()["detail"]["code"]) == (400, "unknown_parameter"), call.path
        assert problem["pointer"] == ""
        assert ", ".join(known) in problem["message"] if known else "has no parameters" in problem["message"]
        assert CANARY not in answer.text


async def test_a_word_that_the_api_or_lists_elsewhere_know_is_named(offline: Portal) -> None:
    """`status` is a parameter of other lists, `sort` of other APIs."""
    answer = await asked(offline, "/onboarding/accounts", "sort=name&offset=1")
    assert [(each["pointer"], each["code"]) for each in problems(answer)] == [
        ("/offset", "unknown_parameter"),
        ("/sort", "unknown_parameter"),
    ]


async def test_who_has_no_key_learns_nothing_of_parameters(offline: Portal) -> None:
    del offline.http.headers["Authorization"]
    assert (await asked(offline, "/onboarding/accounts", f"{CANARY}=1")).status_code == 401


async def test_a_parameter_that_is_there_twice_is_refused(offline: Portal) -> None:
    """Of two values one would be ignored."""
    answer = await asked(offline, "/onboarding/accounts", "status=active&status=error")
    assert [(each["pointer"], each["code"]) for each in problems(answer)] == [("/status", "repeated_parameter")]


async def test_a_header_that_nobody_declared_is_fine(offline: Portal) -> None:
    answer = await offline.http.get(f"/tenants/{offline.rig.tenant_id}", headers={"X-Trace": "1"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("query", "pointer", "message"),
    [
        ("status=Active", "/status", "must be one of: pending, active, active_limited,"),
        ("provider_type=x", "/provider_type", "must be one of: aws, azure, gcp, alicloud, oci, ibm."),
        ("limit=500", "/limit", "must be a whole number from 1 to 100."),
        ("limit=ten", "/limit", "must be a whole number from 1 to 100."),
        (f"cursor={'x' * 7000}", "/cursor", "must be text of at most 6144 characters."),
        ("cursor=x", "/cursor", "start without one"),
    ],
)
async def test_a_wrong_value_is_told_what_is_allowed(offline: Portal, query: str, pointer: str, message: str) -> None:
    [problem] = problems(await asked(offline, "/onboarding/accounts", query))
    assert problem["pointer"] == pointer
    assert message in problem["message"]
    assert "missing" not in problem["message"]


async def test_a_missing_parameter_is_called_missing(offline: Portal) -> None:
    answer = await offline.http.get("/onboarding/accounts?limit=0")
    missing, wrong = problems(answer)
    assert (missing["code"], missing["pointer"]) == ("missing", "/tenant_id")
    assert missing["message"] == "tenant_id is missing; it must be a UUID in lower case."
    assert (wrong["code"], wrong["pointer"]) == ("invalid", "/limit")


async def test_a_bad_idempotency_key_is_told_before_the_body_is_read(offline: Portal) -> None:
    answer = await offline.http.post("/tenants", content=b"{", headers={"Idempotency-Key": "a b"})
    [problem] = problems(answer)
    assert (answer.status_code, problem["pointer"]) == (400, "/Idempotency-Key")
    assert "1 to 255 visible ASCII characters" in problem["message"]


@pytest.mark.parametrize("written", ["AWS", "Aws"])
async def test_a_cloud_may_be_written_in_capitals(offline: Portal, written: str) -> None:
    assert (await offline.http.get(f"/onboarding/{written}/methods")).json()["provider"] == "aws"
    template = f"/onboarding/{written}/cloudformation-template?external_id=te-{'0' * 32}"
    assert (await offline.http.get(template)).status_code == 200
    assert (await asked(offline, "/onboarding/accounts", f"provider_type={written}")).status_code == 200


async def test_a_cloud_that_does_not_exist_is_told_which_do(offline: Portal) -> None:
    answer = await offline.http.get(f"/onboarding/{CANARY}/methods")
    [problem] = problems(answer)
    assert (answer.status_code, problem["pointer"]) == (404, "/provider")
    assert "aws, azure, gcp, alicloud, oci, ibm" in problem["message"]
    assert CANARY not in answer.text


async def test_a_limit_of_a_viewer_is_not_the_tenants_to_learn(offline: Portal) -> None:
    """A scope that is missing is told first."""
    offline.http.headers["Authorization"] = f"Bearer {add_key(offline.rig, role='viewer')}"
    assert (await offline.http.get("/audit-events?x=1")).status_code == 403
