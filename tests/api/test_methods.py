"""What a cloud asks for, and what the customer deploys."""

import pytest

from domain.onboarding.catalogue import Setup, SetupRequest
from tests.api.portal import Portal, open_portal
from tests.api.test_accounts import registered
from tests.fakes_clouds import FakeCatalogue, ScriptedProvider

ABSENT = "00000000-0000-4000-8000-000000000000"
TEMPLATE = "/onboarding/aws/cloudformation-template"
EXTERNAL_ID = "te-0123456789abcdef0123456789abcdef"


async def test_the_methods_of_a_cloud_are_published(offline: Portal) -> None:
    body = (await offline.http.get("/onboarding/aws/methods")).json()
    assert body["provider"] == "aws"
    role, key = body["methods"]
    assert (role["method"], role["requires"], role["cloudformation_supported"]) == ("iam_role", ["role_arn"], True)
    assert key["requires"] == ["access_key_id", "secret_access_key"]
    assert body["permissions"][0] == {
        "name": "iam:GetAccountSummary",
        "required": True,
        "purpose": "Finds root keys.",
    }


@pytest.mark.parametrize("provider", ["azure", "accounts", "x", "%00"])
async def test_a_cloud_that_is_not_on_offer_has_no_methods(offline: Portal, provider: str) -> None:
    assert (await offline.http.get(f"/onboarding/{provider}/methods")).status_code == 404


async def test_the_setup_is_of_one_account(offline: Portal) -> None:
    account_id = registered(offline, 1)
    body = (await offline.http.get("/onboarding/aws/setup", params={"account_id": account_id})).json()
    assert (body["account_id"], body["external_id"]) == (account_id, "te-1")
    assert body["platform_account_id"] == "111111111111"
    assert "Default: te-1" in body["template"]


@pytest.mark.parametrize(("provider", "account_id"), [("aws", ABSENT), ("aws", "x"), ("gcp", ""), ("azure", None)])
async def test_the_setup_needs_an_account_of_that_cloud(offline: Portal, provider: str, account_id: str | None) -> None:
    query = {"account_id": registered(offline, 1) if account_id is None else account_id}
    assert (await offline.http.get(f"/onboarding/{provider}/setup", params=query)).status_code == 404


async def test_the_template_is_for_one_external_id(offline: Portal) -> None:
    body = (await offline.http.get(TEMPLATE, params={"external_id": EXTERNAL_ID})).json()
    assert (body["external_id"], body["platform_account_id"]) == (EXTERNAL_ID, "111111111111")
    assert EXTERNAL_ID in body["template"]


@pytest.mark.parametrize(
    "external_id", ["7f1c2d4e-9a3b-4c5d-8e6f-0a1b2c3d4e5f", "threat-engine/1234567890:AbC=", EXTERNAL_ID.upper()]
)
async def test_an_external_id_of_the_platform_before_has_a_template(offline: Portal, external_id: str) -> None:
    """It is filled in and nothing more: an account is onboarded with the id that we made for it."""
    body = (await offline.http.get(TEMPLATE, params={"external_id": external_id})).json()
    assert body["external_id"] == external_id


@pytest.mark.parametrize("external_id", ["", "te-1", "canary", EXTERNAL_ID + "\n", "canary" * 30, EXTERNAL_ID + "${X}"])
async def test_an_external_id_that_aws_or_a_guesser_would_not_take_has_no_template(
    offline: Portal, external_id: str
) -> None:
    answer = await offline.http.get(TEMPLATE, params={"external_id": external_id})
    assert (answer.status_code, answer.json()["detail"]["problems"][0]["pointer"]) == (400, "/external_id")
    assert "canary" not in answer.text


class Linked(ScriptedProvider):
    """A cloud whose template is published."""

    def setup(self, request: SetupRequest) -> Setup:
        url = f"https://console.test/?name={request.account_name}&id={request.external_id}"
        return Setup("T", "https://s3.test/t", url, instructions="Click.", platform_account_id="111111111111")


async def test_init_shows_the_links_of_the_template(portal: Portal) -> None:
    linked = open_portal(portal.rig, portal.rig.client, catalogue=FakeCatalogue({"aws": Linked()}))
    body = (await linked.init()).json()
    assert body["cloudformation_template_url"] == "https://s3.test/t"
    assert body["quick_create_url"] == f"https://console.test/?name=Production&id={body['external_id']}"
    key = (await linked.init(auth_method="access_key")).json()
    assert key["quick_create_url"] is key["cloudformation_template_url"] is None


@pytest.mark.parametrize("public_url", [None, "https://onboarding.platform.example"])
async def test_without_a_template_in_s3_the_address_is_that_of_our_own_route(
    portal: Portal, public_url: str | None
) -> None:
    """It answers with the template, filled in for the account; only the console cannot read it."""
    api = open_portal(portal.rig, portal.rig.client, public_url=public_url)
    body = (await api.init()).json()
    url = body["cloudformation_template_url"]
    assert url.startswith(f"{public_url or ''}/api/v1/onboarding/aws/cloudformation-template?external_id=te-")
    assert body["quick_create_url"] is None
    setup = (await api.http.get("/onboarding/aws/setup", params={"account_id": body["account_id"]})).json()
    assert setup["template_url"] == url
    template = await api.http.get(f"http://api.test{url.removeprefix(public_url or '')}")
    assert template.json()["external_id"] == body["external_id"]
