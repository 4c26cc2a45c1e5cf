"""What is published about onboarding an IBM Cloud account: an API key, its fields, the permissions.

IBM Cloud grants roles on services. A permission here is `<service>:Viewer`, the platform role that shows settings and
no data; the names of services are those of policies and of `ibmcloud iam service-policy-create --service-name`. Only
validation uses any: no engine for IBM Cloud is built in. What an engine of the operator's needs is added from the
settings.
"""

from domain.accounts import ProviderType
from domain.onboarding.catalogue import AuthMethod, CredentialField, Permission, ProviderDescription

ACCOUNT_PATTERN = r"[0-9a-f]{32}"

ROLE = "Viewer"
POLICIES = f"iam-access-management:{ROLE}"

REQUIRED = {
    POLICIES: "Tells what the API key may see, so that we know in advance what an engine could not read.",
    f"iam-identity:{ROLE}": "Tells whose the API key is, and whether it is locked or disabled.",
}

OPTIONAL = {f"iam-groups:{ROLE}": "Lists the access groups whose policies count, too."}

PERMISSIONS = (
    *(Permission(name, required=True, purpose=purpose) for name, purpose in REQUIRED.items()),
    *(Permission(name, required=False, purpose=purpose) for name, purpose in OPTIONAL.items()),
)

API_KEY = AuthMethod(
    method="api_key",
    credential_type="ibm_api_key",
    name="API key of a service ID",
    description="A service ID that may only view settings, and an API key of it. The script makes both.",
    fields=(
        CredentialField(
            name="api_key",
            pattern=r"[A-Za-z0-9_-]{20,128}",
            description="The API key that IBM Cloud showed once, when it was made: 44 letters, digits, - or _.",
            secret=True,
            max_characters=128,
        ),
        CredentialField(
            name="account_number",
            pattern=ACCOUNT_PATTERN,
            description="The ID of the account that you mean, 32 hexadecimal digits; a key of another one is refused.",
            required=False,
            max_characters=32,
        ),
    ),
)

DESCRIPTION = ProviderDescription(
    provider_type=ProviderType.IBM,
    name="IBM Cloud",
    methods=(API_KEY,),
    permissions=PERMISSIONS,
    account_number_pattern=ACCOUNT_PATTERN,
    propagation_seconds=60,
)
