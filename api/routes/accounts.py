"""Routes of accounts."""

from typing import Annotated

from fastapi import Query

from api.auth.access import AccessDep, ProviderFilter
from api.auth.permissions import Tenancy, needs, new_router
from api.http.openapi import errors
from api.routes.account_schemas import AccountDetailAnswer, AccountsAnswer
from domain.accounts import AccountStatus
from domain.callers.access import Scope
from domain.pages import MAX_PAGE

router = new_router("/onboarding/accounts", tag="accounts")

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="How many to look at.")]
Cursor = Annotated[
    str | None,
    Query(max_length=6144, description="`next_cursor` of the page before, with the same filters."),
]


@router.get(
    "",
    dependencies=[needs(Scope.ACCOUNTS_READ, Tenancy.NAMED)],
    responses=errors(400, 404),
    summary="List a tenant's accounts",
)
def list_accounts(
    access: AccessDep,
    tenant_id: str,
    provider_type: ProviderFilter = None,
    status: AccountStatus | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> AccountsAnswer:
    """In a stable order, a page at a time. A change shows after a moment."""
    tenant = access.tenant(tenant_id)
    page = access.services.accounts.page(
        tenant.tenant_id, provider_type=provider_type, status=status, limit=limit, cursor=cursor
    )
    return AccountsAnswer.of(page)


@router.get(
    "/{account_id}",
    dependencies=[needs(Scope.ACCOUNTS_READ, Tenancy.OWNED)],
    responses=errors(404),
    summary="Get an account",
)
def get_account(account_id: str, access: AccessDep) -> AccountDetailAnswer:
    """One account with what its latest validation found."""
    return AccountDetailAnswer.of(access.account(account_id))
