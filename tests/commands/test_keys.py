"""`keys` and `tenants` on the command line, and the keys they make at the API."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from cli import main
from domain.callers.api_keys import key_id_of
from domain.callers.tenants import TenantStatus
from domain.edge_errors import TenantDisabled
from emulators.ministack import running_ministack
from local.identities import AwsAccount
from stores.audit.events import DynamoAuditStore
from stores.dynamodb.api_keys import DynamoApiKeyStore
from stores.dynamodb.tables import TableNames, ensure_tables
from stores.dynamodb.tenants import DynamoTenantStore
from stores.session import AwsClients
from tests.api.portal import open_portal
from tests.rig import Rig
from tests.stores.samples import new_event

pytestmark = pytest.mark.stack

ABSENT = "00000000-0000-4000-8000-000000000000"
IDS = "`tenants list` shows the ids."


@dataclass
class Terminal:
    """Runs commands against the tables of one account."""

    aws: AwsClients
    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as exit:
            main(arguments)
        return int(exit.value.code or 0), *self.capsys.readouterr()

    def output(self, *arguments: str) -> str:
        code, out, errors = self.run(*arguments)
        assert code == 0, errors
        return out.strip()

    def tenant(self, name: str) -> str:
        return self.output("tenants", "create", "--name", name)

    def key(self, tenant_id: str, *more: str) -> str:
        return self.output("keys", "create", "--tenant-id", tenant_id, "--name", "Portal", "--role", "admin", *more)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsAccount]:
    with running_ministack(tmp_path_factory.mktemp("keys") / "ministack.log") as endpoint:
        account = AwsAccount("111122223333", endpoint, "secret")
        ensure_tables(account.clients().dynamodb, TableNames())
        yield account


@pytest.fixture
def terminal(
    platform: AwsAccount, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Terminal:
    settings = {"AWS_ENDPOINT_URL": platform.endpoint, "PLATFORM_AWS_ACCOUNT_ID": platform.number}
    for name, value in {**settings, **platform.environment, "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    return Terminal(platform.clients(), capsys)


async def test_a_tenant_and_its_first_key_are_two_commands(terminal: Terminal):
    tenant_id = terminal.tenant("Acme")
    text = terminal.key(tenant_id)
    client = await Client.connect("127.0.0.1:9", lazy=True)
    dynamodb, names = terminal.aws.dynamodb, TableNames()
    stores: dict[str, Any] = {
        "tenants": DynamoTenantStore(dynamodb, names),
        "api_keys": DynamoApiKeyStore(dynamodb, names),
    }
    portal = open_portal(Rig(client), client, **stores)
    async with portal.http:
        portal.http.headers["Authorization"] = f"Bearer {text}"
        answer = await portal.http.get(f"/tenants/{tenant_id}")
        assert (answer.status_code, answer.json()["tenant_name"]) == (200, "Acme")
        assert (await portal.http.get("/tenants")).status_code == 403
    events = DynamoAuditStore(dynamodb, names).page(tenant_id, limit=10, cursor=None).items
    assert [(event.action, event.actor) for event in events] == [("tenant.created", "cli"), ("api_key.created", "cli")]


def test_a_key_is_alone_on_the_output(terminal: Terminal):
    code, out, errors = terminal.run(
        "keys", "create", "--tenant-id", "platform", "--name", "Anna", "--role", "viewer", "--expires-in-days", "1"
    )
    text = out.strip()
    key = DynamoApiKeyStore(terminal.aws.dynamodb, TableNames()).find(key_id_of(text) or "")
    assert (code, out) == (0, f"{text}\n")
    assert key
    assert (key.platform, key.role) == (True, "viewer")
    assert key.expires_at in errors
    assert text not in errors


def test_no_key_is_made_for_a_disabled_tenant(terminal: Terminal):
    tenants, tenant_id = DynamoTenantStore(terminal.aws.dynamodb, TableNames()), terminal.tenant("Leaving")
    changed = replace(tenants.get(tenant_id), status=TenantStatus.DISABLED, version=2)
    tenants.update(changed, new_event(tenant_id))
    code, out, errors = terminal.run("keys", "create", "--tenant-id", tenant_id, "--name", "Late", "--role", "viewer")
    assert (code, out) == (1, "")
    assert TenantDisabled.default_message in errors


def test_keys_are_listed_and_revoked(terminal: Terminal):
    tenant_id = terminal.tenant("Lists")
    kept, lost = (key_id_of(terminal.key(tenant_id)) or "" for _ in range(2))
    assert terminal.output("keys", "revoke", lost).startswith(f"revoked   key {lost}")
    assert terminal.output("keys", "revoke", lost).startswith(f"revoked   key {lost}")
    _, *lines = terminal.output("keys", "list", "--tenant-id", tenant_id).splitlines()
    assert {line.split()[1]: line.split()[0] for line in lines} == {kept: "valid", lost: "revoked"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("keys", "create", "--tenant-id", ABSENT, "--name", "x", "--role", "admin"),
            f"There is no such tenant here; {IDS}",
        ),
        (("keys", "revoke", "0" * 16), "There is no key of that id."),
    ],
)
def test_what_is_not_there_is_told_in_a_sentence(terminal: Terminal, arguments: tuple[str, ...], sentence: str):
    assert terminal.run(*arguments) == (1, "", f"{sentence}\n")


def test_a_name_is_taken_once(terminal: Terminal):
    terminal.tenant("Taken")
    code, out, errors = terminal.run("tenants", "create", "--name", "TAKEN")
    assert (code, out, errors) == (1, "", "That name is taken; choose another.\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("tenants", "create", "--name", " "),
        ("tenants", "create", "--name", "two\nlines"),
        ("tenants", "create", "--name", "Acme", "--description", "two\nlines"),
        ("keys", "create", "--tenant-id", ABSENT, "--name", "", "--role", "admin"),
        ("keys", "create", "--tenant-id", ABSENT, "--name", "x", "--role", "administrator"),
        ("keys", "create", "--tenant-id", ABSENT, "--name", "x", "--role", "admin", "--expires-in-days", "3651"),
    ],
)
def test_a_wrong_argument_ends_with_code_two(terminal: Terminal, arguments: tuple[str, ...]):
    code, out, _ = terminal.run(*arguments)
    assert (code, out) == (2, "")
