"""What is published about onboarding an Azure subscription: two methods, their fields, the permissions.

A permission is an operation of Azure RBAC. Names and purposes follow Microsoft's list of resource provider operations
(learn.microsoft.com, "Azure permissions"). Only validation uses any: no engine for Azure is built in. What an engine of
the operator's needs is added from the settings, as actions and never as data actions.
"""

from domain.accounts import ProviderType
from domain.onboarding.catalogue import AuthMethod, CredentialField, Permission, ProviderDescription

GUID_PATTERN = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"

SUBSCRIPTION_READ = "Microsoft.Resources/subscriptions/read"

REQUIRED = {SUBSCRIPTION_READ: "Tells the subscription's state and its tenant."}

OPTIONAL = {"Microsoft.Authorization/permissions/read": "Lets us tell in advance what an engine could not read."}

PERMISSIONS = (
    *(Permission(name, required=True, purpose=purpose) for name, purpose in REQUIRED.items()),
    *(Permission(name, required=False, purpose=purpose) for name, purpose in OPTIONAL.items()),
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
