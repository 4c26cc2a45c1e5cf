"""A keyed digest of request bodies. The key never leaves KMS, so whoever holds a digest cannot try out bodies."""

import hashlib
from typing import TYPE_CHECKING

from stores.errors import aws_failures

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


class KmsBodyDigest:
    """`key_id` names an HMAC key of KMS: an id, an ARN or an alias."""

    def __init__(self, kms: "KMSClient", *, key_id: str) -> None:
        self._kms = kms
        self._key_id = key_id

    @aws_failures()
    def digest(self, body: bytes) -> str:
        # KMS takes 4,096 bytes at most, so it gets the plain digest of the body.
        message = hashlib.sha256(body).digest()
        answer = self._kms.generate_mac(KeyId=self._key_id, MacAlgorithm="HMAC_SHA_256", Message=message)
        return answer["Mac"].hex()
