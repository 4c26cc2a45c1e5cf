"""Access tokens over HTTP: the issuer's own are accepted, and nothing that looks like one."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from api.auth.access_tokens import NO_TENANT, AccessTokens, Trust
from api.auth.issuer_keys import IssuerKeys
from domain.callers.access import Scope
from tests.api.forgeries import forgeries
from tests.api.portal import Portal, open_portal
from tests.issuer import AUDIENCE, ISSUER, Issuer
from tests.rig import add_tenant

FORGERIES = dict(forgeries())
TRUST = Trust(issuer=ISSUER, audience=AUDIENCE, admin_claim="groups", admin_value="platform-team")


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
async def guarded(offline: Portal, issuer: Issuer) -> AsyncIterator[Portal]:
    """An API that trusts the issuer, whose tenant is there."""
    add_tenant(offline.rig.stores, issuer.tenant_id)
    tokens = AccessTokens(TRUST, IssuerKeys(issuer.key_set))
    portal = open_portal(offline.rig, offline.rig.client, tokens=tokens)
    async with portal.http:
        yield portal


async def status(portal: Portal, token: str, path: str = "/tenants/{0}", **query: Any) -> int:
    return (await answer(portal, token, path, **query)).status_code


async def answer(portal: Portal, token: str, path: str = "/tenants/{0}", **query: Any) -> httpx.Response:
    headers = {b"Authorization": b"Bearer " + token.encode()}
    return await portal.http.get(path.format(portal.rig.tenant_id), headers=headers, params=query)


def test_there_are_forgeries_enough() -> None:
    assert len(FORGERIES) >= 38


@pytest.mark.parametrize("kid", ["rsa-1", "ec-1"])
async def test_a_good_token_lets_its_tenant_in(guarded: Portal, issuer: Issuer, kid: str) -> None:
    assert await status(guarded, issuer.good(kid), f"/tenants/{issuer.tenant_id}") == 200
    assert await status(guarded, issuer.good(kid), f"/tenants/{guarded.rig.tenant_id}") == 404


@pytest.mark.parametrize("changes", [{"aud": [AUDIENCE, "other"]}, {"iat": 0.0}, {"nbf": 0}], ids=["aud", "iat", "nbf"])
async def test_what_the_standard_leaves_open_is_accepted(guarded: Portal, issuer: Issuer, changes: Any) -> None:
    claims = issuer.claims()
    given = {name: claims["iat"] + 0.5 if name == "iat" else value for name, value in changes.items()}
    assert await status(guarded, issuer.good(**given), f"/tenants/{issuer.tenant_id}") == 200


@pytest.mark.parametrize("kind", ["AT+JWT", "application/at+jwt"])
async def test_a_type_is_compared_as_media_types_are(guarded: Portal, issuer: Issuer, kind: str) -> None:
    assert await status(guarded, issuer.odd(typ=kind), f"/tenants/{issuer.tenant_id}") == 200


async def test_a_clock_may_be_half_a_minute_off(guarded: Portal, issuer: Issuer) -> None:
    now = issuer.claims()["iat"]
    for times in ({"iat": now + 20, "exp": now + 300}, {"iat": now - 300, "exp": now - 20}):
        assert await status(guarded, issuer.good(**times), f"/tenants/{issuer.tenant_id}") == 200


async def test_forged_tokens_are_refused_all_alike(guarded: Portal, issuer: Issuer) -> None:
    refused = (401, (await answer(guarded, "nonsense")).content)
    answers = {name: await answer(guarded, forge(issuer)) for name, forge in FORGERIES.items()}
    assert [name for name, given in answers.items() if (given.status_code, given.content) != refused] == []


async def test_what_a_token_is_refused_for_is_in_the_log_without_the_token(guarded: Portal, issuer: Issuer) -> None:
    forged = issuer.good(aud="kanarienvogel")
    with capture_logs() as logged:
        await answer(guarded, forged)
    [refused] = [entry for entry in logged if entry["event"] == "token.refused"]
    assert refused["reason"] == "InvalidAudienceError"
    assert "kanarienvogel" not in str(logged)
    assert forged.split(".")[1] not in str(logged)


async def test_scopes_come_from_their_claim_and_unknown_ones_count_for_nothing(guarded: Portal, issuer: Issuer) -> None:
    path, query = "/schedules", {"tenant_id": issuer.tenant_id}
    for scope in (
        None,
        "",
        "openid",
        "schedules:read:all SCHEDULES:READ",
        7,
        {"schedules:read": True},
        [["schedules:read"]],
    ):
        refused = await answer(guarded, issuer.good(scope=scope), path, **query)
        assert (refused.status_code, "schedules:read" in refused.json()["detail"]["message"]) == (403, True)
    for granted in ("openid schedules:read", ["schedules:read"]):
        assert await status(guarded, issuer.good(scope=granted), path, **query) == 200


@pytest.mark.parametrize("tenant", [None, "", "platform", "*", 7, ["a"], "00000000-0000-4000-8000-00000000000A"])
async def test_a_token_without_a_tenant_gives_no_access_and_says_so(
    guarded: Portal, issuer: Issuer, tenant: Any
) -> None:
    refused = await answer(guarded, issuer.good(tenant_id=tenant, scope="tenants:admin accounts:read"), "/tenants")
    assert (refused.status_code, refused.json()["detail"]["message"]) == (403, NO_TENANT)


async def test_only_the_claim_that_is_configured_makes_a_caller_the_platforms(guarded: Portal, issuer: Issuer) -> None:
    everything = " ".join(Scope)
    for groups in ("platform-team", ["other", "platform-team"]):
        good = issuer.good(tenant_id=None, groups=groups, scope=everything)
        assert await status(guarded, good, "/tenants") == 200
    for other in (None, True, "platform", "platform-teams", ["x"], {"platform-team": True}, [["platform-team"]]):
        plain = issuer.good(groups=other, scope=everything)
        assert await status(guarded, plain, "/tenants") == 403


async def test_a_token_of_the_platform_still_needs_its_scopes(guarded: Portal, issuer: Issuer) -> None:
    token = issuer.good(tenant_id=None, groups="platform-team", scope="accounts:read")
    assert await status(guarded, token, "/tenants") == 403
    assert await status(guarded, token) == 200


async def test_a_token_of_the_platform_and_of_a_tenant_is_refused(guarded: Portal, issuer: Issuer) -> None:
    assert await status(guarded, issuer.good(groups="platform-team", scope="tenants:admin"), "/tenants") == 401


async def test_what_a_token_does_is_on_record_under_its_subject(guarded: Portal, issuer: Issuer) -> None:
    token = issuer.good(tenant_id=None, groups="platform-team", scope="tenants:admin", sub="anna")
    headers = {"Authorization": f"Bearer {token}"}
    made = await guarded.http.post("/tenants", json={"tenant_name": "Acme"}, headers=headers)
    assert guarded.rig.stores.ledger.of(made.json()["tenant_id"])[0].actor == "oidc:anna"


async def test_a_token_is_taken_from_one_header_only(guarded: Portal, issuer: Issuer) -> None:
    del guarded.http.headers["Authorization"]
    path = f"/tenants/{issuer.tenant_id}"
    assert (await guarded.http.get(path, headers={"X-API-Key": issuer.good()})).status_code == 401


async def test_without_an_issuer_no_token_is_accepted(offline: Portal, issuer: Issuer) -> None:
    assert await status(offline, issuer.good(), f"/tenants/{issuer.tenant_id}") == 401


async def test_keys_go_on_working_beside_tokens(guarded: Portal) -> None:
    assert (await guarded.http.get("/tenants")).status_code == 200
