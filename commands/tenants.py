"""`python cli.py tenants`: the customer companies of the platform, for whoever may write the tables."""

import sys
from datetime import UTC, datetime
from typing import Annotated
from uuid import uuid4

import typer

import config
from commands.lines import one_line
from composition.aws import aws_of
from domain.audit.events import Origin, audit_event
from domain.callers.tenants import Tenant
from domain.timestamps import stamp
from stores.dynamodb.tenants import DynamoTenantStore

MAX_DESCRIPTION = 1000


def _described(text: str) -> str:
    if not (text.isprintable() and len(text) <= MAX_DESCRIPTION):
        raise typer.BadParameter(f"must be up to {MAX_DESCRIPTION} characters on one line")
    return text


Name = Annotated[str, typer.Option(help="The name, unique whatever its capitals.", callback=one_line)]
Description = Annotated[str, typer.Option(help="What to know about it, on one line.", callback=_described)]


def create(name: Name, description: Description = "") -> None:
    """Make a tenant. Its id goes alone to the standard output."""
    settings, _ = config.load()
    dynamodb = aws_of(settings).dynamodb
    now, request_id = stamp(datetime.now(UTC)), str(uuid4())
    tenant = Tenant(str(uuid4()), name, created_at=now, updated_at=now, description=description)
    event = audit_event(
        Origin("cli", request_id),
        operation=request_id,
        tenant_id=tenant.tenant_id,
        action="tenant.created",
        target=f"tenant:{tenant.tenant_id}",
        at=now,
    )
    DynamoTenantStore(dynamodb, settings.tables).create(tenant, event)
    print("Its first key: python cli.py keys create --tenant-id … --name … --role admin", file=sys.stderr)
    print(tenant.tenant_id)
