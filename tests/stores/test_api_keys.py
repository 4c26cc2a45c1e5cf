"""The contract of ApiKeyStore."""

from dataclasses import replace

import pytest

from domain.api_keys import ApiKey, Role, digest_of, key_id_of, new_key_text
from domain.errors import AlreadyExists, Unavailable
from domain.tenants import PLATFORM
from tests.stores.conftest import Aws, Stores
from tests.stores.faults import reply_lost
from tests.stores.samples import AT, LATER, new_event


def new_key(tenant_id: str = PLATFORM) -> ApiKey:
    text = new_key_text()
    return ApiKey(
        key_id=key_id_of(text) or "",
        tenant_id=tenant_id,
        name="first administrator",
        digest=digest_of(text),
        role=Role.ADMINISTRATOR,
        created_at=AT,
        expires_at=LATER,
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
