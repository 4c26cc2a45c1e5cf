"""The message of a probe: a credential is proved once, and nothing of it is kept."""

from dataclasses import dataclass

from domain.accounts import ProviderType


@dataclass(frozen=True)
class ProbeRequest:
    """Starts a probe. `sealed` opens in the context of tenant, account, probe id and purpose."""

    tenant_id: str
    account_id: str
    probe_id: str
    provider_type: ProviderType
    sealed: str
    external_id: str
    patience_seconds: int
    """How long a cloud may be out of order before the probe fails."""
    account_number: str | None = None
    """The account proved before, which the credential must belong to."""
    just_created: bool = False
    at: str = ""
    """When somebody asked: a probe that is repeated much later proves nothing. A stamp; empty from an older API."""
