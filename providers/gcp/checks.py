"""The steps that prove access to a project, in order, by whatever way. No sentence contains a submitted value."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from domain.errors import Propagating
from domain.onboarding.catalogue import Permission
from domain.onboarding.validation import Expectation, Step, Verdict, verdict_of
from providers.checks import Refused, failed, judge_permissions, over_privileged, passed, run_steps
from providers.gcp.errors import JUDGE, JUST_MADE, SENTENCES
from providers.rest import text

PROPAGATION_SECONDS = 3.0

GRANT = (
    "Run the script again: it brings the role up to date. Or grant the permissions listed to the service account on "
    "the project, in a custom role. A role that was granted a moment ago may need a few minutes."
)

CHANGING = (
    *("resourcemanager.projects.setIamPolicy", "iam.roles.update", "iam.serviceAccounts.actAs"),
    *("iam.serviceAccounts.setIamPolicy", "iam.serviceAccountKeys.create", "serviceusage.services.disable"),
    *("compute.instances.delete", "compute.firewalls.update", "storage.buckets.delete", "bigquery.datasets.delete"),
    *("cloudsql.instances.delete", "container.clusters.delete", "cloudfunctions.functions.delete"),
    *("cloudkms.cryptoKeys.update", "logging.sinks.delete"),
)
"""Permissions of Owner, Editor, and of those who administer one service, which nobody needs who only looks. They are
asked for in the same call."""
FEWER = "Give the service account the role that the script makes, in place of roles/owner, roles/editor or the like."

Found = TypeVar("Found")


class Gcp(Protocol):
    """What the proof needs of Google Cloud. The methods raise Refused or Trouble."""

    def project(self, token: str, project_id: str) -> Mapping[str, Any]: ...
    def granted(self, token: str, project_id: str, permissions: Sequence[str]) -> frozenset[str]: ...


class Access(Protocol):
    """One way to a service account. `shape` comes first; the other names are known after it."""

    account: str
    """The address of the service account."""
    project_id: str

    def shape(self) -> Step: ...

    def token(self) -> str:
        """An access token of the service account. Raises Refused or Trouble."""

    @property
    def trust(self) -> Callable[[], Step] | None:
        """The step that finds out whether others could come this way; None where there is nothing to look at."""


class Proof:
    """One validation."""

    def __init__(self, gcp: Gcp, access: Access, expectation: Expectation, published: Sequence[Permission]) -> None:
        self._gcp = gcp
        self._published = published
        self.access = access
        self._expectation = expectation
        self.token = ""  # known after `identify`
        self._identity: str | None = None
        self._account_number: str | None = None

    def verdict(self) -> Verdict:
        """Run the steps until one fails. Raises Trouble when no verdict is possible now."""
        trust = self.access.trust
        steps = (
            ("shape", self.access.shape),
            ("identify", self.identify),
            *((("trust", trust),) if trust else ()),
            ("ownership", self.ownership),
            ("permissions", self.permissions),
        )
        return verdict_of(run_steps(steps, SENTENCES), account_number=self._account_number, identity=self._identity)

    def identify(self) -> Step:
        self.token = self._asked(self.access.token)
        self._identity = f"serviceAccount:{self.access.account}"
        return passed("identify", "Google Cloud accepts the credential of the service account.")

    def ownership(self) -> Step:
        project_id = self.access.project_id
        found = self._asked(lambda: self._gcp.project(self.token, project_id))
        if text(found, "projectId") != project_id:
            raise JUDGE.unavailable()
        self._account_number = project_id
        if self._expectation.account_number not in (None, project_id):
            return failed(
                "ownership",
                "account_changed",
                message="The credential works, but for another project than the one onboarded here.",
                remedy="Submit the same project, or onboard the other one as a new account.",
            )
        if text(found, "state") != "ACTIVE":
            return failed(
                "ownership",
                "project_deleted",
                message="The project is about to be deleted.",
                remedy="Restore it under IAM & Admin, Manage resources, or submit another project.",
            )
        return passed("ownership", "The project is active, and the service account may see it.")

    def permissions(self) -> Step | tuple[Step, ...]:
        names = [permission.name for permission in self._published]
        asked = [*names, *CHANGING]
        granted = self._asked(lambda: self._gcp.granted(self.token, self.access.project_id, asked))
        step = judge_permissions(
            self._published, set(names) - granted, remedy=GRANT, may_propagate=self._expectation.may_propagate
        )
        return (over_privileged("service account", FEWER), step) if granted & set(CHANGING) else step

    def _asked(self, call: Callable[[], Found]) -> Found:
        """The call's answer. Raises Propagating for what may have been made a moment ago."""
        try:
            return call()
        except Refused as refusal:
            if self._expectation.may_propagate and refusal.reason in JUST_MADE:
                message = "Google Cloud does not know yet what was just made."
                raise Propagating(message, retry_after=PROPAGATION_SECONDS) from None
            raise
