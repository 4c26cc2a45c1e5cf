"""An account and its row, in both directions."""

from dataclasses import asdict

from domain.accounts import Account
from stores.items import Row
from stores.reading import Reader
from stores.structure import structured


def to_row(account: Account) -> Row:
    return {**asdict(account), "provider_id": account.provider_id}


def from_row(row: Row) -> Account:
    return structured(Account, row)


READER = Reader("accounts", ("account_id",), from_row)
