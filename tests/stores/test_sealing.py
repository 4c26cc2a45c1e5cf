"""The contract of CredentialSealer and CredentialOpener, and what the envelope of the AWS Encryption SDK adds to it."""

from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import PayloadTooLarge, PlatformConfig, SealBroken, Throttled, Unavailable
from domain.onboarding.credentials import Credential, SealContext, SealPurpose
from stores.secrets.sealing import MAX_CREDENTIAL_BYTES, MAX_SEALED_CHARACTERS, KmsOpener, KmsSealer
from tests.stores.conftest import SECRETS_KEY, Aws, Stores
from tests.stores.faults import answered, error_body, failing
from tests.stores.samples import new_id
from tests.strategies import credentials, seal_contexts

CANARY = "canary-4f1b"
CREDENTIAL = Credential("aws_access_key", {"access_key_id": "AKIA", "secret_access_key": CANARY})
EMULATED = settings(max_examples=15, deadline=None)


def new_context() -> SealContext:
    return SealContext(tenant_id=new_id(), account_id=new_id(), submission_id=new_id())


@EMULATED
@given(credential=credentials, context=seal_contexts)
def test_a_sealed_credential_opens_in_its_context(stores: Stores, credential: Credential, context: SealContext):
    sealed = stores.sealer.seal(credential, context)
    assert sealed.isascii()
    assert stores.opener.open(sealed, context) == credential


@pytest.mark.parametrize(
    "other",
    [{name: new_id()} for name in ("tenant_id", "account_id", "submission_id")] + [{"purpose": SealPurpose.PROBE}],
    ids=["tenant_id", "account_id", "submission_id", "purpose"],
)
def test_it_opens_in_no_other_context(stores: Stores, other: dict[str, Any]):
    context = new_context()
    sealed = stores.sealer.seal(CREDENTIAL, context)
    with pytest.raises(SealBroken):
        stores.opener.open(sealed, replace(context, **other))


def test_two_sealed_credentials_cannot_be_swapped(stores: Stores):
    contexts = new_context(), new_context()
    first, second = (stores.sealer.seal(CREDENTIAL, context) for context in contexts)
    for sealed, context in zip((second, first), contexts, strict=True):
        with pytest.raises(SealBroken):
            stores.opener.open(sealed, context)


@pytest.mark.parametrize("text", ["", "AAAA", "not base64!", "\ud800", "x" * (MAX_SEALED_CHARACTERS + 4)], ids=range(5))
def test_what_was_never_sealed_does_not_open(stores: Stores, text: str):
    with pytest.raises(SealBroken):
        stores.opener.open(text, new_context())


def test_equal_credentials_look_different_when_sealed(stores: Stores):
    context = new_context()
    assert stores.sealer.seal(CREDENTIAL, context) != stores.sealer.seal(CREDENTIAL, context)


