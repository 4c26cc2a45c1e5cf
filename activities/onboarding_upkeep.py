"""Steps for onboardings whose workflow is gone: terminated by an operator, deleted, or lost with Temporal's database.
Their row would wait for ever, and their credential would stay."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from temporalio import activity

from activities.audit import event_of
from domain.accounts import Account, Closure, OnboardingStatus
from domain.audit.events import Origin
from domain.commands import RecurringRequest
from domain.errors import OnboardingClosed
from domain.ports import AccountStore, CredentialVault
from domain.scans.ports import RunningScans

PAGE = 100
MOST = 1000
"""How many one sweep closes: the next one goes on."""

LOST = "workflow_lost"

WorkflowId = Callable[[str, str], str]


@dataclass(frozen=True)
class LostAccount:
    tenant_id: str
    account_id: str


@dataclass(frozen=True)
class EndLost:
    account: LostAccount
    origin: Origin
    at: str


class OnboardingUpkeep:
    """The steps, over the ports that the worker was given. `workflow_id` names the onboarding of a tenant's account."""

    def __init__(
        self, accounts: AccountStore, vault: CredentialVault, runs: RunningScans, workflow_id: WorkflowId
    ) -> None:
        self._accounts = accounts
        self._vault = vault
        self._runs = runs
        self._workflow_id = workflow_id

    def all(self) -> Sequence[Callable[..., Any]]:
        return [self.find_lost, self.end_lost]

    @activity.defn(name="find_lost_onboardings")
    def find_lost(self, step: RecurringRequest | None = None) -> tuple[LostAccount, ...]:
        lost = [row for row in self._under_way() if not self._is_running(row.tenant_id, row.account_id)]
        return tuple(LostAccount(row.tenant_id, row.account_id) for row in lost[:MOST])

    @activity.defn(name="end_lost_onboarding")
    def end_lost(self, step: EndLost) -> None:
        """The row first: one that turns out to be active keeps its credential."""
        tenant_id, account_id = step.account.tenant_id, step.account.account_id
        if self._is_running(tenant_id, account_id):
            return
        row = self._accounts.get(tenant_id, account_id)
        closure = Closure(OnboardingStatus.FAILED, LOST, row.attempts)
        event = event_of(
            step.origin,
            step=f"lost-{account_id}",
            tenant_id=tenant_id,
            action="onboarding.ended",
            target=f"account:{account_id}",
            at=step.at,
            outcome=closure.onboarding_status.value,
            details={"reason": LOST},
        )
        try:
            self._accounts.close(tenant_id, account_id, closure, event)
        except OnboardingClosed:
            return
        self._vault.delete(tenant_id, account_id, recovery_days=None)

    def _under_way(self) -> Iterator[Account]:
        cursor = None
        while True:
            page = self._accounts.in_progress(limit=PAGE, cursor=cursor)
            activity.heartbeat()
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def _is_running(self, tenant_id: str, account_id: str) -> bool:
        return self._runs.is_running(self._workflow_id(tenant_id, account_id))
