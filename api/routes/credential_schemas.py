"""Bodies and answers of a submitted credential."""

from typing import Self

from pydantic import BaseModel, Field

from api.routes.onboarding_schemas import EXTERNAL_ID, ID
from api.schemas import Id, RequestBody, StepAnswer, example
from domain.accounts import AccountStatus
from domain.onboarding.messages import SubmissionOutcome
from domain.onboarding.validation import Verdict

ROLE = "arn:aws:iam::123456789012:role/ThreatEngineReadOnly"
JUST_CREATED = "Say so when the role was made moments ago: then a cloud that does not know it yet is asked again."


class ValidateCredentialRequest(RequestBody):
    model_config = example({"account_id": ID, "auth_method": "iam_role", "credentials": {"role_arn": ROLE}})

    account_id: Id = Field(description="The account that the credential is for.")
    auth_method: str = Field(max_length=64, description="One of the provider's methods.")
    credentials: dict[str, object] = Field(
        repr=False, description="The fields that the method requires.", json_schema_extra={"writeOnly": True}
    )
    just_created: bool = Field(False, description=JUST_CREATED)


class ValidateStackOutputsRequest(RequestBody):
    model_config = example(
        {
            "account_id": ID,
            "onboarding_json": {"AccountId": "123456789012", "RoleArn": ROLE, "ExternalId": EXTERNAL_ID},
        }
    )

    account_id: Id = Field(description="The account that the credential is for: ours, not the cloud's number.")
    onboarding_json: dict[str, object] | list[object] | str = Field(
        repr=False,
        description="The outputs of the stack: AccountId (the cloud's number), RoleArn and ExternalId, or account_id, "
        "role_arn and external_id; the output OnboardingJson; or what `aws cloudformation describe-stacks` prints. As "
        "an object, a list or its text.",
    )
    just_created: bool = Field(True, description=JUST_CREATED)


class ValidatedAnswer(BaseModel):
    """The credential was accepted and the account is active."""

    success: bool = True
    message: str = Field(examples=["The account is active."])
    account_id: str = Field(examples=[ID])
    account_number: str | None = Field(examples=["123456789012"])
    status: AccountStatus
    steps: list[StepAnswer]

    @classmethod
    def of(cls, account_id: str, outcome: SubmissionOutcome) -> Self:
        return cls(
            message=outcome.message,
            account_id=account_id,
            account_number=outcome.account_number,
            status=AccountStatus(outcome.result.value),
            steps=[StepAnswer.of(step) for step in outcome.steps],
        )

    @classmethod
    def tried(cls, account_id: str, verdict: Verdict) -> Self:
        """Of a dry run: the status that the account would have."""
        return cls(
            message="The credential works. This was a dry run: nothing was stored.",
            account_id=account_id,
            account_number=verdict.account_number,
            status=AccountStatus(verdict.outcome.value),
            steps=[StepAnswer.of(step) for step in verdict.steps],
        )


class ValidatingAnswer(BaseModel):
    """The credential is accepted for validation, which goes on; follow `Location`."""

    status: str = Field("validating", examples=["validating"])
    message: str = "Validation goes on; its outcome will be at Location."
    account_id: str = Field(examples=[ID])
    onboarding_id: str = Field(examples=[ID])
