"""Sealed envelopes against a KMS of our own making, which keeps its promises and notes what it is asked.
`test_sealing` is the contract, with an emulator."""

import hmac
import json
import os
from base64 import b64decode, b64encode
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import CreateAwsKmsKeyringInput, CreateMultiKeyringInput
from aws_encryption_sdk import EncryptionSDKClient
from aws_encryption_sdk.identifiers import AlgorithmSuite
from botocore.exceptions import ClientError

from domain.errors import PayloadTooLarge, PlatformConfig, SealBroken, Throttled
from domain.onboarding.credentials import Credential, SealContext, SealPurpose
from stores.secrets.sealing import KmsOpener, KmsSealer

ARN = "arn:aws:kms:eu-central-1:111122223333:key/{0}"
CREDENTIAL = Credential("aws_access_key", {"access_key_id": "AKIA", "secret_access_key": "canary-4f1b"})
CONTEXT = SealContext("tenant-1", "account-1", "submission-1")


class InvalidCiphertextException(ClientError):
    """As botocore makes it."""


class IncorrectKeyException(ClientError):
    """As botocore makes it."""


class Kms:
    """Data keys stand in their blob in the clear, together with a mark over key and context: nobody attacks it here."""

    def __init__(self) -> None:
        self.meta = SimpleNamespace(region_name="eu-central-1", config=SimpleNamespace(user_agent_extra=""))
        self.exceptions: Any = SimpleNamespace(
            InvalidCiphertextException=InvalidCiphertextException, IncorrectKeyException=IncorrectKeyException
        )
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.fails: ClientError | None = None

    def describe_key(self, **request: Any) -> Any:
        self._note("DescribeKey", request)
        name = request["KeyId"].removeprefix("alias/")
        return {"KeyMetadata": {"Arn": name if name.startswith("arn:") else ARN.format(name)}}

    def generate_data_key(self, **request: Any) -> Any:
        self._note("GenerateDataKey", request)
        plain = os.urandom(request["NumberOfBytes"])
        return {"Plaintext": plain, **self._hidden(plain, request)}

    def encrypt(self, **request: Any) -> Any:
        self._note("Encrypt", request)
        return self._hidden(request["Plaintext"], request)

    def _hidden(self, plain: bytes, request: dict[str, Any]) -> dict[str, Any]:
        arn = self._arn(request)
        blob = {"key": b64encode(plain).decode(), "mark": self._mark(arn, plain, request["EncryptionContext"])}
        return {"CiphertextBlob": json.dumps(blob).encode(), "KeyId": arn}

    def decrypt(self, **request: Any) -> Any:
        self._note("Decrypt", request)
        arn = self._arn(request)
        try:
            blob = json.loads(request["CiphertextBlob"])
            plain = b64decode(blob["key"])
            good = blob["mark"] == self._mark(arn, plain, request["EncryptionContext"])
        except (ValueError, KeyError):
            good = False
        if not good:
            raise InvalidCiphertextException({"Error": {"Code": "InvalidCiphertextException"}}, "Decrypt")
        return {"Plaintext": plain, "KeyId": arn}

    def _note(self, name: str, request: dict[str, Any]) -> None:
        self.asked.append((name, request))
        if self.fails is not None:
            raise self.fails

    def _arn(self, request: dict[str, Any]) -> str:
        name = str(request["KeyId"]).removeprefix("alias/")
        return name if name.startswith("arn:") else ARN.format(name)

    def _mark(self, arn: str, plain: bytes, context: dict[str, str]) -> str:
        return hmac.digest(plain, json.dumps([arn, sorted(context.items())]).encode(), "sha256").hex()


@pytest.fixture
def kms() -> Any:
    return Kms()


def sealed_by(
    kms: Any, credential: Credential = CREDENTIAL, context: SealContext = CONTEXT, key: str = "alias/k"
) -> str:
    return KmsSealer(kms, key_id=key).seal(credential, context)


