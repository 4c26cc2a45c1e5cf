"""The contract of IdentityTokens and IdentityKeys, on the fake and on both emulators."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from mypy_boto3_kms import KMSClient

from domain.errors import PlatformConfig, Trouble
from domain.ports import IdentityKeys, IdentityTokens
from emulators.clouds.gcp_tokens import is_signed_by, key_in, parsed
from stores.kms.identity import FRESH_SECONDS, KmsIdentityKeys, KmsIdentityTokens
from stores.kms.keys import IDENTITY_KEY, ensure_keys
from tests.fakes_identity import ISSUER, FakeIdentity
from tests.stores.conftest import EMULATORS, Aws, impatient_clients


@dataclass(frozen=True)
class Identity:
    tokens: IdentityTokens
    keys: IdentityKeys


@pytest.fixture(params=["fake", *EMULATORS])
def identity(request: pytest.FixtureRequest) -> Identity:
    if request.param == "fake":
        fake = FakeIdentity()
        return Identity(fake, fake)
    kms = impatient_clients(request.getfixturevalue(f"{request.param}_url")).kms
    ensure_keys(kms, identity=True)
    return Identity(
        KmsIdentityTokens(kms, issuer=ISSUER, key_id=IDENTITY_KEY),
        KmsIdentityKeys(kms, issuer=ISSUER, key_id=IDENTITY_KEY),
    )


def test_a_token_is_signed_by_the_published_key_that_it_names(identity: Identity):
    token = identity.tokens.token("te-1", "//audience")
    [key] = [key for key in identity.keys.published() if key["kid"] == parsed(token)[0]["kid"]]
    assert is_signed_by(token, key_in(key))
    assert parsed(token)[0] == {"alg": "RS256", "typ": "JWT", "kid": key["kid"]}


def test_a_token_with_one_letter_changed_is_not_signed(identity: Identity):
    header, claims, signature = identity.tokens.token("te-1", "//audience").split(".")
    key = key_in(identity.keys.published()[0])
    flipped = ("A" if claims[10] != "A" else "B").join((claims[:10], claims[11:]))
    assert not is_signed_by(f"{header}.{flipped}.{signature}", key)


def test_a_token_says_who_for_whom_and_for_how_long(identity: Identity):
    claims = parsed(identity.tokens.token("te-1", "//audience"))[1]
    assert (claims["iss"], claims["sub"], claims["aud"]) == (ISSUER, "te-1", "//audience")
    assert set(claims) == {"iss", "sub", "aud", "iat", "nbf", "exp", "jti"}
    assert claims["iat"] == claims["nbf"] < time.time() < claims["exp"]
    assert claims["exp"] - claims["iat"] < 1000


def test_no_two_tokens_have_one_name(identity: Identity):
    names = {parsed(identity.tokens.token("te-1", "//audience"))[1]["jti"] for _ in range(3)}
    assert len(names) == 3


def test_nothing_private_is_published(identity: Identity):
    assert [set(key) for key in identity.keys.published()] == [{"kty", "use", "alg", "kid", "n", "e"}]
    assert identity.keys.issuer == identity.tokens.issuer == ISSUER


# On the emulators only


@pytest.fixture
def kms(aws: Aws) -> KMSClient:
    return aws.clients.kms


def made(kms: KMSClient, **kind: str) -> str:
    spec = {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY", **kind}
    return kms.create_key(**spec)["KeyMetadata"]["KeyId"]  # type: ignore[arg-type]


def recording(kms: KMSClient) -> list[str]:
    """The operations that are asked for from now on."""
    calls: list[str] = []
    kms.meta.events.register("before-parameter-build.kms", lambda model, **_: calls.append(model.name))
    return calls


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_key_is_looked_up_once_in_five_minutes(kms: KMSClient):
    clock, calls = Clock(), recording(kms)
    keys = KmsIdentityKeys(kms, issuer=ISSUER, key_id=made(kms), clock=clock)
    calls.clear()
    assert keys.published() == keys.published()
    assert calls == ["GetPublicKey"]
    clock.now += FRESH_SECONDS
    keys.published()
    assert calls == ["GetPublicKey"] * 2


def test_where_the_alias_leads_is_seen_after_five_minutes_and_a_token_names_the_key_that_signs_it(kms: KMSClient):
    alias, clock = f"alias/moved-{made(kms)}", Clock()
    kms.create_alias(AliasName=alias, TargetKeyId=made(kms))
    tokens = KmsIdentityTokens(kms, issuer=ISSUER, key_id=alias, clock=clock)
    [old] = KmsIdentityKeys(kms, issuer=ISSUER, key_id=alias).published()
    tokens.token("s", "a")
    kms.update_alias(AliasName=alias, TargetKeyId=made(kms))
    assert is_signed_by(tokens.token("s", "a"), key_in(old))
    clock.now += FRESH_SECONDS
    [new] = KmsIdentityKeys(kms, issuer=ISSUER, key_id=alias).published()
    token = tokens.token("s", "a")
    assert (parsed(token)[0]["kid"], is_signed_by(token, key_in(new))) == (new["kid"], True)
    assert new["kid"] != old["kid"]


def test_while_kms_does_not_answer_what_was_known_is_published(kms: KMSClient):
    clock, failing = Clock(), Failing(kms)
    keys = KmsIdentityKeys(failing, issuer=ISSUER, key_id=made(kms), clock=clock)  # type: ignore[arg-type]
    known = keys.published()
    clock.now += FRESH_SECONDS
    failing.broken = True
    assert keys.published() == known


def test_what_was_never_known_is_trouble(kms: KMSClient):
    keys = KmsIdentityKeys(kms, issuer=ISSUER, key_id="alias/there-is-none")
    with pytest.raises(Trouble):
        keys.published()


def test_a_key_of_another_kind_is_our_trouble(kms: KMSClient):
    key_id = made(kms, KeySpec="ECC_NIST_P256")
    with pytest.raises(PlatformConfig):
        KmsIdentityTokens(kms, issuer=ISSUER, key_id=key_id).token("s", "a")


class Failing:
    """A KMS that can be switched off."""

    def __init__(self, kms: KMSClient) -> None:
        self.broken = False
        self._kms = kms

    def __getattr__(self, name: str) -> Callable[..., object]:
        method: Callable[..., object] = getattr(self._off if self.broken else self._kms, name)
        return method

    @property
    def _off(self) -> KMSClient:
        return impatient_clients("http://127.0.0.1:9").kms
