"""The platform as an identity provider: what it publishes is what a cloud checks its tokens with."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from domain.errors import Unavailable
from emulators.clouds.gcp_federation import FederatedGcpCloud, KeySet
from emulators.clouds.server import StandIn, running_stand_in
from providers.gcp.provider import GcpProvider, is_gcp_host
from tests.api.portal import Portal, open_portal
from tests.fakes_identity import ISSUER, FakeIdentity, made_key
from tests.providers.stand_in_rig import EXPECTED, EXTERNAL_ID, Rig, credential

CONFIGURATION, KEYS = "/.well-known/openid-configuration", "/.well-known/jwks.json"


@pytest.fixture
def identity() -> FakeIdentity:
    return FakeIdentity()


@pytest.fixture
async def issuer(offline: Portal, identity: FakeIdentity) -> AsyncIterator[Portal]:
    """An API that is known as the issuer, and a caller without a key."""
    portal = open_portal(offline.rig, offline.rig.client, identity=identity)
    portal.http.base_url = ISSUER
    del portal.http.headers["Authorization"]
    async with portal.http:
        yield portal


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_stand_in(tmp_path_factory.mktemp("gcp"), []) as stand_in:
        yield stand_in


async def discovered(portal: Portal) -> KeySet:
    """The keys, found as a relying party finds them: from the issuer alone."""
    configuration = (await portal.http.get(f"{ISSUER}{CONFIGURATION}")).json()
    assert configuration["issuer"] == ISSUER
    keys: KeySet = (await portal.http.get(configuration["jwks_uri"])).json()["keys"]
    return keys


async def test_a_cloud_checks_our_tokens_with_what_it_finds_under_the_issuer(
    issuer: Portal, identity: FakeIdentity, server: StandIn
) -> None:
    keys = await discovered(issuer)
    cloud = FederatedGcpCloud(ISSUER, lambda: keys, external_id=EXTERNAL_ID, key=made_key("account"))
    pool = credential("gcp_workload_identity", cloud.keyless_credential())
    with Rig(server, cloud, make=lambda client: GcpProvider(client, identity), is_allowed=is_gcp_host) as rig:
        assert rig.provider.validate(pool, EXPECTED).accepted
        identity.key = made_key("another")
        assert not rig.provider.validate(pool, EXPECTED).accepted


async def test_what_is_supported_is_what_the_tokens_are(issuer: Portal) -> None:
    configuration: dict[str, Any] = (await issuer.http.get(CONFIGURATION)).json()
    assert configuration == {
        "issuer": ISSUER,
        "jwks_uri": f"{ISSUER}{KEYS}",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["iss", "sub", "aud", "iat", "nbf", "exp", "jti"],
    }


@pytest.mark.parametrize("path", [CONFIGURATION, KEYS])
async def test_both_may_be_kept_for_some_minutes_by_everyone(issuer: Portal, path: str) -> None:
    answer = await issuer.http.get(path)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "public, max-age=300")
    assert answer.headers["Content-Type"] == "application/json"


async def test_nothing_private_is_published(issuer: Portal) -> None:
    [key] = (await issuer.http.get(KEYS)).json()["keys"]
    assert set(key) == {"kty", "use", "alg", "kid", "n", "e"}


@pytest.mark.parametrize("path", [CONFIGURATION, KEYS])
async def test_without_an_issuer_there_is_nothing(offline: Portal, path: str) -> None:
    answer = await offline.http.get(f"{ISSUER}{path}")
    assert (answer.status_code, answer.json()["detail"]["code"]) == (404, "not_found")
    assert answer.headers["Cache-Control"] == "no-store"


class Silent(FakeIdentity):
    def published(self) -> KeySet:
        raise Unavailable


async def test_trouble_with_the_key_is_not_kept(offline: Portal) -> None:
    portal = open_portal(offline.rig, offline.rig.client, identity=Silent())
    async with portal.http:
        answer = await portal.http.get(f"{ISSUER}{KEYS}")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (503, "no-store")
