"""In-memory implementations of the storage ports. They pass the same contract tests as the AWS stores
(tests/stores), and where the emulators are kinder than AWS they give AWS's answer."""

import hashlib
import hmac
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar
from uuid import NAMESPACE_URL, uuid4, uuid5

from domain.accounts import Account, AccountStatus, Activation, Closure, OnboardingStatus, ProviderType
from domain.audit.anchors import Anchor
from domain.audit.events import EVERYTHING, AuditEvent, AuditFilter, for_platform
from domain.audit.trail import AuditDigest, Note, note_of
from domain.callers.access import Scope
from domain.callers.api_keys import LAST_ADMINISTRATOR, ApiKey
from domain.callers.tenants import Tenant, TenantStatus
from domain.errors import (
    AccountAlreadyOnboarded,
    AlreadyExists,
    Conflict,
    IdempotencyMismatch,
    NotFound,
    OnboardingClosed,
    PayloadTooLarge,
    SealBroken,
    StaleVersion,
    Unavailable,
)
from domain.idempotency import Answer, IdempotencyRecord, canonical
from domain.names import folded
from domain.onboarding.credentials import Credential, CredentialRef, SealContext, VaultEntry
from domain.onboarding.validation import Verdict
from domain.pages import MAX_PAGE, Page
from domain.timestamps import parse
from stores import cursors

Item = TypeVar("Item")
MAX_SECRET_BYTES = 65_536


class FakeLedger:
    """Every audit event that was committed, and the one lock that makes a change and its event one step."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.unsealed: dict[tuple[str, str], Note] = {}
        """By tenant and event id."""
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.down = False
        """Whether the audit store is out of order."""
        self._events: dict[tuple[str, str], AuditEvent] = {}

    def holds(self, event: AuditEvent) -> bool:
        """Whether the operation was applied before. Every change asks this first."""
        if self.down:
            raise Unavailable
        return (event.tenant_id, event.event_id) in self._events

    def add(self, event: AuditEvent) -> None:
        self._events[event.tenant_id, event.event_id] = event
        self.unsealed[event.tenant_id, event.event_id] = note_of(event, now=self.clock())

    def all(self) -> tuple[AuditEvent, ...]:
        """Those of all tenants."""
        return tuple(self._events.values())

    def of(self, tenant_id: str) -> tuple[AuditEvent, ...]:
        """A tenant's events, oldest first."""
        events = (event for event in self._events.values() if event.tenant_id == tenant_id)
        return tuple(sorted(events, key=lambda event: event.event_id))


class FakeTenantStore:
    def __init__(self, ledger: FakeLedger) -> None:
        self._ledger = ledger
        self._rows: dict[str, Tenant] = {}

    def create(self, tenant: Tenant, event: AuditEvent) -> Tenant:
        with self._ledger.lock:
            if not self._ledger.holds(event):
                if tenant.tenant_id in self._rows:
                    raise AlreadyExists
                self._write(tenant, event)
                self._ledger.add(for_platform(event))
            return self.get(tenant.tenant_id)

    def get(self, tenant_id: str) -> Tenant:
        if tenant_id not in self._rows:
            raise NotFound
        return self._rows[tenant_id]

    def update(self, tenant: Tenant, event: AuditEvent) -> Tenant:
        with self._ledger.lock:
            current = self.get(tenant.tenant_id)
            if not self._ledger.holds(event):
                if tenant.version != current.version + 1:
                    raise StaleVersion
                self._write(replace(tenant, created_at=current.created_at, updated_at=event.at), event)
            return self.get(tenant.tenant_id)

    def page(self, *, limit: int, cursor: str | None) -> Page[Tenant]:
        return page_of(self._rows, ("tenants",), lambda _: True, limit=limit, cursor=cursor)

    def _write(self, tenant: Tenant, event: AuditEvent) -> None:
        others = (row for row in self._rows.values() if row.tenant_id != tenant.tenant_id)
        if folded(tenant.tenant_name) in {folded(row.tenant_name) for row in others}:
            raise AlreadyExists
        self._rows[tenant.tenant_id] = tenant
        self._ledger.add(event)


