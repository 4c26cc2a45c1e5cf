"""The keys that commands are signed with: derived by KMS once a month and process, used in memory."""

from typing import TYPE_CHECKING

from stores.errors import aws_failures

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

LABEL = "threat-engine-onboarding/commands/1/"


class KmsCommandKeys:
    """`key_id` names an HMAC key of KMS: an id, an ARN or an alias. Needs kms:GenerateMac."""

    def __init__(self, kms: "KMSClient", *, key_id: str) -> None:
        self._kms = kms
        self._key_id = key_id

    @aws_failures()
    def derive(self, month: str) -> bytes:
        message = f"{LABEL}{month}".encode()
        return self._kms.generate_mac(KeyId=self._key_id, MacAlgorithm="HMAC_SHA_256", Message=message)["Mac"]
