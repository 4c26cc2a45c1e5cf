"""Checks of S3: nothing public, nothing in the clear."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from domain.scans.scan import Severity
from engines.aws.reader import AwsReader
from engines.checks import Check, Judgement, Verdict, by_resource, cis, cis_check, fsbp, judgement

BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def account_block(aws: AwsReader, region: str) -> Iterator[Judgement]:
    good = "The account blocks public access to every bucket."
    bad = "The account does not block public access to every bucket."
    yield judgement(aws.account.root, _account_blocks(aws, region) == set(BLOCKS), good=good, bad=bad)


def bucket_block(aws: AwsReader, region: str) -> Iterator[Judgement]:
    good, bad = "Public access to the bucket is blocked.", "Public access to the bucket is not fully blocked."
    yield from _by_bucket(aws, region, _is_blocked, good=good, bad=bad)


def encrypted_transport(aws: AwsReader, region: str) -> Iterator[Judgement]:
    good, bad = "The bucket denies requests without TLS.", "The bucket accepts requests without TLS."
    yield from _by_bucket(aws, region, _insists_on_tls, good=good, bad=bad)


def private(aws: AwsReader, region: str) -> Iterator[Judgement]:
    yield from _by_bucket(aws, region, _is_private, good="Neither policy nor ACL makes the bucket public.")


def _by_bucket(
    aws: AwsReader, region: str, verdict: Callable[[AwsReader, str, str], Verdict], *, good: str, bad: str = ""
) -> Iterator[Judgement]:
    def of_bucket(bucket: dict[str, Any]) -> Verdict:
        return verdict(aws, region, bucket["Name"])

    yield from by_resource(aws, _buckets(aws, region), partial(_arn, aws), of_bucket, good=good, bad=bad)


def _is_blocked(aws: AwsReader, region: str, bucket: str) -> bool:
    """A block of the account holds for its buckets too; it is asked for only when a bucket lacks one of its own."""
    blocks = _bucket_blocks(aws, region, bucket)
    return blocks == set(BLOCKS) or blocks | _account_blocks(aws, region) == set(BLOCKS)


def _is_private(aws: AwsReader, region: str, bucket: str) -> Verdict:
    """A public policy or ACL opens nothing while a block of the bucket or of its account makes S3 ignore it."""
    ways = {}
    if any(map(_is_of_everybody, aws.setting("s3:GetBucketAcl", region, Bucket=bucket)["Grants"])):
        ways["IgnorePublicAcls"] = "ACL"
    status = aws.read("s3:GetBucketPolicyStatus", region, Bucket=bucket)
    if status and status["PolicyStatus"].get("IsPublic"):
        ways["RestrictPublicBuckets"] = "policy"
    # In this order, because most buckets are closed by the first of them that is asked.
    for blocks_of in (partial(_bucket_blocks, bucket=bucket), _account_blocks):
        if ways:
            blocks = blocks_of(aws, region)
            ways = {block: way for block, way in ways.items() if block not in blocks}
    return f"The bucket is public by its {' and its '.join(ways.values())}." if ways else True


def _is_of_everybody(grant: dict[str, Any]) -> bool:
    return str(grant["Grantee"].get("URI", "")).rpartition("/")[2] in ("AllUsers", "AuthenticatedUsers")


def _insists_on_tls(aws: AwsReader, region: str, bucket: str) -> bool:
    answer = aws.read("s3:GetBucketPolicy", region, Bucket=bucket)
    statements = json.loads(answer["Policy"]).get("Statement", []) if answer else []
    return any(map(_denies_plain_http, statements if isinstance(statements, list) else [statements]))


def _buckets(aws: AwsReader, region: str) -> Iterator[dict[str, Any]]:
    return aws.items("s3:ListAllMyBuckets", region, BucketRegion=region)


def _arn(aws: AwsReader, bucket: dict[str, Any]) -> str:
    return f"arn:{aws.account.partition}:s3:::{bucket['Name']}"


def _bucket_blocks(aws: AwsReader, region: str, bucket: str) -> set[str]:
    return _blocks(aws.read("s3:GetBucketPublicAccessBlock", region, Bucket=bucket))


def _account_blocks(aws: AwsReader, region: str) -> set[str]:
    return _blocks(aws.read("s3:GetAccountPublicAccessBlock", region, AccountId=aws.account.number))


def _blocks(answer: dict[str, Any] | None) -> set[str]:
    return {name for name in BLOCKS if answer and answer["PublicAccessBlockConfiguration"].get(name)}


def _denies_plain_http(statement: dict[str, Any]) -> bool:
    """Whether it denies everybody every request without TLS."""
    conditions = [condition for name, condition in statement.get("Condition", {}).items() if name.lower() == "bool"]
    in_the_clear = any(
        key.lower() == "aws:securetransport" and value in (False, "false", ["false"])
        for condition in conditions
        for key, value in condition.items()
    )
    everybody = statement.get("Principal") in ("*", {"AWS": "*"}, {"AWS": ["*"]})
    everything = statement.get("Action") in ("*", "s3:*", ["*"], ["s3:*"])
    return statement["Effect"] == "Deny" and everybody and everything and in_the_clear


CHECKS = (
    Check(
        "fsbp-s3.1",
        "The account blocks public access to S3",
        "s3",
        Severity.MEDIUM,
        (fsbp("S3.1"), cis("2.1.4")),
        "Switch on all four settings under Block Public Access settings for this account.",
        account_block,
        regional=False,
    ),
    Check(
        "fsbp-s3.2",
        "No policy or ACL makes a bucket public",
        "s3",
        Severity.CRITICAL,
        (fsbp("S3.2"), fsbp("S3.3")),
        "Take public grants out of the policy and ACL named, or switch on Block Public Access for the bucket.",
        private,
    ),
    cis_check(
        "2.1.1",
        "Buckets deny requests without TLS",
        service="s3",
        severity=Severity.MEDIUM,
        remedy="Add a statement to the bucket policy that denies s3:* to everybody when aws:SecureTransport is false.",
        judge=encrypted_transport,
        also=(fsbp("S3.5"),),
    ),
    cis_check(
        "2.1.4",
        "Buckets block public access",
        service="s3",
        severity=Severity.HIGH,
        remedy="Switch on all four settings of Block Public Access for the bucket, or better for the account.",
        judge=bucket_block,
        also=(fsbp("S3.8"),),
    ),
)
