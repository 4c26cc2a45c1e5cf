"""Our buckets: there, private, over TLS only. The one of the scan results is encrypted with our key and emptied by age;
what stands in the one of the audit anchors is locked."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from commands.doctor.finding import Finding, fail, sound, warn
from stores.s3.buckets import keeps_anchors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

REPAIR = "Run `python cli.py setup`: it completes the bucket."
NEW_BUCKET = "Name another one in AUDIT_ANCHORS_BUCKET and run `python cli.py setup`, which makes it."


def bucket(s3: "S3Client", name: str, *, tls: bool) -> Iterator[Finding]:
    """Examine the bucket of the results. `tls` is False for a stand-in that is spoken to without."""
    problems = partial(_problems, s3, name, f"bucket {name}", tls=tls)
    yield from _examined(s3, name, "private, encrypted, results expire", problems, setting="RESULTS_BUCKET")


def anchors(s3: "S3Client", name: str, *, tls: bool) -> Iterator[Finding]:
    """Examine the bucket of the audit anchors."""
    problems = partial(_problems_of_anchors, s3, name, f"bucket {name}", tls=tls)
    yield from _examined(s3, name, "private, locked", problems, setting="AUDIT_ANCHORS_BUCKET")


def _examined(
    s3: "S3Client", name: str, sum_up: str, problems: Callable[[], Iterator[Finding]], *, setting: str
) -> Iterator[Finding]:
    thing = f"bucket {name}"
    try:
        s3.get_bucket_location(Bucket=name)
    except s3.exceptions.NoSuchBucket:
        yield fail(thing, "is missing", f"Run `python cli.py setup`, or name another in {setting}.")
        return
    yield from sound(thing, sum_up, problems())


def _problems_of_anchors(s3: "S3Client", name: str, thing: str, *, tls: bool) -> Iterator[Finding]:
    yield from _access(s3, name, thing, tls=tls)
    lock = _configured(s3.get_object_lock_configuration, name).get("ObjectLockConfiguration", {})
    if lock.get("ObjectLockEnabled") != "Enabled":
        yield fail(thing, "what stands in it can be changed: it has no Object Lock", NEW_BUCKET)
    elif not keeps_anchors(lock):
        yield fail(thing, "does not lock what is written for 400 days", REPAIR)


def _problems(s3: "S3Client", name: str, thing: str, *, tls: bool) -> Iterator[Finding]:
    yield from _access(s3, name, thing, tls=tls)
    encryption = _configured(s3.get_bucket_encryption, name).get("ServerSideEncryptionConfiguration", {})
    defaults = [rule.get("ApplyServerSideEncryptionByDefault", {}) for rule in encryption.get("Rules", [])]
    if not any(default.get("KMSMasterKeyID") for default in defaults):
        yield fail(thing, "is not encrypted with a key of this account", REPAIR)
    rules = _configured(s3.get_bucket_lifecycle_configuration, name).get("Rules", [])
    if not any(rule.get("Status") == "Enabled" and "Expiration" in rule for rule in rules):
        yield warn(thing, "results are kept for ever", REPAIR)


def _access(s3: "S3Client", name: str, thing: str, *, tls: bool) -> Iterator[Finding]:
    blocks = _configured(s3.get_public_access_block, name).get("PublicAccessBlockConfiguration", {})
    if not (blocks and all(blocks.values())):
        yield fail(thing, "public access is not blocked altogether", REPAIR)
    if tls and not any(map(_refuses_plain_text, _statements(_configured(s3.get_bucket_policy, name)))):
        yield fail(thing, "may be used without TLS", REPAIR)


def _configured(read: Callable[..., Any], name: str) -> Mapping[str, Any]:
    """S3 answers 404 for what is not configured."""
    try:
        found: Mapping[str, Any] = read(Bucket=name)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != HTTPStatus.NOT_FOUND:
            raise
        return {}
    return found


def _statements(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    statements: list[Mapping[str, Any]] = json.loads(found.get("Policy", "{}")).get("Statement", [])
    return statements


def _refuses_plain_text(statement: Mapping[str, Any]) -> bool:
    secure = statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")
    return statement["Effect"] == "Deny" and str(secure).lower() == "false"
