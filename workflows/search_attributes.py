"""The registry of search attributes. They are never encrypted, so they hold ids and states only."""

from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from domain.onboarding.dry_run import ProbeRequest
from domain.onboarding.messages import OnboardingState, OnboardRequest
from domain.scans.scan import ScanState
from domain.schedules.schedule import Schedule

TENANT_ID = SearchAttributeKey.for_keyword("TenantId")
ACCOUNT_ID = SearchAttributeKey.for_keyword("AccountId")
PROVIDER = SearchAttributeKey.for_keyword("Provider")
ONBOARDING_STATE = SearchAttributeKey.for_keyword("OnboardingState")

SCHEDULE_ID = SearchAttributeKey.for_keyword("ScanScheduleId")
SPEC_VERSION = SearchAttributeKey.for_int("SpecVersion")
SCAN_STATE = SearchAttributeKey.for_keyword("ScanState")

SIGNED_MONTH = SearchAttributeKey.for_int("SignedMonth")
"""When the input of a Temporal Schedule was signed, such as 202611: a sweep signs those of earlier months anew."""

ALL = (TENANT_ID, ACCOUNT_ID, PROVIDER, ONBOARDING_STATE, SCHEDULE_ID, SPEC_VERSION, SCAN_STATE, SIGNED_MONTH)


SHOWN_FROM_THE_START = OnboardingState.WAITING
"""A new onboarding registers its account first, which is usually over before a search could find it."""


def of_onboarding(request: OnboardRequest) -> TypedSearchAttributes:
    """What an onboarding is found by, from its start."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(TENANT_ID, request.tenant_id),
            SearchAttributePair(ACCOUNT_ID, request.account_id),
            SearchAttributePair(PROVIDER, request.provider_type.value),
            SearchAttributePair(ONBOARDING_STATE, SHOWN_FROM_THE_START.value),
        ]
    )


def of_probe(request: ProbeRequest) -> TypedSearchAttributes:
    """What a dry run is found by."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(TENANT_ID, request.tenant_id),
            SearchAttributePair(ACCOUNT_ID, request.account_id),
            SearchAttributePair(PROVIDER, request.provider_type.value),
        ]
    )


def of_scan(schedule: Schedule) -> TypedSearchAttributes:
    """What a run is found by, from its start."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(TENANT_ID, schedule.tenant_id),
            SearchAttributePair(ACCOUNT_ID, schedule.account_id),
            SearchAttributePair(PROVIDER, schedule.provider_type.value),
            SearchAttributePair(SCHEDULE_ID, schedule.schedule_id),
            SearchAttributePair(SCAN_STATE, ScanState.ADMITTING.value),
        ]
    )


def of_schedule(schedule: Schedule) -> TypedSearchAttributes:
    """What a Temporal Schedule, and the workflow that changes it, is found by."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(TENANT_ID, schedule.tenant_id),
            SearchAttributePair(ACCOUNT_ID, schedule.account_id),
            SearchAttributePair(PROVIDER, schedule.provider_type.value),
            SearchAttributePair(SPEC_VERSION, schedule.spec_version),
        ]
    )
