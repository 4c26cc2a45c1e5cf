"""What one onboarding takes of AWS and of Temporal, each call and each event with its reason."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from temporalio.api.history.v1 import HistoryEvent

from bench.costs import ACTIONS, actions, events_by_type
from bench.counted_stack import CallLogs, counted_processes
from bench.portal_client import PortalClient, portal_client
from bench.reasons import CALLS, EVENTS
from bench.report import Report
from bench.testbed import Testbed
from tests.resilience.customer import Customer
from workflows.ids import onboarding_id

UNJUSTIFIED = "NOT JUSTIFIED"


@dataclass(frozen=True)
class Spent:
    """Of one onboarding."""

    calls: Mapping[str, int]
    """By process and call, as in `worker kms.Decrypt`."""
    history: Sequence[HistoryEvent]

    @property
    def events(self) -> Mapping[str, int]:
        return events_by_type(self.history)

    @property
    def justified(self) -> bool:
        return self.calls.keys() <= CALLS.keys() and self.events.keys() <= EVENTS.keys()


async def run(bed: Testbed, *, report: Report) -> bool:
    """Whether there is a reason for everything. API and worker of the stack are replaced."""
    async with counted_processes(bed) as logs, portal_client(bed.stack.api_url, bed.stack.api_key) as portal:
        spent = await _spent(bed, portal, logs)
    show(report, spent)
    return spent.justified


def show(report: Report, spent: Spent) -> None:
    report.heading(f"One onboarding: {sum(spent.calls.values())} calls to AWS")
    calls = [(call, str(number), CALLS.get(call, UNJUSTIFIED)) for call, number in sorted(spent.calls.items())]
    report.reasons(("call", "number", "why"), calls)
    billed = actions(spent.history)
    report.heading(f"One onboarding: {len(spent.history)} events in Temporal, {billed} actions (*)")
    events = [
        (f"{event}{' *' if event in ACTIONS else ''}", str(number), EVENTS.get(event, UNJUSTIFIED))
        for event, number in spent.events.items()
    ]
    report.reasons(("event", "number", "why"), events)


async def _spent(bed: Testbed, portal: PortalClient, logs: CallLogs) -> Spent:
    """Of the second account: with the first one a process learns who it is and which keys there are."""
    await _onboard(bed, portal, await portal.make_tenant())
    tenant_id = await portal.make_tenant()
    logs.take()
    workflow_id = await _onboard(bed, portal, tenant_id)
    calls = logs.take()
    history = await bed.client.get_workflow_handle(workflow_id).fetch_history()
    return Spent(calls, history.events)


async def _onboard(bed: Testbed, portal: PortalClient, tenant_id: str) -> str:
    """The workflow's id, once the account is active."""
    started = await portal.init(tenant_id)
    role_arn = await asyncio.to_thread(Customer(bed.stack.customer).make_role, started["external_id"])
    await portal.validate(started["account_id"], role_arn)
    return onboarding_id(tenant_id, started["account_id"])
