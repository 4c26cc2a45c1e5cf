"""`python cli.py cost`: the monthly bill, the floor under it, and what each figure rests on. It asks nobody."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from commands.cost.bill import Bill, Line, Plan, bill
from commands.cost.counts import ASSUMED
from commands.cost.prices import Region

Accounts = Annotated[int, typer.Option(min=1, max=1_000_000, help="Onboarded cloud accounts.")]
Tenants = Annotated[int, typer.Option(min=1, max=1_000_000, help="Tenants that they belong to.")]
ScansPerDay = Annotated[float, typer.Option(min=0, max=1_000, help="Scheduled scans of each account in a day.")]
Probes = Annotated[float, typer.Option(min=0, max=100, help="Health probes a minute, all API processes together.")]
InRegion = Annotated[Region, typer.Option(help="The AWS region; those listed have prices here.")]

COLUMNS = ("$ a month", "number", "DynamoDB, S3", "Secrets", "KMS", "together", "from")

NOTES = (
    "A month of 730 hours in which every account is onboarded, with one refused credential on the way, beside the data "
    "of a year. Prices of November 2026, without free tier, discount and tax; computing and traffic are not in it.",
    "The key for credentials is rotated every year. The first two rotations add $1 a month each, to the floor and to "
    "the bill.",
    *(f"Assumed for a {operation}: {assumed.rests_on}." for operation, assumed in ASSUMED.items()),
)


def cost(
    accounts: Accounts = 100,
    scans_per_day: ScansPerDay = 1,
    tenants: Tenants = 1,
    health_probes: Probes = 4,
    region: InRegion = Region.MUMBAI,
) -> None:
    """Work out the monthly bill, from counted calls and a dated price list."""
    plan = Plan(accounts, tenants, scans_per_day, health_probes, region)
    _show(bill(plan), Console(highlight=False))


def _show(found: Bill, console: Console) -> None:
    console.print(_table(found.lines))
    console.print()
    console.print(_summary(found))
    for note in NOTES:
        console.print(f"\n{note}", style="dim")


def _table(lines: tuple[Line, ...]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for position, column in enumerate(COLUMNS):
        table.add_column(column, justify="right" if 0 < position < len(COLUMNS) - 1 else "left", no_wrap=True)
    for line in lines:
        services = (_dollars(dollars) for dollars in (line.data, line.secrets_manager, line.kms))
        table.add_row(line.item, _number(line.number), *services, _dollars(line.dollars), line.basis.value)
    return table


def _summary(found: Bill) -> Table:
    """With a Temporal server of one's own, whose actions have no price, and with Temporal Cloud."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    whole = found.aws + found.temporal_cloud
    table.add_row("Floor: the secrets and the keys", f"${found.floor:,.2f}", "")
    table.add_row("AWS", f"${found.aws:,.2f}", f"{found.above_floor:.1%} above the floor")
    table.add_row("Temporal Cloud, if used", f"${found.temporal_cloud:,.2f}", f"{found.actions:,.0f} actions")
    table.add_row("AWS and Temporal Cloud", f"${whole:,.2f}", f"{whole / found.floor - 1:.1%} above the floor")
    return table


def _number(amount: float) -> str:
    if amount >= 1_000_000:
        return f"{amount / 1_000_000:,.1f} M"
    return f"{amount:,.0f}" if amount >= 1 else f"{amount:.2f}"


def _dollars(amount: float) -> str:
    if amount == 0:
        return "–"
    decimals = 0 if amount >= 1_000 else 2 if amount >= 1 else 4
    return f"{amount:,.{decimals}f}"
