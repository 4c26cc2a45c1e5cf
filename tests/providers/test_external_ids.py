"""The confused deputy: a role that opens without our external id is refused, and an external id that is not ours."""

import pytest

from domain.errors import Unavailable
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Step, StepStatus
from providers.external_ids import PROBE_SESSION, mismatch, safe_trust

OURS = "te-ours"


def tried(*, opening: int | None = None) -> tuple[list[str | None], Step]:
    """What the role was tried with, and what was found; the try of this number lets us in."""
    sent: list[str | None] = []

    def opens(external_id: str | None) -> bool:
        sent.append(external_id)
        return len(sent) - 1 == opening

    return sent, safe_trust(opens, unsafe="It opens.", remedy="Close it.")


def test_a_role_is_tried_without_an_external_id_and_with_one_that_nobody_can_guess():
    (without, first), step = tried()
    (_, second), _ = tried()
    assert without is None
    assert first != second
    assert len(str(first)) == len("te-probe-") + 32
    assert (step.name, step.status, step.code) == ("trust", StepStatus.PASSED, "ok")


@pytest.mark.parametrize("opening", [0, 1], ids=["without one", "with a wrong one"])
def test_a_role_that_opens_is_refused(opening: int):
    sent, step = tried(opening=opening)
    assert len(sent) == opening + 1
    assert (step.name, step.status, step.code) == ("trust", StepStatus.FAILED, "unsafe_trust")
    assert (step.message, step.remedy) == ("It opens.", "Close it.")


def test_trouble_is_no_denial():
    def opens(external_id: str | None) -> bool:
        raise Unavailable

    with pytest.raises(Unavailable):
        safe_trust(opens, unsafe="It opens.", remedy="Close it.")


@pytest.mark.parametrize("submitted", [OURS, "", None])
def test_our_external_id_or_none_is_taken(submitted: str | None):
    fields = {} if submitted is None else {"external_id": submitted}
    assert mismatch(Credential("aws_iam_role", fields), Expectation(OURS)) is None


@pytest.mark.parametrize("submitted", ["te-other", "te-ours ", "TE-OURS", "X"])
def test_another_external_id_is_told_of(submitted: str):
    step = mismatch(Credential("aws_iam_role", {"external_id": submitted}), Expectation(OURS))
    assert step is not None
    assert (step.name, step.status, step.code) == ("shape", StepStatus.FAILED, "external_id_mismatch")
    assert submitted not in step.message


def test_the_name_of_the_trial_is_the_one_that_customers_find_in_their_logs():
    assert PROBE_SESSION == "te-trust-probe"
