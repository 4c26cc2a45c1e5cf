"""The steps that prove a service principal, in order. No sentence contains a submitted value."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from domain.errors import Propagating
from domain.onboarding.catalogue import AuthMethod, Permission
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Step, Verdict, verdict_of
from providers.azure.certificate import ClientCertificate, read_certificate
from providers.azure.description import CERTIFICATE
from providers.azure.errors import JUDGE, JUST_MADE, SENTENCES, Reason
from providers.azure.permissions import Grant, missing_of
from providers.checks import (
    Refused,
    failed,
    judge_permissions,
    malformed,
    over_privileged,
    passed,
    refused,
    run_steps,
    suspecting,
    warned,
)
from providers.jwt_claims import claims_of
from providers.rest import text

PROPAGATION_SECONDS = 3.0

GRANT = (
    "Run the script again: it brings the role up to date. Or grant the operations listed to the service principal at "
    "the scope of the subscription, in a custom role; the role Reader holds them, too, and many others."
)

CHANGING = (
    "Microsoft.Authorization/roleAssignments/write",
    "Microsoft.Authorization/roleDefinitions/write",
    "Microsoft.Authorization/elevateAccess/action",
    "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
    "Microsoft.Resources/subscriptions/resourceGroups/delete",
    "Microsoft.Compute/virtualMachines/delete",
    "Microsoft.Compute/virtualMachines/runCommand/action",
    "Microsoft.Storage/storageAccounts/delete",
    "Microsoft.Storage/storageAccounts/listKeys/action",
    "Microsoft.Network/networkSecurityGroups/write",
    "Microsoft.KeyVault/vaults/write",
    "Microsoft.Sql/servers/delete",
    "Microsoft.Web/sites/write",
    "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action",
    "Microsoft.Insights/diagnosticSettings/delete",
)
"""Operations of Owner, Contributor, and of those who administer one service, which nobody needs who only looks."""
FEWER = "Assign the role that the script makes in place of Owner, Contributor or the like."

Found = TypeVar("Found")


class Azure(Protocol):
    """What the proof needs of Azure. The methods raise Refused or Trouble."""

    def token(self, tenant_id: str, client_id: str, proof: str | ClientCertificate) -> str: ...
    def subscription(self, token: str, subscription_id: str) -> Mapping[str, Any]: ...
    def grants(self, token: str, subscription_id: str) -> Sequence[Grant]: ...


class Proof:
    """One validation."""

    def __init__(
        self,
        azure: Azure,
        method: AuthMethod,
        credential: Credential,
        expectation: Expectation,
        published: Sequence[Permission],
    ) -> None:
        self._azure = azure
        self._published = published
        self._method = method
        self._credential = credential
        self._expectation = expectation
        self._certificate: ClientCertificate | None = None
        self.token = ""  # known after `identify`
        self._identity: str | None = None
        self._account_number: str | None = None

    def verdict(self) -> Verdict:
        """Run the steps until one fails. Raises Trouble when no verdict is possible now."""
        steps = run_steps(
            (
                ("shape", self.shape),
                ("identify", self.identify),
                ("ownership", self.ownership),
                ("permissions", self.permissions),
            ),
            SENTENCES,
        )
        return verdict_of(steps, account_number=self._account_number, identity=self._identity)

    def shape(self) -> Step:
        if problem := malformed(self._method, self._credential):
            return problem
        if self._method is CERTIFICATE:
            reveal = self._credential.reveal
            try:
                self._certificate = read_certificate(reveal("client_certificate"), reveal("passphrase"))
            except Refused as refusal:
                return suspecting(refused("shape", refusal.reason, SENTENCES), "passphrase", reveal("passphrase"))
        return passed("shape", "The fields are well formed.")

    def identify(self) -> Step:
        try:
            self.token = self._asked(self._get_token)
        except Refused as refusal:
            if refusal.reason is not Reason.WRONG_SECRET:
                raise
            found = refused("identify", refusal.reason, SENTENCES)
            return suspecting(found, "client_secret", self._credential.reveal("client_secret"))
        claims = claims_of(self.token)
        if not claims:
            raise JUDGE.unavailable()
        # Resource Manager's tokens are of version 1, which says appid; those of version 2 say azp.
        named = (text(claims, "tid"), text(claims, "appid") or text(claims, "azp"))
        if tuple(name.lower() for name in named) != (self._id("tenant_id"), self._id("client_id")):
            raise Refused(Reason.OTHER_IDENTITY)
        self._identity = f"servicePrincipals/{text(claims, 'oid')}"
        return passed("identify", "Microsoft Entra ID accepts the credential of this application.")

    def ownership(self) -> Step:
        found = self._asked(lambda: self._azure.subscription(self.token, self._id("subscription_id")))
        if text(found, "subscriptionId").lower() != self._id("subscription_id"):
            raise JUDGE.unavailable()
        if text(found, "tenantId").lower() != self._id("tenant_id"):
            raise Refused(Reason.OTHER_TENANT)
        self._account_number = self._id("subscription_id")
        if self._expectation.account_number not in (None, self._account_number):
            return failed(
                "ownership",
                "account_changed",
                message="The credential works, but for another subscription than the one onboarded here.",
                remedy="Submit the same subscription_id, or onboard the other subscription as a new account.",
            )
        return _judge_state(text(found, "state"))

    def permissions(self) -> Step | tuple[Step, ...]:
        try:
            grants = self._azure.grants(self.token, self._id("subscription_id"))
        except Refused as refusal:
            if refusal.reason is not Reason.NO_ROLE:
                raise
            grants = ()
        names = [permission.name for permission in self._published]
        step = judge_permissions(
            self._published, missing_of(grants, names), remedy=GRANT, may_propagate=self._expectation.may_propagate
        )
        may_change = any(grant.allows(operation) for grant in grants for operation in CHANGING)
        return (over_privileged("service principal", FEWER), step) if may_change else step

    def _get_token(self) -> str:
        proof = self._certificate or self._credential.reveal("client_secret")
        try:
            return self._azure.token(self._id("tenant_id"), self._id("client_id"), proof)
        except Refused as refusal:
            # Entra ID decides; our clock only helps to say why.
            if refusal.reason is Reason.CERTIFICATE_REFUSED and self._certificate and self._certificate.has_expired:
                raise Refused(Reason.CERTIFICATE_EXPIRED) from None
            raise

    def _asked(self, call: Callable[[], Found]) -> Found:
        """The call's answer. Raises Propagating for what may have been made a moment ago."""
        try:
            return call()
        except Refused as refusal:
            if self._expectation.may_propagate and refusal.reason in JUST_MADE:
                message = "Azure does not know yet what was just made."
                raise Propagating(message, retry_after=PROPAGATION_SECONDS) from None
            raise

    def _id(self, name: str) -> str:
        """A GUID as Azure compares it: without regard to case."""
        return self._credential.reveal(name).lower()


def _judge_state(state: str) -> Step:
    """Source: "Azure subscription states". All but Deleted can still be read."""
    if state == "Enabled":
        return passed("ownership", "The subscription belongs to the service principal's tenant and is enabled.")
    if state == "Deleted":
        return failed(
            "ownership",
            "subscription_deleted",
            message="The subscription is deleted.",
            remedy="Restore it in the Azure portal, or submit another subscription.",
        )
    return warned(
        "ownership",
        "subscription_not_enabled",
        message="The subscription is the tenant's, but Azure has disabled it or is about to, usually for a payment.",
        remedy="See what is owed under Subscriptions in the Azure portal. It can still be scanned.",
    )
