"""Operators' commands: prepare AWS and Temporal, and make the first administrator key.

Each prints one line per thing, for people and for `grep`. A command that cannot do its work says why in a sentence
and ends with exit code 1; wrong settings end it with 2.
"""

import asyncio
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, NoReturn
from uuid import uuid4

import typer
from temporalio.service import RPCError

import config
import logs
from commands.cost import cost
from commands.doctor import doctor
from commands.probe import probe
from commands.status import status
from domain.api_keys import new_administrator_key
from domain.audit import Origin, audit_event
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
from workflows.scheduled_scan import reconciling

KEY_HOURS = 24

app = typer.Typer(
    help="Commands for the operators of the platform.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
keys = typer.Typer(help="API keys.", no_args_is_help=True)
app.add_typer(keys, name="keys")
app.command()(doctor)
app.command()(status)
app.command()(cost)
app.command()(probe)


@app.callback(invoke_without_command=True)
def options(version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False) -> None:
    if version:
        print(config.VERSION)
        raise typer.Exit


@app.command()
def setup() -> None:
    """Make or repair everything: KMS keys, tables, Temporal namespace and search attributes."""
    settings, temporal = config.load()
    report(set_up_aws(aws_of(settings), settings.tables, settings.bucket))
    report(asyncio.run(set_up_temporal(temporal, settings.reconcile_interval_seconds)))


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
        fail("There is a valid administrator key already; make further keys with it.")
    text, expires_at = add_administrator_key(store)
    print(f"This administrator key is valid until {expires_at} and is not shown again:", file=sys.stderr)
    print(text)


def set_up_aws(aws: session.AwsClients, names: TableNames, bucket: str) -> tuple[SetupFinding, ...]:
    return (*ensure_keys(aws.kms), *create_tables(aws.dynamodb, names), *ensure_results_bucket(aws.s3, bucket))


async def set_up_temporal(temporal: config.TemporalConnection, reconcile_seconds: int) -> tuple[SetupFinding, ...]:
    client = await connect(temporal.address, namespace=temporal.namespace, options=temporal.options)
    findings = (
        *await ensure_namespace(client),
        *await ensure_search_attributes(client, search_attributes.ALL),
        await ensure_recurring(client, reconciling(), timedelta(seconds=reconcile_seconds)),
    )
    await asyncio.sleep(0.1)  # the SDK's threads may crash an interpreter that ends right after a call
    return findings


def add_administrator_key(store: ApiKeyStore) -> tuple[str, str]:
    """The text of a new administrator key, and when it expires."""
    text, key = new_administrator_key("bootstrap", datetime.now(UTC), hours=KEY_HOURS)
    event = audit_event(
        Origin("cli", str(uuid4())),
        operation=f"bootstrap/{key.key_id}",
        tenant_id=PLATFORM,
        action="api_key.created",
        target=f"api_key:{key.key_id}",
        at=key.created_at,
    )
    store.add(key, event)
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
