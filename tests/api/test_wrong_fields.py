"""What a portal's developer reads when a field of a body is wrong: where it is, and what is allowed there."""

from typing import Any
from uuid import uuid4

import pytest

from tests.api.portal import Portal

CANARY = "kanarienvogel"
ID = str(uuid4())
NIGHTLY = {
    "tenant_id": ID,
    "account_id": ID,
    "name": "Nightly",
    "schedule_type": "cron",
    "cron_expression": "0 2 * * *",
}


async def told(portal: Portal, path: str, body: object) -> list[tuple[str, str, str]]:
    answer = await portal.http.post(path, json=body)
    assert CANARY not in answer.text
    return [(each["pointer"], each["code"], each["message"]) for each in answer.json()["detail"]["problems"]]


@pytest.mark.parametrize(
    ("changes", "pointer", "code", "words"),
    [
        ({"notification_channels": {CANARY: "x"}}, "/notification_channels", "unknown_field", "are: webhook, sns."),
        (
            {"notification_channels": {"webhook": {CANARY: 1, "url": "https://a.example"}}},
            "/notification_channels/webhook",
            "unknown_field",
            "1 unknown field in notification_channels.webhook; the fields are: url, secret.",
        ),
        ({"notification_channels": {"webhook": {}}}, "/notification_channels/webhook/url", "missing", "1 to 2048"),
        ({"notification_channels": CANARY}, "/notification_channels", "invalid", "with the fields webhook, sns"),
        (
            {"notification_channels": {"sns": {"topic_arn": 1}}},
            "/notification_channels/sns/topic_arn",
            "wrong_type",
            "text",
        ),
        ({"schedule_type": CANARY}, "/schedule_type", "unknown_value", "must be one of: cron, interval, one_time."),
        ({"interval_seconds": CANARY}, "/interval_seconds", "invalid", "a whole number from 1 to 31622400"),
        ({"interval_seconds": 3600.5}, "/interval_seconds", "invalid", "a whole number from 1 to 31622400"),
        ({"notify_on_failure": CANARY}, "/notify_on_failure", "wrong_type", "must be true or false"),
        (
            {"regions": [CANARY, f"{CANARY}!"]},
            "/regions/1",
            "invalid",
            "regions[1] is not acceptable; it must be text",
        ),
        ({"regions": CANARY}, "/regions", "invalid", "a list of at most 100 items"),
        ({"account_id": 7}, "/account_id", "wrong_type", "must be a UUID in lower case"),
        ({"name": None}, "/name", "wrong_type", "text of 1 to 128 characters"),
    ],
)
async def test_a_fault_points_to_its_place_and_says_what_is_allowed_there(
    offline: Portal, changes: dict[str, Any], pointer: str, code: str, words: str
) -> None:
    [(found_pointer, found_code, message)] = await told(offline, "/schedules", {**NIGHTLY, **changes})
    assert (found_pointer, found_code) == (pointer, code)
    assert words in message


async def test_a_body_that_is_no_object_is_told_the_fields(offline: Portal) -> None:
    [(pointer, code, message)] = await told(offline, "/tenants", [CANARY])
    assert (pointer, code) == ("", "not_an_object")
    assert message == "The body must be an object with the fields tenant_name, description, as JSON."


async def test_a_body_without_fields_says_so_in_words(offline: Portal) -> None:
    [(pointer, code, message)] = await told(offline, f"/schedules/{ID}/trigger", {CANARY: 1})
    assert (pointer, code, message) == ("", "unknown_field", "1 unknown field; there are none, so send {}.")


async def test_the_values_of_a_role_and_of_scopes_are_listed(offline: Portal) -> None:
    body = {"tenant_id": ID, "name": "x", "role": CANARY, "scopes": [CANARY], "expires_in_days": 0}
    role, scopes, days = await told(offline, "/api-keys", body)
    assert (role[0], "admin, operator, viewer, integration" in role[2]) == ("/role", True)
    assert (scopes[0], "accounts:read" in scopes[2]) == ("/scopes/0", True)
    assert (days[0], days[1], "a whole number from 1 to 3650" in days[2]) == ("/expires_in_days", "invalid", True)


async def test_an_empty_list_is_told_how_long_it_must_be(offline: Portal) -> None:
    [(pointer, code, message)] = await told(offline, "/api-keys", {"tenant_id": ID, "name": "x", "scopes": []})
    assert (pointer, code) == ("/scopes", "too_short")
    assert "a list of 1 to 9 items" in message


async def test_null_in_place_of_a_field_that_may_be_left_out_leaves_it_out(offline: Portal) -> None:
    """As the portal of the platform before this one sends its forms."""
    optional = {
        *("description", "timezone", "regions", "services", "exclude_services", "interval_seconds", "run_at"),
        *("notify_on_success", "notify_on_failure", "notification_channels"),
    }
    answer = await offline.http.post("/schedules", json={**NIGHTLY, **dict.fromkeys(optional)})
    assert answer.status_code == 404, answer.text  # the body is right: what is missing is the tenant
    for path, body in (
        ("/tenants", {"tenant_name": "Acme", "description": None}),
        ("/api-keys", {"tenant_id": offline.rig.tenant_id, "name": "x", "role": "viewer", "expires_in_days": None}),
    ):
        assert (await offline.http.post(path, json=body)).status_code == 201


async def test_a_whole_number_may_be_written_as_a_float(offline: Portal) -> None:
    body = {"schedule_type": "interval", "interval_seconds": 3600.0}
    answer = await offline.http.post("/schedules/preview", json=body)
    assert answer.status_code == 200, answer.text
