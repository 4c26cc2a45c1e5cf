"""What the core asks of the outside. Adapters implement these; entry points hand them in.

Two rules hold for all of them. Trouble that passes is raised as `Trouble`, a caller's mistake as `UserError`. Every
mutating method takes the `AuditEvent` of the change and writes both in one transaction; repeating a call with the same
event is the same operation, and succeeds without doing anything.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from domain.accounts import Account, AccountStatus, Activation, Closure, ProviderType
from domain.audit.events import EVERYTHING, AuditEvent, AuditFilter
from domain.callers.api_keys import ApiKey
from domain.callers.tenants import Tenant
from domain.idempotency import Answer, IdempotencyRecord
from domain.onboarding.catalogue import ProviderDescription, Setup, SetupRequest
from domain.onboarding.credentials import Credential, CredentialRef, SealContext, VaultEntry
from domain.onboarding.validation import Expectation, Verdict
from domain.pages import Page


class TenantStore(Protocol):
    def create(self, tenant: Tenant, event: AuditEvent) -> Tenant:
        """Raises AlreadyExists when the name is taken (names are compared without regard to case)."""

    def get(self, tenant_id: str) -> Tenant:
        """Raises NotFound. Strongly consistent."""

    def update(self, tenant: Tenant, event: AuditEvent) -> Tenant:
        """Write the successor of version `tenant.version - 1`. Raises NotFound, StaleVersion, AlreadyExists."""

    def page(self, *, limit: int, cursor: str | None) -> Page[Tenant]:
        """All tenants, for platform administrators. Raises InvalidInput for a cursor that is not one of ours."""


class AccountStore(Protocol):
    def register(self, account: Account, event: AuditEvent) -> None:
        """Write the first version of the row, and the provider's row where it is missing. Raises NotFound without the
        tenant, Conflict when the tenant is disabled, AlreadyExists for another account under this id."""

    def get(self, tenant_id: str, account_id: str) -> Account:
        """Raises NotFound, also for another tenant's account. Strongly consistent."""

    def tenant_of(self, account_id: str) -> str:
        """The tenant of an account, for platform administrators, who name accounts alone. Raises NotFound."""

    def record_attempt(
        self, tenant_id: str, account_id: str, verdict: Verdict, attempts: int, event: AuditEvent
    ) -> None:
        """Keep the verdict of a refused attempt on the row. Raises NotFound, OnboardingClosed."""

    def activate(self, tenant_id: str, account_id: str, activation: Activation, event: AuditEvent) -> None:
        """Make the account active (limited) and claim its cloud account number for it. Raises AccountAlreadyOnboarded
        when another account of the tenant holds the claim, NotFound, OnboardingClosed."""

    def close(self, tenant_id: str, account_id: str, closure: Closure, event: AuditEvent) -> None:
        """End the onboarding without an active account. Raises NotFound, OnboardingClosed when it is active."""

    def holds(self, tenant_id: str, provider_type: ProviderType, account_number: str) -> bool:
        """Whether the cloud itself has proved that this cloud account is one of the tenant's. Strongly consistent."""

    def page(
        self,
        tenant_id: str,
        *,
        provider_type: ProviderType | None,
        status: AccountStatus | None,
        limit: int,
        cursor: str | None,
    ) -> Page[Account]:
        """A tenant's accounts in a stable order. Eventually consistent. Raises InvalidInput for a cursor that was not
        given for the same tenant and filters."""

    def in_progress(self, *, limit: int, cursor: str | None) -> Page[Account]:
        """The accounts of all tenants whose onboarding has not ended, for the sweep. Eventually consistent."""


class ApiKeyStore(Protocol):
    def add(self, key: ApiKey, event: AuditEvent) -> None:
        """Raises AlreadyExists for a key id that is in use."""

    def find(self, key_id: str) -> ApiKey | None:
        """The key of that id, also when it is expired or revoked. For recognising a caller, and for platform
        administrators, who name keys alone."""

    def get(self, tenant_id: str, key_id: str) -> ApiKey:
        """Raises NotFound, also for another tenant's key. Strongly consistent."""

    def page(self, tenant_id: str, *, limit: int, cursor: str | None) -> Page[ApiKey]:
        """A tenant's keys, those that expired and were revoked too. Raises InvalidInput for a cursor that was not given
        for the same tenant."""

    def revoke(self, tenant_id: str, key_id: str, event: AuditEvent, *, remaining: ApiKey | None = None) -> ApiKey:
        """Refuse the key from now on. One that is revoked already stays as it is. Raises NotFound, and Conflict when
        the key `remaining`, which has to stay, was revoked meanwhile."""

    def note_use(self, tenant_id: str, key_id: str, *, at: str, noted_before: str) -> None:
        """Write when the key was last used, unless that was written at or after `noted_before`, or there is no such
        key. It is nobody's change, so it has no event."""

    def administrators(self) -> tuple[ApiKey, ...]:
        """Every key of the platform that may make keys."""


