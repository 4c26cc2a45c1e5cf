"""A tenant: one customer company of the platform."""

from dataclasses import dataclass
from enum import StrEnum

PLATFORM = "platform"
"""Stands where a tenant id stands for things that belong to no tenant: administrator keys and their audit events."""


class TenantStatus(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"
    """Its callers read and revoke keys, and change nothing; nobody makes anything for it. No scan begins. What exists
    stays."""
    UNKNOWN = "unknown"
    """What a newer version wrote. It counts as disabled."""


@dataclass(frozen=True)
class Tenant:
    tenant_id: str
    tenant_name: str
    created_at: str
    updated_at: str
    description: str = ""
    status: TenantStatus = TenantStatus.ACTIVE
    version: int = 1
