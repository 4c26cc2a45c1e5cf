"""The benchmark of validations: that both lanes ask for the same, its arithmetic, and its quick form from outside."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import pytest

from bench.cloud_bed import CloudBed
from bench.cloud_lanes import Validate, our_lane, sdk_lane
from bench.footprint import Footprint, Footprints
from bench.install_size import pinned, sizes
from bench.load import Sample
from bench.stand_ins import Serving, serving
from bench.validating import Compared
from bench.validation import growth, ratio
from emulators.clouds.server import Answer, Asked, Cloud, StandIn
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parents[2]
METHODS = (
    *("azure, service_principal", "azure, certificate", "gcp, service_account", "gcp, workload_identity"),
    *("alicloud, access_key", "alicloud, ram_role", "oci, user_principal", "ibm, api_key"),
)


Request = tuple[str, str, str, list[str]]
"""Method, path, AliCloud's name of the operation, and the names in the query."""


@dataclass
class Recorded:
    """A cloud that writes down what it is asked."""

    cloud: Cloud
    hosts: Sequence[str]
    asked: list[Request] = field(default_factory=list)

    def answer(self, asked: Asked, now: float) -> Answer:
        operation = asked.headers.get("x-acs-action", "")
        self.asked.append((asked.method, asked.path.rstrip("/"), operation, sorted(asked.query)))
        return self.cloud.answer(asked, now)


def recorded(stand_in: StandIn, lane: Validate) -> list[Request]:
    """What a validation asks for, without MSAL's look at the tenant."""
    cloud = stand_in.clouds[0]
    stand_in.clouds = [record := Recorded(cloud, cloud.hosts)]
    lane()
    stand_in.clouds = [cloud]
    return [one for one in record.asked if not one[1].endswith("/.well-known/openid-configuration")]


@pytest.fixture(scope="module")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("clouds")) as found:
        yield found


def test_every_method_of_the_five_clouds_is_measured(clouds: Serving):
    assert tuple(customer.name for customer in clouds.bed.customers) == METHODS


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDKs' own making
@pytest.mark.parametrize("name", METHODS)
def test_both_lanes_ask_for_the_same_in_the_same_order(clouds: Serving, name: str):
    customer = next(one for one in clouds.bed.customers if one.name == name)
    theirs = sdk_lane(customer, clouds.bed.platform)
    if theirs is None:
        pytest.skip("The SDK is not installed.")
    stand_in = clouds.by_cloud[customer.cloud]
    with our_lane(customer, clouds.bed.platform) as ours:
        asked = [recorded(stand_in, lane) for lane in (ours, theirs)]
    assert asked[0] == asked[1]
    assert len(asked[0]) >= 3


def test_the_bed_is_read_as_it_was_written(clouds: Serving, tmp_path: Path):
    clouds.bed.write(tmp_path / "bed.json")
    assert CloudBed.read(tmp_path / "bed.json") == clouds.bed
    assert (tmp_path / "bed.json").stat().st_mode & 0o777 == 0o600


def test_ours_is_compared_with_the_sdk_round_by_round():
    ours, theirs = [Sample(1, [0.1] * 10, {}), Sample(4, [0.4] * 10, {})], [Sample(2, [0.2] * 10, {})] * 2
    assert ratio(Compared("a cloud", "an SDK", ours, theirs)) == 1.25


def test_what_validations_leave_behind_is_the_difference():
    before, after = Footprint(1, 20, 100_000_000), Footprint(2, 23, 104_500_000)
    found = growth(Footprints([], Footprint(1, 20, 90_000_000), before, after), 1_000)
    assert [target.measured for target in found] == [1, 3, 4.5, 90]
    assert [target.met for target in found] == [False, True, True, True]


def test_only_what_is_pinned_for_this_machine_counts():
    lines = [
        "# a comment",
        "httpx==1.0 \\",
        "    --hash=sha256:00",
        "no-such==1.0 ; sys_platform == 'none' \\",
        "    # via",
    ]
    assert pinned(lines) == ["httpx"]


def test_the_size_of_a_distribution_is_that_of_its_files_without_what_is_compiled():
    files = [file for file in metadata.files("httpx") or () if file.suffix != ".pyc"]
    assert sizes(["httpx"]) == {"httpx": sum(len(file.read_binary()) for file in files)}


@pytest.mark.stack
@pytest.mark.long
def test_it_runs_and_prints_its_tables():
    command = [sys.executable, "-m", "bench", "--quick", "validation"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for line in (*METHODS, "aws, iam_role", "resident MB", "the others", "size of a production install, MB"):
        assert line in done.stdout
    assert "not judged" in done.stdout
    assert "MISSED" not in done.stdout
