"""Steps that write the account row, or why it stays as it is. Each is one conditional transaction with its audit event;
done again, it finds its own event and changes nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from temporalio import activity

from activities.audit import event_of
from domain.accounts import Account, Activation, Closure, ProviderType
from domain.audit.events import AuditEvent, Origin
from domain.errors import NotFound
from domain.onboarding.credentials import CredentialRef
from domain.onboarding.messages import OnboardRequest
from domain.onboarding.validation import Verdict
from domain.ports import AccountStore, AuditLog


@dataclass(frozen=True)
class RegisterAccount:
    request: OnboardRequest
    at: str
    expires_at: str


@dataclass(frozen=True)
class Change:
    """What every later change of the row has in common. `step` names the change within its workflow."""

    tenant_id: str
    account_id: str
    origin: Origin
    at: str
    step: str


@dataclass(frozen=True)
class RecordAttempt:
    change: Change
    verdict: Verdict
    attempts: int


@dataclass(frozen=True)
class RecordUndecided:
    """`code` is that of the error that no verdict came for."""

    change: Change
    code: str


@dataclass(frozen=True)
class ActivateAccount:
    change: Change
    verdict: Verdict
    credential: CredentialRef
    attempts: int
    provider_type: ProviderType


@dataclass(frozen=True)
class CloseAccount:
    change: Change
    closure: Closure


class AccountActivities:
    """The steps, over the stores that the worker was given."""

    def __init__(self, accounts: AccountStore, audit: AuditLog) -> None:
        self._accounts = accounts
        self._audit = audit

    def all(self) -> Sequence[Callable[..., Any]]:
        return [
            self.register_account,
            self.record_attempt,
            self.record_undecided,
            self.activate_account,
            self.close_account,
        ]

    @activity.defn(name="register_account")
    def register_account(self, step: RegisterAccount) -> None:
        request = step.request
        account = Account(
            account_id=request.account_id,
            tenant_id=request.tenant_id,
            provider_type=request.provider_type,
            account_name=request.account_name,
            auth_method=request.auth_method,
            external_id=request.external_id,
            created_at=step.at,
            updated_at=step.at,
            expires_at=step.expires_at,
        )
        change = Change(request.tenant_id, request.account_id, request.origin, step.at, "register")
        self._accounts.register(account, _event(change, "account.registered"))

    @activity.defn(name="record_attempt")
    def record_attempt(self, step: RecordAttempt) -> None:
        codes = ",".join(problem.code for problem in step.verdict.problems)
        event = _event(step.change, "credential.refused", outcome="refused", details={"codes": codes})
        ids = step.change.tenant_id, step.change.account_id
        self._accounts.record_attempt(*ids, step.verdict, step.attempts, event)

    @activity.defn(name="record_undecided")
    def record_undecided(self, step: RecordUndecided) -> None:
        """The row stays as it is: what nobody could decide is nobody's attempt."""
        details = {"reason": step.code}
        self._audit.record(_event(step.change, "credential.undecided", outcome="inconclusive", details=details))

    @activity.defn(name="activate_account")
    def activate_account(self, step: ActivateAccount) -> None:
        details = {"account_number": step.verdict.account_number or "", "status": step.verdict.outcome.value}
        activation = Activation(step.verdict, step.credential, step.attempts, step.provider_type)
        event = _event(step.change, "account.activated", details=details)
        self._accounts.activate(step.change.tenant_id, step.change.account_id, activation, event)

    @activity.defn(name="close_account")
    def close_account(self, step: CloseAccount) -> None:
        outcome = step.closure.onboarding_status.value
        event = _event(step.change, "onboarding.ended", outcome=outcome, details={"reason": step.closure.reason})
        try:
            self._accounts.close(step.change.tenant_id, step.change.account_id, step.closure, event)
        except NotFound:
            # The onboarding ended before its row was written: there is nothing to close.
            activity.logger.info("Nothing to close: the account was never registered.")


def _event(change: Change, action: str, *, outcome: str = "ok", details: Mapping[str, str] | None = None) -> AuditEvent:
    return event_of(
        change.origin,
        step=change.step,
        tenant_id=change.tenant_id,
        action=action,
        target=f"account:{change.account_id}",
        at=change.at,
        outcome=outcome,
        details=details,
    )
