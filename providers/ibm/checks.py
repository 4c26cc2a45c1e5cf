"""The steps that prove an API key, in order. No sentence contains a submitted value."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from domain.errors import Propagating
from domain.onboarding.catalogue import Permission
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Step, Verdict, verdict_of
from providers.checks import Refused, failed, judge_permissions, malformed, over_privileged, passed, run_steps, warned
from providers.ibm.description import ACCOUNT_PATTERN, API_KEY, POLICIES
from providers.ibm.errors import JUDGE, SENTENCES, Reason
from providers.ibm.permissions import Policy, missing_of
from providers.jwt_claims import claims_of
from providers.rest import text

PROPAGATION_SECONDS = 3.0
NOT_YET = "IBM Cloud does not know yet what was just made."

SERVICE_ID = "iam-ServiceId-"

GRANT = (
    "Run the script again: it assigns what is missing. Or assign the role Viewer to the service ID for the whole of "
    "each service listed. Custom roles are not counted."
)

FEWER = "Assign the role Viewer in place of Administrator, Editor or Operator; the script assigns it."

Found = TypeVar("Found")


class Ibm(Protocol):
    """What the proof needs of IBM Cloud. The methods raise Refused or Trouble."""

    def token(self, api_key: str) -> str: ...
    def details(self, token: str, api_key: str) -> Mapping[str, Any]: ...
    def policies(self, token: str, account_id: str, iam_id: str) -> Sequence[Policy]: ...
    def group_policies(self, token: str, account_id: str, iam_id: str) -> Sequence[Policy]: ...


class Proof:
    """One validation."""

    def __init__(
        self, ibm: Ibm, credential: Credential, expectation: Expectation, published: Sequence[Permission]
    ) -> None:
        self._ibm = ibm
        self._published = published
        self._credential = credential
        self._expectation = expectation
        self.token = ""  # known after `identify`, as is the account
        self._iam_id = ""
        self.account_id = ""

    def verdict(self) -> Verdict:
        """Run the steps until one fails. Raises Trouble when no verdict is possible now."""
        steps = run_steps(
            (
                ("shape", self.shape),
                ("identify", self.identify),
                ("trust", self.trust),
                ("ownership", self.ownership),
                ("permissions", self.permissions),
            ),
            SENTENCES,
        )
        return verdict_of(steps, account_number=self.account_id or None, identity=self._iam_id or None)

    def shape(self) -> Step:
        return malformed(API_KEY, self._credential) or passed("shape", "The API key is well formed.")

    def identify(self) -> Step:
        api_key = self._credential.reveal("api_key")
        self.token = self._asked(lambda: self._ibm.token(api_key))
        claims = claims_of(self.token)
        if not claims:
            raise JUDGE.unavailable()
        details = self._asked(lambda: self._ibm.details(self.token, api_key))
        iam_id, account_id = text(details, "iam_id"), text(details, "account_id")
        if not iam_id or not re.fullmatch(ACCOUNT_PATTERN, account_id):
            raise JUDGE.unavailable()
        if (iam_id, account_id) != (text(claims, "iam_id"), text(claims, "account", "bss")):
            raise Refused(Reason.OTHER_IDENTITY)
        self._iam_id, self.account_id = iam_id, account_id
        if details.get("disabled") is True:
            raise Refused(Reason.KEY_DISABLED)
        if details.get("locked") is True:
            return warned(
                "identify",
                "key_locked",
                message="The API key works, but it is locked, so it can be neither rotated nor deleted.",
                remedy="Unlock it under Manage, Access (IAM), before it has to be replaced.",
            )
        return passed("identify", "IBM Cloud knows the API key, and it is enabled.")

    def trust(self) -> Step:
        if self._iam_id.startswith(SERVICE_ID):
            return passed("trust", "The API key is a service ID's, which belongs to this account alone.")
        return warned(
            "trust",
            "user_key",
            message="This is a user's API key: it reaches every account that the user is in, with all the user may do.",
            remedy="Submit an API key of a service ID that may only view settings; the script makes one.",
        )

    def ownership(self) -> Step:
        submitted = self._credential.reveal("account_number")
        if submitted and submitted != self.account_id:
            return failed(
                "ownership",
                "other_account",
                message="The API key works, but for another IBM Cloud account than the one submitted with it.",
                remedy="Correct the account number, or submit an API key of the account that you mean.",
            )
        if self._expectation.account_number not in (None, self.account_id):
            return failed(
                "ownership",
                "account_changed",
                message="The API key works, but for another IBM Cloud account than the one onboarded here.",
                remedy="Submit an API key of the same account, or onboard the other one as a new account.",
            )
        return passed("ownership", "The API key belongs to the IBM Cloud account that was meant.")

    def permissions(self) -> Step | tuple[Step, ...]:
        names = [permission.name for permission in self._published]
        held = self._seen(self._ibm.policies)
        if missing_of(held, names):
            held = [*held, *self._seen(self._ibm.group_policies)]
        blind = None if held else "this key can see no policies"
        step = judge_permissions(
            self._published,
            missing_of(held, names) if held else {POLICIES},
            remedy=GRANT,
            unseen_because=blind,
            may_propagate=self._expectation.may_propagate,
        )
        may_change = any(policy.administers for policy in held)
        return (over_privileged("service ID or user", FEWER), step) if may_change else step

    def _seen(self, call: Callable[[str, str, str], Sequence[Policy]]) -> Sequence[Policy]:
        """IBM Cloud leaves out what the caller may not see, or denies the call: the same to us."""
        try:
            return call(self.token, self.account_id, self._iam_id)
        except Refused as refusal:
            if refusal.reason is Reason.ACCESS_DENIED:
                return ()
            # The key was proved a moment ago; the next attempt finds out what has become of it.
            raise JUDGE.unavailable() from None

    def _asked(self, call: Callable[[], Found]) -> Found:
        """The call's answer. Raises Propagating for a key that may have been made a moment ago."""
        try:
            return call()
        except Refused as refusal:
            if self._expectation.may_propagate and refusal.reason is Reason.UNKNOWN_KEY:
                raise Propagating(NOT_YET, retry_after=PROPAGATION_SECONDS) from None
            raise
