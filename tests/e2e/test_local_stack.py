"""The embedded stack from outside: it comes up, onboards, tells where to look, and leaves nothing behind."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest
from boto3.session import Session

from emulators.clouds.all_clouds import all_clouds
from emulators.ports import HOST, USUAL_PORTS, free_port
from emulators.processes import running
from tests.e2e.conftest import ORIGIN, ROOT, Run, alive, children_of, launched
from tests.local.test_processes import is_running, wait_for
from tests.patience import PATIENCE_SECONDS

pytestmark = [pytest.mark.stack, pytest.mark.e2e]

Launch = Callable[..., AbstractContextManager[Run]]

CLOUDS = {"aws", *all_clouds()}

ENV_NAMES = {
    *("ONBOARDING_API_URL", "ONBOARDING_API_KEY", "TEMPORAL_ADDRESS", "TEMPORAL_UI_URL", "AWS_ENDPOINT_URL"),
    *("DEMO_TENANT_ID", "DEMO_ACCOUNT_NUMBER", "DEMO_ROLE_ARN"),
    *("DEMO_AWS_ACCESS_KEY_ID", "DEMO_AWS_SECRET_ACCESS_KEY"),
}


def run_with_its_environment(run: Run, *command: str) -> subprocess.CompletedProcess[str]:
    """A command as a person runs it after `set -a; . .local/stack.env`."""
    environment = {**os.environ, **run.environment()}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )


def test_the_demo_account_becomes_active(served: Run):
    assert re.search(r"Account 444455556666 is active after [0-9.]+ s", served.output)


def test_every_link_that_is_printed_opens_in_a_browser_that_has_no_key(served: Run):
    links = [
        link for line in served.output.splitlines() if "curl" not in line for link in re.findall(r"http://\S+", line)
    ]
    assert len(links) == 5
    for link in links:
        answer = httpx.get(link, trust_env=False, timeout=PATIENCE_SECONDS)
        assert answer.status_code == 200, link


@pytest.mark.skipif(shutil.which("curl") is None, reason="the line is written for curl")
def test_the_line_with_the_findings_can_be_pasted_into_a_shell(served: Run):
    [line] = [line for line in served.output.splitlines() if "The findings" in line]
    pasted = ["sh", "-c", line.split(maxsplit=2)[2]]
    shown = json.loads(subprocess.run(pasted, capture_output=True, check=True, env={"PATH": os.environ["PATH"]}).stdout)
    assert shown["total_checks"] > 0
    assert httpx.get(shown["findings_url"], trust_env=False, timeout=PATIENCE_SECONDS).json()


def test_a_page_of_a_portal_on_this_machine_may_call_when_its_origin_is_set(served: Run):
    url = f"{served.environment()['ONBOARDING_API_URL']}/api/v1/tenants"
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
    answer = httpx.options(url, headers=asked, trust_env=False, timeout=PATIENCE_SECONDS)
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN


def test_a_setting_that_the_stack_leaves_aside_is_named(served: Run):
    """The region of the tests' own environment."""
    assert served.output.startswith("make run decides itself about AWS_REGION, and leaves aside what is set.\n")


def test_the_page_of_the_api_and_the_api_work_with_the_printed_key(served: Run):
    env = served.environment()
    assert env["ONBOARDING_API_KEY"] in served.output
    url = f"{env['ONBOARDING_API_URL']}/api/v1/onboarding/accounts"
    headers = {"X-API-Key": env["ONBOARDING_API_KEY"]}
    query = {"tenant_id": env["DEMO_TENANT_ID"]}
    accounts = httpx.get(url, params=query, headers=headers, trust_env=False).json()["accounts"]
    assert {account["provider_type"] for account in accounts} == CLOUDS
    assert {account["status"] for account in accounts} == {"active"}
    assert env["DEMO_ACCOUNT_NUMBER"] in {account["account_number"] for account in accounts}


def test_the_output_has_no_control_characters(served: Run):
    assert all(line.isprintable() for line in served.output.splitlines())


def test_the_env_file_has_its_names_and_is_its_owners_only(served: Run):
    assert set(served.environment()) >= ENV_NAMES
    assert served.env_file.stat().st_mode & 0o777 == 0o600


def test_the_demo_customers_key_acts_in_its_own_account(served: Run):
    env = served.environment()
    customer = Session(env["DEMO_AWS_ACCESS_KEY_ID"], env["DEMO_AWS_SECRET_ACCESS_KEY"], region_name="ap-south-1")
    identity = customer.client("sts", endpoint_url=env["AWS_ENDPOINT_URL"]).get_caller_identity()
    assert identity["Account"] == env["DEMO_ACCOUNT_NUMBER"]


def test_the_operators_commands_work_with_the_env_file(served: Run):
    setup = run_with_its_environment(served, sys.executable, "cli.py", "setup")
    assert {line.split()[0] for line in setup.stdout.splitlines()} == {"found"}
    bootstrap = run_with_its_environment(served, sys.executable, "cli.py", "keys", "bootstrap")
    assert bootstrap.returncode == 1


def test_the_temporal_program_works_with_the_env_file(served: Run):
    temporal = Path(sys.executable).with_name("temporal")
    query = f"TenantId='{served.environment()['DEMO_TENANT_ID']}' AND OnboardingState='active'"
    counted = run_with_its_environment(served, str(temporal), "workflow", "count", "--query", query)
    assert counted.stdout.strip() == f"Total: {len(CLOUDS)}", counted.stderr


