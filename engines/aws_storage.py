"""Checks of databases, file systems and keys."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from domain.scans import Severity
from engines.aws_reader import AwsReader
from engines.checks import Judgement, cis_check, decided, fsbp, judgement


def database_encryption(aws: AwsReader, region: str) -> Iterator[Judgement]:
    for database in aws.items("rds:DescribeDBInstances", region):
        good, bad = "The database is encrypted.", "The database is not encrypted."
        yield judgement(database["DBInstanceArn"], database["StorageEncrypted"], good=good, bad=bad)


def database_updates(aws: AwsReader, region: str) -> Iterator[Judgement]:
    for database in aws.items("rds:DescribeDBInstances", region):
        good, bad = "Minor versions are installed by themselves.", "Minor versions wait for somebody to install them."
        yield judgement(database["DBInstanceArn"], database["AutoMinorVersionUpgrade"], good=good, bad=bad)


def database_private(aws: AwsReader, region: str) -> Iterator[Judgement]:
    for database in aws.items("rds:DescribeDBInstances", region):
        good, bad = "The database has no public address.", "The database has a public address."
        yield judgement(database["DBInstanceArn"], not database["PubliclyAccessible"], good=good, bad=bad)


def file_system_encryption(aws: AwsReader, region: str) -> Iterator[Judgement]:
    for system in aws.items("elasticfilesystem:DescribeFileSystems", region):
        good, bad = "The file system is encrypted.", "The file system is not encrypted."
        resource = aws.account.arn("elasticfilesystem", region, f"file-system/{system['FileSystemId']}")
        yield judgement(resource, system.get("Encrypted", False), good=good, bad=bad)


def key_rotation(aws: AwsReader, region: str) -> Iterator[Judgement]:
    for key in aws.items("kms:ListKeys", region):
        resource = aws.account.arn("kms", region, f"key/{key['KeyId']}")
        good, bad = "The key is rotated every year.", "The key is never rotated."
        yield from decided(resource, partial(_rotates, aws, region, key["KeyId"]), good=good, bad=bad)


def _rotates(aws: AwsReader, region: str, key_id: str) -> bool | None:
    if not _can_rotate(aws.setting("kms:DescribeKey", region, KeyId=key_id)["KeyMetadata"]):
        return None
    return bool(aws.setting("kms:GetKeyRotationStatus", region, KeyId=key_id)["KeyRotationEnabled"])


def _can_rotate(key: dict[str, Any]) -> bool:
    """AWS rotates its own keys by itself, a replica with its primary key, and no key whose material is not its own."""
    replica = key.get("MultiRegionConfiguration", {}).get("MultiRegionKeyType") == "REPLICA"
    ours = (key["KeyManager"], key["KeyState"], key["KeySpec"], key["Origin"])
    return ours == ("CUSTOMER", "Enabled", "SYMMETRIC_DEFAULT", "AWS_KMS") and not replica


CHECKS = (
    cis_check(
        "2.3.1",
        "RDS databases are encrypted",
        service="rds",
        severity=Severity.MEDIUM,
        remedy="Restore an encrypted copy of a snapshot, and replace the database by it.",
        judge=database_encryption,
        also=(fsbp("RDS.3"),),
    ),
    cis_check(
        "2.3.2",
        "RDS databases install minor versions by themselves",
        service="rds",
        severity=Severity.MEDIUM,
        remedy="Switch on auto minor version upgrade for the database.",
        judge=database_updates,
        also=(fsbp("RDS.13"),),
    ),
    cis_check(
        "2.3.3",
        "RDS databases have no public address",
        service="rds",
        severity=Severity.CRITICAL,
        remedy="Switch off public access of the database.",
        judge=database_private,
        also=(fsbp("RDS.2"),),
    ),
    cis_check(
        "2.4.1",
        "EFS file systems are encrypted",
        service="elasticfilesystem",
        severity=Severity.MEDIUM,
        remedy="Copy the data to an encrypted file system; an existing one cannot be encrypted.",
        judge=file_system_encryption,
        also=(fsbp("EFS.1"),),
    ),
    cis_check(
        "3.6",
        "Symmetric customer keys are rotated",
        service="kms",
        severity=Severity.MEDIUM,
        remedy="Switch on automatic rotation of the key.",
        judge=key_rotation,
    ),
)
