"""`python cli.py keys`: the keys of tenants and of the platform, for whoever may write the tables."""

import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import uuid4

import typer

import config
from commands.lines import one_line
from commands.output import Format, Limit, Output, Row, public, show_list
from composition.aws import aws_of
from domain.audit.events import Origin
from domain.callers.access import Role
from domain.callers.api_keys import DAYS, MAX_DAYS, ApiKey, key_event, new_key
from domain.callers.tenants import PLATFORM, Tenant, TenantStatus
from domain.edge_errors import TenantDisabled
from domain.errors import NotFound, UnreadableRow
from domain.pages import MAX_PAGE, every_item
from domain.ports import ApiKeyStore
from domain.timestamps import stamp
from stores.dynamodb.api_keys import DynamoApiKeyStore
from stores.dynamodb.tenants import DynamoTenantStore

OfTenant = Annotated[str, typer.Option("--tenant-id", help="The tenant, or `platform` for a key that reaches all.")]
Name = Annotated[str, typer.Option(help="What the key is for.", callback=one_line)]
WithRole = Annotated[Role, typer.Option(case_sensitive=False, help="What it may do.")]
Days = Annotated[int, typer.Option("--expires-in-days", min=1, max=MAX_DAYS, help="How long it is valid.")]
KeyId = Annotated[str, typer.Argument(help="The key's id, as `keys list` shows it.")]


def create(tenant_id: OfTenant, name: Name, role: WithRole, expires_in_days: Days = DAYS) -> None:
    """Make a key. It goes alone to the standard output and is not shown again."""
    keys, tenants = _connected()
    if tenant_id != PLATFORM and _tenant(tenants, tenant_id).status is not TenantStatus.ACTIVE:
        raise TenantDisabled
    text, key = add_key(keys, tenant_id, name, role=role, lifetime=timedelta(days=expires_in_days))
    print(f"This {role} key {key.prefix} is valid until {key.expires_at} and is not shown again:", file=sys.stderr)
    print(text)


def add_key(keys: ApiKeyStore, tenant_id: str, name: str, *, role: Role, lifetime: timedelta) -> tuple[str, ApiKey]:
    """The text of a new key, to be shown once, and what is stored of it."""
    text, key = new_key(tenant_id, name, now=datetime.now(UTC), lifetime=lifetime, role=role)
    request_id = str(uuid4())
    event = key_event(key, "api_key.created", Origin("cli", request_id), operation=request_id, at=key.created_at)
    keys.add(key, event)
    return text, key


def show(tenant_id: OfTenant, output: Output = Format.TABLE, limit: Limit = 100) -> None:
    """List a tenant's keys, those that expired or were revoked too."""
    keys, tenants = _connected()
    if tenant_id != PLATFORM:
        with suppress(UnreadableRow):  # its keys are listed all the same
            _tenant(tenants, tenant_id)
    now = stamp(datetime.now(UTC))
    rows = (_row(key, now) for key in every_item(lambda cursor: keys.page(tenant_id, limit=MAX_PAGE, cursor=cursor)))
    columns = ("state", "key_id", "granted", "expires_at", "last_used_at", "name")
    show_list(rows, output, columns=columns, thing="keys", limit=limit)


def revoke(key_id: KeyId) -> None:
    """Revoke a key: it is refused everywhere within five seconds."""
    keys, _ = _connected()
    key, now, request_id = keys.find(key_id), stamp(datetime.now(UTC)), str(uuid4())
    if key is None:
        raise NotFound("There is no key of that id.")
    event = key_event(key, "api_key.revoked", Origin("cli", request_id), operation=request_id, at=now)
    revoked = keys.revoke(key.tenant_id, key.key_id, event)
    print(f"revoked   key {revoked.key_id}  ({revoked.revoked_at})")


def _tenant(tenants: DynamoTenantStore, tenant_id: str) -> Tenant:
    try:
        return tenants.get(tenant_id)
    except NotFound:
        raise NotFound("There is no such tenant here; `tenants list` shows the ids.") from None


def _row(key: ApiKey, now: str) -> Row:
    state = "revoked" if key.revoked_at else "expired" if key.expires_at <= now else "valid"
    return {"state": state, "granted": key.role or ",".join(key.scopes), **public(key, "digest")}


def _connected() -> tuple[DynamoApiKeyStore, DynamoTenantStore]:
    settings, _ = config.load()
    dynamodb = aws_of(settings).dynamodb
    return DynamoApiKeyStore(dynamodb, settings.tables), DynamoTenantStore(dynamodb, settings.tables)