def opened_by(kms: Any, sealed: str, context: SealContext = CONTEXT, key: str = "alias/k") -> Credential:
    return KmsOpener(kms, key_id=key).open(sealed, context)


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}}, "Decrypt")


def test_what_is_sealed_opens_again_and_shows_nothing(kms: Any):
    sealed = sealed_by(kms)
    assert opened_by(kms, sealed) == CREDENTIAL
    assert b"canary-4f1b" not in b64decode(sealed)
    assert sealed != sealed_by(kms)


def test_kms_is_told_the_whole_context_and_asked_for_no_more(kms: Any):
    opened_by(kms, sealed_by(kms))
    assert [name for name, _ in kms.asked] == ["GenerateDataKey", "DescribeKey", "Decrypt"]
    for _, request in (kms.asked[0], kms.asked[2]):
        assert request["EncryptionContext"] == CONTEXT.as_mapping()
    assert kms.asked[2][1]["KeyId"] == ARN.format("k")


def test_the_arn_of_the_key_is_asked_for_once(kms: Any):
    opener, sealed = KmsOpener(kms, key_id="alias/k"), sealed_by(kms)
    for _ in range(3):
        assert opener.open(sealed, CONTEXT) == CREDENTIAL
    assert [name for name, _ in kms.asked].count("DescribeKey") == 1
    assert kms.asked[1] == ("DescribeKey", {"KeyId": "alias/k"})


@dataclass(frozen=True)
class Wider(SealContext):
    """A context with one more pair."""

    def as_mapping(self) -> dict[str, str]:
        return {**super().as_mapping(), "more": "pair"}


@pytest.mark.parametrize(
    "other",
    [
        replace(CONTEXT, tenant_id="tenant-2"),
        replace(CONTEXT, account_id="account-2"),
        replace(CONTEXT, submission_id="submission-2"),
        replace(CONTEXT, purpose=SealPurpose.PROBE),
        replace(CONTEXT, purpose=SealPurpose.ADDRESS),
        Wider("tenant-1", "account-1", "submission-1"),
    ],
    ids=["tenant", "account", "submission", "probe", "address", "one more pair"],
)
def test_an_envelope_opens_in_its_own_context_only(kms: Any, other: SealContext):
    for sealed_in, opened_in in ((CONTEXT, other), (other, CONTEXT)):
        with pytest.raises(SealBroken):
            opened_by(kms, sealed_by(kms, context=sealed_in), opened_in)
    assert opened_by(kms, sealed_by(kms, context=other), other) == CREDENTIAL


def test_an_envelope_of_another_key_does_not_open(kms: Any):
    with pytest.raises(SealBroken):
        opened_by(kms, sealed_by(kms, key="alias/other"))


def test_what_kms_says_of_an_envelope_is_no_outage(kms: Any):
    opener, sealed = KmsOpener(kms, key_id="alias/k"), sealed_by(kms)
    opener.open(sealed, CONTEXT)
    for kind, code in (
        (InvalidCiphertextException, "InvalidCiphertextException"),
        (IncorrectKeyException, "IncorrectKeyException"),
    ):
        kms.fails = kind({"Error": {"Code": code}}, "Decrypt")
        with pytest.raises(SealBroken) as broken:
            opener.open(sealed, CONTEXT)
        assert broken.value.__cause__ is None


@pytest.mark.parametrize(("code", "error"), [("ThrottlingException", Throttled), ("DisabledException", PlatformConfig)])
def test_an_outage_is_not_the_envelopes_fault(kms: Any, code: str, error: type[Exception]):
    opener, sealed = KmsOpener(kms, key_id="alias/k"), sealed_by(kms)
    opener.open(sealed, CONTEXT)
    kms.fails = refused(code)
    for asked in (lambda: opener.open(sealed, CONTEXT), lambda: sealed_by(kms), lambda: opened_by(kms, sealed)):
        with pytest.raises(error):
            asked()


@pytest.mark.parametrize("place", [0.0, 0.05, 0.3, 0.6, 0.9, 0.999])
def test_an_envelope_with_a_flipped_bit_does_not_open(kms: Any, place: float):
    message = bytearray(b64decode(sealed_by(kms)))
    message[int(place * len(message))] ^= 4
    with pytest.raises(SealBroken):
        opened_by(kms, b64encode(message).decode())


