"""Answers about accounts."""

from typing import Self

from pydantic import BaseModel, Field

from api.routes.onboarding_schemas import ID, TENANT
from api.schemas import StepAnswer, Unreadable
from domain.accounts import Account, AccountStatus, OnboardingStatus, ProviderType
from domain.onboarding.validation import Outcome, Verdict
from domain.pages import Page


class AccountAnswer(BaseModel):
    """An account in a list."""

    account_id: str = Field(examples=[ID])
    account_name: str
    account_number: str | None = Field(
        description="The cloud's own number; null until a credential was accepted.", examples=["123456789012"]
    )
    provider_type: ProviderType
    status: AccountStatus
    onboarding_status: OnboardingStatus
    created_at: str = Field(examples=["2026-11-24T09:30:00.000Z"])

    @classmethod
    def of(cls, account: Account) -> Self:
        return cls.model_validate(account, from_attributes=True)


class AccountsAnswer(BaseModel):
    """A page of a tenant's accounts. With a filter a page may be short, even empty, and not be the last."""

    accounts: list[AccountAnswer]
    next_cursor: str | None = Field(description="Where to go on; null on the last page.")
    unreadable: Unreadable = 0

    @classmethod
    def of(cls, page: Page[Account]) -> Self:
        return cls(
            accounts=[AccountAnswer.of(account) for account in page.items],
            next_cursor=page.next_cursor,
            unreadable=len(page.unreadable),
        )


class VerdictAnswer(BaseModel):
    """What the latest validation found."""

    outcome: Outcome
    identity: str | None = Field(description="The principal of the credential, as the cloud names it.")
    steps: list[StepAnswer]

    @classmethod
    def of(cls, verdict: Verdict) -> Self:
        steps = [StepAnswer.of(step) for step in verdict.steps]
        return cls(outcome=verdict.outcome, identity=verdict.identity, steps=steps)


class AccountDetailAnswer(BaseModel):
    """One account."""

    account_id: str = Field(examples=[ID])
    tenant_id: str = Field(examples=[TENANT])
    account_name: str
    account_number: str | None
    provider_type: ProviderType
    auth_method: str
    status: AccountStatus
    onboarding_status: OnboardingStatus
    reason: str | None = Field(description="Code of why the onboarding ended without an active account.")
    created_at: str
    updated_at: str
    last_validated_at: str | None
    last_verdict: VerdictAnswer | None

    @classmethod
    def of(cls, account: Account) -> Self:
        verdict = VerdictAnswer.of(account.last_verdict) if account.last_verdict else None
        fields = {name: getattr(account, name) for name in cls.model_fields if name != "last_verdict"}
        return cls(**fields, last_verdict=verdict)
