"""Credentials in a sealed envelope, between the API, which can close one, and the worker, which can open it.

The format and the cryptography are the AWS Encryption SDK's: a KMS data key for each envelope, key commitment, and the
context of the credential authenticated with it.
"""

import io
import json
from base64 import b64decode, b64encode
from functools import cached_property
from typing import TYPE_CHECKING, Any

from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import CreateAwsKmsKeyringInput
from aws_encryption_sdk import CommitmentPolicy, EncryptionSDKClient
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError
from aws_encryption_sdk.identifiers import AlgorithmSuite
from cryptography.exceptions import InvalidTag

from domain.errors import PayloadTooLarge, SealBroken
from domain.idempotency import canonical
from domain.onboarding.credentials import Credential, SealContext
from stores.errors import aws_failures

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

MAX_SEALED_CHARACTERS = 64 * 1024
MAX_CREDENTIAL_BYTES = 46 * 1024
"""What fits into that many characters of base64, with two kilobytes to spare for the header."""

# Without a signature, which would need a key pair for each envelope: who holds the data key may write here.
_SUITE = AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY


class KmsSealer:
    """`key_id` is a key id, an ARN or an alias. Needs kms:GenerateDataKey and nothing else."""

    def __init__(self, kms: "KMSClient", *, key_id: str) -> None:
        self._keyring = _keyring(kms, key_id)

    def seal(self, credential: Credential, context: SealContext) -> str:
        """Raises PayloadTooLarge."""
        document = {"credential_type": credential.credential_type, "credentials": credential.reveal_all()}
        plaintext = canonical(document)
        if len(plaintext) > MAX_CREDENTIAL_BYTES:
            raise PayloadTooLarge("The credential is too large to be sealed.")
        message, _ = _sdk().encrypt(
            source=plaintext,
            keyring=self._keyring,
            encryption_context=context.as_mapping(),
            algorithm=_SUITE,
        )
        return b64encode(message).decode()


class KmsOpener:
    """`key_id` as for sealing. Needs kms:Decrypt, and kms:DescribeKey to learn the ARN behind an alias."""

    def __init__(self, kms: "KMSClient", *, key_id: str) -> None:
        self._kms = kms
        self._key_id = key_id

    def open(self, sealed: str, context: SealContext) -> Credential:
        keyring = self._keyring
        try:
            document = json.loads(_decrypted(sealed, keyring, context.as_mapping()))
        except (AWSEncryptionSDKClientError, InvalidTag, ValueError):
            raise SealBroken from None
        return Credential(document["credential_type"], document["credentials"])

    @cached_property
    def _keyring(self) -> Any:
        """An envelope names the ARN of its key, and opens with that key only."""
        with aws_failures():
            arn = self._kms.describe_key(KeyId=self._key_id)["KeyMetadata"]["Arn"]
        return _keyring(self._kms, arn)


def _decrypted(sealed: str, keyring: Any, expected: dict[str, str]) -> bytes:
    """The SDK accepts a part of the context, and bytes after the end; base64 has several spellings of one message. So
    each of these is compared here."""
    if len(sealed) > MAX_SEALED_CHARACTERS:
        raise SealBroken
    message = b64decode(sealed, validate=True)
    source = io.BytesIO(message)
    # Not as a context manager: on its way out that logs what went wrong, with a traceback.
    stream = _sdk().stream(mode="decrypt-unsigned", source=source, keyring=keyring, encryption_context=expected)
    plaintext: bytes = stream.read()
    whole = not source.read(1) and b64encode(message).decode() == sealed
    if not whole or stream.header.encryption_context != expected:
        raise SealBroken
    return plaintext


def _sdk() -> EncryptionSDKClient:
    return EncryptionSDKClient(
        commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT, max_encrypted_data_keys=1
    )


def _keyring(kms: "KMSClient", key_id: str) -> Any:
    providers = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
    return providers.create_aws_kms_keyring(
        input=CreateAwsKmsKeyringInput(kms_key_id=key_id, kms_client=_KeyringKms(kms))
    )


class _KeyringKms:
    """KMS as the keyring sees it. The SDK wraps an error of AWS in one of its own, without the code that tells an
    outage from a wrong envelope; an error of ours passes through it."""

    def __init__(self, kms: "KMSClient") -> None:
        self._kms = kms
        self.meta = kms.meta

    @aws_failures()
    def generate_data_key(self, **request: Any) -> Any:
        return self._kms.generate_data_key(**request)

    @aws_failures()
    def decrypt(self, **request: Any) -> Any:
        errors = self._kms.exceptions
        try:
            return self._kms.decrypt(**request)
        except (errors.InvalidCiphertextException, errors.IncorrectKeyException):
            raise SealBroken from None
