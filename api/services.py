"""What the API is given: the ports it works through and the limits it keeps. Entry points and tests build one."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from temporalio.client import Client

from api.auth.access_tokens import AccessTokens
from domain.accounts import ProviderType
from domain.ports import (
    AccountStore,
    ApiKeyStore,
    AuditStore,
    BodyDigest,
    Catalogue,
    CredentialOpener,
    CredentialSealer,
    HealthProbes,
    IdempotencyStore,
    IdentityKeys,
    TenantStore,
)
from domain.scans.ports import ChannelPolicy, ExecutionStore, ResultStore, Schedules, ScheduleStore
from domain.scans.scopes import EngineOffer
from workflows.ids import ONBOARDING_QUEUE, SCANS_QUEUE


@dataclass(frozen=True)
class Limits:
    """How long a request waits, and what a new onboarding is allowed."""

    validate_wait_seconds: float = 25
    """For the verdict on a submission; after that the answer is 202."""
    accept_wait_seconds: float = 5
    """For a worker to take a request over; after that nothing is promised and the answer is 503."""
    query_wait_seconds: float = 2
    """For the live state of an onboarding; after that the row is shown."""
    deadline_seconds: int = 7 * 24 * 3600
    """Until an onboarding without an accepted credential expires."""
    max_attempts: int = 10
    """Refused credentials per onboarding."""
    provider_patience_seconds: int = 600
    """How long a cloud may be out of order before a submission is answered without a verdict."""
    late_write_seconds: int = 60
    """When an ended onboarding looks once more for writes that were on their way."""
    min_interval_seconds: int = 3600
    """Between two scans of a schedule."""
    scan_seconds: int = 3600
    """How long a scan may take."""
    scan_poll_seconds: int = 10
    """Between two looks at an engine elsewhere."""


@dataclass(frozen=True)
class ScanServices:
    """What the routes of schedules and scans use."""

    schedules: ScheduleStore
    executions: ExecutionStore
    results: ResultStore
    temporal: Schedules
    channels: ChannelPolicy
    offers: Mapping[ProviderType, EngineOffer]
    """By cloud; one that is missing has no engine."""
    addresses: CredentialOpener
    """Opens the addresses of webhooks, and nothing else that is sealed: the keys' policies see to that."""


@dataclass(frozen=True)
class Services:
    """Everything that the routes use."""

    temporal: Client
    tenants: TenantStore
    accounts: AccountStore
    api_keys: ApiKeyStore
    idempotency: IdempotencyStore
    audit: AuditStore
    digest: BodyDigest
    sealer: CredentialSealer
    catalogue: Catalogue
    probes: HealthProbes
    version: str
    scans: ScanServices
    public_url: str | None = None
    """Where callers reach the API, without a path; None where nobody has said."""
    identity: IdentityKeys | None = None
    """Where the platform is an identity provider."""
    tokens: AccessTokens | None = None
    """Where an issuer of access tokens is trusted."""
    limits: Limits = field(default_factory=Limits)
    onboarding_queue: str = ONBOARDING_QUEUE
    scans_queue: str = SCANS_QUEUE
