"""What is special to each way of giving access to an AWS account: a role that we assume, or a key that we use."""

from dataclasses import replace
from functools import partial
from typing import Protocol

from domain.errors import Propagating
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Step
from providers.aws.arns import parse_arn
from providers.aws.checks import SENTENCES, CustomerSession
from providers.aws.description import ACCESS_KEY, TEMPORARY_KEY_PREFIX, iam_role
from providers.aws.errors import Reason
from providers.aws.role_names import RoleNames
from providers.checks import Refused, failed, malformed, passed, refused
from providers.external_ids import PROBE_SESSION, mismatch, safe_trust

PROPAGATION_SECONDS = 3.0

ROLE_CHECKLIST = (
    "AWS does not say why, so check three things and submit again. 1. The role ARN is the stack's output RoleArn, and "
    "the role exists. 2. The role's trust policy allows sts:AssumeRole to this platform's role. 3. Its condition on "
    "sts:ExternalId is exactly the external id that we gave for this account. AWS needs some seconds until a new role "
    "is known everywhere; with just_created we ask again for 15 seconds."
)

UNSAFE_TRUST = (
    "The role can also be assumed without its external id or with a wrong one, so others could reach your account "
    "through us."
)
SAFE_TRUST = (
    "Deploy our template, or add to the role's trust policy the condition StringEquals with sts:ExternalId and exactly "
    "the external id that we gave for this account; then submit again."
)


class Aws(Protocol):
    """What the proofs need of AWS. The methods raise Refused or Trouble."""

    @property
    def partition(self) -> str:
        """Ours, such as `aws` or `aws-cn`. Roles can be assumed and keys used within a partition only."""

    @property
    def role_names(self) -> RoleNames:
        """Which roles we assume."""

    def assume(self, role_arn: str, *, external_id: str | None, session_name: str) -> CustomerSession: ...

    def use_key(self, access_key_id: str, secret_access_key: str) -> CustomerSession: ...

    def check_own_role(self) -> None:
        """Raises PlatformConfig when we do not run as the role that customers are told to trust."""


class RoleProof:
    """A role in the customer's account, which we assume with our external id."""

    session: CustomerSession

    def __init__(self, aws: Aws, credential: Credential, expectation: Expectation) -> None:
        self.principal_arn = credential.reveal("role_arn")
        self.caller_arn = ""
        self._aws = aws
        self._credential = credential
        self._expectation = expectation

    def shape(self) -> Step:
        if problem := malformed(iam_role(self._aws.role_names), self._credential):
            return problem
        if parse_arn(self.principal_arn).partition != self._aws.partition:
            return failed(
                "shape",
                "other_partition",
                message="The role is in another AWS partition than this platform and cannot be assumed from here.",
                remedy=f"This platform reaches accounts of the partition {self._aws.partition} only, with a role whose "
                f"ARN begins with arn:{self._aws.partition}: or with a key of such an account. For an account of "
                "another partition ask the operators for a platform that runs there.",
            )
        if problem := mismatch(self._credential, self._expectation):
            return problem
        return passed("shape", "The role's ARN is well formed.")

    def identify(self) -> Step:
        if session := self._assume(self._expectation.external_id, session_name="te-validation"):
            self.session = session
            self.caller_arn = session.caller()
            return passed("identify", "The role can be assumed with its external id.")
        self._aws.check_own_role()
        if self._expectation.may_propagate:
            raise Propagating(retry_after=PROPAGATION_SECONDS)
        message = "The role cannot be assumed."
        return failed("identify", "role_not_assumable", message=message, remedy=ROLE_CHECKLIST)

    def trust(self) -> Step:
        opens = partial(self._assume, session_name=PROBE_SESSION)
        return safe_trust(opens, unsafe=UNSAFE_TRUST, remedy=SAFE_TRUST)

    def _assume(self, external_id: str | None, *, session_name: str) -> CustomerSession | None:
        """None when AWS denies it; trouble on the way is raised and never taken for a denial."""
        try:
            return self._aws.assume(self.principal_arn, external_id=external_id, session_name=session_name)
        except Refused as refusal:
            if refusal.reason is Reason.ACCESS_DENIED:
                return None
            raise


class KeyProof:
    """A long-lived access key of an IAM user in the customer's account."""

    def __init__(self, aws: Aws, credential: Credential, expectation: Expectation) -> None:
        self.session = aws.use_key(credential.reveal("access_key_id"), credential.reveal("secret_access_key"))
        self.caller_arn = ""
        self._aws = aws
        self._credential = credential
        self._expectation = expectation

    @property
    def principal_arn(self) -> str:
        return self.caller_arn

    def shape(self) -> Step:
        if problem := malformed(ACCESS_KEY, self._credential):
            return problem
        if self._credential.reveal("access_key_id").startswith(TEMPORARY_KEY_PREFIX):
            return failed(
                "shape",
                "temporary_key",
                message="This is a temporary key: it would stop working within hours.",
                remedy="Submit a long-lived access key of an IAM user (it begins with AKIA), or use an IAM role.",
            )
        return passed("shape", "The access key is well formed.")

    def identify(self) -> Step:
        try:
            self.caller_arn = self.session.caller()
        except Refused as refusal:
            if refusal.reason is Reason.UNKNOWN_KEY and self._expectation.may_propagate:
                raise Propagating("AWS does not know the new key yet.", retry_after=PROPAGATION_SECONDS) from None
            found = refused("identify", refusal.reason, SENTENCES)
            if refusal.reason is not Reason.UNKNOWN_KEY:
                return found
            # A key of another partition is unknown here, and AWS does not tell the two apart.
            remedy = f"{found.remedy} It has to be a key of the AWS partition {self._aws.partition}."
            return replace(found, remedy=remedy)
        return passed("identify", "AWS knows the access key, and the secret belongs to it.")

    def trust(self) -> Step:
        if parse_arn(self.caller_arn).resource == "root":
            return failed(
                "trust",
                "root_key",
                message="This is a key of the account's root user, which may do everything.",
                remedy="Delete the root user's key, and submit a key of an IAM user that may only read, or a role.",
            )
        return passed("trust", "The key belongs to an IAM user, not to the root user.")
