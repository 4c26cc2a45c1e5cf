"""What a customer submits may be refused, and never makes another customer wait: for the worst value of every field of
every cloud no other thread stands still for long, and nothing of ten thousand different values is kept."""

import gc
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

import pytest

from domain.errors import InvalidInput, Trouble
from domain.onboarding.catalogue import AuthMethod, parse_credential
from domain.onboarding.validation import Expectation
from domain.ports import CloudProvider
from tests.clouds.cases import CASES
from tests.clouds.worst_values import hostile_submissions
from tests.providers.aws_accounts import EXTERNAL_ID
from tests.providers.canned_aws import ROLE_ARN, canned_provider
from transport.client import GuardedClient
from transport.guard import PublicOnly

EXPECTED = Expectation(EXTERNAL_ID)
LONGEST_STALL = 0.15
TICK = 0.001
TRIES = 5
"""A thread is also kept waiting by whatever else runs on the machine; then another try is not."""
VALUES, WARM_UP = 10_000, 1_000
MAX_GROWTH = 16 * 1024 * 1024

NOWHERE = "http://127.0.0.1:9"
AWS = {
    "aws, role": ("iam_role", {"role_arn": ROLE_ARN}),
    "aws, access key": ("access_key", {"access_key_id": "AKIACUSTOMERCUSTOMER", "secret_access_key": "s" * 40}),
}


class Way:
    """One cloud and method, whose cloud is out of reach: all that happens is our own work."""

    def __init__(self, provider: CloudProvider, method: AuthMethod, good: Mapping[str, object]) -> None:
        self.provider, self.method, self.good = provider, method, good

    def submit(self, fields: Mapping[str, object]) -> None:
        """What the API does with the fields, and then the worker."""
        with suppress(InvalidInput, Trouble):
            self.provider.validate(parse_credential(self.method, fields), EXPECTED)


def out_of_reach(host: str, port: int) -> list[str]:
    raise OSError


@pytest.fixture(params=[*AWS, *CASES])
def way(request: pytest.FixtureRequest) -> Iterator[Way]:
    if request.param in AWS:
        name, good = AWS[request.param]
        provider: CloudProvider = canned_provider(NOWHERE)
        yield Way(provider, provider.description.method(name), good)
        return
    case = CASES[request.param]()
    with GuardedClient(PublicOnly(out_of_reach), is_allowed=case.is_allowed) as client:
        provider = case.make(client)
        yield Way(provider, provider.description.method(case.method), case.good)


@contextmanager
def watching() -> Iterator[Callable[[], float]]:
    """A thread that wants to run every millisecond, and how long it was kept from it since it was last asked."""
    longest, over = [0.0], threading.Event()

    def run() -> None:
        before = time.perf_counter()
        while not over.is_set():
            time.sleep(TICK)
            now = time.perf_counter()
            longest[0] = max(longest[0], now - before - TICK)
            before = now

    def stalled() -> float:
        time.sleep(2 * TICK)
        found, longest[0] = longest[0], 0.0
        return found

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield stalled
    finally:
        over.set()
        thread.join()


def test_no_value_of_any_field_keeps_other_threads_waiting(way: Way):
    way.submit(way.good)  # what is made once is made
    with watching() as stalled:
        for name, fields in hostile_submissions(way.method, way.good):
            waited: list[float] = []
            while len(waited) < TRIES and (not waited or waited[-1] >= LONGEST_STALL):
                stalled()
                way.submit(fields)
                waited.append(stalled())
            assert min(waited) < LONGEST_STALL, name


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_nothing_is_kept_of_ten_thousand_different_values(way: Way):
    for field in way.method.fields:
        submissions = different(way, field.name)
        for fields in islice(submissions, WARM_UP):
            way.submit(fields)
        before = resident_bytes()
        for fields in islice(submissions, VALUES):
            way.submit(fields)
        assert resident_bytes() - before < MAX_GROWTH, field.name


def different(way: Way, name: str) -> Iterator[dict[str, object]]:
    """Submissions that differ in one field, which is as well formed as it can be: its last characters are a number."""
    good = way.good.get(name, "")
    count = 0
    while True:
        count += 1
        if isinstance(good, Mapping):
            yield {**way.good, name: {**good, "project_id": f"project-{count}"}}
        else:
            digits = f"{count:08d}" if name != "region" else f"-{count}"
            yield {**way.good, name: f"{str(good)[:-8] or 'x'}{digits}"}


def resident_bytes() -> int:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096
