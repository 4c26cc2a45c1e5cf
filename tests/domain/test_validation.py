"""From steps to a verdict."""

from hypothesis import given
from hypothesis import strategies as st

from domain.onboarding.validation import Outcome, Step, StepStatus, verdict_of
from tests.strategies import steps

PASSED = Step("shape", StepStatus.PASSED)
LACKING = Step("permissions", StepStatus.WARNED, code="missing", missing_permissions=("ec2:DescribeInstances",))
FAILED = Step("assume", StepStatus.FAILED, code="access_denied", message="Denied.", remedy="Trust our role.")


def test_all_steps_passed_is_active():
    verdict = verdict_of([PASSED], account_number="111111111111", identity="arn")
    assert (verdict.outcome, verdict.account_number, verdict.identity) == (Outcome.ACTIVE, "111111111111", "arn")


def test_missing_permissions_limit_the_account():
    verdict = verdict_of([PASSED, LACKING])
    assert verdict.outcome is Outcome.ACTIVE_LIMITED
    assert [problem.missing_permissions for problem in verdict.problems] == [("ec2:DescribeInstances",)]


def test_a_failed_step_refuses_whatever_else_there_is():
    verdict = verdict_of([PASSED, LACKING, FAILED, Step("ownership", StepStatus.SKIPPED)])
    assert not verdict.accepted
    assert [(problem.step, problem.code, problem.remedy) for problem in verdict.problems] == [
        ("permissions", "missing", None),
        ("assume", "access_denied", "Trust our role."),
    ]


@given(found=st.lists(steps, max_size=6))
def test_a_verdict_is_accepted_when_no_step_failed(found: list[Step]):
    verdict = verdict_of(found)
    assert verdict.accepted == all(step.status is not StepStatus.FAILED for step in found)
    assert verdict.steps == tuple(found)
