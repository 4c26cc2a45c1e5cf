"""Checks of S3: nothing public, nothing in the clear."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from domain.scans import Severity
from engines.aws_reader import AwsReader
from engines.checks import Check, Judgement, cis, cis_check, decided, fsbp, judgement

BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def account_block(aws: AwsReader, region: str) -> Iterator[Judgement]:
    good = "The account blocks public access to every bucket."
    bad = "The account does not block public access to every bucket."
    yield judgement(aws.account.root, _account_blocks(aws, region) == set(BLOCKS), good=good, bad=bad)


def bucket_block(aws: AwsReader, region: str) -> Iterator[Judgement]:
    for bucket in _buckets(aws, region):
        good, bad = "Public access to the bucket is blocked.", "Public access to the bucket is not fully blocked."
        yield from decided(_arn(aws, bucket), partial(_is_blocked, aws, region, bucket["Name"]), good=good, bad=bad)


def encrypted_transport(aws: AwsReader, region: str) -> Iterator[Judgement]:
    for bucket in _buckets(aws, region):
        good, bad = "The bucket denies requests without TLS.", "The bucket accepts requests without TLS."
        yield from decided(_arn(aws, bucket), partial(_insists_on_tls, aws, region, bucket["Name"]), good=good, bad=bad)


def _is_blocked(aws: AwsReader, region: str, bucket: str) -> bool:
    """A block of the account holds for its buckets too; it is asked for only when a bucket lacks one of its own."""
    blocks = _blocks(aws.read("s3:GetBucketPublicAccessBlock", region, Bucket=bucket))
    return blocks == set(BLOCKS) or blocks | _account_blocks(aws, region) == set(BLOCKS)


def _insists_on_tls(aws: AwsReader, region: str, bucket: str) -> bool:
    answer = aws.read("s3:GetBucketPolicy", region, Bucket=bucket)
    statements = json.loads(answer["Policy"]).get("Statement", []) if answer else []
    return any(map(_denies_plain_http, statements if isinstance(statements, list) else [statements]))


def _buckets(aws: AwsReader, region: str) -> Iterator[dict[str, Any]]:
    return aws.items("s3:ListAllMyBuckets", region, BucketRegion=region)


def _arn(aws: AwsReader, bucket: dict[str, Any]) -> str:
    return f"arn:{aws.account.partition}:s3:::{bucket['Name']}"


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