class FakeAccountStore:
    def __init__(self, ledger: FakeLedger, tenants: FakeTenantStore) -> None:
        self._ledger = ledger
        self._tenants = tenants
        self._rows: dict[str, Account] = {}

    def register(self, account: Account, event: AuditEvent) -> None:
        with self._ledger.lock:
            if not self._ledger.holds(event):
                if self._tenants.get(account.tenant_id).status is not TenantStatus.ACTIVE:
                    raise Conflict("The tenant is disabled; enable it before onboarding accounts.")
                if account.account_id in self._rows:
                    raise AlreadyExists
                self._rows[account.account_id] = account
                self._ledger.add(event)

    def get(self, tenant_id: str, account_id: str) -> Account:
        row = self._rows.get(account_id)
        if row is None or row.tenant_id != tenant_id:
            raise NotFound
        return row

    def tenant_of(self, account_id: str) -> str:
        if account_id not in self._rows:
            raise NotFound
        return self._rows[account_id].tenant_id

    def record_attempt(
        self, tenant_id: str, account_id: str, verdict: Verdict, attempts: int, event: AuditEvent
    ) -> None:
        def attempted(row: Account) -> Account:
            return replace(row, attempts=attempts, last_verdict=verdict, last_validated_at=event.at)

        self._change(tenant_id, account_id, event, attempted)

    def activate(self, tenant_id: str, account_id: str, activation: Activation, event: AuditEvent) -> None:
        def activated(row: Account) -> Account:
            if row.provider_type is not activation.provider_type:
                raise NotFound
            if self._holds_claim(row, activation.account_number):
                raise AccountAlreadyOnboarded
            return replace(
                row,
                status=activation.account_status,
                onboarding_status=OnboardingStatus.COMPLETED,
                account_number=activation.account_number,
                credential=activation.credential,
                attempts=activation.attempts,
                last_verdict=activation.verdict,
                last_validated_at=event.at,
            )

        self._change(tenant_id, account_id, event, activated)

    def close(self, tenant_id: str, account_id: str, closure: Closure, event: AuditEvent) -> None:
        def closed(row: Account) -> Account:
            return replace(
                row,
                status=closure.account_status,
                onboarding_status=closure.onboarding_status,
                attempts=closure.attempts,
                reason=closure.reason,
            )

        self._change(tenant_id, account_id, event, closed)

    def page(
        self,
        tenant_id: str,
        *,
        provider_type: ProviderType | None,
        status: AccountStatus | None,
        limit: int,
        cursor: str | None,
    ) -> Page[Account]:
        def wanted(row: Account) -> bool:
            return provider_type in (None, row.provider_type) and status in (None, row.status)

        rows = {key: row for key, row in self._rows.items() if row.tenant_id == tenant_id}
        scope = ("accounts", tenant_id, provider_type or "", status or "")
        return page_of(rows, scope, wanted, limit=limit, cursor=cursor)

    def holds(self, tenant_id: str, provider_type: ProviderType, account_number: str) -> bool:
        claims = ((row.tenant_id, row.provider_type, row.account_number) for row in self._rows.values())
        return (tenant_id, provider_type, account_number) in claims

    def in_progress(self, *, limit: int, cursor: str | None) -> Page[Account]:
        def wanted(row: Account) -> bool:
            return row.onboarding_status is OnboardingStatus.IN_PROGRESS

        return page_of(self._rows, ("in-progress",), wanted, limit=limit, cursor=cursor)

    def _change(self, tenant_id: str, account_id: str, event: AuditEvent, change: Callable[[Account], Account]) -> None:
        with self._ledger.lock:
            row = self.get(tenant_id, account_id)
            if not self._ledger.holds(event):
                if row.onboarding_status is not OnboardingStatus.IN_PROGRESS:
                    raise OnboardingClosed
                self._rows[account_id] = replace(change(row), updated_at=event.at, version=row.version + 1)
                self._ledger.add(event)

    def _holds_claim(self, account: Account, number: str) -> bool:
        """Whether another account of the same tenant and cloud has that number."""
        claim = (account.tenant_id, account.provider_type, number)
        holders = (row for row in self._rows.values() if row.account_id != account.account_id)
        return claim in {(row.tenant_id, row.provider_type, row.account_number) for row in holders}


