"""An account and its row, in both directions."""

from dataclasses import asdict

from domain.accounts import Account
from stores.dynamodb.items import Row
from stores.dynamodb.structure import structured
from stores.reading import Reader


def to_row(account: Account) -> Row:
    return {**asdict(account), "provider_id": account.provider_id}


def from_row(row: Row) -> Account:
    return structured(Account, row)


READER = Reader("accounts", ("account_id",), from_row)
