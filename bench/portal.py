"""An API process to measure: `python -m bench.portal ADDRESS PORT TENANT KEY`. The real application on uvicorn, with
ports in memory; `--accounts` gives the tenant that many accounts."""

import typer
import uvicorn
from temporalio.client import Client

import logs
from api.app import create_app
from api.services import Limits, Services
from bench.ports import AcceptingProvider, AssumedAccounts, ForgetfulIdempotency, PlainSealer
from bench.table import IndexedTable
from bench.worker import MEMORY_QUEUE
from domain.accounts import ProviderType
from domain.audit.events import audit_event
from domain.callers.access import Role
from domain.callers.api_keys import ApiKey, digest_of, key_id_of
from domain.callers.tenants import PLATFORM
from domain.ports import AccountStore
from emulators.ports import HOST
from stores.dynamodb.accounts import DynamoAccountStore
from stores.dynamodb.tables import TableNames
from telemetry.runtime import start_runtime
from temporal.client import connect
from temporal.program import run_program
from tests.fakes import FakeStores
from tests.fakes_clouds import FakeCatalogue
from tests.fakes_scans import fake_scan_services
from tests.rig import AT, ORIGIN, add_tenant

PATIENT = Limits(accept_wait_seconds=60, validate_wait_seconds=120)
"""Under full load a request waits its turn; how long is what is measured."""


def services(
    client: Client, tenant_id: str, *, accounts: AccountStore, key: str = "", queue: str = MEMORY_QUEUE
) -> Services:
    """In memory, all of them."""
    stores = FakeStores()
    add_tenant(stores, tenant_id)
    if key:
        _add_key(stores, key)
    return Services(
        temporal=client,
        tenants=stores.tenants,
        accounts=accounts,
        api_keys=stores.api_keys,
        idempotency=ForgetfulIdempotency(),
        audit=stores.audit,
        digest=stores.digest,
        sealer=PlainSealer(),
        catalogue=FakeCatalogue({ProviderType.AWS: AcceptingProvider()}),
        probes=dict.fromkeys(("dynamodb", "secrets_manager", "kms"), lambda: None),
        scans=fake_scan_services(stores),
        version="bench",
        limits=PATIENT,
        onboarding_queue=queue,
    )


def _add_key(stores: FakeStores, text: str) -> None:
    key = ApiKey(
        key_id=key_id_of(text) or "",
        tenant_id=PLATFORM,
        name="bench",
        digest=digest_of(text),
        role=Role.ADMIN,
        created_at=AT,
        expires_at="9999-01-01T00:00:00.000Z",
        platform=True,
    )
    event = audit_event(ORIGIN, operation="bench", tenant_id=PLATFORM, action="key.created", target="key", at=AT)
    stores.api_keys.add(key, event)


async def serve(address: str, namespace: str, port: int, *, tenant_id: str, key: str, accounts: AccountStore) -> None:
    client = await connect(address, namespace=namespace)
    app = create_app(services(client, tenant_id, accounts=accounts, key=key))
    config = uvicorn.Config(app, host=HOST, port=port, log_config=None, access_log=False, server_header=False)
    await uvicorn.Server(config).serve()


def main(address: str, namespace: str, port: int, tenant_id: str, key: str, accounts: int = 0) -> None:
    logs.configure("INFO")
    start_runtime()
    store: AccountStore = AssumedAccounts(tenant_id)
    if accounts:
        store = DynamoAccountStore(IndexedTable(tenant_id, accounts), TableNames())  # type: ignore[arg-type]
    run_program(serve(address, namespace, port, tenant_id=tenant_id, key=key, accounts=store))


if __name__ == "__main__":
    typer.run(main)
