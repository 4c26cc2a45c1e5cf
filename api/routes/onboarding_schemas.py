"""Bodies and answers of an onboarding, from its start to its end."""

from typing import Self

from pydantic import BaseModel, Field

from api.schemas import Id, Line, Name, RequestBody, StepAnswer, example
from domain.accounts import Account, OnboardingStatus, ProviderType
from domain.onboarding.catalogue import AuthMethod, Setup
from domain.onboarding.messages import (
    OnboardingState,
    OnboardingView,
    OnboardRequest,
    Registered,
    Result,
    SubmissionOutcome,
)

ID = "7d3f0c51-6d6c-4f0e-9a53-3a4d1f1f6b0e"
TENANT = "0b6f0a3c-52ab-4a52-8f4b-5d3c9e1a7f21"
EXTERNAL_ID = "te-5f2b8c0e9d7a41c3b6e8f0a1d2c4b596"


class StartOnboardingRequest(RequestBody):
    model_config = example({"tenant_id": TENANT, "account_name": "Production", "auth_method": "iam_role"})

    tenant_id: Id = Field(description="The tenant that the account belongs to.")
    account_name: Name = Field(description="A name for people: 1 to 128 characters on one line.")
    auth_method: str | None = Field(
        None, max_length=64, description="One of the provider's methods; its first one when left out."
    )


class InitAnswer(BaseModel):
    """A started onboarding. Its credential is expected until `expires_at`."""

    onboarding_id: str = Field(examples=[ID])
    account_id: str = Field(description="The same as onboarding_id.", examples=[ID])
    provider: ProviderType
    auth_method: str
    account_name: str
    external_id: str | None = Field(
        description="For the role's trust policy; null when the method has none.", examples=[EXTERNAL_ID]
    )
    cloudformation_template_url: str | None = Field(
        description="The template in S3 where the platform publishes one, otherwise the address of our own route; null "
        "when the method has none."
    )
    quick_create_url: str | None = Field(
        description="Opens the AWS console with everything filled in; null where the template is not in S3."
    )
    expires_at: str = Field(examples=["2026-12-01T09:30:00.000Z"])

    @classmethod
    def of(
        cls, request: OnboardRequest, method: AuthMethod, *, started: Registered, setup: Setup, template_url: str | None
    ) -> Self:
        return cls(
            onboarding_id=started.account_id,
            account_id=started.account_id,
            provider=request.provider_type,
            auth_method=method.method,
            account_name=request.account_name,
            external_id=started.external_id if method.takes_external_id else None,
            cloudformation_template_url=template_url,
            quick_create_url=setup.quick_create_url if method.cloudformation_supported else None,
            expires_at=started.expires_at,
        )


class SubmissionAnswer(BaseModel):
    """How one submitted credential fared."""

    result: Result
    message: str
    attempt: int = Field(description="Which counted attempt it was, from 1; 0 when it did not count.")
    steps: list[StepAnswer]

    @classmethod
    def of(cls, outcome: SubmissionOutcome) -> Self:
        steps = [StepAnswer.of(step) for step in outcome.steps]
        return cls(result=outcome.result, message=outcome.message, attempt=outcome.attempt, steps=steps)


class OnboardingAnswer(BaseModel):
    """Where an onboarding is."""

    onboarding_id: str = Field(examples=[ID])
    account_id: str = Field(examples=[ID])
    provider: ProviderType
    account_name: str
    state: OnboardingState
    live: bool = Field(description="False when the running workflow could not be asked, so that this may be old.")
    attempts: int
    max_attempts: int | None = Field(description="Null when it is not known without the running workflow.")
    expires_at: str = Field(description="When it ends by itself if no credential is accepted.")
    reason: str | None = Field(description="Code of why it ended without an active account.")
    account_number: str | None
    steps: list[StepAnswer] = Field(description="Of the latest verdict.")
    submissions: list[SubmissionAnswer] = Field(description="Oldest first; kept while the onboarding runs.")

    @classmethod
    def running(cls, account: Account, view: OnboardingView) -> Self:
        submissions = [SubmissionAnswer.of(outcome) for outcome in view.history]
        return cls(
            onboarding_id=account.account_id,
            account_id=account.account_id,
            provider=account.provider_type,
            account_name=account.account_name,
            state=view.state,
            live=True,
            attempts=view.attempts,
            max_attempts=view.max_attempts,
            expires_at=view.expires_at,
            reason=view.reason,
            account_number=view.account_number,
            steps=submissions[-1].steps if submissions else [],
            submissions=submissions,
        )

    @classmethod
    def stored(cls, account: Account) -> Self:
        verdict = account.last_verdict
        return cls(
            onboarding_id=account.account_id,
            account_id=account.account_id,
            provider=account.provider_type,
            account_name=account.account_name,
            state=_state_of(account),
            live=account.onboarding_status is not OnboardingStatus.IN_PROGRESS,
            attempts=account.attempts,
            max_attempts=None,
            expires_at=account.expires_at,
            reason=account.reason,
            account_number=account.account_number,
            steps=[StepAnswer.of(step) for step in verdict.steps] if verdict else [],
            submissions=[],
        )


def _state_of(account: Account) -> OnboardingState:
    """The state that the row tells: what a running onboarding does just now it does not know."""
    if account.onboarding_status in (OnboardingStatus.PENDING, OnboardingStatus.IN_PROGRESS):
        return OnboardingState.WAITING
    if account.onboarding_status is OnboardingStatus.COMPLETED:
        return OnboardingState(account.last_verdict.outcome.value) if account.last_verdict else OnboardingState.ACTIVE
    return OnboardingState(account.onboarding_status.value)


class CancelOnboardingRequest(RequestBody):
    model_config = example({"reason": "Wrong account."})

    reason: Line | None = Field(None, max_length=200, description="Why, for the record: up to 200 characters.")


class CancelAnswer(BaseModel):
    """The onboarding is ending; what it stored is being removed."""

    status: str = Field("cancelling", examples=["cancelling"])
    onboarding_id: str = Field(examples=[ID])
    account_id: str = Field(examples=[ID])
