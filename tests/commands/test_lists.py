"""`python cli.py tenants|accounts|onboardings|schedules|scans|keys list|get`, as an operator calls them."""

import json
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import cli
from domain.callers.tenants import Tenant
from domain.errors import NotFound
from tests.stores.conftest import Aws, emulated
from tests.stores.samples import activation, new_account, new_event, new_tenant
from tests.stores.test_schedules import Owner

ABSENT = "00000000-0000-4000-8000-00000000abcd"
EXTERNAL_ID = "an-external-id-that-opens-a-role"


@pytest.fixture(scope="module")
def aws(request: pytest.FixtureRequest) -> Aws:
    return emulated("moto", request)


@pytest.fixture
def platform(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Aws:
    monkeypatch.setenv("AWS_ENDPOINT_URL", str(aws.clients.dynamodb.meta.endpoint_url))
    monkeypatch.setenv("PLATFORM_AWS_ACCOUNT_ID", "111111111111")
    for name, table in vars(aws.names).items():
        monkeypatch.setenv(f"DYNAMODB_{name.upper()}_TABLE", table)
    return aws


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, arguments)


def as_json(*arguments: str) -> Any:
    result = run(*arguments, "-o", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def made(platform: Aws) -> Tenant:
    tenant = new_tenant()
    platform.stores.tenants.create(tenant, new_event(tenant.tenant_id))
    return tenant


def test_tenants_and_accounts_are_listed_and_shown_for_people_and_for_machines(platform: Aws):
    tenant = made(platform)
    account = replace(new_account(tenant.tenant_id), external_id=EXTERNAL_ID)
    platform.stores.accounts.register(account, new_event(tenant.tenant_id))
    assert tenant.tenant_id in {row["tenant_id"] for row in as_json("tenants", "list")}
    assert as_json("tenants", "get", tenant.tenant_id)["tenant_name"] == tenant.tenant_name
    [row] = as_json("accounts", "list", "--tenant-id", tenant.tenant_id)
    assert (row["account_id"], row["status"]) == (account.account_id, "pending")
    shown = run("accounts", "list", "--tenant-id", tenant.tenant_id)
    assert (shown.exit_code, account.account_id in shown.output) == (0, True)
    assert as_json("accounts", "get", account.account_id)["account_name"] == account.account_name
    [open_one] = as_json("onboardings", "list", "--tenant-id", tenant.tenant_id)
    assert open_one["account_id"] == account.account_id
    assert EXTERNAL_ID not in run("accounts", "get", account.account_id, "-o", "json").output


def test_schedules_and_scans_of_a_tenant_are_listed(platform: Aws):
    stores = platform.stores
    tenant = made(platform)
    account = new_account(tenant.tenant_id)
    stores.accounts.register(account, new_event(tenant.tenant_id))
    stores.accounts.activate(tenant.tenant_id, account.account_id, activation(), new_event(tenant.tenant_id))
    owner = Owner(stores, tenant.tenant_id, account.account_id)
    schedule = stores.schedules.create(owner.schedule(), owner.event())
    execution = owner.execution(schedule)
    stores.schedules.claim(schedule, execution, owner.event())
    [row] = as_json("schedules", "list", "--tenant-id", owner.tenant_id)
    assert (row["schedule_id"], row["running_execution_id"]) == (schedule.schedule_id, execution.execution_id)
    assert as_json("schedules", "get", schedule.schedule_id)["name"] == schedule.name
    [scan] = as_json("scans", "list", "--tenant-id", owner.tenant_id, "--schedule-id", schedule.schedule_id)
    assert as_json("scans", "get", execution.execution_id)["status"] == scan["status"] == "running"


def test_an_empty_list_and_a_longer_one_say_so(platform: Aws):
    tenant = made(platform)
    made(platform)
    assert run("accounts", "list", "--tenant-id", tenant.tenant_id).output == "There are no accounts.\n"
    assert run("keys", "list", "--tenant-id", tenant.tenant_id).output == "There are no keys.\n"
    for shape in ("table", "JSON"):
        cut = run("tenants", "list", "--limit", "1", "-o", shape)
        assert (cut.exit_code, "there are more tenants; ask for them with --limit" in cut.stderr) == (0, True)
    assert len(as_json("tenants", "list", "--limit", "1")) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("accounts", "list", "--tenant-id", ABSENT),
        ("accounts", "get", ABSENT),
        ("onboardings", "list", "--tenant-id", ABSENT),
        ("schedules", "list", "--tenant-id", ABSENT),
        ("schedules", "get", "not-an-id"),
        ("scans", "get", ABSENT),
        ("tenants", "get", ABSENT),
        ("keys", "list", "--tenant-id", ABSENT),
        ("keys", "create", "--tenant-id", ABSENT, "--name", "x", "--role", "viewer"),
        ("scans", "list", "--tenant-id", ABSENT, "--account-id", ABSENT),
    ],
    ids=" ".join,
)
def test_what_does_not_exist_is_not_an_empty_list(platform: Aws, arguments: tuple[str, ...]):
    error = run(*arguments).exception
    assert isinstance(error, NotFound)
    thing = "tenant" if "--tenant-id" in arguments else arguments[0].removesuffix("s")
    assert error.message.startswith(f"There is no such {thing} here"), error.message


