"""Values for the store tests. Each has ids of its own, so that tests share tables and not rows."""

from dataclasses import replace
from uuid import uuid4

from domain.accounts import Account, Activation, Closure, OnboardingStatus, ProviderType
from domain.audit.events import AuditEvent, Origin, audit_event
from domain.callers.access import Role
from domain.callers.api_keys import ApiKey
from domain.callers.tenants import Tenant
from domain.idempotency import LIFETIME_SECONDS, IdempotencyRecord
from domain.onboarding.credentials import Credential, CredentialRef, VaultEntry
from domain.onboarding.validation import Step, StepStatus, Verdict, verdict_of
from domain.timestamps import parse

AT = "2026-11-24T10:00:00.000Z"
LATER = "2026-11-24T11:00:00.000Z"
ORIGIN = Origin(actor="cli", request_id="test")

FOREIGN = "f0e1d2c3-0000-4000-8000-00000000beef"
"""The id of a tenant that has nothing."""

STRANGE_IDS = ["", "nope", FOREIGN.upper(), f"claim#{FOREIGN}#aws#1", "name#acme", "x" * 3000, "\ud800", "a\n"]
"""None is an id of ours, whatever may be stored under it."""


def new_id() -> str:
    return str(uuid4())


def new_event(tenant_id: str, *, at: str = AT, operation: str | None = None) -> AuditEvent:
    return audit_event(
        ORIGIN,
        operation=operation or new_id(),
        tenant_id=tenant_id,
        action="thing.changed",
        target="thing:1",
        at=at,
        details={"code": "ok"},
    )


def new_tenant(name: str | None = None) -> Tenant:
    tenant_id = new_id()
    return Tenant(tenant_id, name or f"Tenant {tenant_id}", created_at=AT, updated_at=AT, description="A customer")


def a_key(tenant_id: str) -> ApiKey:
    return ApiKey(uuid4().hex[:16], tenant_id, f"Of {tenant_id}", "digest", Role.ADMIN, AT, LATER)


def new_account(tenant_id: str, *, provider_type: ProviderType = ProviderType.AWS) -> Account:
    return Account(
        account_id=new_id(),
        tenant_id=tenant_id,
        provider_type=provider_type,
        account_name="Production",
        auth_method="iam_role",
        external_id=new_id(),
        created_at=AT,
        updated_at=AT,
        expires_at=LATER,
    )


def new_number() -> str:
    return str(uuid4().int)[:12]


def accepted(number: str) -> Verdict:
    steps = [Step("identity", StepStatus.PASSED), Step("permissions", StepStatus.PASSED)]
    return verdict_of(steps, account_number=number, identity=f"arn:aws:iam::{number}:role/Scan")


def refused() -> Verdict:
    step = Step(
        "permissions",
        StepStatus.FAILED,
        code="missing_permissions",
        message="Permissions are missing.",
        remedy="Attach SecurityAudit.",
        missing_permissions=("s3:ListAllMyBuckets",),
    )
    return verdict_of([Step("shape", StepStatus.PASSED), step])


def activation(number: str | None = None) -> Activation:
    ref = CredentialRef(arn="arn:aws:secretsmanager:x", version=new_id())
    return Activation(accepted(number or new_number()), ref, attempts=1, provider_type=ProviderType.AWS)


def closure(status: OnboardingStatus = OnboardingStatus.CANCELLED) -> Closure:
    return Closure(status, reason="cancelled_by_customer", attempts=2)


def new_entry(account_id: str | None = None, tenant_id: str | None = None, *, key: str = "canary-1") -> VaultEntry:
    return VaultEntry(
        tenant_id=tenant_id or new_id(),
        account_id=account_id or new_id(),
        submission_id=new_id(),
        provider_type="aws",
        credential=Credential("aws_access_key", {"access_key_id": "AKIA", "secret_access_key": key}),
        created_at=AT,
    )


def another(entry: VaultEntry, *, key: str = "canary-2") -> VaultEntry:
    """A later submission for the same account."""
    return replace(new_entry(key=key), tenant_id=entry.tenant_id, account_id=entry.account_id)


def new_record(*, created_at: str = AT) -> IdempotencyRecord:
    return IdempotencyRecord(
        tenant_id=FOREIGN,
        record_id=new_id(),
        body_digest="digest-1",
        ids={"account_id": new_id()},
        created_at=created_at,
        expires_at=int(parse(created_at).timestamp()) + LIFETIME_SECONDS,
    )
