"""The contract of ApiKeyStore."""

from dataclasses import asdict, replace
from typing import Any

import pytest

from domain.callers.access import Role, Scope
from domain.callers.api_keys import ApiKey, digest_of, key_id_of, new_key_text
from domain.callers.tenants import PLATFORM
from domain.errors import AlreadyExists, Conflict, InvalidInput, NotFound, Unavailable
from stores.dynamodb.items import to_item
from tests.stores.conftest import Aws, Stores
from tests.stores.faults import reply_lost
from tests.stores.samples import AT, LATER, new_event, new_id


def new_key(tenant_id: str = PLATFORM) -> ApiKey:
    text = new_key_text()
    return ApiKey(
        key_id=key_id_of(text) or "",
        tenant_id=tenant_id,
        name="first administrator",
        digest=digest_of(text),
        role=Role.ADMIN,
        created_at=AT,
        expires_at=LATER,
        platform=tenant_id == PLATFORM,
    )


def test_an_added_key_is_found_by_its_id_and_has_an_event(stores: Stores):
    key, event = new_key(), new_event(PLATFORM)
    stores.api_keys.add(key, event)
    assert stores.api_keys.find(key.key_id) == key
    assert event in stores.events(PLATFORM)


def test_a_revoked_key_is_found_too(stores: Stores):
    key = replace(new_key(), revoked_at=LATER)
    stores.api_keys.add(key, new_event(PLATFORM))
    assert stores.api_keys.find(key.key_id) == key


@pytest.mark.parametrize("key_id", ["0123456789abcdef", "", "x" * 3000, "\ud800"], ids=ascii)
def test_an_unknown_key_is_none(stores: Stores, key_id: str):
    assert stores.api_keys.find(key_id) is None


def test_a_key_id_is_used_once(stores: Stores):
    key = new_key()
    stores.api_keys.add(key, new_event(PLATFORM))
    with pytest.raises(AlreadyExists):
        stores.api_keys.add(replace(key, digest="other"), new_event(PLATFORM))
    assert stores.api_keys.find(key.key_id) == key


def test_adding_again_with_the_same_event_changes_nothing(stores: Stores):
    key, event = new_key(), new_event(PLATFORM)
    stores.api_keys.add(key, event)
    stores.api_keys.add(key, event)
    assert stores.events(PLATFORM).count(event) == 1


def test_administrators_are_the_keys_of_the_platform(stores: Stores):
    ours, tenants = new_key(), new_key(tenant_id="6f1c2d3e-0000-4000-8000-000000000000")
    for key in (ours, tenants):
        stores.api_keys.add(key, new_event(key.tenant_id))
    found = stores.api_keys.administrators()
    assert ours in found
    assert tenants not in found


def test_an_addition_whose_reply_was_lost_is_repeated_with_success(aws: Aws):
    key, event = new_key(), new_event(PLATFORM)
    with reply_lost(aws.clients.dynamodb, "TransactWriteItems"), pytest.raises(Unavailable):
        aws.stores.api_keys.add(key, event)
    aws.stores.api_keys.add(key, event)
    assert aws.stores.api_keys.find(key.key_id) == key


def added(stores: Stores, tenant_id: str | None = None, **changes: Any) -> ApiKey:
    key = replace(new_key(tenant_id or new_id()), **changes)
    stores.api_keys.add(key, new_event(key.tenant_id))
    return key


def test_what_a_key_may_do_is_kept(stores: Stores):
    key = added(stores, role=None, scopes=(Scope.ACCOUNTS_READ, Scope.SCANS_RUN))
    assert stores.api_keys.get(key.tenant_id, key.key_id) == key
    assert stores.api_keys.find(key.key_id) == key


def test_another_tenants_key_is_not_found(stores: Stores):
    key, stranger = added(stores), new_id()
    for tenant_id in (stranger, PLATFORM, "", "x" * 3000):
        with pytest.raises(NotFound):
            stores.api_keys.get(tenant_id, key.key_id)
        with pytest.raises(NotFound):
            stores.api_keys.revoke(tenant_id, key.key_id, new_event(stranger))
    stores.api_keys.note_use(stranger, key.key_id, at=LATER, noted_before=LATER)
    assert stores.api_keys.get(key.tenant_id, key.key_id) == key
    assert list(stores.api_keys.page(stranger, limit=10, cursor=None).items) == []


@pytest.mark.parametrize("key_id", ["0123456789abcdef", "", "x" * 3000, "\ud800"], ids=ascii)
def test_an_unknown_key_is_not_found(stores: Stores, key_id: str):
    with pytest.raises(NotFound):
        stores.api_keys.get(new_id(), key_id)


