"""A cloud whose answers a test writes down beforehand, and the catalogue that offers it."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from domain.accounts import ProviderType
from domain.errors import NotFound, OnboardingError
from domain.onboarding.catalogue import (
    AuthMethod,
    CredentialField,
    Permission,
    ProviderDescription,
    Setup,
    SetupRequest,
)
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Step, StepStatus, Verdict, verdict_of
from domain.ports import CloudProvider

ACCOUNT_NUMBER = "222222222222"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT_NUMBER}:role/ThreatEngineReadOnly"
STEPS = ("shape", "identify", "trust", "ownership", "permissions")

DESCRIPTION = ProviderDescription(
    provider_type=ProviderType.AWS,
    name="Amazon Web Services",
    methods=(
        AuthMethod(
            method="iam_role",
            credential_type="aws_iam_role",
            name="IAM role",
            description="A read-only role in your account.",
            fields=(
                CredentialField("role_arn", r"arn:aws:iam::[0-9]{12}:role/[\w+=,.@/-]+", "The role's ARN."),
                CredentialField("external_id", r"[\w+=,.@:/-]{2,1224}", "The external id.", required=False),
                CredentialField("account_number", r"[0-9]{12}", "12 digits.", required=False),
            ),
            cloudformation_supported=True,
        ),
        AuthMethod(
            method="access_key",
            credential_type="aws_access_key",
            name="Access key",
            description="An access key of an IAM user.",
            fields=(
                CredentialField("access_key_id", r"AKIA[A-Z0-9]{16}", "Starts with AKIA.", secret=True),
                CredentialField("secret_access_key", r"[A-Za-z0-9/+=]{40}", "40 characters.", secret=True),
                CredentialField("account_number", r"[0-9]{12}", "12 digits.", required=False),
            ),
        ),
    ),
    permissions=(
        Permission("iam:GetAccountSummary", required=True, purpose="Finds root keys."),
        Permission("securityhub:DescribeHub", required=False, purpose="Finds a disabled Security Hub."),
    ),
    account_number_pattern=r"[0-9]{12}",
)


def identity(account_number: str) -> str:
    return f"arn:aws:iam::{account_number}:role/ThreatEngineReadOnly"


def accepted(account_number: str = ACCOUNT_NUMBER) -> Verdict:
    """Everything works."""
    steps = [Step(name, StepStatus.PASSED) for name in STEPS]
    return verdict_of(steps, account_number=account_number, identity=identity(account_number))


def limited(*missing: str, account_number: str = ACCOUNT_NUMBER) -> Verdict:
    """Works, but lacks the optional permissions named."""
    steps = [
        Step("identify", StepStatus.PASSED),
        Step(
            "permissions",
            StepStatus.WARNED,
            code="missing_optional_permissions",
            message="Some optional permissions are missing.",
            remedy="Grant the permissions listed.",
            missing_permissions=missing or ("securityhub:DescribeHub",),
        ),
    ]
    return verdict_of(steps, account_number=account_number, identity=identity(account_number))


def refused(code: str = "role_not_assumable", *, step: str = "identify") -> Verdict:
    """Refused at `step`, with a remedy."""
    message = "The role cannot be assumed."
    failed = Step(step, StepStatus.FAILED, code=code, message=message, remedy="Check the role.")
    return verdict_of([Step("shape", StepStatus.PASSED), failed, Step("permissions", StepStatus.SKIPPED)])


@dataclass(frozen=True)
class Call:
    """One call of `validate`: what it was about, and only the names of the fields that were handed in."""

    credential_type: str
    field_names: tuple[str, ...]
    expectation: Expectation


class ScriptedProvider:
    """Gives the scripted verdicts or raises the scripted errors, one a call; after the last it accepts."""

    def __init__(
        self,
        script: Iterable[Verdict | OnboardingError] = (),
        *,
        account_number: str = ACCOUNT_NUMBER,
        description: ProviderDescription = DESCRIPTION,
    ) -> None:
        self.script: deque[Verdict | OnboardingError] = deque(script)
        self.calls: list[Call] = []
        self._account_number = account_number
        self._description = description

    @property
    def description(self) -> ProviderDescription:
        return self._description

    def setup(self, request: SetupRequest) -> Setup:
        return Setup(
            template=f"Parameters: {{ExternalId: {{Type: String, Default: {request.external_id}}}}}",
            template_url=None,
            quick_create_url=None,
            instructions="1. Deploy the template.",
            platform_account_id="111111111111",
        )

    def validate(self, credential: Credential, expectation: Expectation) -> Verdict:
        self.calls.append(Call(credential.credential_type, tuple(credential), expectation))
        answer = self.script.popleft() if self.script else accepted(self._account_number)
        if isinstance(answer, OnboardingError):
            raise answer
        return answer


class FakeCatalogue:
    """Offers the clouds it is given; without any, AWS that accepts everything."""

    def __init__(self, providers: Mapping[str, CloudProvider] | None = None) -> None:
        self._providers: dict[str, CloudProvider] = dict(providers or {ProviderType.AWS: ScriptedProvider()})

    def provider(self, provider_type: str) -> CloudProvider:
        if provider_type not in self._providers:
            raise NotFound("This cloud is not on offer.", pointer="/provider")
        return self._providers[provider_type]

    def names(self) -> tuple[str, ...]:
        return tuple(self._providers)
