"""The bucket of the scan results: private, encrypted with our own key, over TLS only, emptied by age."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from domain.errors import PlatformConfig
from domain.setup import SetupFinding, SetupState
from stores.failures import aws_failures

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RESULTS_KEY = "alias/threat-engine-results"
RETENTION_DAYS = 365
_UNNAMED_REGION = "us-east-1"
"""The one region that a bucket's creation must not name."""

_PRIVATE: Any = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
_ENCRYPTION: Any = {
    "Rules": [
        {
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": RESULTS_KEY},
            "BucketKeyEnabled": True,
        }
    ]
}
_LIFECYCLE: Any = {
    "Rules": [
        {
            "ID": "expire-results",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "Expiration": {"Days": RETENTION_DAYS},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        }
    ]
}


@aws_failures()
def ensure_results_bucket(s3: "S3Client", bucket: str) -> tuple[SetupFinding, ...]:
    """Make the bucket if it is missing, and repair what is not as it should be. Raises PlatformConfig when another AWS
    account has a bucket of that name."""
    created = _create_if_missing(s3, bucket)
    repaired = list(_repair(s3, bucket))
    thing = f"bucket {bucket}"
    if created:
        return (SetupFinding(thing, SetupState.CREATED),)
    if repaired:
        return (SetupFinding(thing, SetupState.REPAIRED, ", ".join(repaired)),)
    return (SetupFinding(thing, SetupState.FOUND),)


def _create_if_missing(s3: "S3Client", bucket: str) -> bool:
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise PlatformConfig(
                f"The bucket {bucket} cannot be used: it may belong to another AWS account. Name one of your own in "
                "RESULTS_BUCKET."
            ) from None
    else:
        return False
    region: Any = s3.meta.region_name
    place: Any = {} if region == _UNNAMED_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=bucket, ObjectOwnership="BucketOwnerEnforced", **place)
    return True


def _repair(s3: "S3Client", bucket: str) -> Iterator[str]:
    if _found(s3.get_public_access_block, bucket).get("PublicAccessBlockConfiguration") != _PRIVATE:
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=_PRIVATE)
        yield "public access block"
    if not _encrypted(_found(s3.get_bucket_encryption, bucket)):
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=_ENCRYPTION)
        yield "encryption"
    if not _expires(_found(s3.get_bucket_lifecycle_configuration, bucket)):
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=_LIFECYCLE)
        yield "lifecycle"
    # A stand-in for AWS is spoken to without TLS, and one that keeps the policy would refuse us.
    if not s3.meta.endpoint_url.startswith("https:"):
        return
    if json.loads(_found(s3.get_bucket_policy, bucket).get("Policy", "{}")) != _tls_only(bucket):
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(_tls_only(bucket)))
        yield "policy"


def _found(read: Any, bucket: str) -> dict[str, Any]:
    """What is configured; S3 answers 404 for what is not."""
    try:
        return dict(read(Bucket=bucket))
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
        return {}


def _encrypted(found: dict[str, Any]) -> bool:
    rules = found.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    defaults = [rule.get("ApplyServerSideEncryptionByDefault", {}) for rule in rules]
    return any(each.get("KMSMasterKeyID") == RESULTS_KEY for each in defaults)


def _expires(found: dict[str, Any]) -> bool:
    """A shorter time that an operator chose stays."""
    rules = [rule for rule in found.get("Rules", []) if rule.get("Status") == "Enabled"]
    return any(0 < rule.get("Expiration", {}).get("Days", 0) <= RETENTION_DAYS for rule in rules)


def _tls_only(bucket: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }
