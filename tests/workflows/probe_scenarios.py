"""A dry run for each way it can end."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle

from domain.accounts import ProviderType
from domain.errors import Unavailable
from domain.onboarding.credentials import Credential, SealContext, SealPurpose
from domain.onboarding.dry_run import ProbeRequest
from domain.onboarding.validation import Verdict
from tests.fakes import FakeStores
from tests.fakes_clouds import ROLE_ARN, refused
from tests.rig import Rig
from workflows.ids import probe_id
from workflows.onboarding.probe_credential import ProbeCredential

Probe = WorkflowHandle[ProbeCredential, Verdict]

SCENARIOS: dict[str, Callable[[Rig], None]] = {
    "accepted": lambda rig: None,
    "refused": lambda rig: rig.script(refused()),
    "retried": lambda rig: rig.script(Unavailable(retry_after=0.1)),
    "unavailable": lambda rig: rig.script(*[Unavailable(retry_after=5)] * 3),
}


def request(rig: Rig, **changes: Any) -> ProbeRequest:
    account_id, operation = str(uuid4()), str(uuid4())
    credential = Credential("aws_iam_role", {"role_arn": ROLE_ARN})
    context = SealContext(rig.tenant_id, account_id, operation, SealPurpose.PROBE)
    given = {
        "tenant_id": rig.tenant_id,
        "account_id": account_id,
        "probe_id": operation,
        "provider_type": ProviderType.AWS,
        "sealed": rig.stores.sealer.seal(credential, context),
        "external_id": "te-0123456789abcdef0123456789abcdef",
        "patience_seconds": 2,
    }
    return ProbeRequest(**{**given, **changes})


async def start(rig: Rig, given: ProbeRequest, workflow_id: str | None = None) -> Probe:
    name = workflow_id or probe_id(given.tenant_id, given.probe_id)
    return await rig.client.start_workflow(ProbeCredential.run, given, id=name, task_queue=rig.queue)


async def play(name: str, client: Client, stores: FakeStores | None = None) -> Probe:
    rig = Rig(client, stores or FakeStores())
    SCENARIOS[name](rig)
    async with rig.worker():
        probe = await start(rig, request(rig))
        with suppress(WorkflowFailureError):
            await probe.result()
    return probe
