"""What roles that we assume with an external id have in common, whichever cloud they are of.

The external id is ours, one for each account. A role that opens without it, or with another one, opens to whoever makes
us try: the confused deputy.
"""

from collections.abc import Callable
from secrets import token_hex

from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Step
from providers.checks import failed, passed

PROBE_SESSION = "te-trust-probe"


def mismatch(credential: Credential, expectation: Expectation) -> Step | None:
    """The failed step for a submitted external id that is not ours; None when it is ours or was left out."""
    submitted = credential.reveal("external_id")
    if submitted in ("", expectation.external_id):
        return None
    return failed(
        "shape",
        "external_id_mismatch",
        message="The external id is not the one that we gave for this account.",
        remedy="Leave it out here, and put the one that we gave into the role's trust policy.",
    )


def safe_trust(opens: Callable[[str | None], object], *, unsafe: str, remedy: str) -> Step:
    """Try the role without an external id and with a random one. `opens` returns something true when the cloud lets us
    in; trouble on the way is raised, and never taken for a denial."""
    for external_id in (None, f"te-probe-{token_hex(16)}"):
        if opens(external_id):
            return failed("trust", "unsafe_trust", message=unsafe, remedy=remedy)
    return passed("trust", "The role cannot be assumed without its external id or with a wrong one.")
