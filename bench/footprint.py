"""What a worker process takes, and what many validations leave behind in it: `python -m bench.footprint FILE BED …`,
with the settings of a worker in the environment. It loads what `worker.py` loads and validates, on one thread."""

import gc
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Annotated, Any

import typer

import config
import worker  # noqa: F401  # all that a worker process loads
from bench.cloud_bed import CloudBed
from bench.cloud_lanes import Validate, validation
from bench.measuring import hold_the_stop, tell, wait_to_be_stopped
from bench.ports import EXTERNAL_ID
from bench.processes import this_process
from composition.aws import aws_of
from composition.clouds import catalogue
from domain.accounts import ProviderType
from domain.ports import Catalogue
from settings.secret_values import WORKER_SECRETS


@dataclass(frozen=True)
class Footprint:
    """At one moment."""

    threads: int
    open_files: int
    resident_bytes: int

    @classmethod
    def now(cls) -> "Footprint":
        gc.collect()  # cycles are garbage and no leak
        this = this_process("this")
        return cls(this.threads(), this.open_files(), this.resident_bytes())


@dataclass(frozen=True)
class Footprints:
    names: Sequence[str]
    """Cloud and method of each customer."""
    first: Footprint
    """After one validation of each."""
    before: Footprint
    after: Footprint

    @classmethod
    def read(cls, found: dict[str, Any]) -> "Footprints":
        moments = {name: Footprint(**found[name]) for name in ("first", "before", "after")}
        return cls(found["names"], **moments)


def lanes_of(offered: Catalogue, bed: CloudBed, aws_role: str) -> dict[str, Validate]:
    """One customer of each cloud and method on offer, each cloud's by one provider."""
    found = {"aws, iam_role": validation(offered.provider(ProviderType.AWS), "iam_role", {"role_arn": aws_role})}
    for customer in bed.customers:
        if customer.cloud in offered.names():
            provider = offered.provider(customer.cloud)
            if customer.auth_method in [method.method for method in provider.description.methods]:
                found[customer.name] = validation(provider, customer.auth_method, customer.fields)
    return found


def main(
    file: Path,
    bed_file: Path,
    aws_role: Annotated[str, typer.Option(help=f"A role that {EXTERNAL_ID} opens.")],
    warm_up: Annotated[int, typer.Option()],
    validations: Annotated[int, typer.Option()],
) -> None:
    hold_the_stop()
    settings, _ = config.load(WORKER_SECRETS)
    aws = aws_of(settings)
    lanes = lanes_of(catalogue(settings, aws), CloudBed.read(bed_file), aws_role)
    for lane in lanes.values():
        lane()
    first = Footprint.now()
    for lane in islice(cycle(lanes.values()), warm_up):
        lane()
    before = Footprint.now()
    for lane in islice(cycle(lanes.values()), validations):
        lane()
    tell(file, asdict(Footprints(list(lanes), first, before, Footprint.now())))
    wait_to_be_stopped()


if __name__ == "__main__":
    typer.run(main)
