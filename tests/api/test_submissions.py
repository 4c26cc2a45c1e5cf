"""Handing in a credential: accepted, refused, malformed, slow, or at the wrong moment."""

import asyncio
import json

import pytest

from domain.errors import Unavailable
from tests.api.portal import Portal, codes
from tests.fakes_clouds import ACCOUNT_NUMBER, ROLE_ARN, limited, refused
from tests.rig import until_set

ABSENT = "00000000-0000-4000-8000-000000000000"
CANARY = "CanaryCanaryCanaryCanaryCanaryCanary1234"


async def test_an_accepted_credential_makes_the_account_active(portal: Portal) -> None:
    account_id = await portal.started()
    answer = await portal.validate(account_id)
    body = answer.json()
    assert answer.status_code == 200
    assert (body["success"], body["account_id"], body["account_number"]) == (True, account_id, ACCOUNT_NUMBER)
    assert [step["status"] for step in body["steps"]] == ["passed"] * 5


async def test_missing_permissions_limit_the_account(portal: Portal) -> None:
    portal.rig.script(limited("securityhub:DescribeHub"))
    body = (await portal.validate(await portal.started())).json()
    assert (body["success"], body["status"]) == (True, "active_limited")
    assert body["steps"][-1]["missing_permissions"] == ["securityhub:DescribeHub"]


async def test_a_refusal_says_what_to_put_right_and_the_next_try_counts(portal: Portal) -> None:
    portal.rig.script(refused())
    account_id = await portal.started()
    answer = await portal.validate(account_id)
    detail = answer.json()["detail"]
    assert (answer.status_code, detail["code"]) == (400, "credential_refused")
    assert detail["errors"] == ["The role cannot be assumed."]
    assert detail["problems"][0]["step"] == "identify"
    assert detail["problems"][0]["remedy"] == "Check the role."
    assert (await portal.validate(account_id)).status_code == 200


async def test_the_external_id_that_counts_is_ours(portal: Portal) -> None:
    started = (await portal.init()).json()
    credentials = {"role_arn": ROLE_ARN, "external_id": started["external_id"]}
    assert (await portal.validate(started["account_id"], credentials=credentials)).status_code == 200
    assert portal.rig.provider.calls[0].expectation.external_id == started["external_id"]


async def test_another_external_id_starts_nothing(portal: Portal) -> None:
    account_id = await portal.started()
    credentials = {"role_arn": ROLE_ARN, "external_id": "te-of-somebody-else"}
    answer = await portal.validate(account_id, credentials=credentials)
    assert (answer.status_code, codes(answer)) == (400, ["external_id_mismatch"])
    assert answer.json()["detail"]["problems"][0]["pointer"] == "/credentials/external_id"
    assert (await portal.state(account_id))["submissions"] == []


async def test_the_customer_can_say_that_the_role_is_new(portal: Portal) -> None:
    await portal.validate(await portal.started())
    await portal.validate(await portal.started(), just_created=True)
    assert [call.expectation.may_propagate for call in portal.rig.provider.calls] == [False, True]


async def test_every_fault_of_a_credential_is_told(portal: Portal) -> None:
    answer = await portal.validate(await portal.started(), credentials={"account_number": "12", CANARY: CANARY})
    assert (answer.status_code, codes(answer)) == (400, ["missing", "bad_format", "unknown_field"])
    assert CANARY not in answer.text


async def test_the_method_must_be_known(portal: Portal) -> None:
    answer = await portal.validate(await portal.started(), auth_method=CANARY)
    assert (answer.status_code, codes(answer)) == (400, ["unknown_auth_method"])
    assert CANARY not in answer.text


@pytest.mark.parametrize("account_id", [ABSENT, "x"])
async def test_a_credential_needs_an_account(offline: Portal, account_id: str) -> None:
    assert (await offline.validate(account_id)).status_code == 404


async def test_a_credential_needs_an_account_of_that_cloud(portal: Portal) -> None:
    body = {"account_id": await portal.started(), "auth_method": "iam_role", "credentials": {}}
    assert (await portal.http.post("/onboarding/azure/validate", json=body)).status_code == 404


