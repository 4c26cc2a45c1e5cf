"""One row that cannot be read keeps nobody from the others: whatever it holds, lists and sweeps go past it."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from mypy_boto3_dynamodb import DynamoDBClient
from temporalio.testing import ActivityEnvironment

from activities.obstacles import Obstacles
from activities.onboarding_upkeep import OnboardingUpkeep
from activities.upkeep import UpkeepActivities, UpkeepPorts
from domain.accounts import AccountStatus
from domain.audit.trail import note_of
from domain.callers.tenants import TenantStatus
from domain.errors import NotFound, PlatformConfig, UnknownValue, UnreadableRow
from domain.onboarding.credentials import CredentialRef
from domain.pages import Page
from domain.scans.notifications import Channel, ChannelKind, Delivery, DeliveryState, NotificationSettings
from domain.scans.scan import Counts, Execution, ExecutionStatus, ScanResult, TriggeredBy
from domain.schedules.schedule import Cadence, Schedule, ScheduleStatus, ScheduleType, Skip
from domain.timestamps import parse
from stores.audit.chain import DynamoAuditChain
from stores.audit.events import DynamoAuditStore
from stores.dynamodb.account_rows import to_row
from stores.dynamodb.accounts import DynamoAccountStore
from stores.dynamodb.adoption import refuse_the_predecessors
from stores.dynamodb.api_keys import DynamoApiKeyStore
from stores.dynamodb.executions import DynamoExecutionStore
from stores.dynamodb.items import Row, to_item
from stores.dynamodb.schedule_rows import execution_to_row, result_to_row, schedule_to_row
from stores.dynamodb.schedules import DynamoScheduleStore
from stores.dynamodb.survey import READERS, survey
from stores.dynamodb.tables import TableNames
from stores.dynamodb.tenants import DynamoTenantStore
from stores.reading import watching_unreadable_rows
from stores.s3.results import S3ResultStore
from tests.fakes import FakeSealer, FakeVault
from tests.fakes_scans import FakeEngines, FakeRuns, FakeSchedules, ScriptedEngine
from tests.stores.conftest import Aws, emulated, impatient_clients
from tests.stores.faults import answered
from tests.stores.samples import AT, LATER, a_key, accepted, new_account, new_event, new_id, new_tenant

NAMES = TableNames()
TENANT = new_id()
ACCOUNT = replace(
    new_account(TENANT),
    status=AccountStatus.ACTIVE,
    account_number="1" * 12,
    credential=CredentialRef("arn:aws:x", "v1"),
    last_verdict=accepted("1" * 12),
    last_validated_at=LATER,
)
SCHEDULE = Schedule(
    schedule_id=new_id(),
    tenant_id=TENANT,
    account_id=ACCOUNT.account_id,
    provider_type=ACCOUNT.provider_type,
    name="Nightly",
    cadence=Cadence(ScheduleType.CRON, cron_expression="0 2 * * *"),
    created_at=AT,
    updated_at=AT,
    created_by="key:test",
    notifications=NotificationSettings(True, True, (Channel(ChannelKind.WEBHOOK, "https://hooks.example/"),)),
    last_skip=Skip(AT, "scan_running"),
)
EXECUTION = Execution(
    execution_id=new_id(),
    tenant_id=TENANT,
    account_id=ACCOUNT.account_id,
    provider_type=ACCOUNT.provider_type,
    schedule_id=SCHEDULE.schedule_id,
    workflow_id="scan:1",
    triggered_by=TriggeredBy.SCHEDULER,
    started_at=AT,
    status=ExecutionStatus.COMPLETED,
    completed_at=LATER,
    counts=Counts(1, 1),
    deliveries=(Delivery(ChannelKind.WEBHOOK, "https://hooks.example/", DeliveryState.DELIVERED, LATER),),
)
RESULT = ScanResult(
    EXECUTION.execution_id,
    TENANT,
    ACCOUNT.account_id,
    ACCOUNT.provider_type,
    AT,
    LATER,
    "s3://bucket/key",
    Counts(1, 1),
)
TENANT_ROW = replace(new_tenant(), tenant_id=TENANT)
EVENT = new_event(TENANT)

ROWS: dict[str, Row] = {
    "tenants": asdict(TENANT_ROW),
    "accounts": to_row(ACCOUNT),
    "schedules": schedule_to_row(SCHEDULE),
    "executions": execution_to_row(EXECUTION),
    "scan_results": result_to_row(RESULT),
    "api_keys": asdict(a_key(TENANT)),
    "audit_events": asdict(EVENT),
    "audit_unsealed": {"tenant_id": TENANT, **note_of(EVENT, now=parse(AT))._asdict()},
}
"""A good row of each table that is listed."""

PREDECESSORS: dict[str, Row] = {
    "tenants": {"tenant_id": new_id(), "tenant_name": "Acme", "status": "active", "created_at": "2024-01-01T00:00:00"},
    "providers": {"provider_id": new_id(), "tenant_id": TENANT, "provider_type": "aws", "status": "active"},
    "accounts": {"account_id": new_id(), "tenant_id": TENANT, "account_name": "Prod", "onboarding_id": ""},
    "schedules": {"schedule_id": new_id(), "tenant_id": TENANT, "enabled": "true", "interval_seconds": Decimal(0)},
    "executions": {"execution_id": new_id(), "schedule_id": new_id(), "status": "success", "total_checks": Decimal(5)},
    "scan_results": {"scan_id": "scan-1", "account_id": new_id(), "result_storage_path": "/data/scan-1.json"},
}  # fmt: skip

scalars = (
    st.none()
    | st.booleans()
    | st.text(max_size=8)
    | st.integers(-(10**20), 10**20).map(Decimal)
    | st.just(Decimal("1E-30"))
)
values = st.recursive(
    scalars | st.binary(max_size=4) | st.sets(st.text(min_size=1, max_size=3), min_size=1, max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=4), inner, max_size=3),
    max_leaves=6,
)
"""Whatever DynamoDB can hold."""


@pytest.fixture(scope="module")
def client() -> DynamoDBClient:
    """Connected to nothing."""
    return impatient_clients("http://127.0.0.1:9").dynamodb


def _base64(raw: Any) -> str:
    return base64.b64encode(bytes(raw)).decode()


@contextmanager
def holding(client: DynamoDBClient, *rows: Row) -> Iterator[None]:
    """Every list of every table is these rows."""
    serialize = TypeSerializer().serialize
    items = [{name: serialize(value) for name, value in row.items()} for row in rows]
    body = json.dumps({"Items": items, "Count": len(items)}, default=_base64).encode()
    with answered(client, "Query", status=200, body=body), answered(client, "Scan", status=200, body=body):
        yield


def listed(client: DynamoDBClient, table: str) -> Page[Any]:
    match table:
        case "tenants":
            return DynamoTenantStore(client, NAMES).page(limit=10, cursor=None)
        case "accounts":
            store = DynamoAccountStore(client, NAMES)
            return store.page(TENANT, provider_type=None, status=None, limit=10, cursor=None)
        case "schedules":
            schedules = DynamoScheduleStore(client, NAMES)
            return schedules.page(None, account_id=None, status=None, limit=10, cursor=None)
        case "executions":
            executions = DynamoExecutionStore(client, NAMES)
            return executions.page(TENANT, schedule_id=new_id(), account_id=None, limit=10, cursor=None)
        case "scan_results":
            results: Any = S3ResultStore(None, client, NAMES, bucket="b")  # type: ignore[arg-type]
            found: Page[Any] = results.page(TENANT, account_id=new_id(), limit=10, cursor=None)
            return found
        case "api_keys":
            return DynamoApiKeyStore(client, NAMES).page(TENANT, limit=10, cursor=None)
        case "audit_events":
            return DynamoAuditStore(client, NAMES).page(TENANT, limit=10, cursor=None)
        case _:
            return Page(DynamoAuditChain(client, NAMES).waiting(TENANT, after="", limit=10))


@pytest.mark.parametrize("table", ROWS)
def test_a_good_row_is_read(client: DynamoDBClient, table: str):
    with holding(client, ROWS[table]):
        page = listed(client, table)
    assert (len(page.items), list(page.unreadable)) == (1, [])


@pytest.mark.parametrize("table", ROWS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(data=st.data())
def test_a_list_goes_past_any_row(client: DynamoDBClient, table: str, data: st.DataObject):
    """A good row of which some attributes are lost, and others hold anything."""
    good = ROWS[table]
    lost = data.draw(st.sets(st.sampled_from(sorted(good)), max_size=3))
    wrong = data.draw(st.dictionaries(st.sampled_from(sorted(good)), values, max_size=3))
    bad = {name: value for name, value in {**good, **wrong}.items() if name not in lost}
    with holding(client, bad, good):
        page = listed(client, table)
    assert len(page.items) in (1, 2)
    if table != "audit_unsealed":  # notes are sealed one by one and have no list
        assert len(page.items) + len(page.unreadable) == 2


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(bad=st.dictionaries(st.sampled_from(sorted(ROWS["schedules"])), values, max_size=25))
@example(bad={})
@example(bad={**ROWS["schedules"], "cadence": {**ROWS["schedules"]["cadence"], "timezone": "Mars/Phobos"}})
@example(bad={**ROWS["schedules"], "running_execution_id": new_id()})
@example(bad={"schedule_id": SCHEDULE.schedule_id})
def test_a_sweep_goes_past_any_row(client: DynamoDBClient, bad: Row):
    schedules, executions = DynamoScheduleStore(client, NAMES), DynamoExecutionStore(client, NAMES)
    accounts, temporal = DynamoAccountStore(client, NAMES), FakeSchedules()
    obstacles = Obstacles(DynamoTenantStore(client, NAMES), accounts, FakeEngines(inside=ScriptedEngine()))
    ports = UpkeepPorts(schedules, executions, temporal, FakeRuns(), FakeVault(), obstacles, FakeSealer())
    good = {**ROWS["schedules"], "schedule_id": new_id()}
    upkeep = UpkeepActivities(ports, pause_after=3, catch_up=timedelta(hours=1))
    onboardings = OnboardingUpkeep(accounts, FakeVault(), FakeRuns(), lambda *ids: "/".join(ids))
    with holding(client, bad, good), answered(client, "GetItem", status=200, body=b"{}"):
        drift = ActivityEnvironment().run(upkeep.find_drift)
        assert ActivityEnvironment().run(onboardings.find_lost) == ()
    assert good["schedule_id"] in {key.schedule_id for key in drift.astray}
    assert drift.rows + len(drift.unreadable) >= 2


def test_a_row_that_cannot_be_read_is_told_by_table_and_key_and_nothing_else(client: DynamoDBClient):
    told: list[tuple[str, str]] = []
    bad = {**ROWS["accounts"], "external_id": Decimal(1), "account_name": "canary"}
    foreign = {"account_id": "canary of\nanother program", "tenant_id": TENANT}
    with holding(client, bad, foreign), watching_unreadable_rows(lambda *row: told.append(row)):
        page = listed(client, "accounts")
    assert told == [("accounts", ACCOUNT.account_id), ("accounts", "(not an id)")]
    assert list(page.unreadable) == [ACCOUNT.account_id, "(not an id)"]


@pytest.mark.parametrize("table", PREDECESSORS)
def test_tables_with_rows_of_the_predecessor_are_not_adopted(client: DynamoDBClient, table: str):
    with holding(client, PREDECESSORS[table]), pytest.raises(PlatformConfig, match="`migrate`") as refused:
        refuse_the_predecessors(client, NAMES)
    assert "Acme" not in refused.value.message


# On an emulator: what the stores do with the one row.


@pytest.fixture(scope="module", params=[pytest.param("ministack", marks=pytest.mark.stack)])
def aws(request: pytest.FixtureRequest) -> Aws:
    return emulated(request.param, request)


def put(aws: Aws, table: str, row: Row) -> None:
    aws.clients.dynamodb.put_item(TableName=getattr(aws.names, table), Item=to_item(row))


def test_looked_at_alone_such_a_row_has_an_error_of_its_own(aws: Aws):
    for table, key, look in (
        ("schedules", "schedule_id", aws.stores.schedules.get),
        ("executions", "execution_id", aws.stores.executions.get),
        ("scan_results", "scan_id", aws.stores.results.get),
        ("accounts", "account_id", aws.stores.accounts.get),
    ):
        row_id, tenant_id = new_id(), new_id()
        put(aws, table, {key: row_id, "tenant_id": tenant_id})
        with pytest.raises(UnreadableRow):
            look(tenant_id, row_id)
        with pytest.raises(NotFound):
            look(new_id(), row_id)
        found = survey(aws.clients.dynamodb, getattr(aws.names, table), READERS[table])
        assert (found.unreadable, found.named, found.complete) == (1, (row_id,), True)


def test_a_list_of_tenants_goes_past_a_foreign_row_and_its_cursor_past_any_key(aws: Aws):
    for name in ("Ümläut / tenant", "a b", "x" * 300):
        put(aws, "tenants", {"tenant_id": name, "tenant_name": name})
    made = [aws.stores.tenants.create(new_tenant(), new_event(new_id())) for _ in range(3)]
    seen, unreadable, cursor = set[str](), 0, None
    while True:
        page = aws.stores.tenants.page(limit=1, cursor=cursor)
        seen |= {tenant.tenant_id for tenant in page.items}
        unreadable += len(page.unreadable)
        if (cursor := page.next_cursor) is None:
            break
    assert seen >= {tenant.tenant_id for tenant in made}
    assert unreadable == 3


def test_a_value_of_a_newer_version_is_read_as_unknown_and_never_written_over(aws: Aws):
    tenant = aws.stores.tenants.create(new_tenant(), new_event(new_id()))
    put(aws, "tenants", {**asdict(tenant), "status": "suspended"})
    found = aws.stores.tenants.get(tenant.tenant_id)
    assert found.status is TenantStatus.UNKNOWN
    with pytest.raises(UnknownValue):
        aws.stores.tenants.update(replace(found, description="New", version=2), new_event(tenant.tenant_id))
    stored = aws.clients.dynamodb.get_item(TableName=aws.names.tenants, Key=to_item({"tenant_id": tenant.tenant_id}))
    assert stored["Item"]["status"] == {"S": "suspended"}


def test_a_schedule_of_a_newer_status_does_not_fire_and_a_filter_finds_no_row_of_it(aws: Aws):
    put(aws, "schedules", {**ROWS["schedules"], "status": "archived"})
    found = aws.stores.schedules.get(TENANT, SCHEDULE.schedule_id)
    assert (found.status, found.fires) == (ScheduleStatus.UNKNOWN, False)
    page = aws.stores.schedules.page(TENANT, account_id=None, status=ScheduleStatus.UNKNOWN, limit=10, cursor=None)
    assert list(page.items) == []
