"""What is published about onboarding an Azure subscription: two methods, their fields, the permissions.

A permission is an operation of Azure RBAC. Names and purposes follow Microsoft's list of resource provider operations
(learn.microsoft.com, "Azure permissions"); those of Key Vault at the end are data actions, which `Reader` and its
`*/read` do not hold (learn.microsoft.com, "Understand scope and data actions in role definitions").
"""

from domain.accounts import ProviderType
from domain.catalogue import AuthMethod, CredentialField, Permission, ProviderDescription

GUID_PATTERN = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"

SUBSCRIPTION_READ = "Microsoft.Resources/subscriptions/read"

REQUIRED = {
    SUBSCRIPTION_READ: "Tells the subscription's state and its tenant.",
    "Microsoft.Resources/subscriptions/resourceGroups/read": "Lists the resource groups to scan.",
    "Microsoft.Resources/subscriptions/resources/read": "Lists the resources to scan.",
    "Microsoft.Authorization/roleAssignments/read": "Finds who may administer the subscription.",
    "Microsoft.Authorization/roleDefinitions/read": "Finds custom roles that allow everything.",
    "Microsoft.Network/networkSecurityGroups/read": "Finds ports that are open to the internet.",
    "Microsoft.Storage/storageAccounts/read": "Finds storage that is public or accepts unencrypted connections.",
    "Microsoft.Insights/diagnosticSettings/read": "Finds a subscription whose activity is not recorded.",
}

OPTIONAL = {
    "Microsoft.Authorization/policyAssignments/read": "Finds out whether security policies are assigned.",
    "Microsoft.Authorization/locks/read": "Finds important resources that nothing protects from deletion.",
    "Microsoft.Storage/storageAccounts/blobServices/read": "Finds storage without soft delete.",
    "Microsoft.Storage/storageAccounts/blobServices/containers/read": "Finds public containers.",
    "Microsoft.Network/networkWatchers/flowLogs/read": "Finds networks whose traffic is not recorded.",
    "Microsoft.Network/publicIPAddresses/read": "Lists the addresses that the internet can reach.",
    "Microsoft.Compute/virtualMachines/read": "Finds machines without managed disks or trusted launch.",
    "Microsoft.Compute/disks/read": "Finds disks without encryption by a customer key.",
    "Microsoft.Sql/servers/read": "Finds database servers that are public or accept old TLS.",
    "Microsoft.Sql/servers/firewallRules/read": "Finds databases that are open to the internet.",
    "Microsoft.Sql/servers/auditingSettings/read": "Finds databases without auditing.",
    "Microsoft.Web/sites/read": "Finds web apps that accept unencrypted connections.",
    "Microsoft.Web/sites/config/read": "Finds web apps on old TLS versions.",
    "Microsoft.ContainerService/managedClusters/read": "Finds clusters without RBAC or private access.",
    "Microsoft.KeyVault/vaults/read": "Finds vaults without purge protection.",
    "Microsoft.Insights/activityLogAlerts/read": "Finds security events that raise no alert.",
    "Microsoft.Security/pricings/read": "Finds Defender plans that are switched off.",
    "Microsoft.Security/securityContacts/read": "Checks that Microsoft can reach a security contact.",
    "Microsoft.Security/assessments/read": "Reads what Defender for Cloud has found.",
}

DATA = {
    "Microsoft.KeyVault/vaults/keys/read": "Finds keys that never expire. No key can be used or copied by it.",
    "Microsoft.KeyVault/vaults/secrets/readMetadata/action": "Finds secrets that never expire, without their values.",
}
"""Data actions. They are matched against the data actions of roles only, never against the actions."""

PERMISSIONS = (
    *(Permission(name, required=True, purpose=purpose) for name, purpose in REQUIRED.items()),
    *(Permission(name, required=False, purpose=purpose) for name, purpose in (OPTIONAL | DATA).items()),
)

TENANT_ID = CredentialField(
    name="tenant_id",
    pattern=GUID_PATTERN,
    description="The directory (tenant) ID of the app registration: 32 hexadecimal digits in five groups.",
    max_characters=36,
)
CLIENT_ID = CredentialField(
    name="client_id",
    pattern=GUID_PATTERN,
    description="The application (client) ID of the app registration, not its object ID: 32 hexadecimal digits.",
    max_characters=36,
)
SUBSCRIPTION_ID = CredentialField(
    name="subscription_id",
    pattern=GUID_PATTERN,
    description="The ID of the subscription to scan, in the global Azure cloud: 32 hexadecimal digits.",
    max_characters=36,
)

SERVICE_PRINCIPAL = AuthMethod(
    method="service_principal",
    credential_type="azure_service_principal",
    name="Service principal with a client secret",
    description="An app registration whose service principal may only read, and a secret of it. The script makes both.",
    fields=(
        TENANT_ID,
        CLIENT_ID,
        CredentialField(
            name="client_secret",
            pattern=r"[!-~]{8,255}",
            description="The value of the client secret (not its ID), which Azure showed once, when it was made.",
            secret=True,
            max_characters=255,
        ),
        SUBSCRIPTION_ID,
    ),
)

CERTIFICATE = AuthMethod(
    method="certificate",
    credential_type="azure_certificate",
    name="Service principal with a certificate",
    description=(
        "The same service principal, proved by a certificate. Its private key signs each request for a token and is "
        "never sent to Azure."
    ),
    fields=(
        TENANT_ID,
        CLIENT_ID,
        CredentialField(
            name="client_certificate",
            pattern=r"-----BEGIN [A-Z][ -~\t\r\n]+-----",
            description="The certificate and its RSA private key, one after the other as PEM text (-----BEGIN …).",
            secret=True,
            pem=True,
        ),
        CredentialField(
            name="passphrase",
            pattern=r"[^\x00-\x1f\x7f]{1,1024}",
            description="The pass phrase of the private key, in one line. Leave it out when the key is not encrypted.",
            required=False,
            secret=True,
            max_characters=1024,
        ),
        SUBSCRIPTION_ID,
    ),
)

DESCRIPTION = ProviderDescription(
    provider_type=ProviderType.AZURE,
    name="Microsoft Azure",
    methods=(SERVICE_PRINCIPAL, CERTIFICATE),
    permissions=PERMISSIONS,
    account_number_pattern=GUID_PATTERN,
    propagation_seconds=300,
)
