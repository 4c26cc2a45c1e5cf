"""The accounts table of one tenant, served as DynamoDB serves it: sorted by its key, so that a page costs what it reads
and not what there is. Emulators look at every item for each page, so what our own code costs shows on this only."""

from bisect import bisect_right
from functools import cache
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from bench.ports import AT, EXTERNAL_ID
from domain.accounts import Account, AccountStatus, OnboardingStatus, ProviderType
from domain.onboarding.credentials import CredentialRef
from stores.dynamodb.account_rows import to_row
from stores.dynamodb.items import to_item
from tests.fakes_clouds import ACCOUNT_NUMBER, accepted

Item = dict[str, Any]


@cache
def account_ids(count: int) -> tuple[str, ...]:
    """The ids of so many accounts, the same in every process."""
    return tuple(sorted(str(uuid5(NAMESPACE_OID, str(number))) for number in range(count)))


class IndexedTable:
    """As much of a DynamoDB client as reading accounts needs. It counts what it is asked for."""

    def __init__(self, tenant_id: str, rows: int) -> None:
        self._ids = account_ids(rows)
        self._row: Item = dict(to_item(to_row(_an_active_account(tenant_id, self._ids[0]))))
        self.requests = 0
        self.items_read = 0

    def query(self, *, Limit: int, ExclusiveStartKey: Item | None = None, **_: object) -> Item:  # noqa: N803
        after = bisect_right(self._ids, ExclusiveStartKey["account_id"]["S"]) if ExclusiveStartKey else 0
        found = self._ids[after : after + Limit]
        self._count(len(found))
        more = after + Limit < len(self._ids)
        last = {"LastEvaluatedKey": self._item(found[-1])} if more else {}
        return {"Items": [self._item(account_id) for account_id in found], **last}

    def get_item(self, *, Key: Item, **_: object) -> Item:  # noqa: N803
        account_id = Key["account_id"]["S"]
        self._count(1)
        place = bisect_right(self._ids, account_id) - 1
        return {"Item": self._item(account_id)} if self._ids[place] == account_id else {}

    def _count(self, items: int) -> None:
        self.requests += 1
        self.items_read += items

    def _item(self, account_id: str) -> Item:
        return {**self._row, "account_id": {"S": account_id}}


def _an_active_account(tenant_id: str, account_id: str) -> Account:
    return Account(
        account_id=account_id,
        tenant_id=tenant_id,
        provider_type=ProviderType.AWS,
        account_name="Production",
        auth_method="iam_role",
        external_id=EXTERNAL_ID,
        created_at=AT,
        updated_at=AT,
        expires_at=AT,
        status=AccountStatus.ACTIVE,
        onboarding_status=OnboardingStatus.COMPLETED,
        account_number=ACCOUNT_NUMBER,
        credential=CredentialRef(f"arn:aws:secretsmanager:ap-south-1:111122223333:secret:{account_id}", account_id),
        attempts=1,
        last_validated_at=AT,
        last_verdict=accepted(),
    )
