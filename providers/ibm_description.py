"""What is published about onboarding an IBM Cloud account: an API key, its fields, the permissions.

IBM Cloud grants roles on services. A permission here is `<service>:Viewer`, the platform role that shows settings and
no data; the names of services are those of policies and of `ibmcloud iam service-policy-create --service-name`.
"""

from domain.accounts import ProviderType
from domain.catalogue import AuthMethod, CredentialField, Permission, ProviderDescription

ACCOUNT_PATTERN = r"[0-9a-f]{32}"

ROLE = "Viewer"
POLICIES = f"iam-access-management:{ROLE}"

REQUIRED = {
    POLICIES: "Lists who may do what, and lets us tell in advance which checks cannot run.",
    f"iam-identity:{ROLE}": "Finds API keys that are old or are not used.",
    f"iam-groups:{ROLE}": "Lists the access groups, whose policies are checked.",
    f"user-management:{ROLE}": "Finds users without multifactor authentication.",
    f"resource-group:{ROLE}": "Lists the resource groups to scan.",
    f"is:{ROLE}": "Finds virtual servers and security groups that are open to the internet.",
    f"cloud-object-storage:{ROLE}": "Lists the storage instances whose settings are checked.",
}

OPTIONAL = {
    f"context-based-restrictions:{ROLE}": "Checks that access is restricted to known networks.",
    f"atracker:{ROLE}": "Finds an account whose activity is not recorded.",
    f"logs:{ROLE}": "Checks that logs are kept.",
    f"kms:{ROLE}": "Lists the Key Protect instances.",
    f"secrets-manager:{ROLE}": "Lists the Secrets Manager instances. No secret can be read by it.",
    f"containers-kubernetes:{ROLE}": "Finds clusters that are public or not updated.",
    f"container-registry:{ROLE}": "Lists the image registries.",
    f"databases-for-postgresql:{ROLE}": "Finds databases that the internet can reach.",
    f"databases-for-mongodb:{ROLE}": "Finds databases that the internet can reach.",
    f"cloudantnosqldb:{ROLE}": "Finds databases without activity events.",
    f"codeengine:{ROLE}": "Lists the applications and jobs.",
    f"internet-svcs:{ROLE}": "Finds domains on old TLS versions or without a firewall.",
    f"transit:{ROLE}": "Finds networks that are connected with other accounts.",
}

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
