"""The contract of AuditAnchors, and that nobody can change what stands in their bucket."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from domain.audit.anchors import Anchor, Head
from domain.errors import PlatformConfig
from domain.setup import SetupState
from stores.s3.buckets import ensure_anchors_bucket
from tests.stores.conftest import Aws, Stores
from tests.stores.samples import new_id

HEADS = {"platform": Head(3, "a" * 64), new_id(): Head(1, "b" * 64)}
FIRST = Anchor("2031-11-24T10:00:00.000Z", HEADS)
SECOND = Anchor("2031-11-24T10:10:00.000Z", {**HEADS, "platform": Head(4, "c" * 64)})


def test_anchors_are_read_as_they_were_written_and_the_last_of_a_day_is_known(stores: Stores):
    for anchor in (FIRST, SECOND, SECOND):
        stores.anchors.add(anchor)
    assert {anchor.at: anchor for anchor in stores.anchors.all()} == {FIRST.at: FIRST, SECOND.at: SECOND}
    assert stores.anchors.latest(day="2031-11-24") == (SECOND.at, SECOND.digest)
    assert stores.anchors.latest(day="2031-11-25") is None
    assert stores.anchors.hidden() == []


def test_an_anchor_that_somebody_overwrites_or_deletes_is_still_read_and_the_attempt_is_seen(aws: Aws):
    s3, bucket = aws.clients.s3, f"{aws.prefix}-anchors"
    anchor = Anchor("2031-12-01T00:00:00.000Z", HEADS)
    aws.stores.anchors.add(anchor)
    [key] = [found["Key"] for found in s3.list_objects_v2(Bucket=bucket, Prefix="heads/2031-12-01")["Contents"]]
    forged = b'{"at": "2031-12-01T00:00:00.000Z", "heads": {}}'
    s3.put_object(Bucket=bucket, Key=key, Body=forged, ChecksumAlgorithm="SHA256")
    s3.delete_object(Bucket=bucket, Key=key)
    assert anchor in list(aws.stores.anchors.all())
    assert aws.stores.anchors.hidden() == [key]


def test_no_version_can_be_removed_not_even_by_the_owner_of_the_bucket(aws: Aws):
    s3, bucket = aws.clients.s3, f"{aws.prefix}-anchors"
    aws.stores.anchors.add(Anchor("2031-12-02T00:00:00.000Z", HEADS))
    [version] = s3.list_object_versions(Bucket=bucket, Prefix="heads/2031-12-02")["Versions"]
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(
            Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"], BypassGovernanceRetention=True
        )


class TestTheBucket:
    def test_locks_what_is_written_for_400_days_is_private_and_is_found_as_it_was_made(self, aws: Aws):
        s3: Any = aws.clients.s3
        name = f"locked-{aws.names.accounts[:8]}"
        assert ensure_anchors_bucket(s3, name)[0].state is SetupState.CREATED
        assert ensure_anchors_bucket(s3, name)[0].state is SetupState.FOUND
        lock = s3.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"]
        assert {**lock["Rule"]["DefaultRetention"], "Years": 0} == {"Mode": "COMPLIANCE", "Days": 400, "Years": 0}
        assert set(s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"].values()) == {True}

    def test_gets_its_time_back_when_somebody_has_made_it_shorter_and_keeps_a_longer_one(self, aws: Aws):
        s3: Any = aws.clients.s3
        name = f"shorter-{aws.names.accounts[:8]}"
        ensure_anchors_bucket(s3, name)
        for mode, days, state in (
            ("COMPLIANCE", 1, SetupState.REPAIRED),
            ("GOVERNANCE", 400, SetupState.REPAIRED),
            ("COMPLIANCE", 4000, SetupState.FOUND),
        ):
            lock = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": mode, "Days": days}}}
            s3.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=lock)
            assert ensure_anchors_bucket(s3, name)[0].state is state

    def test_without_a_lock_is_refused_with_what_to_do(self, aws: Aws):
        name = f"open-{aws.names.accounts[:8]}"
        place: Any = {"CreateBucketConfiguration": {"LocationConstraint": aws.clients.s3.meta.region_name}}
        aws.clients.s3.create_bucket(Bucket=name, **place)
        with pytest.raises(PlatformConfig, match="AUDIT_ANCHORS_BUCKET"):
            ensure_anchors_bucket(aws.clients.s3, name)