async def test_a_cloud_account_is_onboarded_once_in_a_tenant(portal: Portal) -> None:
    await portal.validate(await portal.started())
    answer = await portal.validate(await portal.started())
    assert (answer.status_code, answer.json()["detail"]["code"]) == (409, "account_already_onboarded")


async def test_an_ended_onboarding_takes_no_credential(portal: Portal) -> None:
    account_id = await portal.started()
    await portal.validate(account_id)
    answer = await portal.validate(account_id)
    assert (answer.status_code, answer.json()["detail"]["code"]) == (409, "onboarding_closed")


async def test_a_cloud_that_is_out_of_order_is_nobodys_attempt(portal: Portal) -> None:
    portal.rig.script(*[Unavailable()] * 10)
    portal = portal.hurried(provider_patience_seconds=1)
    account_id = await portal.started()
    answer = await portal.validate(account_id)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert (await portal.state(account_id))["attempts"] == 0


async def test_a_slow_cloud_gives_a_promise_that_is_kept(idle: Portal) -> None:
    portal = idle.hurried(validate_wait_seconds=0.2)
    cloud = portal.rig.hold("provider", "validate")
    async with portal.rig.worker():
        account_id = await portal.started()
        answer = await portal.validate(account_id)
        assert (answer.status_code, answer.json()["status"]) == (202, "validating")
        assert answer.headers["Location"] == f"/api/v1/onboarding/{account_id}"
        await until_set(cloud.reached)
        assert (await portal.state(account_id))["state"] == "validating"
        cloud.let_go()
        assert (await portal.settled(account_id))["state"] == "active"


async def test_one_credential_is_proved_at_a_time(idle: Portal) -> None:
    cloud = idle.rig.hold("provider", "validate")
    async with idle.rig.worker():
        account_id = await idle.started()
        first = asyncio.create_task(idle.validate(account_id))
        await until_set(cloud.reached)
        second = await idle.validate(account_id, "key-2")
        assert (second.status_code, second.json()["detail"]["code"]) == (409, "submission_in_progress")
        cloud.let_go()
        assert (await first).status_code == 200
        later = await idle.validate(account_id, "key-2")
    assert (later.status_code, later.json()["detail"]["code"]) == (409, "onboarding_closed")


async def test_a_cancel_answers_the_credential_under_way(idle: Portal) -> None:
    cloud = idle.rig.hold("provider", "validate")
    async with idle.rig.worker():
        account_id = await idle.started()
        submitted = asyncio.create_task(idle.validate(account_id))
        await until_set(cloud.reached)
        assert (await idle.http.post(f"/onboarding/{account_id}/cancel")).status_code == 202
        cloud.let_go()
        answer = await submitted
    assert (answer.status_code, answer.json()["detail"]["code"]) == (409, "onboarding_closed")


async def test_nothing_is_promised_when_no_worker_accepts(idle: Portal) -> None:
    async with idle.rig.worker():
        account_id = await idle.started()
    answer = await idle.hurried(accept_wait_seconds=0.3).validate(account_id, "key-1")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    async with idle.rig.worker():
        assert (await idle.validate(account_id, "key-1")).status_code == 200


OUTPUTS = {"AccountId": ACCOUNT_NUMBER, "RoleArn": ROLE_ARN}
SNAKE = {"account_id": ACCOUNT_NUMBER, "role_arn": ROLE_ARN}


LISTED = [{"OutputKey": name, "OutputValue": value, "Description": CANARY} for name, value in OUTPUTS.items()]
# As the template of the platform before this one puts it out.
EVERYTHING = json.dumps(
    {**SNAKE, "role_name": "ThreatEngineReadOnly", "stack_name": "ThreatEngine", "region": "eu-west-1"}
)
WITH_EVERYTHING = [*LISTED, {"OutputKey": "OnboardingJson", "OutputValue": EVERYTHING}]
UNRELATED = {"StackName": "Shop", "Outputs": [{"OutputKey": "Url", "OutputValue": "https://shop.example"}]}
STACKS = {"Stacks": [UNRELATED, {"StackName": "ThreatEngine", "Parameters": [], "Outputs": WITH_EVERYTHING}]}


