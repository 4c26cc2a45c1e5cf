"""`python cli.py keys bootstrap`: the administrator key with which the first keys and tenants are made."""

import sys
from datetime import UTC, datetime, timedelta

import typer

import config
from commands.keys import add_key
from composition.aws import aws_of
from domain.callers.access import Role
from domain.callers.tenants import PLATFORM
from domain.ports import ApiKeyStore
from domain.timestamps import stamp
from stores.dynamodb.api_keys import DynamoApiKeyStore

KEY_HOURS = 24


def bootstrap() -> None:
    """Make the first administrator key. It is shown once and valid for 24 hours."""
    settings, _ = config.load()
    store = DynamoApiKeyStore(aws_of(settings).dynamodb, settings.tables)
    now = stamp(datetime.now(UTC))
    if any(key.revoked_at is None and now < key.expires_at for key in store.administrators()):
        print("There is a valid administrator key already; make further keys with `keys create`.", file=sys.stderr)
        raise typer.Exit(1)
    text, expires_at = add_administrator_key(store)
    print(f"This administrator key is valid until {expires_at} and is not shown again:", file=sys.stderr)
    print(text)


def add_administrator_key(store: ApiKeyStore) -> tuple[str, str]:
    """The text of a new administrator key, and when it expires."""
    text, key = add_key(store, PLATFORM, "bootstrap", role=Role.ADMIN, lifetime=timedelta(hours=KEY_HOURS))
    return text, key.expires_at