def test_an_envelope_has_one_spelling(kms: Any):
    sealed = sealed_by(kms, Credential("t", {"f": "12"}))
    message = b64decode(sealed)
    respelled = [
        "".join(pair)
        for pair in (
            (b64encode(message[:-1]).decode(), ""),
            (b64encode(message + b"x").decode(), ""),
            (sealed, "\n"),
            (" ", sealed),
            (sealed[:8], "\n" + sealed[8:]),
        )
    ]
    for size in range(3):
        whole = sealed_by(kms, Credential("t", {"f": "1" * size}))
        if whole.endswith("="):
            last = whole.rstrip("=")[-1]
            respelled.append(whole.rstrip("=")[:-1] + chr(ord(last) + 1) + "=" * whole.count("="))
    for other in respelled:
        with pytest.raises(SealBroken):
            opened_by(kms, other)


@pytest.mark.parametrize("text", ["", "AAAA", "not base64!", "\ud800"])
def test_what_was_never_sealed_does_not_open(kms: Any, text: str):
    with pytest.raises(SealBroken):
        opened_by(kms, text)
    assert [name for name, _ in kms.asked] == ["DescribeKey"]


def test_what_is_too_long_is_not_even_decoded(kms: Any):
    with pytest.raises(SealBroken):
        opened_by(kms, "x" * (64 * 1024 + 1))


def closed_by(kms: Any, *keys: str, size: int) -> str:
    """An envelope that the sealer would not make: of any size, and with several data keys."""
    materials = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
    first, *others = [
        materials.create_aws_kms_keyring(input=CreateAwsKmsKeyringInput(kms_key_id=ARN.format(key), kms_client=kms))
        for key in keys
    ]
    keyring = first
    if others:
        wanted = CreateMultiKeyringInput(generator=first, child_keyrings=others)
        keyring = materials.create_multi_keyring(input=wanted)
    message, _ = EncryptionSDKClient().encrypt(
        source=json.dumps({"credential_type": "t", "credentials": {"f": "x" * size}}).encode(),
        keyring=keyring,
        encryption_context=CONTEXT.as_mapping(),
        algorithm=AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
    )
    return b64encode(message).decode()


def test_an_envelope_has_65536_characters_at_most(kms: Any):
    begun = 47 * 1024
    size = begun + 48 * 1024 - len(b64decode(closed_by(kms, "k", size=begun)))
    largest, larger = closed_by(kms, "k", size=size), closed_by(kms, "k", size=size + 1)
    assert (len(largest), len(larger)) == (65536, 65540)
    assert opened_by(kms, largest).reveal("f") == "x" * size
    with pytest.raises(SealBroken):
        opened_by(kms, larger)


def test_an_envelope_has_one_data_key(kms: Any):
    assert opened_by(kms, closed_by(kms, "k", size=1)).reveal("f") == "x"
    with pytest.raises(SealBroken):
        opened_by(kms, closed_by(kms, "k", "stranger", size=1))


def test_kms_is_not_asked_to_decrypt_in_another_context(kms: Any):
    sealed = sealed_by(kms)
    with pytest.raises(SealBroken):
        opened_by(kms, sealed, replace(CONTEXT, tenant_id="tenant-2"))
    assert "Decrypt" not in [name for name, _ in kms.asked]


def test_what_fits_is_sealed_within_the_limit_and_what_does_not_is_refused(kms: Any):
    overhead = len('{"credential_type":"t","credentials":{"f":""}}')
    largest = "x" * (46 * 1024 - overhead)
    sealed = sealed_by(kms, Credential("t", {"f": largest}))
    assert len(sealed) <= 64 * 1024
    assert opened_by(kms, sealed).reveal("f") == largest
    with pytest.raises(PayloadTooLarge):
        sealed_by(kms, Credential("t", {"f": largest + "x"}))
