"""The registry of search attributes. They are never encrypted, so they hold ids and states only."""

from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from domain.onboarding import OnboardingState, OnboardRequest

TENANT_ID = SearchAttributeKey.for_keyword("TenantId")
ACCOUNT_ID = SearchAttributeKey.for_keyword("AccountId")
PROVIDER = SearchAttributeKey.for_keyword("Provider")
ONBOARDING_STATE = SearchAttributeKey.for_keyword("OnboardingState")

ALL = (TENANT_ID, ACCOUNT_ID, PROVIDER, ONBOARDING_STATE)


def of_onboarding(request: OnboardRequest) -> TypedSearchAttributes:
    """What an onboarding is found by, from its start."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(TENANT_ID, request.tenant_id),
            SearchAttributePair(ACCOUNT_ID, request.account_id),
            SearchAttributePair(PROVIDER, request.provider_type.value),
            SearchAttributePair(ONBOARDING_STATE, OnboardingState.REGISTERING.value),
        ]
    )
