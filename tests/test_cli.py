"""The operators' commands, run as an operator runs them, against an emulated AWS and a real Temporal server."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from cli import main
from commands.setup import create_tables
from config import VERSION
from domain.callers.api_keys import is_valid, key_id_of
from domain.timestamps import stamp
from emulators.ministack import running_ministack
from emulators.ports import free_port
from emulators.temporal import running_temporal
from local.identities import AwsAccount
from stores.dynamodb.api_keys import DynamoApiKeyStore
from stores.dynamodb.tables import TableNames

pytestmark = pytest.mark.stack


class Finished(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


Cli = Callable[..., Finished]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsAccount]:
    with running_ministack(tmp_path_factory.mktemp("cli") / "ministack.log") as endpoint:
        yield AwsAccount("111122223333", endpoint, "secret")


@pytest.fixture(scope="module")
def temporal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_temporal(tmp_path_factory.mktemp("cli") / "temporal.log", ui=False) as server:
        yield server.address


@pytest.fixture
def cli(
    platform: AwsAccount,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Cli:
    """Runs a command. Each test has tables of its own."""
    names = ("TENANTS", "PROVIDERS", "ACCOUNTS", "API_KEYS", "AUDIT_EVENTS", "IDEMPOTENCY")
    settings = {
        "AWS_ENDPOINT_URL": platform.endpoint,
        "PLATFORM_AWS_ACCOUNT_ID": platform.number,
        "HOME": str(tmp_path),
        **platform.environment,
        **{f"DYNAMODB_{name}_TABLE": f"{tmp_path.name}-{name.lower()}" for name in names},
    }

    def run(*arguments: str, **environment: str) -> Finished:
        for name, value in (settings | environment).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as exit:
            main(arguments)
        return Finished(int(exit.value.code or 0), *capsys.readouterr())

    return run


def lines(finished: Finished) -> list[list[str]]:
    assert finished.returncode == 0, finished.stderr
    return [line.split(maxsplit=1) for line in finished.stdout.splitlines()]


def test_setup_makes_everything_once_and_then_finds_it(cli: Cli, temporal: str):
    first = lines(cli("setup", TEMPORAL_ADDRESS=temporal))
    kinds = [thing.split()[0] for _, thing in first]
    assert (kinds.count("table"), kinds.count("namespace"), kinds.count("search")) == (11, 1, 8)
    assert {state for state, thing in first if "table" in thing or "search" in thing} == {"created"}
    second = lines(cli("setup", TEMPORAL_ADDRESS=temporal))
    assert {state for state, _ in second} == {"found"}
    assert [thing.split("  ")[0] for _, thing in first] == [thing for _, thing in second]


def test_setup_tells_what_it_repaired(cli: Cli, temporal: str, platform: AwsAccount, tmp_path: Path):
    cli("create-tables")
    dynamodb = platform.session.client("dynamodb", endpoint_url=platform.endpoint)
    dynamodb.update_table(TableName=f"{tmp_path.name}-accounts", DeletionProtectionEnabled=False)
    findings = {thing: state for state, thing in lines(cli("setup", TEMPORAL_ADDRESS=temporal))}
    [repaired] = [thing for thing, state in findings.items() if state == "repaired" and thing.startswith("table")]
    assert repaired.startswith(f"table {tmp_path.name}-accounts")
    assert "deletion protection" in repaired


def test_create_tables_makes_the_tables_only(cli: Cli):
    assert {thing.split()[0] for _, thing in lines(cli("create-tables"))} == {"table"}


def test_create_tables_is_a_function_without_arguments_too(cli: Cli, capsys: pytest.CaptureFixture[str]):
    """Scripts of the platform before this one call it; a second call changes nothing."""
    cli("create-tables")
    create_tables()
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} == {"found"}


def test_the_first_administrator_key_is_alone_on_the_output_and_valid_for_a_day(
    cli: Cli, platform: AwsAccount, tmp_path: Path
):
    cli("create-tables")
    made = cli("keys", "bootstrap")
    text = made.stdout.strip()
    key = keys_of(platform, tmp_path).find(key_id_of(text) or "")
    assert is_valid(key, text, stamp(datetime.now(UTC)))
    assert key
    assert key.expires_at in made.stderr
    assert text not in made.stderr


def test_a_second_bootstrap_is_refused_while_the_first_key_is_valid(cli: Cli):
    cli("create-tables")
    cli("keys", "bootstrap")
    again = cli("keys", "bootstrap")
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr == "There is a valid administrator key already; make further keys with `keys create`.\n"


def keys_of(platform: AwsAccount, tmp_path: Path) -> DynamoApiKeyStore:
    names = replace(TableNames(), api_keys=f"{tmp_path.name}-api_keys", audit_events=f"{tmp_path.name}-audit_events")
    return DynamoApiKeyStore(platform.clients().dynamodb, names)


def test_the_version_is_shown(cli: Cli):
    assert cli("--version").stdout == f"{VERSION}\n"


def test_without_a_command_the_help_is_shown(cli: Cli):
    assert "bootstrap" in cli("keys").stdout + cli("keys").stderr
    assert "create-tables" in cli("--help").stdout


def test_a_wrong_setting_ends_a_command_with_its_sentence_and_code_two(cli: Cli):
    ended = cli("create-tables", PLATFORM_AWS_ACCOUNT_ID="12")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("PLATFORM_AWS_ACCOUNT_ID has a wrong value")


def test_an_aws_that_does_not_answer_is_told_in_a_sentence(cli: Cli):
    ended = cli("create-tables", AWS_ENDPOINT_URL=f"http://127.0.0.1:{free_port()}")
    assert (ended.returncode, len(ended.stderr.splitlines())) == (1, 1)
    assert "unavailable" in ended.stderr


def test_a_missing_permission_is_told_in_a_sentence(cli: Cli):
    ended = cli("create-tables", AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE")
    assert (ended.returncode, len(ended.stderr.splitlines())) == (1, 1)
    assert "misconfigured" in ended.stderr


def test_a_temporal_that_does_not_answer_is_told_after_aws_was_set_up(cli: Cli):
    ended = cli("setup", TEMPORAL_ADDRESS=f"127.0.0.1:{free_port()}")
    assert ended.returncode == 1
    assert ended.stdout.count("created   table") == 6
    assert ended.stderr == "Temporal cannot be reached, or refuses the request; check the TEMPORAL_* variables.\n"
