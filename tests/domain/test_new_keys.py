"""What a new key is, and what the audit trail says of it."""

import re
from datetime import UTC, datetime, timedelta

from domain.audit.events import Origin
from domain.callers.access import Role, Scope
from domain.callers.api_keys import (
    DAYS,
    MAX_DAYS,
    ApiKey,
    digest_of,
    key_event,
    key_id_of,
    new_key,
    new_key_id,
    new_key_text,
)
from domain.callers.tenants import PLATFORM

NOW = datetime(2026, 12, 1, tzinfo=UTC)
READING = (Scope.ACCOUNTS_READ, Scope.SCHEDULES_READ)


def made(tenant_id: str = "tenant-1", role: Role | None = Role.VIEWER, scopes: tuple[Scope, ...] = ()) -> ApiKey:
    return new_key(tenant_id, "ci", now=NOW, lifetime=timedelta(days=2), role=role, scopes=scopes)[1]


def test_a_key_has_an_id_that_may_be_shown_and_a_secret_of_32_characters():
    texts = {new_key_text() for _ in range(200)}
    assert len(texts) == 200
    assert all(re.fullmatch("tek_[0-9a-z]{16}_[0-9a-z]{38}", text) for text in texts)
    assert all(key_id_of(text) == text[4:20] for text in texts)
    assert len({text[21:53] for text in texts}) == 200
    assert set("".join(text[21:53] for text in texts)) == set("0123456789abcdefghijklmnopqrstuvwxyz")
    assert re.fullmatch("[0-9a-z]{16}", new_key_id())
    assert new_key_text("a" * 16).startswith(f"tek_{'a' * 16}_")


def test_of_a_key_everything_is_stored_but_the_key():
    text, key = new_key("tenant-1", "ci", now=NOW, lifetime=timedelta(days=2), role=Role.VIEWER, key_id="a" * 16)
    assert key == ApiKey(
        key_id="a" * 16,
        tenant_id="tenant-1",
        name="ci",
        digest=digest_of(text),
        role=Role.VIEWER,
        created_at="2026-12-01T00:00:00.000Z",
        expires_at="2026-12-03T00:00:00.000Z",
    )
    assert (key.platform, key.scopes, key.revoked_at, key.last_used_at) == (False, (), None, None)
    assert key.prefix == text[:20]
    assert text not in repr(key)
    assert text[21:] not in repr(key)


def test_only_a_key_in_the_platforms_place_acts_for_the_platform():
    assert made(PLATFORM).platform
    assert not made("tenant-1").platform


def test_a_key_may_do_what_its_role_or_its_scopes_say():
    assert made(role=Role.VIEWER).held == set(READING)
    assert made(role=None, scopes=READING[:1]).held == {Scope.ACCOUNTS_READ}
    assert Scope.TENANTS_ADMIN in made(PLATFORM, Role.ADMIN).held
    assert Scope.TENANTS_ADMIN not in made("tenant-1", Role.ADMIN).held


def test_the_audit_trail_says_what_a_key_may_do():
    for key, granted in (
        (made(), {"role": "viewer"}),
        (made(role=None, scopes=READING), {"scopes": "accounts:read schedules:read"}),
    ):
        event = key_event(key, "key.created", Origin("key:1", "r-1"), operation="o-1", at="2026-12-01T00:00:00.000Z")
        assert (event.tenant_id, event.action, event.target) == ("tenant-1", "key.created", f"api_key:{key.key_id}")
        assert (event.actor, event.request_id, event.at) == ("key:1", "r-1", "2026-12-01T00:00:00.000Z")
        assert event.details == granted
        again = key_event(key, "key.created", Origin("key:1", "r-2"), operation="o-1", at="2026-12-01T00:00:00.000Z")
        other = key_event(key, "key.created", Origin("key:1", "r-1"), operation="o-2", at="2026-12-01T00:00:00.000Z")
        assert again.event_id == event.event_id != other.event_id


def test_a_key_lives_for_a_year_unless_asked_otherwise_and_for_ten_at_most():
    assert (DAYS, MAX_DAYS) == (365, 3650)
