"""What is published about onboarding an AWS account: two methods, their fields, the permissions."""

from domain.accounts import ProviderType
from domain.onboarding.catalogue import AuthMethod, CredentialField, ProviderDescription, Rule
from providers.aws.arns import ACCOUNT_NUMBER_PATTERN, MAX_ROLE_ARN_CHARACTERS, ROLE_ARN_PATTERN
from providers.aws.permissions import PERMISSIONS
from providers.aws.role_names import ROLE_NAMES, RoleNames

TEMPORARY_KEY_PREFIX = "ASIA"

ACCOUNT_NUMBER = CredentialField(
    name="account_number",
    pattern=ACCOUNT_NUMBER_PATTERN,
    description="The 12 digits of the AWS account that you mean; a credential of another account is then refused.",
    required=False,
    max_characters=12,
)

RENAME = (
    "Deploy the template of the set-up, which makes such a role, or make one with the same trust policy and "
    "permissions under such a name, and submit its ARN."
)


def iam_role(names: RoleNames) -> AuthMethod:
    """The method, for a platform that assumes the roles of these names."""
    return AuthMethod(
        method="iam_role",
        credential_type="aws_iam_role",
        name="IAM role (recommended)",
        description=(
            "A read-only role in your account that only this platform can assume, and only with your external id. "
            "There is no key to keep or to rotate. The CloudFormation template makes it."
        ),
        fields=(
            CredentialField(
                name="role_arn",
                pattern=ROLE_ARN_PATTERN,
                description="The role's ARN: arn:aws:iam::<12 digits>:role/<name>, the output RoleArn of the stack.",
                max_characters=MAX_ROLE_ARN_CHARACTERS,
                rule=Rule(names.arn_pattern, "role_name_not_allowed", sentence=names.rule, remedy=RENAME),
            ),
            CredentialField(
                name="external_id",
                pattern=r"[A-Za-z0-9_+=,.@:/-]{2,1224}",
                description="The external id that we gave for this account. It may be left out.",
                required=False,
                max_characters=1224,
            ),
            ACCOUNT_NUMBER,
        ),
        cloudformation_supported=True,
    )


IAM_ROLE = iam_role(ROLE_NAMES)
"""Where the setting says nothing else."""

ACCESS_KEY = AuthMethod(
    method="access_key",
    credential_type="aws_access_key",
    name="Access key",
    description="A long-lived access key of an IAM user that may read only. Prefer the role: it has no secret.",
    fields=(
        CredentialField(
            name="access_key_id",
            pattern=r"A[KS]IA[A-Z0-9]{16}",
            description="20 capital letters and digits that begin with AKIA. Temporary keys (ASIA) are refused.",
            secret=True,
            max_characters=20,
        ),
        CredentialField(
            name="secret_access_key",
            pattern=r"[A-Za-z0-9/+=]{40}",
            description="The 40 characters that AWS showed once, when the key was made.",
            secret=True,
            max_characters=40,
        ),
        ACCOUNT_NUMBER,
    ),
)


def described(role: AuthMethod) -> ProviderDescription:
    return ProviderDescription(
        provider_type=ProviderType.AWS,
        name="Amazon Web Services",
        methods=(role, ACCESS_KEY),
        permissions=PERMISSIONS,
        account_number_pattern=ACCOUNT_NUMBER_PATTERN,
    )


DESCRIPTION = described(IAM_ROLE)