class FakeApiKeyStore:
    def __init__(self, ledger: FakeLedger) -> None:
        self._ledger = ledger
        self._rows: dict[str, ApiKey] = {}

    def add(self, key: ApiKey, event: AuditEvent) -> None:
        with self._ledger.lock:
            if not self._ledger.holds(event):
                if key.key_id in self._rows:
                    raise AlreadyExists
                self._rows[key.key_id] = key
                self._ledger.add(event)

    def find(self, key_id: str) -> ApiKey | None:
        return self._rows.get(key_id)

    def get(self, tenant_id: str, key_id: str) -> ApiKey:
        key = self._rows.get(key_id)
        if key is None or key.tenant_id != tenant_id:
            raise NotFound
        return key

    def page(self, tenant_id: str, *, limit: int, cursor: str | None) -> Page[ApiKey]:
        rows = {key: row for key, row in self._rows.items() if row.tenant_id == tenant_id}
        return page_of(rows, ("api-keys", tenant_id), lambda _: True, limit=limit, cursor=cursor)

    def revoke(self, tenant_id: str, key_id: str, event: AuditEvent, *, remaining: ApiKey | None = None) -> ApiKey:
        with self._ledger.lock:
            key = self.get(tenant_id, key_id)
            if key.revoked_at is None and not self._ledger.holds(event):
                if remaining and self._rows[remaining.key_id].revoked_at:
                    raise Conflict(LAST_ADMINISTRATOR)
                self._rows[key_id] = replace(key, revoked_at=event.at)
                self._ledger.add(event)
            return self.get(tenant_id, key_id)

    def note_use(self, tenant_id: str, key_id: str, *, at: str, noted_before: str) -> None:
        with self._ledger.lock:
            key = self._rows.get(key_id)
            if key and key.tenant_id == tenant_id and (key.last_used_at or "") < noted_before:
                self._rows[key_id] = replace(key, last_used_at=at)

    def administrators(self) -> tuple[ApiKey, ...]:
        keys = (key for key in self._rows.values() if key.platform)
        return tuple(key for key in keys if Scope.KEYS_ADMIN in key.held)


class FakeIdempotencyStore:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[tuple[str, str], IdempotencyRecord] = {}

    def begin(self, record: IdempotencyRecord) -> IdempotencyRecord:
        with self._lock:
            key = (record.tenant_id, record.record_id)
            kept = self._rows.get(key)
            if kept is None or kept.expires_at <= parse(record.created_at).timestamp():
                kept = self._rows[key] = record
            if kept.body_digest != record.body_digest:
                raise IdempotencyMismatch
            return kept

    def finish(self, record: IdempotencyRecord, answer: Answer) -> None:
        with self._lock:
            key = (record.tenant_id, record.record_id)
            kept = self._rows.get(key)
            if kept and kept.created_at == record.created_at and kept.answer is None:
                self._rows[key] = replace(kept, answer=answer)


class FakeAuditStore:
    def __init__(self, ledger: FakeLedger) -> None:
        self._ledger = ledger

    def record(self, event: AuditEvent) -> None:
        with self._ledger.lock:
            if not self._ledger.holds(event):
                self._ledger.add(event)

    def page(
        self, tenant_id: str, wanted: AuditFilter = EVERYTHING, *, limit: int, cursor: str | None
    ) -> Page[AuditEvent]:
        in_time = AuditFilter(since=wanted.since, until=wanted.until).wants
        events = {event.event_id: event for event in self._ledger.of(tenant_id) if in_time(event)}
        return page_of(events, ("audit", tenant_id, repr(wanted)), wanted.wants, limit=limit, cursor=cursor)


