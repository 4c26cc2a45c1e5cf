"""Operators' commands: prepare AWS and Temporal, make keys and tenants, examine what runs.

Each prints one line per thing, for people and for `grep`. A command that cannot do its work says why in a sentence
and ends with exit code 1; wrong settings end it with 2.
"""

import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer
from temporalio.service import RPCError

import config
import logs
from commands.audit.command import audit
from commands.bootstrap import bootstrap
from commands.cost.command import cost
from commands.doctor.command import doctor
from commands.keys import create as create_key
from commands.keys import revoke as revoke_key
from commands.keys import show as show_keys
from commands.lists import accounts, get_tenant, list_tenants, onboardings, scans, schedules
from commands.policies.rendering import policies
from commands.probe import probe
from commands.replay import replay
from commands.setup import create_tables, setup
from commands.status import status
from commands.tenants import create as create_tenant
from commands.words import InOurWords
from domain.errors import OnboardingError

app = typer.Typer(
    cls=InOurWords,
    help="Commands for the operators of the platform.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
keys = typer.Typer(help="API keys.", no_args_is_help=True)
keys.command()(bootstrap)
keys.command("create")(create_key)
keys.command("list")(show_keys)
keys.command("revoke")(revoke_key)
tenants = typer.Typer(help="Tenants.", no_args_is_help=True)
tenants.command("list")(list_tenants)
tenants.command("get")(get_tenant)
tenants.command("create")(create_tenant)
app.command()(setup)
app.command("create-tables")(create_tables)
app.add_typer(keys, name="keys")
app.add_typer(tenants, name="tenants")
app.add_typer(accounts, name="accounts")
app.add_typer(onboardings, name="onboardings")
app.add_typer(schedules, name="schedules")
app.add_typer(scans, name="scans")
app.add_typer(audit, name="audit")
app.command()(policies)
app.command()(doctor)
app.command()(status)
app.command()(cost)
app.command()(probe)
app.command()(replay)


@app.callback(invoke_without_command=True)
def options(version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False) -> None:
    if version:
        print(config.VERSION)
        raise typer.Exit


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
