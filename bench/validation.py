"""Validations per second beside the clouds' own SDKs, what validating leaves behind in a process, and what an install
takes. Our provider and the SDK make the same calls in the same order to the same stand-in, in turns."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.cloud_bed import STAND_INS, CloudBed, bed_file, cloud_bed
from bench.footprint import Footprints
from bench.install_size import pinned, sizes
from bench.load import Sample, together
from bench.measuring import measured
from bench.ports import EXTERNAL_ID
from bench.processes import Observed
from bench.report import Report, Target, milliseconds
from bench.testbed import Testbed
from bench.validating import VALIDATING, Compared
from emulators.ports import HOST
from local.stack import ROOT, process_environment
from tests.resilience.customer import Customer

MB = 10**6
MIN_RATE_RATIO = 1.0
MAX_MORE_OPEN_FILES = 8
"""Connections that are kept come and go."""
MAX_MORE_MB = 5
MAX_WORKER_MB = 220
MAX_INSTALL_MB = 160
LARGEST = 6


@dataclass(frozen=True)
class Plan:
    rounds: int
    validations: int
    """Of each lane in each round."""
    warm_up: int
    in_a_row: int
    """How many validations a process does that is looked at before and after."""
    counts: bool = True
    """Whether the figures are enough to be judged."""


FULL = Plan(rounds=31, validations=4, warm_up=50, in_a_row=1_000)
QUICK = Plan(rounds=1, validations=1, warm_up=6, in_a_row=6, counts=False)


async def run(bed: Testbed, plan: Plan, *, report: Report) -> bool:
    """Whether every target was met."""
    folder = bed.stack.folder / "validation"
    async with cloud_bed(folder) as (clouds, stand_ins):
        targets = await _rates(plan, folder, stand_ins, report=report)
        targets += await _footprints(bed, clouds, plan, folder, report=report)
    targets.append(_install(report))
    return report.judge(targets, counts=plan.counts)


async def _rates(plan: Plan, folder: Path, stand_ins: Observed, *, report: Report) -> list[Target]:
    options = (f"--rounds={plan.rounds}", f"--validations={plan.validations}", f"--stand-ins={stand_ins.pid}")
    found = await measured("bench.validating", str(bed_file(folder)), *options, folder=folder)
    compared = [Compared.read(one) for one in found]
    report.heading(f"Validations one after the other, {plan.rounds} rounds of {plan.validations}")
    report.machine()
    report.table(
        ("", "ours/s", "SDK/s", "p50 ms", "SDK p50", "CPU ms", "SDK CPU", "stand-ins CPU", "SDK"),
        [_row(one) for one in compared],
    )
    with_sdk = [one for one in compared if one.theirs]
    return [
        Target("methods whose cloud's SDK is installed", len(with_sdk), at_least=len(compared)),
        *(Target(f"rate ours / SDK, {one.name}", ratio(one), at_least=MIN_RATE_RATIO) for one in with_sdk),
    ]


def ratio(compared: Compared) -> float:
    """The median over the rounds of what each round's pair gives."""
    return median(a.rate / b.rate for a, b in zip(compared.ours, compared.theirs, strict=True))


def _row(compared: Compared) -> Sequence[str]:
    ours = _figures(compared.ours)
    theirs = _figures(compared.theirs) if compared.theirs else ["–"] * len(ours)
    pairs = [figure for pair in zip(ours[:3], theirs[:3], strict=True) for figure in pair]
    return (compared.name, *pairs, f"{ours[3]}/{theirs[3]}", compared.sdk or "not installed")


def _figures(rounds: Sequence[Sample]) -> list[str]:
    whole = together(rounds)
    rate = median(one.rate for one in rounds)
    cpu = [milliseconds(whole.cpu_each(process)) for process in (VALIDATING, STAND_INS)]
    return [f"{rate:.1f}", milliseconds(whole.percentile(50)), *cpu]


async def _footprints(bed: Testbed, clouds: CloudBed, plan: Plan, folder: Path, *, report: Report) -> list[Target]:
    role = await asyncio.to_thread(Customer(bed.stack.customer).make_role, EXTERNAL_ID)
    settings = {
        "AWS_PROFILE": "worker",
        "CUSTOMER_CLOUDS_ADDRESS": f"{HOST}:{clouds.together.port}",
        "CLOUDS_CA_FILE": clouds.together.ca_file,
    }
    environment = process_environment(bed.stack.folder, ports=bed.ports, settings=settings)
    options = (f"--aws-role={role}", f"--warm-up={plan.warm_up}", f"--validations={plan.in_a_row}")
    given = await measured("bench.footprint", str(bed_file(folder)), *options, folder=folder, environment=environment)
    found = Footprints.read(given)
    _show(report, found, plan)
    return growth(found, plan.in_a_row)


def _show(report: Report, found: Footprints, plan: Plan) -> None:
    report.heading(f"A worker process that validates: {'; '.join(found.names)}")
    moments = (
        ("once each", found.first),
        (f"then {plan.warm_up}", found.before),
        (f"then {plan.in_a_row:,}", found.after),
    )
    report.table(
        ("after", "threads", "open files", "resident MB"),
        [(name, str(one.threads), str(one.open_files), f"{one.resident_bytes / MB:.1f}") for name, one in moments],
    )


def growth(found: Footprints, validations: int) -> list[Target]:
    before, after, several = found.before, found.after, f"{validations:,} validations"
    more_bytes = after.resident_bytes - before.resident_bytes
    more_files = after.open_files - before.open_files
    return [
        Target(f"threads more after {several}", after.threads - before.threads, at_most=0),
        Target(f"open files more after {several}", more_files, at_most=MAX_MORE_OPEN_FILES),
        Target(f"memory more after {several}, MB", more_bytes / MB, at_most=MAX_MORE_MB),
        Target("memory of a worker process, MB", found.first.resident_bytes / MB, at_most=MAX_WORKER_MB),
    ]


def _install(report: Report) -> Target:
    found = sizes(pinned((ROOT / "requirements.txt").read_text().splitlines()))
    largest = sorted(found.items(), key=lambda item: -item[1])
    report.heading(f"A production install: {len(found)} distributions")
    rows = [(name, f"{size / MB:.1f}") for name, size in largest[:LARGEST]]
    rows.append(("the others", f"{sum(size for _, size in largest[LARGEST:]) / MB:.1f}"))
    report.table(("", "MB"), rows)
    return Target("size of a production install, MB", sum(found.values()) / MB, at_most=MAX_INSTALL_MB)
