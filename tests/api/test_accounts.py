"""Accounts: listed and read. They are written by workflows."""

from dataclasses import replace
from typing import Any

import pytest

from domain.accounts import Account, Activation, ProviderType
from domain.audit.events import AuditEvent, audit_event
from domain.errors import UnreadableRow
from domain.onboarding.credentials import CredentialRef
from domain.pages import Page
from tests.api.portal import Portal, add_key, open_portal
from tests.fakes import FakeAccountStore
from tests.fakes_clouds import ACCOUNT_NUMBER, accepted
from tests.rig import AT, ORIGIN

ABSENT = "00000000-0000-4000-8000-000000000000"
LIST = "/onboarding/accounts"


def event(tenant_id: str, operation: str) -> AuditEvent:
    return audit_event(ORIGIN, operation=operation, tenant_id=tenant_id, action="a", target="account", at=AT)


def registered(portal: Portal, number: int) -> str:
    account_id, tenant_id = f"00000000-0000-4000-8000-{number:012}", portal.rig.tenant_id
    account = Account(
        account_id=account_id,
        tenant_id=tenant_id,
        provider_type=ProviderType.AWS,
        account_name=f"Account {number}",
        auth_method="iam_role",
        external_id="te-1",
        created_at=AT,
        updated_at=AT,
        expires_at=AT,
    )
    portal.rig.stores.accounts.register(account, event(tenant_id, f"register-{number}"))
    return account_id


def activated(portal: Portal, number: int) -> str:
    account_id, tenant_id = registered(portal, number), portal.rig.tenant_id
    activation = Activation(accepted(), CredentialRef("arn", "1"), attempts=1, provider_type=ProviderType.AWS)
    portal.rig.stores.accounts.activate(tenant_id, account_id, activation, event(tenant_id, f"activate-{number}"))
    return account_id


async def test_an_account_in_a_list_has_the_fields_of_the_contract(offline: Portal) -> None:
    account_id = registered(offline, 1)
    body = (await offline.http.get(LIST, params={"tenant_id": offline.rig.tenant_id})).json()
    assert body == {
        "accounts": [
            {
                "account_id": account_id,
                "account_name": "Account 1",
                "account_number": None,
                "provider_type": "aws",
                "status": "pending",
                "onboarding_status": "in_progress",
                "created_at": AT,
            }
        ],
        "next_cursor": None,
        "unreadable": 0,
    }


async def test_accounts_are_listed_by_pages(offline: Portal) -> None:
    ids = [registered(offline, number) for number in range(1, 6)]
    query, seen = {"tenant_id": offline.rig.tenant_id, "limit": "2"}, []
    while True:
        page = (await offline.http.get(LIST, params=query)).json()
        seen += [account["account_id"] for account in page["accounts"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == ids


async def test_accounts_are_filtered(offline: Portal) -> None:
    active = activated(offline, 1)
    registered(offline, 2)
    query = {"tenant_id": offline.rig.tenant_id, "status": "active", "provider_type": "aws"}
    body = (await offline.http.get(LIST, params=query)).json()
    assert [account["account_id"] for account in body["accounts"]] == [active]
    body = (await offline.http.get(LIST, params=query | {"provider_type": "gcp"})).json()
    assert body["accounts"] == []


async def test_a_cursor_is_of_its_filters(offline: Portal) -> None:
    registered(offline, 1), registered(offline, 2)
    query = {"tenant_id": offline.rig.tenant_id, "limit": "1"}
    cursor = (await offline.http.get(LIST, params=query)).json()["next_cursor"]
    answer = await offline.http.get(LIST, params=query | {"cursor": cursor, "status": "active"})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({}, "/tenant_id"),
        ({"limit": "0"}, "/limit"),
        ({"limit": "101"}, "/limit"),
        ({"status": "canary"}, "/status"),
        ({"provider_type": "canary"}, "/provider_type"),
    ],
)
async def test_a_bad_query_is_refused_without_an_echo(offline: Portal, query: dict[str, str], pointer: str) -> None:
    given = {"tenant_id": offline.rig.tenant_id, **query} if query else {}
    answer = await offline.http.get(LIST, params=given)
    assert (answer.status_code, answer.json()["detail"]["problems"][0]["pointer"]) == (400, pointer)
    assert "canary" not in answer.text


@pytest.mark.parametrize("tenant_id", [ABSENT, "x", ""])
async def test_an_absent_tenant_has_no_list(offline: Portal, tenant_id: str) -> None:
    assert (await offline.http.get(LIST, params={"tenant_id": tenant_id})).status_code == 404


async def test_an_account_shows_its_latest_verdict(offline: Portal) -> None:
    account_id = activated(offline, 1)
    body = (await offline.http.get(f"{LIST}/{account_id}")).json()
    assert (body["status"], body["account_number"], body["last_validated_at"]) == ("active", ACCOUNT_NUMBER, AT)
    assert body["last_verdict"]["outcome"] == "active"
    assert body["last_verdict"]["identity"].startswith("arn:aws:iam::")
    assert "credential" not in body
    assert "external_id" not in body


@pytest.mark.parametrize("account_id", [ABSENT, "x", "%00", "a" * 5000])
async def test_there_is_no_absent_account(offline: Portal, account_id: str) -> None:
    assert (await offline.http.get(f"{LIST}/{account_id}")).status_code == 404


async def test_another_tenants_account_is_as_absent(offline: Portal) -> None:
    account_id = registered(offline, 1)
    other = (await offline.http.post("/tenants", json={"tenant_name": "Other"})).json()["tenant_id"]
    offline.http.headers["Authorization"] = f"Bearer {add_key(offline.rig, tenant_id=other)}"
    foreign, absent = await offline.http.get(f"{LIST}/{account_id}"), await offline.http.get(f"{LIST}/{ABSENT}")
    assert (foreign.status_code, foreign.content) == (404, absent.content)
    assert (await offline.validate(account_id)).status_code == 404
    assert (await offline.http.get("/onboarding/aws/setup", params={"account_id": account_id})).status_code == 404
    assert (await offline.http.get(LIST, params={"tenant_id": offline.rig.tenant_id})).status_code == 404


class OneUnreadable(FakeAccountStore):
    """A page of which one row has another form."""

    def page(self, tenant_id: str, **query: Any) -> Page[Account]:
        return replace(super().page(tenant_id, **query), unreadable=("another-program",))

    def tenant_of(self, account_id: str) -> str:
        raise UnreadableRow


async def test_a_list_says_that_a_record_is_left_out_and_the_record_alone_has_an_error_of_its_own(
    offline: Portal,
) -> None:
    stores = offline.rig.stores
    accounts = OneUnreadable(stores.ledger, stores.tenants)
    portal = open_portal(offline.rig, offline.rig.client, accounts=accounts)
    portal.http.headers["Authorization"] = f"Bearer {add_key(offline.rig)}"
    async with portal.http:
        listed = await portal.http.get(LIST, params={"tenant_id": offline.rig.tenant_id})
        alone = await portal.http.get(f"{LIST}/{ABSENT}")
    assert (listed.status_code, listed.json()["accounts"], listed.json()["unreadable"]) == (200, [], 1)
    assert "another-program" not in listed.text
    assert (alone.status_code, alone.json()["detail"]["code"]) == (500, "unreadable_row")
