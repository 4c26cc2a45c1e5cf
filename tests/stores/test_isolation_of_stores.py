"""Each operation of each store once more, on the stores that run in production: as one tenant on what is another's."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from domain.errors import NotFound, OnboardingError, SealBroken
from tests.stores.conftest import Aws, Stores
from tests.stores.samples import new_event, new_tenant
from tests.stores.test_isolation import LISTS, OPERATIONS, Operation, Owned, furnish


def everything(stores: Stores) -> Any:
    """As the operations want it."""
    sealer = SimpleNamespace(seal=stores.sealer.seal, open=stores.opener.open)
    fields = {name: getattr(stores, name) for name in vars(stores)}
    return SimpleNamespace(core=SimpleNamespace(**{**fields, "sealer": sealer}), scans=stores)


@pytest.fixture(scope="module")
def houses(aws: Aws) -> tuple[Any, str, Owned]:
    """The stores, one tenant, and what another one has."""
    all_of_them = everything(aws.stores)
    ids = []
    for _ in range(2):
        tenant = new_tenant()
        aws.stores.tenants.create(tenant, new_event(tenant.tenant_id))
        ids.append(tenant.tenant_id)
    return all_of_them, ids[0], furnish(all_of_them, ids[1])


def rows_of(aws: Aws, tenant_id: str) -> str:
    """All that the tables and Secrets Manager hold for a tenant."""
    return repr(sorted(_rows(aws, tenant_id)))


def _rows(aws: Aws, tenant_id: str) -> Iterator[str]:
    for table in vars(aws.names).values():
        for page in aws.clients.dynamodb.get_paginator("scan").paginate(TableName=table):
            yield from (repr(sorted(item.items())) for item in page["Items"] if tenant_id in repr(item))
    for secrets in aws.clients.secretsmanager.get_paginator("list_secrets").paginate():
        for secret in secrets["SecretList"]:
            if {"Key": "tenant", "Value": tenant_id} in secret.get("Tags", []):
                yield repr(sorted(secret.get("SecretVersionsToStages", {}).items()))


def tried(operation: Callable[[], Any]) -> Any:
    try:
        return operation()
    except OnboardingError as error:
        return error


@pytest.mark.parametrize("name", sorted({**OPERATIONS, **LISTS}))
def test_what_is_another_tenants_is_neither_read_nor_changed(aws: Aws, houses: tuple[Any, str, Owned], name: str):
    all_of_them, tenant_id, thing = houses
    operation: Operation = {**OPERATIONS, **LISTS}[name]
    before = rows_of(aws, thing.tenant_id)
    answer = tried(lambda: operation(all_of_them, tenant_id, thing))
    assert thing.tenant_id not in repr(answer)
    assert rows_of(aws, thing.tenant_id) == before
    if name in OPERATIONS:
        empty = name == "vault.delete" and answer is None
        assert empty or isinstance(answer, NotFound | SealBroken), answer


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_the_owner_is_not_kept_out(aws: Aws, name: str):
    """So it is the tenant that decides."""
    all_of_them, tenant = everything(aws.stores), new_tenant()
    aws.stores.tenants.create(tenant, new_event(tenant.tenant_id))
    thing = furnish(all_of_them, tenant.tenant_id)
    answer = tried(lambda: OPERATIONS[name](all_of_them, tenant.tenant_id, thing))
    assert not isinstance(answer, NotFound | SealBroken), answer
