"""The bucket of the scan results: there, private, encrypted with our key, over TLS only, and emptied by age."""

import json
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from commands.finding import Finding, fail, sound, warn

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

REPAIR = "Run `python cli.py setup`: it completes the bucket."


def bucket(s3: "S3Client", name: str, *, tls: bool) -> Iterator[Finding]:
    """`tls` is False for a stand-in that is spoken to without."""
    thing = f"bucket {name}"
    try:
        s3.get_bucket_location(Bucket=name)
    except s3.exceptions.NoSuchBucket:
        yield fail(thing, "is missing", "Run `python cli.py setup`, or name another in RESULTS_BUCKET.")
        return
    yield from sound(thing, "private, encrypted, results expire", _problems(s3, name, thing, tls=tls))


def _problems(s3: "S3Client", name: str, thing: str, *, tls: bool) -> Iterator[Finding]:
    blocks = _configured(s3.get_public_access_block, name).get("PublicAccessBlockConfiguration", {})
    if not (blocks and all(blocks.values())):
        yield fail(thing, "public access is not blocked altogether", REPAIR)
    encryption = _configured(s3.get_bucket_encryption, name).get("ServerSideEncryptionConfiguration", {})
    defaults = [rule.get("ApplyServerSideEncryptionByDefault", {}) for rule in encryption.get("Rules", [])]
    if not any(default.get("KMSMasterKeyID") for default in defaults):
        yield fail(thing, "is not encrypted with a key of this account", REPAIR)
    if tls and not any(map(_refuses_plain_text, _statements(_configured(s3.get_bucket_policy, name)))):
        yield fail(thing, "may be used without TLS", REPAIR)
    rules = _configured(s3.get_bucket_lifecycle_configuration, name).get("Rules", [])
    if not any(rule.get("Status") == "Enabled" and "Expiration" in rule for rule in rules):
        yield warn(thing, "results are kept for ever", REPAIR)


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
