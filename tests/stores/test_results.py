"""The contract of ResultStore, and the bucket."""

import json
import time
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from boto3.session import Session
from botocore.stub import Stubber

from domain.accounts import ProviderType
from domain.errors import NotFound
from domain.scans.scan import CheckStatus, Counts, ScanOrder
from domain.schedules.schedule import ScanScope
from domain.setup import SetupState
from domain.timestamps import parse
from emulators.ministack import REGION
from stores.s3.buckets import ensure_results_bucket
from tests.fakes_scans import FOUND, finding
from tests.stores.conftest import Aws, Stores
from tests.stores.samples import AT, LATER, STRANGE_IDS, new_id

PRIVATE = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)


def order(**changes: str) -> ScanOrder:
    ids = {"execution_id": new_id(), "tenant_id": new_id(), "account_id": new_id()} | changes
    return ScanOrder(provider_type=ProviderType.AWS, account_number="444455556666", scope=ScanScope(), **ids)


def test_what_is_written_is_counted_and_read_again(stores: Stores):
    asked = order()
    stored = stores.results.write(asked, FOUND, started_at=AT, completed_at=LATER)
    found = stores.results.get(asked.tenant_id, asked.execution_id)
    assert stored.counts == found.counts == Counts(total=3, passed=1, failed=1, errors=1)
    assert (found.location, found.started_at, found.completed_at) == (stored.location, AT, LATER)
    assert stores.results.tenant_of(asked.execution_id) == asked.tenant_id


def test_writing_again_replaces_it(stores: Stores):
    asked = order()
    stores.results.write(asked, FOUND, started_at=AT, completed_at=AT)
    stores.results.write(asked, [finding()], started_at=AT, completed_at=LATER)
    assert stores.results.get(asked.tenant_id, asked.execution_id).counts == Counts(total=1, passed=1)
    assert len(stores.results.page(asked.tenant_id, account_id=asked.account_id, limit=10, cursor=None).items) == 1


@pytest.mark.parametrize("scan_id", STRANGE_IDS, ids=ascii)
def test_an_unknown_result_is_not_found(stores: Stores, scan_id: str):
    with pytest.raises(NotFound):
        stores.results.get(order().tenant_id, scan_id)


def test_another_tenants_result_is_not_replaced(stores: Stores):
    asked = order()
    stores.results.write(asked, FOUND, started_at=AT, completed_at=LATER)
    with pytest.raises(NotFound):
        stores.results.write(order(execution_id=asked.execution_id), [finding()], started_at=AT, completed_at=LATER)
    assert stores.results.get(asked.tenant_id, asked.execution_id).counts.total == 3


def test_another_tenant_finds_nothing(stores: Stores):
    asked, stranger = order(), new_id()
    stores.results.write(asked, FOUND, started_at=AT, completed_at=LATER)
    with pytest.raises(NotFound):
        stores.results.get(stranger, asked.execution_id)
    assert list(stores.results.page(stranger, account_id=asked.account_id, limit=10, cursor=None).items) == []