class FakeAuditChain:
    def __init__(self, ledger: FakeLedger) -> None:
        self._ledger = ledger
        self._chains: dict[str, list[AuditDigest]] = {}

    def tenants(self, *, before: str, limit: int) -> list[str]:
        return sorted({tenant_id for tenant_id, event_id in self._ledger.unsealed if event_id < before})[:limit]

    def waiting(self, tenant_id: str, *, after: str, limit: int) -> list[Note]:
        notes = sorted(self._ledger.unsealed.items())
        return [note for (owner, event_id), note in notes if owner == tenant_id and event_id > after][:limit]

    def latest(self, tenant_id: str) -> AuditDigest | None:
        chain = self._chains.get(tenant_id)
        return chain[-1] if chain else None

    def append(self, digest: AuditDigest) -> None:
        with self._ledger.lock:
            chain = self._chains.setdefault(digest.tenant_id, [])
            notes = [(digest.tenant_id, event.event_id) for event in digest.events]
            taken = any(one.sequence == digest.sequence for one in chain)
            if taken or not all(note in self._ledger.unsealed for note in notes):
                raise StaleVersion
            chain.append(digest)
            for note in notes:
                del self._ledger.unsealed[note]

    def digests(self, tenant_id: str, *, after: int, limit: int) -> list[AuditDigest]:
        return [one for one in self._chains.get(tenant_id, []) if one.sequence > after][:limit]


class FakeAuditAnchors:
    """`hide` is what a delete marker does."""

    def __init__(self) -> None:
        self._anchors: dict[str, Anchor] = {}
        self._hidden: list[str] = []

    def latest(self, *, day: str) -> tuple[str, str] | None:
        times = [at for at in self._anchors if at.startswith(day)]
        return (max(times), self._anchors[max(times)].digest) if times else None

    def add(self, anchor: Anchor) -> None:
        self._anchors[anchor.at] = anchor

    def all(self) -> list[Anchor]:
        return [anchor for _, anchor in sorted(self._anchors.items())]

    def hidden(self) -> list[str]:
        return self._hidden

    def hide(self, at: str) -> None:
        self._hidden.append(at)


class FakeSealer:
    """Both halves. The sealed text is a mere handle: the credential never leaves the object."""

    def __init__(self) -> None:
        self._sealed: dict[str, tuple[Credential, SealContext]] = {}

    def seal(self, credential: Credential, context: SealContext) -> str:
        handle = f"sealed-{uuid4()}"
        self._sealed[handle] = (credential, context)
        return handle

    def open(self, sealed: str, context: SealContext) -> Credential:
        credential, sealed_for = self._sealed.get(sealed, (None, None))
        if credential is None or sealed_for != context:
            raise SealBroken
        return credential


@dataclass
class _FakeSecret:
    tenant_id: str
    versions: dict[str, Credential] = field(default_factory=dict)
    stages: dict[str, str] = field(default_factory=dict)
    deleted: bool = False


