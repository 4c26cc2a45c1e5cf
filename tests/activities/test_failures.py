"""The one map from domain errors to Temporal failures."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.exceptions import ApplicationErrorCategory
from temporalio.testing import ActivityEnvironment

from activities.failures import as_failure
from domain import errors
from domain.errors import (
    CredentialRefused,
    NotYet,
    OnboardingError,
    Problem,
    SealBroken,
    Throttled,
    Trouble,
    Unavailable,
    UnreadableRow,
    UnsignedCommand,
    UserError,
)


def every_error(kind: type[OnboardingError] = OnboardingError) -> Iterator[type[OnboardingError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from every_error(child)


@pytest.mark.parametrize("kind", list(every_error()), ids=lambda kind: kind.__name__)
def test_a_failure_carries_the_code_and_the_sentence_of_its_error(kind: type[OnboardingError]):
    failure = as_failure(kind())
    assert (failure.type, failure.message) == (kind.code, kind.default_message)


@pytest.mark.parametrize("kind", list(every_error()), ids=lambda kind: kind.__name__)
def test_only_what_cannot_pass_by_itself_is_not_retried(kind: type[OnboardingError]):
    failure = as_failure(kind())
    refused = issubclass(kind, UserError | SealBroken | UnsignedCommand)
    assert failure.non_retryable is (refused or kind is UnreadableRow)
    # What is merely not finished is nothing to be alarmed about either.
    assert (failure.category is ApplicationErrorCategory.BENIGN) is (refused or kind is NotYet)


def test_every_code_is_used_once():
    codes = [kind.code for kind in every_error()]
    assert len(codes) == len(set(codes))


def test_the_clouds_own_delay_is_the_next_retry_delay():
    delay = as_failure(Throttled(retry_after=7)).next_retry_delay
    assert delay is not None
    assert delay.total_seconds() == 7
    assert as_failure(Trouble()).next_retry_delay is None


def test_what_is_to_be_put_right_comes_after_the_notes():
    error = CredentialRefused(problems=[Problem("unknown_key", "AWS does not know this key.", step="identify")])
    error.add_note("sts:AssumeRole: AccessDenied")
    note, problem = as_failure(error).details
    assert note == "sts:AssumeRole: AccessDenied"
    assert (problem["code"], problem["message"]) == ("unknown_key", "AWS does not know this key.")


def test_a_foreign_exception_is_named_by_its_class_only():
    failure = as_failure(KeyError("AKIA-a-value"))
    assert (failure.type, failure.non_retryable) == (errors.Internal.code, False)
    assert "KeyError" in failure.message
    assert "AKIA" not in failure.message


@pytest.mark.parametrize(("kind", "ends"), [(errors.Internal, True), (KeyError, True), (Unavailable, False)])
def test_a_bug_is_not_tried_again_for_ever_and_an_outage_is(kind: type[Exception], ends: bool):
    """An hour is long enough to bring the version before back."""

    def tried_for(duration: timedelta) -> bool:
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, scheduled_time=datetime.now(UTC) - duration)
        return environment.run(lambda: as_failure(kind())).non_retryable

    assert (tried_for(timedelta(minutes=59)), tried_for(timedelta(minutes=61))) == (False, ends)
