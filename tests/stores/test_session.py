"""The clients as they are configured for production, and what botocore does by itself when a reply is lost: it sends
the request once more, so every write meets its own effect."""

import pytest

from domain.errors import Unavailable
from stores.session import AwsClients, connect
from tests.stores.conftest import PLATFORM_ACCOUNT, Aws, Stores, aws_stores
from tests.stores.faults import reply_lost
from tests.stores.samples import another, new_entry, new_event, new_record, new_tenant


@pytest.fixture
def clients(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> AwsClients:
    """Production's clients, on an emulator."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", PLATFORM_ACCOUNT)
    return connect(aws.clients.dynamodb.meta.region_name, endpoint_url=aws.clients.dynamodb.meta.endpoint_url)


@pytest.fixture
def retrying(aws: Aws, clients: AwsClients) -> Stores:
    return aws_stores(clients, aws.names, aws.prefix)


def test_every_client_gives_up_soon_and_leaves_the_retries_to_temporal():
    clients = connect("ap-south-1")
    for client in (clients.dynamodb, clients.secretsmanager, clients.kms):
        config = client.meta.config
        assert (config.connect_timeout, config.read_timeout) == (2, 5)  # type: ignore[attr-defined]
        assert config.retries == {"mode": "standard", "total_max_attempts": 2}  # type: ignore[attr-defined]


def test_a_transaction_that_botocore_repeats_happens_once(retrying: Stores, clients: AwsClients):
    tenant = new_tenant()
    event = new_event(tenant.tenant_id)
    with reply_lost(clients.dynamodb, "TransactWriteItems"):
        assert retrying.tenants.create(tenant, event) == tenant
    assert retrying.events(tenant.tenant_id) == [event]


def test_a_record_that_botocore_repeats_is_the_callers_own(retrying: Stores, clients: AwsClients):
    record = new_record()
    with reply_lost(clients.dynamodb, "PutItem"):
        assert retrying.idempotency.begin(record) == record


def test_a_secret_whose_creation_botocore_repeats_is_stored_once(retrying: Stores, clients: AwsClients):
    entry = new_entry()
    with reply_lost(clients.secretsmanager, "CreateSecret"):
        ref = retrying.vault.store(entry)
    assert ref == retrying.vault.store(entry)
    assert not ref.pending


def test_a_promotion_that_botocore_repeats_is_trouble_and_then_success(retrying: Stores, clients: AwsClients):
    entry = new_entry()
    retrying.vault.store(entry)
    ref = retrying.vault.store(another(entry))
    with reply_lost(clients.secretsmanager, "UpdateSecretVersionStage"), pytest.raises(Unavailable):
        retrying.vault.promote(entry.tenant_id, entry.account_id, ref)
    assert not retrying.vault.promote(entry.tenant_id, entry.account_id, ref).pending
