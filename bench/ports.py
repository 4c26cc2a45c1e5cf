"""Ports in memory that answer at once and never grow, so that a process which runs on them for long shows its own
memory and its own time. They hold from one process to the next, unlike those of the tests: what the API seals, the
worker opens."""

import base64
import json
from collections import deque

from domain.accounts import Account, AccountStatus, Activation, Closure, ProviderType
from domain.audit.events import AuditEvent
from domain.errors import SealBroken
from domain.idempotency import Answer, IdempotencyRecord, canonical
from domain.onboarding.catalogue import ProviderDescription, Setup, SetupRequest
from domain.onboarding.credentials import Credential, CredentialRef, SealContext, VaultEntry
from domain.onboarding.validation import Expectation, Verdict
from domain.pages import Page
from tests.fakes import FakeVault
from tests.fakes_clouds import ScriptedProvider, accepted

AT = "2026-01-01T00:00:00.000Z"
EXTERNAL_ID = "te-0123456789abcdef0123456789abcdef"
SEALED_CHARACTERS = 1100
"""As long as the real thing is, rounded."""
KEPT_SECRETS = 1000


class AssumedAudit:
    """A trail that nobody reads."""

    def record(self, event: AuditEvent) -> None:
        """Done."""


class AssumedAccounts:
    """An account store without rows: whatever account is asked for is in progress, and every change succeeds."""

    def __init__(self, tenant_id: str) -> None:
        self._tenant_id = tenant_id

    def holds(self, tenant_id: str, provider_type: ProviderType, account_number: str) -> bool:
        return True

    def get(self, tenant_id: str, account_id: str) -> Account:
        return Account(
            account_id=account_id,
            tenant_id=tenant_id,
            provider_type=ProviderType.AWS,
            account_name="Production",
            auth_method="iam_role",
            external_id=EXTERNAL_ID,
            created_at=AT,
            updated_at=AT,
            expires_at=AT,
        )

    def tenant_of(self, account_id: str) -> str:
        return self._tenant_id

    def register(self, account: Account, event: AuditEvent) -> None:
        """Done."""

    def record_attempt(
        self, tenant_id: str, account_id: str, verdict: Verdict, attempts: int, event: AuditEvent
    ) -> None:
        """Done."""

    def activate(self, tenant_id: str, account_id: str, activation: Activation, event: AuditEvent) -> None:
        """Done."""

    def close(self, tenant_id: str, account_id: str, closure: Closure, event: AuditEvent) -> None:
        """Done."""

    def page(
        self,
        tenant_id: str,
        *,
        provider_type: ProviderType | None,
        status: AccountStatus | None,
        limit: int,
        cursor: str | None,
    ) -> Page[Account]:
        return Page(())

    def in_progress(self, *, limit: int, cursor: str | None) -> Page[Account]:
        return Page(())


class RecentVault:
    """A vault that forgets all but the latest secrets."""

    def __init__(self) -> None:
        self._vault = FakeVault()
        self._latest: deque[tuple[str, str]] = deque()

    def store(self, entry: VaultEntry) -> CredentialRef:
        self._latest.append((entry.tenant_id, entry.account_id))
        if len(self._latest) > KEPT_SECRETS:
            self._vault.delete(*self._latest.popleft(), recovery_days=None)
        return self._vault.store(entry)

    def read(self, tenant_id: str, account_id: str, ref: CredentialRef) -> Credential:
        return self._vault.read(tenant_id, account_id, ref)

    def promote(self, tenant_id: str, account_id: str, ref: CredentialRef) -> CredentialRef:
        return self._vault.promote(tenant_id, account_id, ref)

    def delete(self, tenant_id: str, account_id: str, *, recovery_days: int | None) -> None:
        self._vault.delete(tenant_id, account_id, recovery_days=recovery_days)

    def restore(self, tenant_id: str, account_id: str) -> None:
        self._vault.restore(tenant_id, account_id)


class PlainSealer:
    """Both halves without a key: text of the real length, which the other process can open."""

    def seal(self, credential: Credential, context: SealContext) -> str:
        document = {"type": credential.credential_type, "fields": credential.reveal_all()}
        text = base64.b64encode(canonical([document, context.as_mapping()])).decode()
        return text.ljust(SEALED_CHARACTERS, "-")

    def open(self, sealed: str, context: SealContext) -> Credential:
        document, sealed_for = json.loads(base64.b64decode(sealed.rstrip("-")))
        if sealed_for != context.as_mapping():
            raise SealBroken
        return Credential(document["type"], document["fields"])


class AcceptingProvider:
    """A cloud that accepts every credential and remembers none."""

    def __init__(self) -> None:
        self._cloud = ScriptedProvider()

    @property
    def description(self) -> ProviderDescription:
        return self._cloud.description

    def setup(self, request: SetupRequest) -> Setup:
        return self._cloud.setup(request)

    def validate(self, credential: Credential, expectation: Expectation) -> Verdict:
        return accepted()


class ForgetfulIdempotency:
    """Takes every request for the first one of its key."""

    def begin(self, record: IdempotencyRecord) -> IdempotencyRecord:
        return record

    def finish(self, record: IdempotencyRecord, answer: Answer) -> None:
        """Kept nowhere."""
