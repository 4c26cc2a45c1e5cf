"""`python cli.py accounts|onboardings|schedules|scans|tenants list|get`: what there is, read from the tables.

They change nothing, and show no credential, no external id and no address of a notification.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

import config
from commands.output import Format, Limit, Output, public, show_list, show_one
from composition.aws import aws_of
from domain.accounts import Account, AccountStatus, OnboardingStatus, ProviderType
from domain.errors import NotFound, UnreadableRow
from domain.pages import MAX_PAGE, every_item
from domain.schedules.schedule import ScheduleStatus
from stores.dynamodb.accounts import DynamoAccountStore
from stores.dynamodb.executions import DynamoExecutionStore
from stores.dynamodb.schedules import DynamoScheduleStore
from stores.dynamodb.tables import TableNames
from stores.dynamodb.tenants import DynamoTenantStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Store = TypeVar("Store")

LIMIT = 100
SECRETIVE = ("external_id", "credential", "notifications", "deliveries")
"""Who looks things up needs none of these: an external id opens a role, and an address can hold a token."""

Tenant = Annotated[str, typer.Option("--tenant-id", help="The tenant, as `tenants list` shows it.")]
OfTenant = Annotated[str | None, typer.Option("--tenant-id", help="One tenant; by default all of them.")]
OfAccount = Annotated[str | None, typer.Option("--account-id", help="One account of the tenant.")]
OfSchedule = Annotated[str | None, typer.Option("--schedule-id", help="One schedule of the tenant.")]
Cloud = Annotated[ProviderType | None, typer.Option("--provider", case_sensitive=False, help="One cloud.")]
WithStatus = Annotated[AccountStatus | None, typer.Option("--status", case_sensitive=False, help="One status.")]
WithScheduleStatus = Annotated[
    ScheduleStatus | None, typer.Option("--status", case_sensitive=False, help="One status.")
]
Id = Annotated[str, typer.Argument(help="The id, as `list` shows it.")]

accounts = typer.Typer(help="The cloud accounts of tenants.", no_args_is_help=True)
onboardings = typer.Typer(help="The onboardings that are under way.", no_args_is_help=True)
schedules = typer.Typer(help="The schedules of scans.", no_args_is_help=True)
scans = typer.Typer(help="The runs of schedules.", no_args_is_help=True)


def list_tenants(output: Output = Format.TABLE, limit: Limit = LIMIT) -> None:
    """List the tenants."""
    store = _store(DynamoTenantStore)
    rows = (public(tenant) for tenant in every_item(lambda cursor: store.page(limit=MAX_PAGE, cursor=cursor)))
    columns = ("tenant_id", "tenant_name", "status", "created_at")
    show_list(rows, output, columns=columns, thing="tenants", limit=limit)


def get_tenant(tenant_id: Id, output: Output = Format.TABLE) -> None:
    """Show one tenant."""
    with _naming("tenant"):
        show_one(public(_store(DynamoTenantStore).get(tenant_id)), output)


@accounts.command("list")
def list_accounts(
    tenant_id: Tenant,
    provider: Cloud = None,
    status: WithStatus = None,
    output: Output = Format.TABLE,
    limit: Limit = LIMIT,
) -> None:
    """List a tenant's accounts."""
    _look_for(tenant_id)
    rows = (public(account, *SECRETIVE) for account in _of_tenant(tenant_id, provider, status))
    columns = ("account_id", "account_name", "provider_type", "account_number", "status", "last_validated_at")
    show_list(rows, output, columns=columns, thing="accounts", limit=limit)


@accounts.command("get")
def get_account(account_id: Id, output: Output = Format.TABLE) -> None:
    """Show one account, with the verdict of its last validation."""
    store = _store(DynamoAccountStore)
    with _naming("account"):
        show_one(public(store.get(store.tenant_of(account_id), account_id), *SECRETIVE), output)


@onboardings.command("list")
def list_onboardings(tenant_id: OfTenant = None, output: Output = Format.TABLE, limit: Limit = LIMIT) -> None:
    """List the onboardings that are not over, of one tenant or of all."""
    if tenant_id is not None:
        _look_for(tenant_id)
    tenants = _store(DynamoTenantStore)
    everybody = every_item(lambda cursor: tenants.page(limit=MAX_PAGE, cursor=cursor))
    names = [tenant_id] if tenant_id else (tenant.tenant_id for tenant in everybody)
    open_ones = (
        public(account, *SECRETIVE)
        for name in names
        for account in _of_tenant(name, None, AccountStatus.PENDING)
        if account.onboarding_status is OnboardingStatus.IN_PROGRESS
    )
    columns = ("account_id", "tenant_id", "account_name", "provider_type", "attempts", "created_at", "expires_at")
    show_list(open_ones, output, columns=columns, thing="onboardings under way", limit=limit)


