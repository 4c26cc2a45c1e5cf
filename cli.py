"""Operators' commands: prepare AWS and Temporal, and make the first administrator key.

Each prints one line per thing, for people and for `grep`. A command that cannot do its work says why in a sentence
and ends with exit code 1; wrong settings end it with 2.
"""

import asyncio
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, NoReturn
from uuid import uuid4

import typer
from temporalio.service import RPCError

import config
import logs
from commands.audit import audit
from commands.cost import cost
from commands.doctor import doctor
from commands.keys import create as create_key
from commands.keys import revoke as revoke_key
from commands.keys import show as show_keys
from commands.probe import probe
from commands.status import status
from commands.tenants import create as create_tenant
from domain.access import Role
from domain.api_keys import key_event, new_key
from domain.audit import Origin
from domain.errors import OnboardingError
from domain.ports import ApiKeyStore
from domain.setup import SetupFinding
from domain.tenants import PLATFORM
from domain.timestamps import stamp
from stores import session
from stores.api_keys import DynamoApiKeyStore
from stores.kms_keys import ensure_keys
from stores.results_bucket import ensure_results_bucket
from stores.tables import TableNames, create_tables
from temporal.client import connect
from temporal.recurring import ensure_recurring
from temporal.setup import ensure_namespace, ensure_search_attributes
from workflows import search_attributes
from workflows.scheduled_scan import reconciling, sealing

KEY_HOURS = 24

app = typer.Typer(
    help="Commands for the operators of the platform.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
keys = typer.Typer(help="API keys.", no_args_is_help=True)
keys.command("create")(create_key)
keys.command("list")(show_keys)
keys.command("revoke")(revoke_key)
tenants = typer.Typer(help="Tenants.", no_args_is_help=True)
tenants.command("create")(create_tenant)
app.add_typer(keys, name="keys")
app.add_typer(tenants, name="tenants")
app.add_typer(audit, name="audit")
app.command()(doctor)
app.command()(status)
app.command()(cost)
app.command()(probe)


@dataclass(frozen=True)
class Recurring:
    """How often what recurs is done."""

    reconcile_seconds: int
    seal_seconds: int


@app.callback(invoke_without_command=True)
def options(version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False) -> None:
    if version:
        print(config.VERSION)
        raise typer.Exit


@app.command()
def setup() -> None:
    """Make or repair everything: KMS keys, tables, Temporal namespace and search attributes."""
    settings, temporal = config.load()
    report(set_up_aws(aws_of(settings), settings.tables, settings.bucket, identity=bool(settings.identity_issuer_url)))
    recurring = Recurring(settings.reconcile_interval_seconds, settings.audit_seal_interval_seconds)
    report(asyncio.run(set_up_temporal(temporal, recurring)))


@app.command("create-tables")
def create_tables_only() -> None:
    """Make the DynamoDB tables, and complete what an interrupted run left."""
    settings, _ = config.load()
    report(create_tables(aws_of(settings).dynamodb, settings.tables))


@keys.command()
def bootstrap() -> None:
    """Make the first administrator key. It is shown once and valid for 24 hours."""
    settings, _ = config.load()
    store = DynamoApiKeyStore(aws_of(settings).dynamodb, settings.tables)
    now = stamp(datetime.now(UTC))
    if any(key.revoked_at is None and now < key.expires_at for key in store.administrators()):
        fail("There is a valid administrator key already; make further keys with `keys create`.")
    text, expires_at = add_administrator_key(store)
    print(f"This administrator key is valid until {expires_at} and is not shown again:", file=sys.stderr)
    print(text)


def set_up_aws(
    aws: session.AwsClients, names: TableNames, bucket: str, *, identity: bool = False
) -> tuple[SetupFinding, ...]:
    """`identity` says whether the platform is an identity provider, which has a key of its own."""
    keys = ensure_keys(aws.kms, identity=identity)
    return (*keys, *create_tables(aws.dynamodb, names), *ensure_results_bucket(aws.s3, bucket))


async def set_up_temporal(temporal: config.TemporalConnection, recurring: Recurring) -> tuple[SetupFinding, ...]:
    client = await connect(temporal.address, namespace=temporal.namespace, options=temporal.options)
    findings = (
        *await ensure_namespace(client),
        *await ensure_search_attributes(client, search_attributes.ALL),
        await ensure_recurring(client, reconciling(), timedelta(seconds=recurring.reconcile_seconds)),
        await ensure_recurring(client, sealing(), timedelta(seconds=recurring.seal_seconds)),
    )
    await asyncio.sleep(0.1)  # the SDK's threads may crash an interpreter that ends right after a call
    return findings


def add_administrator_key(store: ApiKeyStore) -> tuple[str, str]:
    """The text of a new administrator key, and when it expires."""
    lifetime = timedelta(hours=KEY_HOURS)
    text, key = new_key(PLATFORM, "bootstrap", now=datetime.now(UTC), lifetime=lifetime, role=Role.ADMIN)
    operation, origin = f"bootstrap/{key.key_id}", Origin("cli", str(uuid4()))
    store.add(key, key_event(key, "api_key.created", origin, operation=operation, at=key.created_at))
    return text, key.expires_at


def aws_of(settings: config.Settings) -> session.AwsClients:
    return session.connect(settings.aws_region, endpoint_url=settings.aws_endpoint_url)


def report(findings: Iterable[SetupFinding]) -> None:
    for finding in findings:
        detail = f"  ({finding.detail})" if finding.detail else ""
        print(f"{finding.state.value:8}  {finding.thing}{detail}")


def fail(sentence: str) -> NoReturn:
    print(sentence, file=sys.stderr)
    raise typer.Exit(1)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line. No traceback reaches the terminal: it could show a value."""
    try:
        app(arguments)
    except OnboardingError as error:
        print(error.message, *getattr(error, "__notes__", ()), file=sys.stderr)
    except (RPCError, RuntimeError):
        print("Temporal cannot be reached, or refuses the request; check the TEMPORAL_* variables.", file=sys.stderr)
    except Exception as error:
        print("The command failed: {error} at {where}.".format(**logs.describe(error)), file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
