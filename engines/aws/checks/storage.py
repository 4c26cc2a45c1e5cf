"""Checks of databases and their snapshots, file systems and keys."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any

from domain.scans.scan import Severity
from engines.aws.reader import AwsReader, Halted, Unreadable
from engines.checks import Check, Judgement, Verdict, by_resource, cis_check, fsbp, undecided


@dataclass(frozen=True)
class SnapshotKind:
    """How AWS names the same things of a database's snapshots and of a cluster's."""

    listed: str
    attributes: str
    identifier: str
    arn: str
    encrypted: str
    result: str
    result_items: str


DATABASE_SNAPSHOTS = SnapshotKind(
    "rds:DescribeDBSnapshots",
    "rds:DescribeDBSnapshotAttributes",
    "DBSnapshotIdentifier",
    "DBSnapshotArn",
    "Encrypted",
    "DBSnapshotAttributesResult",
    "DBSnapshotAttributes",
)
CLUSTER_SNAPSHOTS = SnapshotKind(
    "rds:DescribeDBClusterSnapshots",
    "rds:DescribeDBClusterSnapshotAttributes",
    "DBClusterSnapshotIdentifier",
    "DBClusterSnapshotArn",
    "StorageEncrypted",
    "DBClusterSnapshotAttributesResult",
    "DBClusterSnapshotAttributes",
)


def database_encryption(aws: AwsReader, region: str) -> Iterator[Judgement]:
    good, bad = "The database is encrypted.", "The database is not encrypted."
    yield from _by_database(aws, region, itemgetter("StorageEncrypted"), good=good, bad=bad)


def database_updates(aws: AwsReader, region: str) -> Iterator[Judgement]:
    good, bad = "Minor versions are installed by themselves.", "Minor versions wait for somebody to install them."
    yield from _by_database(aws, region, itemgetter("AutoMinorVersionUpgrade"), good=good, bad=bad)


def database_private(aws: AwsReader, region: str) -> Iterator[Judgement]:
    good, bad = "The database has no public address.", "The database has a public address."
    yield from _by_database(aws, region, lambda database: not database["PubliclyAccessible"], good=good, bad=bad)


def snapshot_encryption(aws: AwsReader, region: str) -> Iterator[Judgement]:
    good, bad = "The snapshot is encrypted.", "The snapshot is not encrypted."
    yield from _by_snapshot(aws, region, lambda kind: itemgetter(kind.encrypted), good=good, bad=bad)


def snapshot_private(aws: AwsReader, region: str) -> Iterator[Judgement]:
    good, bad = "The snapshot is not public.", "Every AWS account may restore the snapshot."
    yield from _by_snapshot(aws, region, lambda kind: partial(_is_private, aws, region, kind), good=good, bad=bad)


def file_system_encryption(aws: AwsReader, region: str) -> Iterator[Judgement]:
    def name(system: dict[str, Any]) -> str:
        return aws.account.arn("elasticfilesystem", region, f"file-system/{system['FileSystemId']}")

    def is_encrypted(system: dict[str, Any]) -> Verdict:
        return bool(system.get("Encrypted", False))

    systems = aws.items("elasticfilesystem:DescribeFileSystems", region)
    good, bad = "The file system is encrypted.", "The file system is not encrypted."
    yield from by_resource(aws, systems, name, is_encrypted, good=good, bad=bad)


def key_rotation(aws: AwsReader, region: str) -> Iterator[Judgement]:
    def name(key: dict[str, Any]) -> str:
        return aws.account.arn("kms", region, f"key/{key['KeyId']}")

    keys = aws.items("kms:ListKeys", region)
    good, bad = "The key is rotated every year.", "The key is never rotated."
    yield from by_resource(aws, keys, name, lambda key: _rotates(aws, region, key["KeyId"]), good=good, bad=bad)


def _by_database(
    aws: AwsReader, region: str, verdict: Callable[[dict[str, Any]], Verdict], *, good: str, bad: str
) -> Iterator[Judgement]:
    databases = aws.items("rds:DescribeDBInstances", region)
    yield from by_resource(aws, databases, itemgetter("DBInstanceArn"), verdict, good=good, bad=bad)


def _by_snapshot(
    aws: AwsReader,
    region: str,
    verdict_of: Callable[[SnapshotKind], Callable[[dict[str, Any]], Verdict]],
    *,
    good: str,
    bad: str,
) -> Iterator[Judgement]:
    """Of both kinds, also when only one of them can be listed."""
    for kind in (DATABASE_SNAPSHOTS, CLUSTER_SNAPSHOTS):
        snapshots, name = aws.items(kind.listed, region), itemgetter(kind.arn)
        try:
            yield from by_resource(aws, snapshots, name, verdict_of(kind), good=good, bad=bad)
        except Halted:
            raise
        except Unreadable as failure:
            yield undecided(aws.account.root, failure)


def _is_private(aws: AwsReader, region: str, kind: SnapshotKind, snapshot: dict[str, Any]) -> bool:
    """An encrypted or an automated snapshot cannot be shared with everybody, so AWS is not asked about it."""
    if snapshot[kind.encrypted] or snapshot["SnapshotType"] == "automated":
        return True
    answer = aws.setting(kind.attributes, region, **{kind.identifier: snapshot[kind.identifier]})
    restorers = [each for each in answer[kind.result][kind.result_items] if each["AttributeName"] == "restore"]
    return not any("all" in each.get("AttributeValues", []) for each in restorers)


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
    Check(
        "fsbp-rds.4",
        "RDS snapshots are encrypted",
        "rds",
        Severity.MEDIUM,
        (fsbp("RDS.4"),),
        "Make an encrypted copy of the snapshot, and delete the snapshot.",
        snapshot_encryption,
    ),
    Check(
        "fsbp-rds.1",
        "RDS snapshots are not public",
        "rds",
        Severity.CRITICAL,
        (fsbp("RDS.1"),),
        "Make the snapshot private: take all out of the accounts that may restore it.",
        snapshot_private,
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
