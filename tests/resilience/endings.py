"""How an onboarding ended, by everything that it left behind. Two that went the same way end alike, whatever broke on
the way."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

from domain.accounts import ProviderType
from stores.audit.events import DynamoAuditStore
from stores.dynamodb.accounts import DynamoAccountStore
from stores.dynamodb.items import to_item
from stores.dynamodb.tables import TableNames
from stores.session import AwsClients
from workflows.ids import onboarding_id

CLOSED_WITHIN_SECONDS = 90


@dataclass(frozen=True)
class Ending:
    """What must be the same."""

    workflow: str
    status: str
    onboarding_status: str
    attempts: int
    account_number: str | None
    audit: tuple[str, ...]
    """What the tenant's audit trail says, in its order."""
    secret: tuple[tuple[str, ...], ...]
    """The staging labels of each version of the stored credential; empty when none is stored."""
    credential_current: bool
    """Whether the row names the version that is current."""
    claimed: bool
    """Whether the cloud account is this account's."""


@dataclass(frozen=True)
class Scene:
    """Where endings are looked up: as the root of our account, past every process under fire."""

    aws: AwsClients
    temporal: Client
    names: TableNames

    async def ending(self, tenant_id: str, account_id: str) -> tuple[Ending, int]:
        """When the workflow has closed: how it ended, and the highest number of attempts that a step needed. Raises
        TimeoutError."""
        handle = self.temporal.get_workflow_handle(onboarding_id(tenant_id, account_id))
        async with asyncio.timeout(CLOSED_WITHIN_SECONDS):
            await handle.result()
        state = (await handle.describe()).status
        history = await handle.fetch_history()
        ending = await asyncio.to_thread(self._left, tenant_id, account_id, state.name if state else "")
        return ending, most_attempts(history.events)

    def _left(self, tenant_id: str, account_id: str, workflow: str) -> Ending:
        account = DynamoAccountStore(self.aws.dynamodb, self.names).get(tenant_id, account_id)
        events = DynamoAuditStore(self.aws.dynamodb, self.names).page(tenant_id, limit=100, cursor=None).items
        stages = self._stages(account_id)
        stored = account.credential
        return Ending(
            workflow=workflow,
            status=account.status.value,
            onboarding_status=account.onboarding_status.value,
            attempts=account.attempts,
            account_number=account.account_number,
            audit=tuple(event.action for event in sorted(events, key=lambda event: event.at)),
            secret=tuple(sorted(stages.values())),
            credential_current=bool(stored and "AWSCURRENT" in stages.get(stored.version, ())),
            claimed=self._owner(tenant_id, account.provider_type, account.account_number) == account_id,
        )

    def _stages(self, account_id: str) -> dict[str, tuple[str, ...]]:
        secrets = self.aws.secretsmanager
        try:
            found = secrets.describe_secret(SecretId=f"threat-engine/account/{account_id}")
        except secrets.exceptions.ResourceNotFoundException:
            return {}
        return {version: tuple(sorted(labels)) for version, labels in found["VersionIdsToStages"].items()}

    def _owner(self, tenant_id: str, provider: ProviderType, number: str | None) -> str | None:
        key = to_item({"account_id": f"claim#{tenant_id}#{provider}#{number}"})
        found = self.aws.dynamodb.get_item(TableName=self.names.accounts, Key=key, ConsistentRead=True)
        return found["Item"]["owner"]["S"] if "Item" in found else None


def most_attempts(history: Sequence[HistoryEvent]) -> int:
    started = [event.activity_task_started_event_attributes for event in history]
    return max(attributes.attempt for attributes in started)
