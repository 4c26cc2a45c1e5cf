"""ensure_tables: what it makes, and how it completes what another run left half-made."""

import json
from typing import Any

import pytest

from domain.errors import PlatformConfig
from domain.setup import SetupFinding, SetupState
from stores.dynamodb.tables import TableNames, ensure_tables
from stores.session import AwsClients
from tests.stores.conftest import EMULATORS, fresh_names, impatient_clients
from tests.stores.faults import answered, error_body

INDEXES = {
    "tenants": {"tenant-name-index": ["tenant_name"]},
    "providers": {"tenant-provider-index": ["tenant_id", "provider_type"]},
    "accounts": {
        "tenant-accounts-index": ["tenant_id", "status"],
        "provider-accounts-index": ["provider_id", "status"],
        "tenant-accounts-by-id-index": ["tenant_id", "account_id"],
    },
    "api_keys": {"key-id-index": ["key_id"]},
    "audit_events": {},
    "idempotency": {},
}


@pytest.fixture(scope="module", params=EMULATORS)
def emulator(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def clients(emulator: str, request: pytest.FixtureRequest) -> AwsClients:
    return impatient_clients(request.getfixturevalue(f"{emulator}_url"))


def description(clients: AwsClients, name: str) -> dict[str, Any]:
    return {**clients.dynamodb.describe_table(TableName=name)["Table"]}


def half_made(clients: AwsClients, name: str, **more: Any) -> None:
    clients.dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "account_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "account_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        **more,
    )


def finding(findings: tuple[SetupFinding, ...], table: str) -> SetupFinding:
    return next(found for found in findings if found.thing == f"table {table}")


def test_the_default_names_are_those_of_the_contract():
    names = TableNames()
    assert (names.tenants, names.providers) == ("threat-engine-tenants", "threat-engine-providers")
    assert names.accounts == "threat-engine-accounts"


@pytest.mark.parametrize("table", INDEXES)
def test_a_table_is_made_as_the_contract_says(clients: AwsClients, tables: TableNames, table: str):
    name = getattr(tables, table)
    made = description(clients, name)
    backups = clients.dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    indexes = made.get("GlobalSecondaryIndexes", [])
    assert {i["IndexName"]: [k["AttributeName"] for k in i["KeySchema"]] for i in indexes} == INDEXES[table]
    assert made["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert made["DeletionProtectionEnabled"]
    assert made["SSEDescription"]["Status"] == "ENABLED"
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


@pytest.fixture(scope="module")
def tables(clients: AwsClients) -> TableNames:
    names = fresh_names()
    findings = ensure_tables(clients.dynamodb, names)
    assert {found.state for found in findings} == {SetupState.CREATED}
    return names


def test_idempotency_records_expire(clients: AwsClients, tables: TableNames):
    expiry = clients.dynamodb.describe_time_to_live(TableName=tables.idempotency)["TimeToLiveDescription"]
    assert (expiry["TimeToLiveStatus"], expiry["AttributeName"]) == ("ENABLED", "expires_at")


def test_a_second_run_finds_all_and_changes_nothing(clients: AwsClients, tables: TableNames):
    findings = ensure_tables(clients.dynamodb, tables)
    assert [found.thing for found in findings] == [f"table {name}" for name in vars(tables).values()]
    assert {found.state for found in findings} == {SetupState.FOUND}


def test_a_half_made_table_is_completed(clients: AwsClients, emulator: str):
    names = fresh_names()
    # moto cannot turn encryption on later, so there it is on from the start
    half_made(clients, names.accounts, **({"SSESpecification": {"Enabled": True}} if emulator == "moto" else {}))
    found = finding(ensure_tables(clients.dynamodb, names), names.accounts)
    repaired = [*(f"index {name}" for name in INDEXES["accounts"])]
    repaired += [*([] if emulator == "moto" else ["encryption"]), "deletion protection", "point-in-time recovery"]
    assert found == SetupFinding(f"table {names.accounts}", SetupState.REPAIRED, ", ".join(repaired))
    assert finding(ensure_tables(clients.dynamodb, names), names.accounts).state is SetupState.FOUND


def test_what_was_turned_off_is_turned_on_again(clients: AwsClients):
    names = fresh_names()
    ensure_tables(clients.dynamodb, names)
    clients.dynamodb.update_table(TableName=names.idempotency, DeletionProtectionEnabled=False)
    clients.dynamodb.update_continuous_backups(
        TableName=names.idempotency, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )
    clients.dynamodb.update_time_to_live(
        TableName=names.idempotency, TimeToLiveSpecification={"Enabled": False, "AttributeName": "expires_at"}
    )
    found = finding(ensure_tables(clients.dynamodb, names), names.idempotency)
    assert found.detail == "deletion protection, point-in-time recovery, expiry of items"


def test_a_missing_table_is_added_to_the_others(clients: AwsClients):
    names = fresh_names()
    ensure_tables(clients.dynamodb, names)
    clients.dynamodb.update_table(TableName=names.audit_events, DeletionProtectionEnabled=False)
    clients.dynamodb.delete_table(TableName=names.audit_events)
    findings = ensure_tables(clients.dynamodb, names)
    assert [found.thing for found in findings if found.state is SetupState.CREATED] == [f"table {names.audit_events}"]


def test_a_table_that_is_still_being_made_is_waited_for(clients: AwsClients, tables: TableNames):
    creating = {"Table": {"TableName": tables.tenants, "TableStatus": "CREATING"}}
    with answered(clients.dynamodb, "DescribeTable", status=200, body=json.dumps(creating).encode(), times=1):
        findings = ensure_tables(clients.dynamodb, tables)
    assert {found.state for found in findings} == {SetupState.FOUND}


def test_a_table_that_cannot_be_backed_up_yet_is_waited_for(clients: AwsClients):
    names, body = fresh_names(), error_body("ContinuousBackupsUnavailableException")
    with answered(clients.dynamodb, "UpdateContinuousBackups", status=400, body=body, times=1):
        ensure_tables(clients.dynamodb, names)
    assert {found.state for found in ensure_tables(clients.dynamodb, names)} == {SetupState.FOUND}


@pytest.mark.parametrize("index", [False, True], ids=["table", "index"])
def test_a_table_with_another_key_is_left_alone_and_named(clients: AwsClients, index: bool):
    names = fresh_names()
    if index:
        ensure_tables(clients.dynamodb, names)
        wrong = TableNames(**{**vars(fresh_names()), "tenants": names.providers})
    else:
        half_made(clients, names.tenants)
        wrong = names
    with pytest.raises(PlatformConfig, match=wrong.tenants):
        ensure_tables(clients.dynamodb, wrong)
