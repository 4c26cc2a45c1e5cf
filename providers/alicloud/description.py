"""What is published about onboarding an AliCloud account: two methods, their fields, the permissions."""

from domain.accounts import ProviderType
from domain.onboarding.catalogue import AuthMethod, CredentialField, ProviderDescription
from providers.alicloud.permissions import PERMISSIONS

ACCOUNT_NUMBER_PATTERN = r"[0-9]{5,20}"
ROLE_ARN_PATTERN = rf"acs:ram::{ACCOUNT_NUMBER_PATTERN}:role/[A-Za-z0-9._-]{{1,64}}"

ACCOUNT_NUMBER = CredentialField(
    name="account_number",
    pattern=ACCOUNT_NUMBER_PATTERN,
    description="The ID of the account that you mean, in digits; a credential of another account is then refused.",
    required=False,
    max_characters=20,
)

ACCESS_KEY = AuthMethod(
    method="access_key",
    credential_type="alicloud_access_key",
    name="AccessKey pair",
    description="An AccessKey pair of a RAM user that may read settings only. The script makes both.",
    fields=(
        CredentialField(
            name="access_key_id",
            pattern=r"[A-Za-z0-9]{16,64}",
            description="The AccessKey ID, 16 or more letters and digits. Temporary ones (STS.…) are refused.",
            secret=True,
            max_characters=64,
        ),
        CredentialField(
            name="access_key_secret",
            pattern=r"[A-Za-z0-9]{30,128}",
            description="The AccessKey secret of 30 letters and digits, which was shown once, when the pair was made.",
            secret=True,
            max_characters=128,
        ),
        ACCOUNT_NUMBER,
    ),
)

RAM_ROLE = AuthMethod(
    method="ram_role",
    credential_type="alicloud_ram_role",
    name="RAM role (recommended)",
    description=(
        "A read-only role in your account that only this platform can assume, and only with your external id. There is "
        "no key to keep or to rotate. The script makes it."
    ),
    fields=(
        CredentialField(
            name="role_arn",
            pattern=ROLE_ARN_PATTERN,
            description="The role's ARN as the script prints it: acs:ram::<account ID>:role/<name>.",
            max_characters=128,
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
)


def described(*methods: AuthMethod) -> ProviderDescription:
    return ProviderDescription(
        provider_type=ProviderType.ALICLOUD,
        name="Alibaba Cloud",
        methods=methods,
        permissions=PERMISSIONS,
        account_number_pattern=ACCOUNT_NUMBER_PATTERN,
        propagation_seconds=60,
    )


def account_of(arn: str) -> str:
    """The account in an ARN, `acs:<service>:<region>:<account>:<resource>`; the empty text when it is none."""
    match arn.split(":", 4):
        case ["acs", _, _, account_number, _]:
            return account_number
    return ""