@pytest.mark.parametrize("cloud", sorted(CLOUDS - {"aws"}))
def test_the_credential_of_each_other_cloud_can_be_tried_by_hand(served: Run, cloud: str):
    file = served.folder / "clouds" / f"{cloud}.json"
    assert file.stat().st_mode & 0o777 == 0o600
    command = (sys.executable, "cli.py", "probe", "--provider", cloud, "--credential-file", str(file))
    probed = run_with_its_environment(served, *command)
    assert probed.returncode == 0, probed.stdout + probed.stderr
    assert probed.stdout.endswith("An account with this credential would be active.\n")


def test_the_demo_says_that_the_other_clouds_are_stand_ins(served: Run):
    assert "One account of each other cloud (stand-ins on this machine, not the real clouds)" in served.output


def test_a_second_run_is_refused_and_the_first_goes_on(served: Run):
    with launched(served.folder.parent / "second", "--folder", str(served.folder)) as second:
        assert second.end() == 1
        assert second.output == f"The stack is running already, in {served.folder}; stop that one first.\n"
    assert served.process.poll() is None
    assert served.env_file.exists()


def test_once_ends_by_itself_and_leaves_logs_only(launch: Launch):
    with launch("--once") as run:
        run.wait_until(lambda: len(run.parts()) == 4)
        parts = run.parts()
        run.wait_until(lambda: run.process.poll() is not None)
        assert run.end() == 0
        assert alive(parts) == set()
        assert not run.env_file.exists()
        assert (run.folder / "logs/worker.log").read_text()


def test_a_second_ctrl_c_does_not_disturb_the_stopping(launch: Launch):
    with launch() as run:
        parts = run.serving().parts()
        assert len(parts) == 4
        assert run.end(signal.SIGINT, signal.SIGINT, signal.SIGTERM) == 0
        assert alive(parts) == set()
        assert not run.env_file.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_an_interruption_on_the_way_up_stops_what_was_started(launch: Launch, number: signal.Signals):
    with launch() as run:
        run.wait_until(lambda: len(run.parts()) >= 2)
        parts = run.parts()
        assert run.end(number) == 1
        assert run.output.endswith("Interrupted; everything that was started is stopped.\n")
        assert alive(parts) == set()


def test_a_worker_that_is_killed_in_an_onboarding_is_started_again_and_the_account_becomes_active(launch: Launch):
    with launch("--once") as run:
        run.wait_until(lambda: "the role for the customer to make" in run.output)
        first = run.parts()["worker.py"]
        os.kill(first, signal.SIGKILL)
        assert run.end() == 0, run.output
    assert "The worker was killed by SIGKILL. It is started again in 0.5 s (1 of 5 times)." in run.output
    assert re.search(
        r"The worker is up again after [0-9.]+ s, as process \d+\. What it was doing goes on\.", run.output
    )
    assert re.search(r"Account 444455556666 is active after [0-9.]+ s", run.output)
    assert "The scan made" in run.output


def test_an_api_that_is_killed_in_the_demo_is_started_again_and_the_demo_goes_on(launch: Launch):
    with launch("--once") as run:
        run.wait_until(lambda: "POST /tenants" in run.output)
        os.kill(run.parts()["main.py"], signal.SIGKILL)
        assert run.end() == 0, run.output
    assert "The API was killed by SIGKILL. It is started again" in run.output
    assert "The scan made" in run.output


def test_the_pids_in_the_env_file_are_those_of_today(served: Run):
    before = served.environment()
    assert int(before["API_PID"]) == served.parts()["main.py"]
    os.kill(int(before["WORKER_PID"]), signal.SIGKILL)
    served.wait_until(lambda: served.environment()["WORKER_PID"] != before["WORKER_PID"])
    assert int(served.environment()["WORKER_PID"]) == served.parts()["worker.py"]
    assert f"as process {served.environment()['WORKER_PID']}" in served.output


def test_the_death_of_a_part_that_holds_everything_is_told_and_ends_the_rest(launch: Launch):
    with launch() as run:
        run.wait_until(lambda: "API and worker are up" in run.output)
        parts = run.parts()
        os.kill(parts["ministack"], signal.SIGKILL)
        assert run.end() == 1
        assert "MiniStack was killed by SIGKILL" in run.output
        assert alive(parts) == set()
        assert not run.env_file.exists()


def test_nothing_outlives_a_run_that_is_killed(launch: Launch):
    with launch() as run:
        run.wait_until(lambda: len(run.parts()) == 4)
        parts = run.parts()
        run.end(signal.SIGKILL)
        run.wait_until(lambda: alive(parts) == set())


def test_a_run_that_make_started_ends_when_make_is_killed(tmp_path: Path):
    assert "python -m local --with-parent" in (ROOT / "Makefile").read_text()
    command = f"'{sys.executable}' -m local --with-parent --folder '{tmp_path / '.local'}' & echo $!; wait"
    ports = {variable: str(free_port()) for variable in USUAL_PORTS}
    with running("make", ["sh", "-c", command], log=tmp_path / "log", environment=ports, cwd=ROOT) as make:
        make.wait_until(lambda: b"MiniStack) are up" in make.said())
        run = int(make.said().split()[0])
        started = [run, *children_of(run)]
        os.kill(make.pid, signal.SIGKILL)
        wait_for(lambda: not any(map(is_running, started)))


@pytest.mark.parametrize("variable", USUAL_PORTS)
def test_a_configured_port_that_is_taken_is_told_and_nothing_starts(launch: Launch, variable: str):
    with socket.create_server((HOST, 0)) as listening:
        port = str(listening.getsockname()[1])
        with launch(**{variable: port}) as run:
            assert run.end() == 1
            assert run.output == f"Port {port} ({variable}) is in use; stop what uses it or choose another.\n"


def test_a_wrong_setting_is_told_through_the_part_that_refuses_it(launch: Launch):
    with launch(WORKER_CONCURRENCY="many") as run:
        assert run.end() == 1
        assert "WORKER_CONCURRENCY has a wrong value: it must be the number of steps" in run.output
