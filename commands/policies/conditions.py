"""Conditions that stand in the policies of the roles and of the keys alike."""

from collections.abc import Iterable

from commands.policies.place import Condition, Place
from domain.onboarding.credentials import SEAL_CONTEXT, SealPurpose

IN_TRANSACTION: Condition = {"ForAnyValue:StringEquals": {"dynamodb:EnclosingOperation": "TransactWriteItems"}}
"""So that no row changes without its audit event."""


def _sealed(purposes: Iterable[SealPurpose]) -> Condition:
    """All of a seal's context is there, nothing beside it, and its purpose is one of these."""
    return {
        "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": list(SEAL_CONTEXT)},
        "StringEquals": {"kms:EncryptionContext:purpose": [purpose.value for purpose in purposes]},
        "Null": {f"kms:EncryptionContext:{name}": "false" for name in SEAL_CONTEXT if name != "purpose"},
    }


SEALED = _sealed(SealPurpose)
SEALED_ADDRESS = _sealed([SealPurpose.ADDRESS])
"""Of a webhook: the API shows it to whoever may change it, and the worker seals those that it finds in the clear."""

MACS: Condition = {"StringEquals": {"kms:MacAlgorithm": "HMAC_SHA_256"}}
SIGNS_TOKENS: Condition = {"StringEquals": {"kms:SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"}}
SIGNS_DIGESTS: Condition = {"StringEquals": {"kms:SigningAlgorithm": "ECDSA_SHA_256"}}


def through_secrets_manager(place: Place) -> Condition:
    """KMS is asked by Secrets Manager, for one of our secrets."""
    return {
        "StringEquals": {"kms:ViaService": place.via("secretsmanager")},
        "StringLike": {"kms:EncryptionContext:SecretARN": place.secrets},
    }


def through_s3(place: Place) -> Condition:
    """KMS is asked by S3, for our bucket: with a bucket key, as ours has, the context is the bucket's ARN."""
    return {
        "StringEquals": {"kms:ViaService": place.via("s3")},
        "ArnLike": {"kms:EncryptionContext:aws:s3:arn": place.bucket},
    }
