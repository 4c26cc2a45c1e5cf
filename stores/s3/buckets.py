"""Our buckets, both private and over TLS only: the one of the scan results is encrypted with our own key and emptied by
age, and nobody can change or remove what stands in the one of the audit trail's anchors."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from domain.audit.anchors import RETENTION_DAYS as RETENTION_DAYS_OF_ANCHORS
from domain.errors import PlatformConfig
from domain.setup import SetupFinding, SetupState
from stores.errors import aws_failures

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


_LOCK: Any = {
    "ObjectLockEnabled": "Enabled",
    "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": RETENTION_DAYS_OF_ANCHORS}},
}
_ANCHORS_LIFECYCLE: Any = {
    "Rules": [
        {
            "ID": "expire-anchors",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "Expiration": {"Days": RETENTION_DAYS_OF_ANCHORS + 1},
            "NoncurrentVersionExpiration": {"NoncurrentDays": RETENTION_DAYS_OF_ANCHORS + 1},
        }
    ]
}
"""S3 keeps each version until its lock ends, whatever this says."""


@aws_failures()
def ensure_results_bucket(s3: "S3Client", bucket: str) -> tuple[SetupFinding, ...]:
    """Make the bucket if it is missing, and repair what is not as it should be. Raises PlatformConfig when another AWS
    account has a bucket of that name."""
    return _ensure(s3, bucket, _repair_results, locked=False)


@aws_failures()
def ensure_anchors_bucket(s3: "S3Client", bucket: str) -> tuple[SetupFinding, ...]:
    """Do the same for the bucket of the anchors. Raises PlatformConfig, too, for a bucket of ours without Object Lock:
    S3 takes that only when the bucket is made."""
    return _ensure(s3, bucket, _repair_anchors, locked=True)


def _ensure(
    s3: "S3Client", bucket: str, repair: Callable[["S3Client", str], Iterator[str]], *, locked: bool
) -> tuple[SetupFinding, ...]:
    created = _create_if_missing(s3, bucket, locked=locked)
    repaired = [*_repair_public_access(s3, bucket), *repair(s3, bucket), *_repair_policy(s3, bucket)]
    thing = f"bucket {bucket}"
    if created:
        return (SetupFinding(thing, SetupState.CREATED),)
    if repaired:
        return (SetupFinding(thing, SetupState.REPAIRED, ", ".join(repaired)),)
    return (SetupFinding(thing, SetupState.FOUND),)


def _create_if_missing(s3: "S3Client", bucket: str, *, locked: bool) -> bool:
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise PlatformConfig(
                f"The bucket {bucket} cannot be used: it may belong to another AWS account. Name one of your own in "
                f"{'AUDIT_ANCHORS_BUCKET' if locked else 'RESULTS_BUCKET'}."
            ) from None
    else:
        return False
    region: Any = s3.meta.region_name
    place: Any = {} if region == _UNNAMED_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=bucket, ObjectOwnership="BucketOwnerEnforced", ObjectLockEnabledForBucket=locked, **place)
    return True


def _repair_public_access(s3: "S3Client", bucket: str) -> Iterator[str]:
    if _found(s3.get_public_access_block, bucket).get("PublicAccessBlockConfiguration") != _PRIVATE:
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=_PRIVATE)
        yield "public access block"


def _repair_policy(s3: "S3Client", bucket: str) -> Iterator[str]:
    # A stand-in for AWS is spoken to without TLS, and one that keeps the policy would refuse us.
    if not s3.meta.endpoint_url.startswith("https:"):
        return
    if json.loads(_found(s3.get_bucket_policy, bucket).get("Policy", "{}")) != _tls_only(bucket):
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(_tls_only(bucket)))
        yield "policy"


def _repair_results(s3: "S3Client", bucket: str) -> Iterator[str]:
    if not _encrypted(_found(s3.get_bucket_encryption, bucket)):
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=_ENCRYPTION)
        yield "encryption"
    if not _expires(_found(s3.get_bucket_lifecycle_configuration, bucket)):
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=_LIFECYCLE)
        yield "lifecycle"


def _repair_anchors(s3: "S3Client", bucket: str) -> Iterator[str]:
    lock = _found(s3.get_object_lock_configuration, bucket).get("ObjectLockConfiguration", {})
    if lock.get("ObjectLockEnabled") != "Enabled":
        raise PlatformConfig(
            f"The bucket {bucket} has no Object Lock, so what stands in it can be changed. Name another one in "
            "AUDIT_ANCHORS_BUCKET; the set-up makes it."
        )
    if not keeps_anchors(lock):
        s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=_LOCK)
        yield "object lock"
    if not _found(s3.get_bucket_lifecycle_configuration, bucket).get("Rules"):
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=_ANCHORS_LIFECYCLE)
        yield "lifecycle"


def keeps_anchors(lock: Mapping[str, Any]) -> bool:
    """Return whether an Object Lock configuration keeps anchors from everybody for at least as long as we ask. An
    operator may choose a longer time."""
    kept = lock.get("Rule", {}).get("DefaultRetention", {})
    days = max(kept.get("Days", 0), 365 * kept.get("Years", 0))
    return bool(kept.get("Mode") == "COMPLIANCE" and days >= RETENTION_DAYS_OF_ANCHORS)


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
