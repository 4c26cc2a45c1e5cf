"""Accounts in DynamoDB: conditional writes only, and a claim item that makes a cloud account unique in its tenant."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from domain.accounts import Account, AccountStatus, Activation, Closure, OnboardingStatus, ProviderType
from domain.audit.events import AuditEvent
from domain.callers.tenants import TenantStatus
from domain.errors import (
    AccountAlreadyOnboarded,
    AlreadyExists,
    Conflict,
    NotFound,
    OnboardingClosed,
    OnboardingError,
)
from domain.onboarding.validation import Verdict
from domain.pages import Page
from stores.dynamodb.account_rows import READER, to_row
from stores.dynamodb.items import Row, from_item, is_id, to_item
from stores.dynamodb.ledger import Ledger, Write, check, put, put_if_missing, update
from stores.dynamodb.paging import Listing, page_of
from stores.dynamodb.tables import ACCOUNTS_BY_ID, ACCOUNTS_BY_STATUS, TableNames
from stores.errors import aws_failures
from stores.reading import owner_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoAccountStore:
    def __init__(self, dynamodb: "DynamoDBClient", names: TableNames) -> None:
        self._dynamodb = dynamodb
        self._names = names
        self._ledger = Ledger(dynamodb, names)

    @aws_failures()
    def register(self, account: Account, event: AuditEvent) -> None:
        if not is_id(account.tenant_id):
            raise NotFound
        tenant = check(
            self._names.tenants,
            {"tenant_id": account.tenant_id},
            condition="#status = :active",
            active=TenantStatus.ACTIVE,
            refusal=_missing_or_disabled,
        )
        row = put(
            self._names.accounts,
            to_row(account),
            condition="attribute_not_exists(#account_id)",
            refusal=lambda _: AlreadyExists("An account with this id exists."),
        )
        self._ledger.commit(event, tenant, self._provider(account, event), row)

    @aws_failures()
    def get(self, tenant_id: str, account_id: str) -> Account:
        row = self._row(account_id)
        if row.get("tenant_id") != tenant_id:
            raise NotFound
        return READER.one(row)

    @aws_failures()
    def tenant_of(self, account_id: str) -> str:
        return owner_of(self._row(account_id))

    @aws_failures()
    def record_attempt(
        self, tenant_id: str, account_id: str, verdict: Verdict, attempts: int, event: AuditEvent
    ) -> None:
        change = {"last_verdict": asdict(verdict), "last_validated_at": event.at, "attempts": attempts}
        self._change(tenant_id, account_id, event, change)

    @aws_failures()
    def activate(self, tenant_id: str, account_id: str, activation: Activation, event: AuditEvent) -> None:
        change = {
            "account_number": activation.account_number,
            "status": activation.account_status,
            "onboarding_status": OnboardingStatus.COMPLETED,
            "credential": asdict(activation.credential),
            "last_verdict": asdict(activation.verdict),
            "last_validated_at": event.at,
            "attempts": activation.attempts,
        }
        claim = self._claim(_claim_of(tenant_id, activation.provider_type, activation.account_number), account_id)
        self._change(tenant_id, account_id, event, change, claim, provider_type=activation.provider_type)

    @aws_failures()
    def close(self, tenant_id: str, account_id: str, closure: Closure, event: AuditEvent) -> None:
        change = {
            "status": closure.account_status,
            "onboarding_status": closure.onboarding_status,
            "reason": closure.reason,
            "attempts": closure.attempts,
        }
        self._change(tenant_id, account_id, event, change)

    @aws_failures()
    def holds(self, tenant_id: str, provider_type: ProviderType, account_number: str) -> bool:
        """The claim of the number is taken when an account becomes active, and not before."""
        if not is_id(tenant_id):
            return False
        key = to_item({"account_id": _claim_of(tenant_id, provider_type, account_number)})
        answer = self._dynamodb.get_item(TableName=self._names.accounts, Key=key, ConsistentRead=True)
        return "Item" in answer

    @aws_failures()
    def page(
        self,
        tenant_id: str,
        *,
        provider_type: ProviderType | None,
        status: AccountStatus | None,
        limit: int,
        cursor: str | None,
    ) -> Page[Account]:
        if not is_id(tenant_id):
            return Page(())
        partition = {"tenant_id": tenant_id, **({"status": status} if status else {})}
        listing = Listing(
            self._names.accounts,
            ACCOUNTS_BY_STATUS if status else ACCOUNTS_BY_ID,
            partition,
            {"provider_type": provider_type} if provider_type else {},
            ("account_id",),
        )
        return page_of(self._dynamodb, listing, READER, limit=limit, cursor=cursor)

    @aws_failures()
    def in_progress(self, *, limit: int, cursor: str | None) -> Page[Account]:
        under_way = {"onboarding_status": OnboardingStatus.IN_PROGRESS}
        listing = Listing(self._names.accounts, None, {}, under_way, ("account_id",))
        return page_of(self._dynamodb, listing, READER, limit=limit, cursor=cursor)

    def _row(self, account_id: str) -> Row:
        """Of an account: a claim item has another form of key. Raises NotFound."""
        if not is_id(account_id):
            raise NotFound
        key = to_item({"account_id": account_id})
        answer = self._dynamodb.get_item(TableName=self._names.accounts, Key=key, ConsistentRead=True)
        if "Item" not in answer:
            raise NotFound
        return from_item(answer["Item"])

    def _change(
        self, tenant_id: str, account_id: str, event: AuditEvent, change: Row, *others: Write, **owned: str
    ) -> None:
        """A step of an onboarding that is under way. Raises OnboardingClosed, and NotFound without an account that has
        the attributes `owned`."""
        if not is_id(tenant_id) or not is_id(account_id):
            raise NotFound
        owned = {"tenant_id": tenant_id, **owned}

        def closed_or_foreign(row: Row | None) -> OnboardingError:
            return OnboardingClosed() if row and owned.items() <= row.items() else NotFound()

        row = update(
            self._names.accounts,
            {"account_id": account_id},
            {**change, "updated_at": event.at},
            condition=" AND ".join(["#onboarding_status = :in_progress", *(f"#{name} = :{name}" for name in owned)]),
            refusal=closed_or_foreign,
            in_progress=OnboardingStatus.IN_PROGRESS,
            **owned,
        )
        self._ledger.commit(event, row, *others)

    def _claim(self, number: str, account_id: str) -> Write:
        """Without tenant and status, so that it is in no index."""
        return put(
            self._names.accounts,
            {"account_id": number, "owner": account_id},
            condition="attribute_not_exists(#account_id) OR #owner = :owner",
            owner=account_id,
            refusal=lambda _: AccountAlreadyOnboarded(),
        )

    def _provider(self, account: Account, event: AuditEvent) -> Write:
        row = {
            "tenant_id": account.tenant_id,
            "provider_type": account.provider_type,
            "status": "active",
            "created_at": event.at,
            "updated_at": event.at,
        }
        return put_if_missing(self._names.providers, {"provider_id": account.provider_id}, row)


def _claim_of(tenant_id: str, provider_type: ProviderType, account_number: str) -> str:
    return f"claim#{tenant_id}#{provider_type}#{account_number}"


def _missing_or_disabled(tenant: Row | None) -> OnboardingError:
    if tenant is None:
        return NotFound()
    return Conflict("The tenant is disabled; enable it before onboarding accounts.")