def test_a_tenants_keys_are_listed_page_by_page(stores: Stores):
    tenant_id = new_id()
    keys = {added(stores, tenant_id).key_id for _ in range(3)}
    first = stores.api_keys.page(tenant_id, limit=2, cursor=None)
    rest = stores.api_keys.page(tenant_id, limit=2, cursor=first.next_cursor)
    assert {key.key_id for key in (*first.items, *rest.items)} == keys
    with pytest.raises(InvalidInput):
        stores.api_keys.page(new_id(), limit=2, cursor=first.next_cursor)


def test_a_key_is_revoked_once_and_has_an_event(stores: Stores):
    key, event = added(stores), new_event(PLATFORM, at=LATER)
    event = replace(event, tenant_id=key.tenant_id)
    assert stores.api_keys.revoke(key.tenant_id, key.key_id, event) == replace(key, revoked_at=LATER)
    again = stores.api_keys.revoke(key.tenant_id, key.key_id, new_event(key.tenant_id, at=AT))
    assert again == stores.api_keys.get(key.tenant_id, key.key_id) == replace(key, revoked_at=LATER)
    assert event in stores.events(key.tenant_id)
    assert len(stores.events(key.tenant_id)) == 2


def test_a_use_is_noted_unless_it_was_noted_lately(stores: Stores):
    key = added(stores)
    stores.api_keys.note_use(key.tenant_id, key.key_id, at=AT, noted_before=AT)
    assert stores.api_keys.get(key.tenant_id, key.key_id).last_used_at == AT
    stores.api_keys.note_use(key.tenant_id, key.key_id, at=LATER, noted_before=AT)
    assert stores.api_keys.get(key.tenant_id, key.key_id).last_used_at == AT
    stores.api_keys.note_use(key.tenant_id, key.key_id, at=LATER, noted_before=LATER)
    assert stores.api_keys.get(key.tenant_id, key.key_id).last_used_at == LATER


def test_noting_the_use_of_a_key_that_is_gone_makes_none(stores: Stores):
    tenant_id = new_id()
    stores.api_keys.note_use(tenant_id, "0" * 16, at=AT, noted_before=AT)
    assert list(stores.api_keys.page(tenant_id, limit=10, cursor=None).items) == []


def test_only_keys_that_may_make_keys_are_administrators(stores: Stores):
    viewer = added(stores, PLATFORM, role=Role.VIEWER)
    unsaid = added(stores, PLATFORM, platform=False)
    found = stores.api_keys.administrators()
    assert not {viewer.key_id, unsaid.key_id} & {key.key_id for key in found}


@pytest.mark.parametrize(("tenant_id", "platform"), [(PLATFORM, True), ("6f1c2d3e-0000-4000-8000-00000000000a", False)])
def test_a_row_of_the_first_role_is_read(aws: Aws, tenant_id: str, platform: bool):
    """Such rows were written before there were others; the platform's are administrators of the platform."""
    key = replace(new_key(tenant_id), platform=platform)
    row = {name: value for name, value in asdict(key).items() if name not in ("scopes", "platform")}
    item = to_item({**row, "role": "administrator"})
    aws.clients.dynamodb.put_item(TableName=aws.names.api_keys, Item=item)
    assert aws.stores.api_keys.find(key.key_id) == key
    assert (Scope.TENANTS_ADMIN in key.held) == platform


def test_a_revocation_whose_reply_was_lost_is_repeated_with_success(aws: Aws):
    key = added(aws.stores)
    event = new_event(key.tenant_id, at=LATER)
    with reply_lost(aws.clients.dynamodb, "TransactWriteItems"), pytest.raises(Unavailable):
        aws.stores.api_keys.revoke(key.tenant_id, key.key_id, event)
    assert aws.stores.api_keys.revoke(key.tenant_id, key.key_id, event).revoked_at == LATER
    assert len(aws.stores.events(key.tenant_id)) == 2


def test_two_that_revoke_each_others_key_leave_one_of_them(stores: Stores):
    tenant_id = new_id()
    first, second = (new_key(tenant_id) for _ in range(2))
    for key in (first, second):
        stores.api_keys.add(key, new_event(tenant_id))
    stores.api_keys.revoke(tenant_id, first.key_id, new_event(tenant_id), remaining=second)
    with pytest.raises(Conflict):
        stores.api_keys.revoke(tenant_id, second.key_id, new_event(tenant_id), remaining=first)
    assert stores.api_keys.get(tenant_id, second.key_id).revoked_at is None