@onboardings.command("get")
def get_onboarding(account_id: Id, output: Output = Format.TABLE) -> None:
    """Show one onboarding. Its id is that of the account."""
    get_account(account_id, output)


@schedules.command("list")
def list_schedules(
    tenant_id: OfTenant = None,
    account_id: OfAccount = None,
    status: WithScheduleStatus = None,
    output: Output = Format.TABLE,
    limit: Limit = LIMIT,
) -> None:
    """List schedules, of one tenant or of all."""
    if account_id and not tenant_id:
        raise typer.BadParameter("name the tenant of the account, too", param_hint="--tenant-id")
    if tenant_id is not None:
        _look_for(tenant_id, account_id=account_id)
    store = _store(DynamoScheduleStore)
    found = every_item(
        lambda cursor: store.page(tenant_id, account_id=account_id, status=status, limit=MAX_PAGE, cursor=cursor)
    )
    rows = (public(schedule, *SECRETIVE) for schedule in found)
    columns = ("schedule_id", "tenant_id", "name", "status", "status_reason", "last_run_at", "running_execution_id")
    show_list(rows, output, columns=columns, thing="schedules", limit=limit)


@schedules.command("get")
def get_schedule(schedule_id: Id, output: Output = Format.TABLE) -> None:
    """Show one schedule, with what led to its status."""
    store = _store(DynamoScheduleStore)
    with _naming("schedule"):
        show_one(public(store.get(store.tenant_of(schedule_id), schedule_id), *SECRETIVE), output)


@scans.command("list")
def list_scans(
    tenant_id: Tenant,
    schedule_id: OfSchedule = None,
    account_id: OfAccount = None,
    output: Output = Format.TABLE,
    limit: Limit = LIMIT,
) -> None:
    """List the runs of a schedule or of an account, the newest first."""
    if (schedule_id is None) == (account_id is None):
        raise typer.BadParameter("name one of both", param_hint="--schedule-id or --account-id")
    _look_for(tenant_id, account_id=account_id, schedule_id=schedule_id)
    store = _store(DynamoExecutionStore)
    found = every_item(
        lambda cursor: store.page(
            tenant_id, schedule_id=schedule_id, account_id=account_id, limit=MAX_PAGE, cursor=cursor
        )
    )
    rows = (public(execution, *SECRETIVE) for execution in found)
    columns = ("execution_id", "schedule_id", "status", "error_code", "triggered_by", "started_at", "completed_at")
    show_list(rows, output, columns=columns, thing="scans", limit=limit)


@scans.command("get")
def get_scan(execution_id: Id, output: Output = Format.TABLE) -> None:
    """Show one run, with why it failed."""
    store = _store(DynamoExecutionStore)
    with _naming("scan"):
        show_one(public(store.get(store.tenant_of(execution_id), execution_id), *SECRETIVE), output)


def _look_for(tenant_id: str, *, account_id: str | None = None, schedule_id: str | None = None) -> None:
    """What a list is narrowed to must be there: nothing of a mistyped id would look like an empty list. Raises
    NotFound."""
    # What belongs to a row that cannot be read is listed all the same.
    with _naming("tenant"), suppress(UnreadableRow):
        _store(DynamoTenantStore).get(tenant_id)
    if account_id is not None:
        with _naming("account", of="in this tenant"), suppress(UnreadableRow):
            _store(DynamoAccountStore).get(tenant_id, account_id)
    if schedule_id is not None:
        with _naming("schedule", of="in this tenant"), suppress(UnreadableRow):
            _store(DynamoScheduleStore).get(tenant_id, schedule_id)


@contextmanager
def _naming(thing: str, *, of: str = "here") -> Iterator[None]:
    """Say which thing it is that there is not."""
    try:
        yield
    except NotFound:
        raise NotFound(f"There is no such {thing} {of}; `{thing}s list` shows the ids.") from None


def _of_tenant(tenant_id: str, provider: ProviderType | None, status: AccountStatus | None) -> Iterator[Account]:
    store = _store(DynamoAccountStore)
    return every_item(
        lambda cursor: store.page(tenant_id, provider_type=provider, status=status, limit=MAX_PAGE, cursor=cursor)
    )


def _store(kind: Callable[["DynamoDBClient", TableNames], Store]) -> Store:
    """Return a store of that kind, over the tables of the settings."""
    settings, _ = config.load()
    return kind(aws_of(settings).dynamodb, settings.tables)
