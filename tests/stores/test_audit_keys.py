"""Signatures of the audit trail: made by KMS, checked without it."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from domain.audit.trail import BEGINNING, AuditDigest, SealedEvent
from domain.errors import InvalidInput, OnboardingError, PlatformConfig
from stores.audit.keys import KmsAuditSigner, checker, name_of, pem_of, public_key_of, read_public_key
from tests.fakes_audit import FakeSigner
from tests.stores.conftest import Aws
from tests.stores.samples import AT, FOREIGN, LATER

KEY = "alias/threat-engine-audit"
DIGEST = AuditDigest(FOREIGN, 1, LATER, AT, (SealedEvent("e", "f"),), BEGINNING)


def test_a_signature_of_kms_is_checked_with_the_public_half(aws: Aws):
    signed = replace(DIGEST, signature=KmsAuditSigner(aws.clients.kms, key_id=KEY).sign(DIGEST.signed))
    own = public_key_of(aws.clients.kms, KEY)
    is_good = checker([FakeSigner().public, read_public_key(pem_of(own).encode())])
    assert is_good(signed)
    assert not is_good(replace(signed, sealed_at=LATER))
    assert not checker([FakeSigner().public])(signed)


@pytest.mark.parametrize("signature", ["", "AAAA", "no base64!", "ü"])
def test_what_is_no_signature_is_not_good(signature: str):
    assert not checker([FakeSigner().public])(replace(DIGEST, signature=signature))


def test_a_key_of_another_kind_or_none_is_refused(aws: Aws):
    for key_id in ("alias/threat-engine-nothing", "alias/threat-engine-secrets"):
        with pytest.raises(OnboardingError):
            KmsAuditSigner(aws.clients.kms, key_id=key_id).sign(b"message")
    with pytest.raises(PlatformConfig):
        public_key_of(aws.clients.kms, "alias/threat-engine-nothing")


def test_a_public_key_that_cannot_serve_is_refused():
    rsa = generate_private_key(65537, 2048).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for pem in (b"", b"-----BEGIN PUBLIC KEY-----\n", rsa):
        with pytest.raises(InvalidInput):
            read_public_key(pem)


def test_each_key_has_a_name_of_its_own():
    one, other = FakeSigner().public, FakeSigner().public
    assert name_of(one) == name_of(read_public_key(pem_of(one).encode())) != name_of(other)
