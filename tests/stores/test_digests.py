"""The contract of BodyDigest."""

from hypothesis import given, settings
from hypothesis import strategies as st

from stores.kms.digests import KmsBodyDigest
from tests.stores.conftest import Aws, Stores

EMULATED = settings(max_examples=15, deadline=None)


@EMULATED
@given(body=st.binary(max_size=300))
def test_equal_bodies_have_equal_digests(stores: Stores, body: bytes):
    assert stores.digest.digest(body) == stores.digest.digest(bytes(body))


@EMULATED
@given(first=st.binary(max_size=300), second=st.binary(max_size=300))
def test_different_bodies_have_different_digests(stores: Stores, first: bytes, second: bytes):
    assert (stores.digest.digest(first) == stores.digest.digest(second)) == (first == second)


def test_the_largest_body_has_a_digest_of_64_hexadecimal_digits(stores: Stores):
    assert len(bytes.fromhex(stores.digest.digest(b"x" * 262_144))) == 32


def test_another_key_gives_another_digest(aws: Aws):
    made = aws.clients.kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    other = KmsBodyDigest(aws.clients.kms, key_id=made["KeyMetadata"]["KeyId"])
    assert other.digest(b"body") != aws.stores.digest.digest(b"body")
