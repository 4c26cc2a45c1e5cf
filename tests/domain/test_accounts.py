"""What follows from an account, an activation and a closure."""

import pytest
from hypothesis import given

from domain.accounts import AccountStatus, Activation, Closure, OnboardingStatus, ProviderType, provider_id
from domain.onboarding.credentials import CredentialRef
from domain.onboarding.validation import Outcome, Verdict
from tests.strategies import ids

REF = CredentialRef(arn="arn", version="v1")


@given(first=ids, second=ids)
def test_a_tenant_has_one_provider_id_for_each_cloud(first: str, second: str):
    ours = {provider_id(first, cloud) for cloud in ProviderType}
    assert len(ours) == len(ProviderType)
    assert (provider_id(second, ProviderType.AWS) in ours) == (first == second)


@pytest.mark.parametrize("outcome", [Outcome.ACTIVE, Outcome.ACTIVE_LIMITED])
def test_an_accepted_verdict_gives_the_account_its_status_and_number(outcome: Outcome):
    activation = Activation(Verdict(outcome, (), account_number="111111111111"), REF, 1, ProviderType.AWS)
    assert (activation.account_status.value, activation.account_number) == (outcome.value, "111111111111")


@pytest.mark.parametrize(
    "verdict",
    [Verdict(Outcome.REFUSED, (), account_number="111111111111"), Verdict(Outcome.ACTIVE, ())],
    ids=["refused", "without a number"],
)
def test_a_verdict_that_proves_no_account_activates_none(verdict: Verdict):
    with pytest.raises(ValueError, match="accepted verdict"):
        _ = Activation(verdict, REF, 1, ProviderType.AWS).account_number


def test_only_a_failure_leaves_an_error():
    endings = (OnboardingStatus.FAILED, OnboardingStatus.EXPIRED, OnboardingStatus.CANCELLED)
    statuses = [Closure(ending, "reason", attempts=0).account_status for ending in endings]
    assert statuses == [AccountStatus.ERROR, AccountStatus.DISABLED, AccountStatus.DISABLED]
