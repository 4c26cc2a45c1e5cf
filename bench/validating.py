"""Our provider and the cloud's SDK in turns, on one thread: `python -m bench.validating FILE BED --rounds N …`. For
each customer it writes down what the rounds of both took."""

import asyncio
import gc
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.cloud_bed import STAND_INS, CloudBed, CloudCustomer, Platform
from bench.cloud_lanes import Validate, installed_sdk, our_lane, sdk_lane
from bench.load import Sample, Work, sample
from bench.measuring import hold_the_stop, tell, wait_to_be_stopped
from bench.processes import Observed, this_process

VALIDATING = "validating"
WARM_UP = 2


@dataclass(frozen=True)
class Compared:
    """The rounds of one customer."""

    name: str
    """Of the cloud and the method."""
    sdk: str | None
    """Name and version; None where it is not installed."""
    ours: list[Sample] = field(default_factory=list)
    theirs: list[Sample] = field(default_factory=list)

    @classmethod
    def read(cls, found: dict[str, Any]) -> "Compared":
        samples = {lane: [Sample(**one) for one in found[lane]] for lane in ("ours", "theirs")}
        return cls(found["name"], found["sdk"], **samples)


async def compare(
    customer: CloudCustomer, platform: Platform, *, rounds: int, validations: int, watched: Sequence[Observed]
) -> Compared:
    found = Compared(customer.name, installed_sdk(customer.cloud))
    with our_lane(customer, platform) as ours:
        lanes = [(ours, found.ours)]
        if theirs := sdk_lane(customer, platform):
            lanes.append((theirs, found.theirs))
        for lane, _ in lanes:
            await sample(timed(lane), count=WARM_UP, in_flight=1)
        for _ in range(rounds):
            for lane, samples in lanes:
                gc.collect()  # what one lane leaves is not for the other to clean up
                samples.append(await sample(timed(lane), count=validations, in_flight=1, watched=watched))
    return found


def timed(lane: Validate) -> Work:
    async def work() -> float:
        began = time.perf_counter()
        lane()
        return time.perf_counter() - began

    return work


def main(
    file: Path,
    bed_file: Path,
    rounds: Annotated[int, typer.Option()],
    validations: Annotated[int, typer.Option(help="Of each lane in each round.")],
    stand_ins: Annotated[int, typer.Option(help="The stand-ins' process.")],
) -> None:
    hold_the_stop()
    bed, watched = CloudBed.read(bed_file), (this_process(VALIDATING), Observed(STAND_INS, stand_ins))
    found = [
        asyncio.run(compare(customer, bed.platform, rounds=rounds, validations=validations, watched=watched))
        for customer in bed.customers
    ]
    tell(file, [asdict(one) for one in found])
    wait_to_be_stopped()


if __name__ == "__main__":
    typer.run(main)