@pytest.mark.parametrize(
    "outputs",
    [
        OUTPUTS,
        SNAKE,
        json.dumps(OUTPUTS),
        {"RoleArn": ROLE_ARN},
        EVERYTHING,
        json.dumps(EVERYTHING),
        {"OnboardingJson": EVERYTHING},
        {**OUTPUTS, "OnboardingJson": EVERYTHING},
        LISTED,
        {"Outputs": LISTED},
        STACKS,
        json.dumps(STACKS),
        json.dumps(STACKS["Stacks"]),
        {**OUTPUTS, "role_arn": ROLE_ARN, CANARY: CANARY},
    ],
)
async def test_a_stacks_outputs_are_a_credential(portal: Portal, outputs: object) -> None:
    started = (await portal.init()).json()
    body = {"account_id": started["account_id"], "onboarding_json": outputs}
    answer = await portal.http.post("/onboarding/aws/validate-json", json=body)
    assert answer.status_code == 200
    assert portal.rig.provider.calls[0].credential_type == "aws_iam_role"
    assert portal.rig.provider.calls[0].expectation.may_propagate is True


async def test_the_external_id_of_the_outputs_is_compared(portal: Portal) -> None:
    body = {"account_id": await portal.started(), "onboarding_json": {**OUTPUTS, "ExternalId": "te-other"}}
    answer = await portal.http.post("/onboarding/aws/validate-json", json=body)
    assert (answer.status_code, codes(answer)) == (400, ["external_id_mismatch"])


@pytest.mark.parametrize(
    ("outputs", "code"),
    [
        ("{" + CANARY, "not_json"),
        ("1", "not_an_object"),
        (json.dumps(json.dumps(json.dumps(OUTPUTS))), "not_an_object"),
        ('{"RoleArn": 1, "RoleArn": 2}', "duplicate_key"),
        ({"RoleArn": ROLE_ARN, "role_arn": f"{ROLE_ARN}2"}, "duplicate_key"),
        ([*STACKS["Stacks"], {"Outputs": [{"OutputKey": "RoleArn", "OutputValue": CANARY}]}], "duplicate_key"),
        ("[]", "missing"),
        ({"AccountId": ACCOUNT_NUMBER, CANARY: CANARY}, "missing"),
        ({"RoleArn": CANARY}, "bad_format"),
        ({"RoleArn": {"Ref": CANARY}}, "not_text"),
        ({"OnboardingJson": "{" + CANARY}, "not_json"),
    ],
)
async def test_outputs_that_are_none_are_refused(portal: Portal, outputs: object, code: str) -> None:
    body = {"account_id": await portal.started(), "onboarding_json": outputs}
    answer = await portal.http.post("/onboarding/aws/validate-json", json=body)
    assert (answer.status_code, codes(answer)) == (400, [code])
    assert answer.json()["detail"]["problems"][0]["pointer"].startswith("/onboarding_json")
    assert CANARY not in answer.text


@pytest.mark.parametrize(
    ("outputs", "place"),
    [
        ({"RoleArn": CANARY}, "/RoleArn"),
        ({"role_arn": CANARY}, "/role_arn"),
        (
            {"Stacks": [UNRELATED, {"Outputs": [LISTED[0], {**LISTED[1], "OutputValue": CANARY}]}]},
            "/Stacks/1/Outputs/1/OutputValue",
        ),
        (json.dumps({"RoleArn": CANARY}), ""),
        (f"{{\u201cRoleArn\u201d: \u201c{CANARY}\u201d}}", ""),
        ({}, ""),
    ],
)
async def test_a_fault_of_the_outputs_points_to_the_output(portal: Portal, outputs: object, place: str) -> None:
    """Into a text no pointer can go."""
    body = {"account_id": await portal.started(), "onboarding_json": outputs}
    answer = await portal.http.post("/onboarding/aws/validate-json", json=body)
    assert answer.json()["detail"]["problems"][0]["pointer"] == f"/onboarding_json{place}"
