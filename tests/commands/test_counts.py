"""The operations whose cost is counted, done again by the whole system: the API, a worker, Temporal and the emulated
AWS, each process in its own role."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from temporalio.client import (
    Client,
    ScheduleActionExecutionStartWorkflow,
    ScheduleBackfill,
    ScheduleHandle,
    WorkflowHistory,
)

import main
import worker
from activities.failures import as_failure
from api.app import create_app
from bench.costs import actions
from bench.portal_client import PortalClient
from commands.bootstrap import add_administrator_key
from commands.cost.counts import (
    ASSUMED,
    COUNTED,
    HEALTH,
    KEY_LOOKUP,
    LOOK,
    ONBOARDING,
    SCAN,
    SCHEDULE,
    SECOND_TRY,
    TENANT,
    Count,
)
from composition.aws import aws_of
from config import Settings, TemporalConnection, default_buckets
from domain.scans.scan import ScanOutcome, ScanState
from domain.timestamps import stamp
from emulators.ministack import REGION
from local.demo import deploy
from local.identities import AwsAccount, make_process_identities
from local.stack import CUSTOMER_NUMBER, PLATFORM_NUMBER
from stores import session
from stores.dynamodb.api_keys import DynamoApiKeyStore
from stores.dynamodb.tables import TableNames, ensure_tables
from stores.kms.keys import ensure_keys
from stores.s3.buckets import ensure_anchors_bucket, ensure_results_bucket
from stores.session import AwsClients
from temporal.client import connect
from tests.commands.conftest import acting_as_root
from tests.commands.metering import Meter, item_bytes, metered, stored_bytes
from tests.patience import PATIENCE_SECONDS
from tests.rig import SIGNER, eventually
from tests.workflows.record import HISTORIES
from workflows.ids import converge_id, onboarding_id

NAMES = TableNames()
LASTING = [name for name in vars(NAMES).values() if name not in (NAMES.idempotency, NAMES.audit_unsealed)]


class Customer:
    """One AWS account with one role, which trusts us for one onboarding at a time."""

    def __init__(self, account: AwsAccount) -> None:
        self._account = account
        self._iam = account.session.client("iam", endpoint_url=account.endpoint)
        self.role_arn = ""

    def deploy(self, template: str) -> None:
        self.role_arn = deploy(self._account, template)["RoleArn"]

    def trust(self, external_id: str) -> None:
        name = self.role_arn.rsplit("/", 1)[1]
        found: Any = self._iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        [statement] = found["Statement"]
        statement["Condition"]["StringEquals"]["sts:ExternalId"] = external_id
        self._iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(found))


@dataclass
class Platform:
    """The system at work, a customer of it, and the meter on all that its processes ask of AWS."""

    portal: PortalClient
    client: Client
    aws: AwsClients
    customer: Customer
    meter: Meter
    years: Iterator[int] = field(default_factory=partial(count, 2020))

    async def cost_of(self, operation: Awaitable[object], *, requests: int) -> Count:
        """What it takes. Each of its requests is counted with a look-up of the caller's key, which happens or not. An
        operation that returns the id of a workflow has its actions."""
        before = await asyncio.to_thread(stored_bytes, self.aws.dynamodb, LASTING)
        self.meter.take()
        result = await operation
        seen = self.meter.take()
        after = await asyncio.to_thread(stored_bytes, self.aws.dynamodb, LASTING)
        more = Count(stored_bytes=after - before, actions=await self._actions(result))
        return seen + more + KEY_LOOKUP.times(requests)

    async def onboarding(self, tenant_id: str) -> str:
        started = await self.portal.init(tenant_id)
        return await self._accepted(tenant_id, started)

    async def second_try(self, tenant_id: str) -> str:
        """The first credential is refused, because the role does not know the new external id yet."""
        started = await self.portal.init(tenant_id)
        with pytest.raises(httpx.HTTPStatusError, match="400"):
            await self.portal.validate(started["account_id"], self.customer.role_arn)
        return await self._accepted(tenant_id, started)

    async def schedule(self, tenant_id: str, account_id: str) -> str:
        """By it the account is scanned once a year, and not while it is looked at."""
        wanted = {"schedule_type": "cron", "cron_expression": "0 0 1 1 *", "regions": [REGION], "name": "Yearly"}
        body = {"tenant_id": tenant_id, "account_id": account_id, **wanted}
        workflow_id = converge_id(tenant_id, (await self.portal._post("/schedules", body))["schedule_id"])
        await self.client.get_workflow_handle(workflow_id, result_type=ScanOutcome).result()
        return workflow_id

    async def scan(self, schedule: str) -> str:
        """One that its Temporal Schedule starts, as nearly all are: there is no request."""
        handle = self.client.get_schedule_handle(schedule.rsplit(":", 1)[1])
        before = (await handle.describe()).info.num_actions
        await self._make_due(handle)

        async def has_started() -> bool:
            return (await handle.describe()).info.num_actions > before

        await eventually(has_started)
        started = (await handle.describe()).info.recent_actions[-1].action
        assert isinstance(started, ScheduleActionExecutionStartWorkflow)
        outcome = await self.client.get_workflow_handle(started.workflow_id, result_type=ScanOutcome).result()
        assert outcome.state is ScanState.COMPLETED
        return started.workflow_id

    async def _make_due(self, handle: ScheduleHandle) -> None:
        """Without waiting for a year: the row is made older, and Temporal makes up for a New Year of the past."""
        new_year = datetime(next(self.years), 1, 1, tzinfo=UTC)
        self.aws.dynamodb.update_item(
            TableName=NAMES.schedules,
            Key={"schedule_id": {"S": handle.id}},
            UpdateExpression="SET created_at = :before REMOVE last_run_at",
            ExpressionAttributeValues={":before": {"S": stamp(new_year - timedelta(days=1))}},
        )
        # The hour after it, because of the jitter.
        hour = ScheduleBackfill(start_at=new_year - timedelta(seconds=1), end_at=new_year + timedelta(hours=1))
        await handle.backfill(hour)

    async def _accepted(self, tenant_id: str, started: dict[str, Any]) -> str:
        await asyncio.to_thread(self.customer.trust, started["external_id"])
        await self.portal.validate(started["account_id"], self.customer.role_arn)
        return onboarding_id(tenant_id, started["account_id"])

    async def _actions(self, result: object) -> int:
        if not isinstance(result, str) or ":" not in result:
            return 0
        return actions((await self.client.get_workflow_handle(result).fetch_history()).events)


@asynccontextmanager
async def at_work(endpoint: str, temporal: TemporalConnection, profiles: Path) -> AsyncIterator[Platform]:
    make_process_identities(AwsAccount(PLATFORM_NUMBER, endpoint, "secret"), profiles)
    with acting_as_root(PLATFORM_NUMBER):
        aws = session.connect(REGION, endpoint_url=endpoint)
        ensure_keys(aws.kms)
        ensure_tables(aws.dynamodb, NAMES)
        ensure_results_bucket(aws.s3, default_buckets(PLATFORM_NUMBER, REGION).results)
        ensure_anchors_bucket(aws.s3, default_buckets(PLATFORM_NUMBER, REGION).anchors)
        key, _ = add_administrator_key(DynamoApiKeyStore(aws.dynamodb, NAMES))
    customer = Customer(AwsAccount(CUSTOMER_NUMBER, endpoint, "secret"))
    settings = Settings(
        aws_region=REGION,
        aws_endpoint_url=endpoint,
        customer_aws_endpoint_url=endpoint,
        platform_aws_account_id=PLATFORM_NUMBER,
    )
    client = await connect(temporal.address, namespace=temporal.namespace, signer=SIGNER, as_failure=as_failure)
    meter, stopping = Meter(unseen=frozenset({NAMES.api_keys})), asyncio.Event()
    with metered(meter), identities(endpoint, profiles) as act_as:
        act_as("api")
        app = create_app(main.services(settings, client, aws_of(settings)))
        act_as("worker")
        working = asyncio.create_task(worker.work(client, settings, stopping, aws=aws_of(settings), signer=SIGNER))
        transport, headers = httpx.ASGITransport(app), {"X-API-Key": key}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://api/api/v1", headers=headers, timeout=PATIENCE_SECONDS
        ) as http:
            yield Platform(PortalClient(http), client, aws, customer, meter)
        stopping.set()
        await working


@contextmanager
def identities(endpoint: str, profiles: Path) -> Iterator[Callable[[str], None]]:
    """An environment without keys but with the profiles of our processes, and the function that chooses one."""
    with pytest.MonkeyPatch.context() as env:
        env.setenv("AWS_CONFIG_FILE", str(profiles))
        env.setenv("AWS_ENDPOINT_URL", endpoint)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            env.delenv(name)
        yield lambda profile: env.setenv("AWS_PROFILE", profile)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def seen(
    ministack_url: str, busy_namespace: TemporalConnection, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Count]:
    """Everything once without counting, because a process learns the ids of its keys first; then each counted. The
    scan comes before the role trusts the next onboarding."""
    async with at_work(ministack_url, busy_namespace, tmp_path_factory.mktemp("counts") / "profiles") as platform:
        portal, tenants = platform.portal, [await platform.portal.make_tenant() for _ in range(3)]
        started = await portal.init(tenants[0])
        offered = await portal.get("/onboarding/aws/cloudformation-template", external_id=started["external_id"])
        await asyncio.to_thread(platform.customer.deploy, offered["template"])
        await portal.validate(started["account_id"], platform.customer.role_arn)
        schedule = await platform.schedule(tenants[0], started["account_id"])
        await platform.scan(schedule)
        look = f"/onboarding/accounts/{started['account_id']}"
        return {
            SCHEDULE: await platform.cost_of(platform.schedule(tenants[0], started["account_id"]), requests=1),
            SCAN: await platform.cost_of(platform.scan(schedule), requests=0),
            TENANT: await platform.cost_of(portal.make_tenant(), requests=1),
            ONBOARDING: await platform.cost_of(platform.onboarding(tenants[1]), requests=2),
            SECOND_TRY: await platform.cost_of(platform.second_try(tenants[2]), requests=3),
            LOOK: await platform.cost_of(portal.get(look), requests=1),
            HEALTH: await platform.cost_of(portal.get("/health/ready"), requests=0),
        }


@pytest.mark.parametrize("operation", COUNTED)
def test_an_operation_takes_what_is_priced(seen: dict[str, Count], operation: str):
    counted, again = COUNTED[operation], seen[operation]
    assert again.calls == counted.calls
    assert (again.write_units, again.read_units) == (counted.write_units, counted.read_units)
    assert (again.table_accesses, again.actions) == (counted.table_accesses, counted.actions)
    assert again.stored_bytes == pytest.approx(counted.stored_bytes, rel=0.1)


@pytest.mark.parametrize(
    ("operation", "history"), [(ONBOARDING, "active"), (SECOND_TRY, "rejected_then_fixed")], ids=str
)
def test_the_actions_are_those_of_the_recorded_history(operation: str, history: str):
    recorded = json.loads((HISTORIES / f"onboard_account.{history}.json").read_text())
    events = WorkflowHistory.from_json(str(recorded.pop("workflowId")), recorded).events
    assert actions(events) == COUNTED[operation].actions


def test_nothing_is_both_counted_and_assumed():
    assert set(COUNTED) & set(ASSUMED) == set()


def test_what_secrets_manager_asks_of_kms_is_counted_with_what_we_ask():
    count = Count({"kms.Decrypt": 2, "secretsmanager.GetSecretValue": 3}, table_accesses=4)
    assert (count.kms_requests, count.secrets_calls) == (2 + 3 + 4, 3)


def test_the_size_of_an_item_follows_the_rules_of_dynamodb():
    item = {"id": {"S": "ü"}, "n": {"N": "1234"}, "m": {"M": {"a": {"BOOL": True}}}, "l": {"L": [{"NULL": True}]}}
    assert item_bytes(item) == (2 + 2) + (1 + 4) + (1 + 3 + 1 + 1 + 1) + (1 + 3 + 1 + 1)