@pytest.mark.parametrize("option", ["--account-id", "--schedule-id"])
def test_a_mistyped_account_or_schedule_is_named_apart_from_its_tenant(platform: Aws, option: str):
    tenant = made(platform)
    error = run("scans", "list", "--tenant-id", tenant.tenant_id, option, ABSENT).exception
    assert isinstance(error, NotFound)
    assert error.message.startswith(f"There is no such {option[2:-3]} in this tenant")


def test_clouds_and_statuses_may_be_written_in_capitals(platform: Aws):
    tenant = made(platform)
    for option, value in (("--provider", "AWS"), ("--status", "Active")):
        assert run("accounts", "list", "--tenant-id", tenant.tenant_id, option, value).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("scans", "list", "--tenant-id", ABSENT), "--schedule-id or --account-id"),
        (("schedules", "list", "--account-id", ABSENT), "--tenant-id"),
        (("accounts", "list"), "--tenant-id"),
        (("accounts", "list", "--tenant-id", ABSENT, "--status", "odd"), "must be one of"),
        (("tenants", "list", "--limit", "0"), "must be at least 1"),
        (("tenants", "list", "--limit", "ten"), "must be a whole number"),
    ],
    ids=str,
)
def test_a_wrong_argument_ends_with_2_and_names_it(platform: Aws, arguments: tuple[str, ...], said: str):
    result = run(*arguments)
    assert (result.exit_code, said in result.output) == (2, True)
    for theirs in ("Input should", "Value error", "odd"):
        assert theirs not in result.output


def test_the_shell_can_complete_commands(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("_CLI_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "cli acc")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert CliRunner().invoke(cli.app, [], prog_name="cli").output.split() == ["accounts"]


def test_what_belongs_to_a_row_that_cannot_be_read_is_listed_all_the_same(platform: Aws):
    tenant = made(platform)
    platform.stores.accounts.register(new_account(tenant.tenant_id), new_event(tenant.tenant_id))
    row = {"tenant_id": {"S": tenant.tenant_id}}
    platform.clients.dynamodb.put_item(TableName=platform.names.tenants, Item=row)
    assert len(as_json("accounts", "list", "--tenant-id", tenant.tenant_id)) == 1
    assert as_json("keys", "list", "--tenant-id", tenant.tenant_id) == []


def test_a_list_says_which_rows_it_leaves_out(platform: Aws):
    tenant = made(platform)
    platform.stores.accounts.register(new_account(tenant.tenant_id), new_event(tenant.tenant_id))
    lost = {"account_id": {"S": "lost-account"}, "tenant_id": {"S": tenant.tenant_id}}
    platform.clients.dynamodb.put_item(TableName=platform.names.accounts, Item=lost)
    result = run("accounts", "list", "--tenant-id", tenant.tenant_id, "-o", "json")
    assert len(json.loads(result.stdout)) == 1
    assert "1 row cannot be read and was left out: accounts lost-account." in result.stderr
