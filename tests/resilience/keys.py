"""Keys that count as used a moment ago. A request writes down the first use of its key in an hour, at a time of its own
choosing, which no table of calls could declare."""

from datetime import UTC, datetime

from commands.bootstrap import add_administrator_key
from domain.callers.api_keys import key_id_of
from domain.callers.tenants import PLATFORM
from domain.timestamps import stamp
from stores.dynamodb.api_keys import DynamoApiKeyStore
from stores.dynamodb.tables import TableNames
from stores.session import AwsClients


def used_key(aws: AwsClients) -> str:
    """The text of a new administrator's key."""
    text, _ = add_administrator_key(DynamoApiKeyStore(aws.dynamodb, TableNames()))
    note_use(aws, text)
    return text


def note_use(aws: AwsClients, text: str) -> None:
    now = stamp(datetime.now(UTC))
    DynamoApiKeyStore(aws.dynamodb, TableNames()).note_use(PLATFORM, key_id_of(text) or "", at=now, noted_before=now)
