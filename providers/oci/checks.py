"""The steps that prove a user's API signing key, in order.

OCI tells less than AWS: it has one answer for every key that it does not accept, and one for everything that is missing
or may not be seen. So what can be known here is checked here, before any call: the private key is read, and its
fingerprint computed and compared. Whoever OCI answers at all is that user of that tenancy: the signature covers both.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from domain.errors import Propagating, Trouble
from domain.onboarding.catalogue import Permission
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Step
from providers.checks import Refused, failed, judge_permissions, malformed, over_privileged, passed, suspecting
from providers.oci.calls import JUDGE, Tenancy
from providers.oci.description import USER_PRINCIPAL
from providers.oci.errors import Reason
from providers.oci.permissions import PROBES, administers, statement
from providers.oci.regions import REGIONS
from providers.oci.signature import Signer, fingerprint_of
from providers.rest import Rest, text
from providers.rsa_keys import Unreadable, Unsupported, read_rsa_key

PROPAGATION_SECONDS = 3.0

FEWER = (
    "Take the user out of Administrators and of each group that may manage all-resources, and put it into the group "
    "that the script makes."
)


class UserProof:
    """The proof of one credential. `is_identified` tells whether OCI has accepted the key."""

    def __init__(
        self, rest: Rest, credential: Credential, expectation: Expectation, published: Sequence[Permission]
    ) -> None:
        self._published = published
        self.user = credential.reveal("user_ocid")
        self.tenancy = credential.reveal("tenancy_ocid")
        self.is_identified = False
        self._rest = rest
        self._credential = credential
        self._expectation = expectation

    def shape(self) -> Step:
        if problem := malformed(USER_PRINCIPAL, self._credential):
            return problem
        try:
            key = read_rsa_key(self._credential.reveal("private_key"), self._credential.reveal("pass_phrase"))
        except Unreadable:
            found = failed(
                "shape",
                "unreadable_key",
                message="The private key cannot be read: it is damaged, or its pass phrase is missing or wrong.",
                remedy="Submit the whole text of the private key file, and its pass phrase, if it has one.",
            )
            return suspecting(found, "pass_phrase", self._credential.reveal("pass_phrase"))
        except Unsupported:
            return failed(
                "shape",
                "unsupported_key",
                message="This is not an RSA key of 2048 to 4096 bits with an exponent such as 65537, or its encryption "
                "is not one that openssl makes by default, of 50000 rounds at most.",
                remedy="Make a new key as our script does, and add its public half to the user. For another "
                "encryption write the key anew: openssl pkcs8 -topk8 -in key.pem -out new-key.pem.",
            )
        return self._fit(key)

    def _fit(self, key: RSAPrivateKey) -> Step:
        """The fields belong together."""
        fingerprint, region = fingerprint_of(key), self._credential.reveal("region")
        if fingerprint != self._credential.reveal("fingerprint").lower():
            return failed(
                "shape",
                "fingerprint_mismatch",
                message="The fingerprint is not that of this private key.",
                remedy="Submit the private key whose public half the user has under this fingerprint, or correct it.",
            )
        if {_realm(self.user), _realm(self.tenancy)} != {REGIONS[region].name}:
            return failed(
                "shape",
                "other_realm",
                message="User, tenancy and region are not of the same Oracle realm (oc1, oc2, …).",
                remedy="Submit the OCIDs of a tenancy and of its user, and a region that the tenancy is subscribed to.",
            )
        self._calls = Tenancy(
            self._rest, self.tenancy, region, Signer(f"{self.tenancy}/{self.user}/{fingerprint}", key)
        )
        return passed("shape", "The fields are well formed, and the fingerprint is that of the private key.")

    def identify(self) -> Step:
        self._found = self._own_user()
        self.is_identified = True
        if text(self._found, "lifecycleState") not in ("ACTIVE", ""):
            return failed(
                "identify",
                "inactive_user",
                message="OCI knows the user and the key, but the user is not active.",
                remedy="Activate the user in OCI, or submit the key of another one.",
            )
        return passed("identify", "OCI knows the user, and the key is one of the user's.")

    def ownership(self) -> Step:
        home = text(self._found, "compartmentId")
        if home and home != self.tenancy:
            return failed(
                "ownership",
                "other_account",
                message="The key works, but its user belongs to another tenancy than the one submitted with it.",
                remedy="Correct tenancy_ocid, or submit the key of a user of that tenancy.",
            )
        if self._expectation.account_number and self._expectation.account_number != self.tenancy:
            return failed(
                "ownership",
                "account_changed",
                message="The key works, but belongs to another tenancy than the one onboarded here.",
                remedy="Submit a key of the same tenancy, or onboard the other one as a new account.",
            )
        return passed("ownership", "The key belongs to the tenancy that was meant.")

    def permissions(self) -> tuple[Step, ...]:
        tried = (permission.name for permission in self._published if permission.name in PROBES)
        missing = tuple(name for name in tried if not self._is_granted(name))
        remedy = "Run our script again, or have an administrator add to a policy of the root compartment: "
        step = judge_permissions(
            self._published,
            missing,
            remedy=remedy + statement("ThreatEngine", missing),
            may_propagate=self._expectation.may_propagate,
        )
        return (over_privileged("user", FEWER), step) if self._administers() else (step,)

    def _administers(self) -> bool:
        """Whether a group of the user may manage everything in the tenancy. Who may not look is not told."""
        try:
            groups = self._calls.groups_of(self.user)
            return bool(groups) and administers(self._calls.statements(), groups)
        except (Refused, Trouble):
            return False

    def _own_user(self) -> Mapping[str, Any]:
        """What OCI says about the user; nothing when the user is genuine but may not look at itself."""
        try:
            return self._calls.user(self.user)
        except Refused as refusal:
            if refusal.reason is Reason.NOT_AUTHORIZED:
                return {}
            if self._expectation.may_propagate and refusal.reason is Reason.NOT_AUTHENTICATED:
                raise Propagating("OCI does not know the new key yet.", retry_after=PROPAGATION_SECONDS) from None
            raise

    def _is_granted(self, permission: str) -> bool:
        try:
            self._calls.probe(PROBES[permission])
        except Refused as refusal:
            if refusal.reason is Reason.NOT_AUTHORIZED:
                return False
            if refusal.reason is Reason.ACCOUNT_NOT_ACTIVE:
                raise
            # The key was proved a moment ago. It was removed meanwhile, which the next attempt finds out, or this
            # service of OCI has not heard of it yet.
            raise JUDGE.unavailable() from None
        return True


def _realm(ocid: str) -> str:
    return ocid.split(".")[2]