def test_an_accounts_results_come_newest_first(stores: Stores):
    first = order()
    times = [f"2026-11-2{day}T00:00:00.000Z" for day in range(5)]
    for at in times:
        again = order(tenant_id=first.tenant_id, account_id=first.account_id)
        stores.results.write(again, FOUND, started_at=at, completed_at=at)
    found, cursor = [], None
    while True:
        page = stores.results.page(first.tenant_id, account_id=first.account_id, limit=2, cursor=cursor)
        found += [row.started_at for row in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert found == times[::-1]


def test_a_link_shows_the_findings_to_whoever_has_it(aws: Aws):
    asked = order()
    aws.stores.results.write(asked, FOUND, started_at=AT, completed_at=LATER)
    link = aws.stores.results.link(aws.stores.results.get(asked.tenant_id, asked.execution_id))
    events = httpx.get(link, trust_env=False).json()
    # What passes is not told beside a problem of the same resource.
    assert [event["class_uid"] for event in events] == [2003] * 2


def test_a_link_works_for_five_minutes(aws: Aws):
    asked = order()
    aws.stores.results.write(asked, FOUND, started_at=AT, completed_at=LATER)
    now = time.time()
    link = urlsplit(aws.stores.results.link(aws.stores.results.get(asked.tenant_id, asked.execution_id)))
    given = {name.lower(): values[0] for name, values in parse_qs(link.query).items()}
    # Signature version 4 says how long, version 2 until when.
    lives = int(given["x-amz-expires"]) if "x-amz-expires" in given else int(given["expires"]) - now
    assert 295 <= lives <= 301


def events_of(aws: Aws, asked: ScanOrder) -> dict[str, tuple[str, int]]:
    """By resource: what is said of it, and when it was first seen."""
    link = aws.stores.results.link(aws.stores.results.get(asked.tenant_id, asked.execution_id))
    return {
        event["resources"][0]["uid"]: (event["activity_name"], event["finding_info"]["first_seen_time"])
        for event in httpx.get(link, trust_env=False).json()
    }


def test_the_events_of_a_scan_are_told_against_the_scan_before_of_the_same_engine(aws: Aws):
    first = order()
    later, other = (order(tenant_id=first.tenant_id, account_id=first.account_id) for _ in range(2))
    problem, other_problem = (replace(finding(CheckStatus.FAIL), resource=name) for name in "ab")
    aws.stores.results.write(first, [problem], started_at=AT, completed_at=AT, engine="built-in")
    for _ in range(2):  # a step that is repeated tells the same
        both = [problem, other_problem]
        stored = aws.stores.results.write(later, both, started_at=LATER, completed_at=LATER, engine="built-in")
        assert stored.counts.total == 2
    aws.stores.results.write(other, [problem], started_at=LATER, completed_at=LATER, engine="elsewhere")
    at, now = (int(parse(stamp).timestamp() * 1000) for stamp in (AT, LATER))
    assert events_of(aws, first) == {"a": ("Create", at)}
    assert events_of(aws, later) == {"a": ("Update", at), "b": ("Create", now)}
    assert events_of(aws, other) == {"a": ("Create", now)}


@pytest.mark.parametrize("kept", [b"", b"[]", b'{"scan_id": "x", "after": {"u": {}}}', b"\xff"])
def test_when_it_cannot_be_read_what_was_known_every_problem_is_a_new_one(aws: Aws, kept: bytes):
    asked = order()
    key = f"{asked.tenant_id}/{asked.account_id}/known-built-in.json"
    aws.clients.s3.put_object(Bucket=aws.prefix, Key=key, Body=kept)
    aws.stores.results.write(asked, [finding(CheckStatus.FAIL)], started_at=AT, completed_at=LATER, engine="built-in")
    ((activity, _),) = events_of(aws, asked).values()
    assert activity == "Create"


def test_a_finding_that_could_not_be_decided_is_not_a_pass(aws: Aws):
    asked = order()
    aws.stores.results.write(asked, [finding(CheckStatus.ERROR)], started_at=AT, completed_at=LATER)
    assert aws.stores.results.get(asked.tenant_id, asked.execution_id).counts == Counts(total=1, errors=1)


class TestTheBucket:
    def test_is_found_as_it_was_made(self, aws: Aws):
        name = f"made-{aws.names.accounts[:8]}"
        assert ensure_results_bucket(aws.clients.s3, name)[0].state is SetupState.CREATED
        assert ensure_results_bucket(aws.clients.s3, name)[0].state is SetupState.FOUND

    def test_is_private_encrypted_with_our_key_and_emptied_by_age(self, aws: Aws):
        s3: Any = aws.clients.s3
        assert set(s3.get_public_access_block(Bucket=aws.prefix)["PublicAccessBlockConfiguration"].values()) == {True}
        [rule] = s3.get_bucket_encryption(Bucket=aws.prefix)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == "alias/threat-engine-results"
        [lifecycle] = s3.get_bucket_lifecycle_configuration(Bucket=aws.prefix)["Rules"]
        assert lifecycle["Expiration"]["Days"] == 365

    def test_is_repaired(self, aws: Aws):
        name = f"broken-{aws.names.accounts[:8]}"
        ensure_results_bucket(aws.clients.s3, name)
        aws.clients.s3.delete_public_access_block(Bucket=name)
        aws.clients.s3.delete_bucket_lifecycle(Bucket=name)
        [finding] = ensure_results_bucket(aws.clients.s3, name)
        assert (finding.state, finding.detail) == (SetupState.REPAIRED, "public access block, lifecycle")

    def test_takes_nothing_without_tls_on_aws_itself(self, aws: Aws):
        """The emulators are spoken to over http: here the bucket is one of theirs, and its policy goes to a script."""
        name = f"tls-{aws.names.accounts[:8]}"
        ensure_results_bucket(aws.clients.s3, name)
        s3: Any = Session("key", "secret", region_name=REGION).client("s3", endpoint_url="https://s3.example")
        policies: list[str] = []
        found = {
            "HeadBucket": {},
            "GetPublicAccessBlock": {"PublicAccessBlockConfiguration": PRIVATE},
            "GetBucketEncryption": aws.clients.s3.get_bucket_encryption(Bucket=name),
            "GetBucketLifecycleConfiguration": aws.clients.s3.get_bucket_lifecycle_configuration(Bucket=name),
        }
        with Stubber(s3) as stub:
            for operation in ("head_bucket", "get_public_access_block", "get_bucket_encryption"):
                stub.add_response(operation, found[operation.title().replace("_", "")])
            stub.add_response("get_bucket_lifecycle_configuration", found["GetBucketLifecycleConfiguration"])
            stub.add_client_error("get_bucket_policy", "NoSuchBucketPolicy", http_status_code=404)
            s3.meta.events.register("provide-client-params.s3.PutBucketPolicy", keep(policies))
            stub.add_response("put_bucket_policy", {})
            [finding] = ensure_results_bucket(s3, name)
        [statement] = json.loads(policies[0])["Statement"]
        assert (finding.state, finding.detail) == (SetupState.REPAIRED, "policy")
        assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def keep(policies: list[str]) -> Any:
    def kept(params: dict[str, Any], **_: Any) -> None:
        policies.append(params["Policy"])

    return kept
