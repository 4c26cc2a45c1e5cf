"""Signing in the whole way: settings as an operator writes them, the issuer's metadata and keys over TLS, a token that
it signed, and a request at the API."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

import config
from api.auth.access_tokens import NO_TENANT
from composition.issuer import access_tokens
from domain.timestamps import parse
from tests.api.portal import Portal, open_portal
from tests.issuer import AUDIENCE, Issuer
from tests.rig import add_tenant
from tests.transport.receiver import running_receiver
from tests.transport.test_issuer import METADATA, Served

READ, RUN = "accounts:read", "scans:run"
NAMESPACED = "https://claims.example.com/tenant"


@dataclass
class Login:
    """An issuer on the network, and an API that trusts it as its settings say."""

    portal: Portal
    served: Served
    issuer: Issuer

    def token(self, **claims: Any) -> str:
        return self.issuer.good(**{"iss": self.served.issuer, **claims})

    async def get(self, token: str, path: str | None = None) -> httpx.Response:
        path = path or f"/tenants/{self.issuer.tenant_id}"
        return await self.portal.http.get(path, headers={"Authorization": f"Bearer {token}"})

    @property
    def asked(self) -> list[str]:
        return [path for _, path, _, _ in self.served.receiver.requests]


Open = Callable[..., Login]


@pytest.fixture
async def login(offline: Portal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Open]:
    """Opens the API with these variables beside the three that are always needed."""
    opened: list[Portal] = []
    with running_receiver(tmp_path, "127.0.0.1") as receiver:
        served, issuer = Served(receiver), Issuer()
        served.key_set = issuer.key_set()
        add_tenant(offline.rig.stores, issuer.tenant_id)

        def login(**variables: str) -> Login:
            given = {
                "PLATFORM_AWS_ACCOUNT_ID": "111122223333",
                "OIDC_ISSUER": served.issuer,
                "OIDC_AUDIENCE": AUDIENCE,
                "OIDC_CA_FILE": receiver.ca_file,
                **variables,
            }
            for name, value in given.items():
                monkeypatch.setenv(name, value)
            settings, _ = config.load()
            opened.append(open_portal(offline.rig, offline.rig.client, tokens=access_tokens(settings)))
            return Login(opened[-1], served, issuer)

        yield login
        for portal in opened:
            await portal.http.aclose()


async def test_a_token_leads_from_the_metadata_to_its_tenant_and_its_scopes(login: Open) -> None:
    api = login()
    assert api.asked == []
    own, other = await api.get(api.token()), await api.get(api.token(), f"/tenants/{api.portal.rig.tenant_id}")
    assert (own.status_code, own.json()["tenant_id"]) == (200, api.issuer.tenant_id)
    assert other.status_code == 404
    assert api.asked == [METADATA, "/realm/keys"]
    missing = await api.get(api.token(), f"/schedules?tenant_id={api.issuer.tenant_id}")
    assert (missing.status_code, missing.json()["detail"]["code"]) == (403, "missing_scope")


async def test_a_token_is_told_who_it_is(login: Open) -> None:
    """Of a tenant, and of the platform's people; a scope that is none of ours gives nothing."""
    api = login(OIDC_ADMIN_CLAIM="roles", OIDC_ADMIN_VALUE="platform-team")
    own = (await api.get(api.token(scope=f"{READ} openid"), "/me")).json()
    assert {**own, "expires_at": None} == {
        "kind": "token",
        "tenant_id": api.issuer.tenant_id,
        "role": None,
        "scopes": [READ],
        "key_id": None,
        "expires_at": None,
    }
    assert parse(own["expires_at"]) > datetime.now(UTC)
    people = (await api.get(api.token(tenant_id=None, scope="tenants:admin", roles=["platform-team"]), "/me")).json()
    assert (people["tenant_id"], people["scopes"]) == (None, ["tenants:admin"])


async def test_a_key_that_the_issuer_does_not_publish_opens_nothing(login: Open) -> None:
    api = login()
    stranger = Issuer(api.issuer.tenant_id)
    stranger.keys = {"stranger": stranger.keys["ec-1"]}
    token = stranger.good("stranger", iss=api.served.issuer)
    assert (await api.get(token)).status_code == 401
    assert (await api.get(api.token(iss="https://127.0.0.1/another"))).status_code == 401


async def test_the_claim_of_the_tenant_is_the_one_of_the_settings(login: Open) -> None:
    api, claimed = login(OIDC_TENANT_CLAIM=NAMESPACED), str(uuid4())
    by_the_setting = api.token(tenant_id=None, **{NAMESPACED: api.issuer.tenant_id})
    assert (await api.get(by_the_setting)).status_code == 200
    by_the_default = await api.get(api.token())
    assert (by_the_default.status_code, by_the_default.json()["detail"]["message"]) == (403, NO_TENANT)
    of_both = api.token(**{NAMESPACED: claimed})
    assert (await api.get(of_both)).status_code == 404


async def test_the_claim_of_the_scopes_is_the_one_of_the_settings(login: Open) -> None:
    api = login(OIDC_SCOPES_CLAIM="permissions")
    assert (await api.get(api.token(scope=None, permissions=[READ, RUN]))).status_code == 200
    for token in (api.token(scope=READ), api.token(scope=READ, permissions=RUN)):
        refused = await api.get(token)
        assert (refused.status_code, f"scope {READ}," in refused.json()["detail"]["message"]) == (403, True)


async def test_the_claim_of_the_platforms_people_is_the_one_of_the_settings(login: Open) -> None:
    claims = {"tenant_id": None, "scope": "tenants:admin", "roles": ["platform-team"]}
    api = login(OIDC_ADMIN_CLAIM="roles", OIDC_ADMIN_VALUE="platform-team")
    assert (await api.get(api.token(**claims), "/tenants")).status_code == 200
    assert (await api.get(api.token(**{**claims, "roles": ["platform"]}), "/tenants")).status_code == 403
    assert (await login(OIDC_ADMIN_CLAIM="groups").get(api.token(**claims), "/tenants")).status_code == 403


async def test_the_audience_and_the_issuer_are_those_of_the_settings(login: Open) -> None:
    api = login(OIDC_AUDIENCE="another-api")
    assert (await api.get(api.token())).status_code == 401
    assert (await api.get(api.token(aud="another-api"))).status_code == 200
    moved = login(OIDC_AUDIENCE=AUDIENCE, OIDC_ISSUER=f"{api.served.issuer}/")
    assert (await moved.get(moved.token(iss=f"{api.served.issuer}/"))).status_code == 503


async def test_an_issuer_whose_authority_is_not_trusted_is_not_believed(login: Open, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with running_receiver(tmp_path / "other") as other:
        api = login(OIDC_CA_FILE=other.ca_file)
        assert (await api.get(api.token())).status_code == 503
    assert api.asked == []


async def test_without_an_issuer_in_the_settings_no_token_opens_anything(login: Open) -> None:
    api = login(OIDC_ISSUER="", OIDC_AUDIENCE="")
    assert (await api.get(api.token())).status_code == 401
    assert api.asked == []


@pytest.mark.parametrize("content", [None, "no authority"])
def test_a_file_of_authorities_that_cannot_be_used_ends_the_process_with_a_sentence(
    login: Open, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    file = tmp_path / "authorities.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SystemExit) as ended:
        login(OIDC_CA_FILE=str(file))
    assert ended.value.code == 2
    assert "OIDC_CA_FILE has a wrong value" in capsys.readouterr().err