class FakeVault:
    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._secrets: dict[str, _FakeSecret] = {}

    def store(self, entry: VaultEntry) -> CredentialRef:
        if len(canonical(entry.credential.reveal_all())) > MAX_SECRET_BYTES:
            raise PayloadTooLarge
        version = str(uuid5(NAMESPACE_URL, f"{entry.account_id}/{entry.submission_id}"))
        with self._lock:
            secret = self._secrets.setdefault(entry.account_id, _FakeSecret(entry.tenant_id))
            if secret.tenant_id != entry.tenant_id:
                raise NotFound
            if secret.versions.setdefault(version, entry.credential) != entry.credential:
                raise AlreadyExists
            if secret.deleted or not secret.stages:
                secret.stages = {"AWSCURRENT": version}
            elif version not in secret.stages.values():
                secret.stages["AWSPENDING"] = version
            secret.deleted = False
            return self._ref(entry.account_id, version)

    def read(self, tenant_id: str, account_id: str, ref: CredentialRef) -> Credential:
        secret = self._live(tenant_id, account_id)
        if ref.version not in secret.versions:
            raise NotFound
        return secret.versions[ref.version]

    def promote(self, tenant_id: str, account_id: str, ref: CredentialRef) -> CredentialRef:
        with self._lock:
            self.read(tenant_id, account_id, ref)
            stages = self._secrets[account_id].stages
            if stages["AWSCURRENT"] != ref.version:
                stages.update(AWSPREVIOUS=stages["AWSCURRENT"], AWSCURRENT=ref.version)
            if stages.get("AWSPENDING") == ref.version:
                del stages["AWSPENDING"]
            return self._ref(account_id, ref.version)

    def delete(self, tenant_id: str, account_id: str, *, recovery_days: int | None) -> None:
        with self._lock:
            secret = self._secrets.get(account_id)
            if secret is None:
                return
            if secret.tenant_id != tenant_id:
                raise NotFound
            secret.deleted = True
            if recovery_days is None:
                del self._secrets[account_id]

    def restore(self, tenant_id: str, account_id: str) -> None:
        secret = self._secrets.get(account_id)
        if secret is None or secret.tenant_id != tenant_id:
            raise NotFound
        secret.deleted = False

    def stages(self, account_id: str) -> Mapping[str, str]:
        """The version id of each stage; empty when nothing is stored or what is stored is deleted."""
        secret = self._secrets.get(account_id)
        return dict(secret.stages) if secret and not secret.deleted else {}

    def _live(self, tenant_id: str, account_id: str) -> _FakeSecret:
        secret = self._secrets.get(account_id)
        if secret is None or secret.deleted or secret.tenant_id != tenant_id:
            raise NotFound
        return secret

    def _ref(self, account_id: str, version: str) -> CredentialRef:
        pending = self._secrets[account_id].stages["AWSCURRENT"] != version
        return CredentialRef(arn=f"arn:aws:fake:{account_id}", version=version, pending=pending)


class FakeBodyDigest:
    def digest(self, body: bytes) -> str:
        return hmac.new(b"only for tests", body, hashlib.sha256).hexdigest()


class FakeStores:
    """One of each, with one ledger between them."""

    def __init__(self) -> None:
        self.ledger = FakeLedger()
        self.tenants = FakeTenantStore(self.ledger)
        self.accounts = FakeAccountStore(self.ledger, self.tenants)
        self.api_keys = FakeApiKeyStore(self.ledger)
        self.audit = FakeAuditStore(self.ledger)
        self.chain = FakeAuditChain(self.ledger)
        self.anchors = FakeAuditAnchors()
        self.idempotency = FakeIdempotencyStore()
        self.vault = FakeVault()
        self.sealer = FakeSealer()
        self.digest = FakeBodyDigest()


def page_of(
    rows: Mapping[str, Item],
    scope: Sequence[str],
    wanted: Callable[[Item], bool],
    *,
    limit: int,
    cursor: str | None,
    newest_first: bool = False,
) -> Page[Item]:
    """As DynamoDB does it: the limit counts the rows that are looked at, before the filter."""
    after = cursors.decode(cursor, tuple(scope)) if cursor else ""
    keys = sorted(rows, reverse=newest_first)
    keys = [key for key in keys if not after or (key < after if newest_first else key > after)]
    looked_at = keys[: min(limit, MAX_PAGE)]
    more = len(keys) > len(looked_at)
    items = tuple(rows[key] for key in looked_at if wanted(rows[key]))
    return Page(items, cursors.encode(looked_at[-1], tuple(scope)) if more else None)


class FakeCommandKeys:
    """The `CommandKeys` port in memory. `derived` are the months that a key was asked for."""

    def __init__(self, secret: bytes = b"the platform's own") -> None:
        self._secret = secret
        self.derived: list[str] = []

    def derive(self, month: str) -> bytes:
        self.derived.append(month)
        return hashlib.sha256(self._secret + month.encode()).digest()
