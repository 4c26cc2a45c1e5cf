"""Credentials in a sealed envelope, between the API, which can close one, and the worker, which can open it.

The format and the cryptography are the AWS Encryption SDK's: a KMS data key for each envelope, key commitment, and the
context of the credential authenticated with it.
"""

import binascii
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

from domain.credentials import Credential, SealContext
from domain.errors import PayloadTooLarge, SealBroken
from domain.idempotency import canonical
from stores.failures import aws_failures

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

MAX_SEALED_CHARACTERS = 64 * 1024
