"""The steps of an onboarding under their names, with their inputs and results, and without their work."""

from collections.abc import Callable, Sequence
from typing import Any

from temporalio import activity

from activities.accounts import ActivateAccount, RegisterAccount
from activities.credentials import StoreCredential, ValidateCredential
from domain.onboarding.credentials import CredentialRef
from domain.onboarding.validation import Verdict
from tests.fakes_clouds import accepted


class NoOpActivities:
    """Each answers what it always answers."""

    def __init__(self) -> None:
        self._verdict = accepted()

    def all(self) -> Sequence[Callable[..., Any]]:
        return [self.register_account, self.store_credential, self.validate_credential, self.activate_account]

    @activity.defn(name="register_account")
    def register_account(self, step: RegisterAccount) -> None:
        """Nothing."""

    @activity.defn(name="store_credential")
    def store_credential(self, step: StoreCredential) -> CredentialRef:
        return CredentialRef(f"arn:aws:fake:{step.account_id}", step.submission_id)

    @activity.defn(name="validate_credential")
    def validate_credential(self, step: ValidateCredential) -> Verdict:
        return self._verdict

    @activity.defn(name="activate_account")
    def activate_account(self, step: ActivateAccount) -> None:
        """Nothing."""