@EMULATED
@given(position=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_an_envelope_with_a_flipped_bit_does_not_open(aws: Aws, position: float, bit: int):
    """moto names its key inside the ciphertext and checks that name as a permission, hence the second error."""
    context = new_context()
    message = bytearray(b64decode(aws.stores.sealer.seal(CREDENTIAL, context)))
    message[int(position * len(message))] ^= 1 << bit
    with pytest.raises((SealBroken, PlatformConfig) if aws.emulator == "moto" else SealBroken) as caught:
        aws.stores.opener.open(b64encode(message).decode(), context)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("change", ["cut", "extended", "respelled", "wrapped"])
def test_an_envelope_has_one_spelling(aws: Aws, change: str):
    context = new_context()
    sealed = aws.stores.sealer.seal(Credential("aws_access_key", {"secret_access_key": "12"}), context)
    message = b64decode(sealed)
    altered = {
        "cut": b64encode(message[:-1]).decode(),
        "extended": b64encode(message + b"x").decode(),
        "respelled": sealed.rstrip("=")[:-1] + "B" + "=" * sealed.count("="),
        "wrapped": sealed + "\n",
    }[change]
    assert altered != sealed
    with pytest.raises(SealBroken):
        aws.stores.opener.open(altered, context)


def test_the_envelope_of_another_key_does_not_open(aws: Aws):
    context = new_context()
    other = aws.clients.kms.create_key()["KeyMetadata"]["KeyId"]
    sealed = KmsSealer(aws.clients.kms, key_id=other).seal(CREDENTIAL, context)
    with pytest.raises(SealBroken):
        aws.stores.opener.open(sealed, context)


@dataclass(frozen=True)
class Wider(SealContext):
    """A context with one more pair."""

    def as_mapping(self) -> dict[str, str]:
        return {**super().as_mapping(), "more": "pair"}


def test_an_envelope_that_was_sealed_with_one_more_pair_does_not_open(aws: Aws):
    context = new_context()
    sealed = aws.stores.sealer.seal(CREDENTIAL, Wider(context.tenant_id, context.account_id, context.submission_id))
    with pytest.raises(SealBroken):
        aws.stores.opener.open(sealed, context)


def test_an_envelope_carries_no_plaintext(aws: Aws):
    sealed = aws.stores.sealer.seal(CREDENTIAL, new_context())
    assert CANARY.encode() not in b64decode(sealed)


def test_a_credential_that_fits_is_sealed_within_the_limit(aws: Aws):
    overhead = len('{"credential_type":"t","credentials":{"f":""}}')
    context = new_context()
    largest = "x" * (MAX_CREDENTIAL_BYTES - overhead)
    sealed = aws.stores.sealer.seal(Credential("t", {"f": largest}), context)
    assert len(sealed) <= MAX_SEALED_CHARACTERS
    with pytest.raises(PayloadTooLarge):
        aws.stores.sealer.seal(Credential("t", {"f": largest + "x"}), context)


def test_sealing_asks_for_a_data_key_and_nothing_else(aws: Aws):
    asked: list[str] = []

    def note(model: object, **_: object) -> None:
        asked.append(getattr(model, "name", ""))

    aws.clients.kms.meta.events.register("before-call.kms", note)
    KmsSealer(aws.clients.kms, key_id=SECRETS_KEY).seal(CREDENTIAL, new_context())
    aws.clients.kms.meta.events.unregister("before-call.kms", note)
    assert asked == ["GenerateDataKey"]


def test_many_threads_share_one_sealer_and_one_opener(aws: Aws):
    opener = KmsOpener(aws.clients.kms, key_id=SECRETS_KEY)

    def there_and_back(number: int) -> bool:
        credential, context = Credential("t", {"f": str(number)}), new_context()
        return opener.open(aws.stores.sealer.seal(credential, context), context) == credential

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(there_and_back, range(24)))


@pytest.mark.parametrize(
    ("code", "error"),
    [("ThrottlingException", Throttled), ("KMSInternalException", Unavailable), ("DisabledException", PlatformConfig)],
)
def test_trouble_with_kms_is_not_the_envelopes_fault(aws: Aws, code: str, error: type[Exception]):
    context, status = new_context(), 500 if code == "KMSInternalException" else 400
    sealed = aws.stores.sealer.seal(CREDENTIAL, context)
    with answered(aws.clients.kms, "Decrypt", status=status, body=error_body(code)), pytest.raises(error):
        aws.stores.opener.open(sealed, context)
    with answered(aws.clients.kms, "GenerateDataKey", status=status, body=error_body(code)), pytest.raises(error):
        aws.stores.sealer.seal(CREDENTIAL, context)


def test_an_unreachable_kms_is_trouble(aws: Aws):
    gone = EndpointConnectionError(endpoint_url="http://kms")
    opener = KmsOpener(aws.clients.kms, key_id=SECRETS_KEY)
    with failing(aws.clients.kms, "DescribeKey", gone), pytest.raises(Unavailable):
        opener.open("AAAA", new_context())
    with failing(aws.clients.kms, "GenerateDataKey", gone), pytest.raises(Unavailable):
        aws.stores.sealer.seal(CREDENTIAL, new_context())


@pytest.mark.stack
@pytest.mark.parametrize("aws", ["moto"], indirect=True)  # MiniStack cannot rotate on demand
def test_a_rotated_key_opens_what_it_sealed_before(aws: Aws):
    context = new_context()
    sealed = aws.stores.sealer.seal(CREDENTIAL, context)
    key_id = aws.clients.kms.describe_key(KeyId=SECRETS_KEY)["KeyMetadata"]["KeyId"]
    aws.clients.kms.rotate_key_on_demand(KeyId=key_id)
    assert aws.stores.opener.open(sealed, context) == CREDENTIAL