class IdempotencyStore(Protocol):
    def begin(self, record: IdempotencyRecord) -> IdempotencyRecord:
        """Write the record, or return the one that is there. Raises IdempotencyMismatch when that one has another
        body digest."""

    def finish(self, record: IdempotencyRecord, answer: Answer) -> None:
        """Keep the final answer; the first one stays."""


class AuditLog(Protocol):
    def record(self, event: AuditEvent) -> None:
        """For what changes no row: a request that makes a workflow do so, which is recorded before it is passed on, and
        a workflow's decision to leave things as they are."""


class AuditStore(AuditLog, Protocol):
    def page(
        self, tenant_id: str, wanted: AuditFilter = EVERYTHING, *, limit: int, cursor: str | None
    ) -> Page[AuditEvent]:
        """A tenant's events, oldest first. Strongly consistent. Raises InvalidInput for a cursor that was not given for
        the same tenant and filter."""


class CredentialSealer(Protocol):
    """The API's half: it can close an envelope and not open one."""

    def seal(self, credential: Credential, context: SealContext) -> str:
        """Printable ciphertext that opens only in the same context."""


class CredentialOpener(Protocol):
    """The worker's half."""

    def open(self, sealed: str, context: SealContext) -> Credential:
        """Raises SealBroken for a text that was altered, swapped or sealed in another context."""


class CredentialVault(Protocol):
    def store(self, entry: VaultEntry) -> CredentialRef:
        """Store a version; again with the same entry: the same reference. The first version of an account is current at
        once, a later one is pending until promoted. A name that is scheduled for deletion is restored first."""

    def read(self, tenant_id: str, account_id: str, ref: CredentialRef) -> Credential:
        """Exactly the version of `ref`. Raises NotFound for one that is gone or not this account's."""

    def promote(self, tenant_id: str, account_id: str, ref: CredentialRef) -> CredentialRef:
        """Make a pending version the current one and the current one the previous. Again: no change."""

    def delete(self, tenant_id: str, account_id: str, *, recovery_days: int | None) -> None:
        """Delete every version: at once and for good when `recovery_days` is None, else restorable for 7 to 30 days.
        One that is missing or deleted already is no error."""

    def restore(self, tenant_id: str, account_id: str) -> None:
        """Undo a deletion within its window. Raises NotFound."""


class BodyDigest(Protocol):
    def digest(self, body: bytes) -> str:
        """A keyed digest: equal for equal bodies, and of no use to someone who wants to guess the body."""


class IdentityTokens(Protocol):
    """The worker's half of the platform's identity provider: it says for which account the platform acts."""

    @property
    def issuer(self) -> str:
        """The https address that the keys are published under."""

    def token(self, subject: str, audience: str) -> str:
        """A JSON Web Token that is valid for minutes. The subject is an account's external id, or nobody's."""


class IdentityKeys(Protocol):
    """The API's half: what others check such tokens with."""

    @property
    def issuer(self) -> str: ...

    def published(self) -> Sequence[Mapping[str, str]]:
        """The public keys as JSON Web Keys (RFC 7517)."""


class CloudProvider(Protocol):
    """One cloud: what it publishes, and the proof that a credential works."""

    @property
    def description(self) -> ProviderDescription: ...

    def setup(self, request: SetupRequest) -> Setup:
        """What the customer deploys or runs."""

    def validate(self, credential: Credential, expectation: Expectation) -> Verdict:
        """Prove a credential step by step. Raises Trouble when no verdict is possible now, Propagating only while
        `expectation.may_propagate`."""


class Catalogue(Protocol):
    """The clouds on offer."""

    def provider(self, provider_type: str) -> CloudProvider:
        """Raises NotFound."""

    def names(self) -> tuple[str, ...]: ...


class HealthProbe(Protocol):
    def __call__(self) -> None:
        """Raises anything when the dependency cannot be used."""


HealthProbes = Mapping[str, HealthProbe]
