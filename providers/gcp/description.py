"""What is published about onboarding a Google Cloud project: the methods, their fields, the permissions.

Names follow Google's list of IAM permissions (cloud.google.com/iam/docs/permissions-reference). Every one of them can
be tested on a project, and can be held by a custom role of a project: a permission that applies to folders or
organisations only would make `testIamPermissions` refuse the whole list. Only validation uses any: no engine for Google
Cloud is built in. What an engine of the operator's needs is added from the settings.
"""

from dataclasses import replace

from domain.accounts import ProviderType
from domain.onboarding.catalogue import AuthMethod, CredentialField, Permission, ProviderDescription

PROJECT_ID_PATTERN = r"(?:[a-z0-9][a-z0-9.-]{1,62}\.[a-z]{2,24}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]"
"""Old projects of a domain have it in front: example.com:my-project."""
MAX_PROJECT_ID_CHARACTERS = 118
ACCOUNT_EMAIL_PATTERN = r"[a-z0-9][a-z0-9-]{0,62}@[a-z0-9][a-z0-9.-]{0,160}\.gserviceaccount\.com"
"""Of a project of a domain it ends with my-project.example.com.iam.gserviceaccount.com."""
KEY_FILE = "service_account_json"

REQUIRED = {"resourcemanager.projects.get": "Tells the project's state."}

PERMISSIONS = tuple(Permission(name, required=True, purpose=purpose) for name, purpose in REQUIRED.items())

SERVICE_ACCOUNT = AuthMethod(
    method="service_account",
    credential_type="gcp_service_account",
    name="Service account key",
    description="A service account that may only read, and a key file of it. The script makes both.",
    fields=(
        CredentialField(
            name=KEY_FILE,
            pattern=r"\{[\s\S]*\}",
            description=(
                "The key file of the service account, as a JSON object or as its text. Of it type, client_email, "
                "private_key, private_key_id and project_id are used, and the rest is dropped."
            ),
            secret=True,
            members=(
                CredentialField(
                    name="type",
                    pattern=r"service_account",
                    description="It must be service_account: no other kind of credential file is taken.",
                    max_characters=64,
                ),
                CredentialField(
                    name="client_email",
                    pattern=ACCOUNT_EMAIL_PATTERN,
                    description="The address of the service account; it ends with .gserviceaccount.com.",
                    max_characters=260,
                ),
                CredentialField(
                    name="private_key",
                    pattern=r"-----BEGIN [A-Z][ -~\t\r\n]+-----",
                    description="The private key as PEM text (-----BEGIN PRIVATE KEY-----).",
                    secret=True,
                    pem=True,
                    max_characters=8_192,
                ),
                CredentialField(
                    name="private_key_id",
                    pattern=r"[0-9a-fA-F]{16,64}",
                    description="The ID of the private key: 40 hexadecimal digits.",
                    max_characters=64,
                ),
                CredentialField(
                    name="project_id",
                    pattern=PROJECT_ID_PATTERN,
                    description="The ID of the project that the service account is in.",
                    max_characters=MAX_PROJECT_ID_CHARACTERS,
                ),
            ),
        ),
        CredentialField(
            name="project_id",
            pattern=PROJECT_ID_PATTERN,
            description=(
                "The ID (not the name or number) of the project to scan: 6 to 30 small letters, digits and hyphens, "
                "with the domain in front where it has one (example.com:my-project). "
                "Leave it out when it is the project that the service account is in."
            ),
            required=False,
            max_characters=MAX_PROJECT_ID_CHARACTERS,
        ),
    ),
)

WORKLOAD_IDENTITY = AuthMethod(
    method="workload_identity",
    credential_type="gcp_workload_identity",
    name="Workload identity federation (no key)",
    description=(
        "A service account that may only read, lent to this platform by a workload identity pool of yours, for minutes "
        "and for your external id only. There is no key to keep or to rotate. The script makes all of it."
    ),
    fields=(
        CredentialField(
            name="project_id",
            pattern=PROJECT_ID_PATTERN,
            description=(
                "The ID (not the name or number) of the project to scan: 6 to 30 small letters, digits and hyphens, "
                "with the domain in front where it has one (example.com:my-project)."
            ),
            max_characters=MAX_PROJECT_ID_CHARACTERS,
        ),
        CredentialField(
            name="project_number",
            pattern=r"[0-9]{6,20}",
            description="The number of the project that the pool is in: digits.",
            max_characters=20,
        ),
        CredentialField(
            name="pool_id",
            pattern=r"[a-z0-9][a-z0-9-]{2,30}[a-z0-9]",
            description="The ID of the workload identity pool: 4 to 32 small letters, digits and hyphens.",
            max_characters=32,
        ),
        CredentialField(
            name="provider_id",
            pattern=r"[a-z0-9][a-z0-9-]{2,30}[a-z0-9]",
            description="The ID of the identity provider in the pool: 4 to 32 small letters, digits and hyphens.",
            max_characters=32,
        ),
        CredentialField(
            name="service_account_email",
            pattern=ACCOUNT_EMAIL_PATTERN,
            description="The address of the service account; it ends with .gserviceaccount.com.",
            max_characters=260,
        ),
        CredentialField(
            name="external_id",
            pattern=r"[A-Za-z0-9_+=,.@:/-]{2,1224}",
            description="The external id that we gave for this account. It may be left out.",
            required=False,
            max_characters=1224,
        ),
    ),
)

DESCRIPTION = ProviderDescription(
    provider_type=ProviderType.GCP,
    name="Google Cloud",
    methods=(SERVICE_ACCOUNT,),
    permissions=PERMISSIONS,
    account_number_pattern=PROJECT_ID_PATTERN,
    propagation_seconds=300,
)

KEYLESS_DESCRIPTION = replace(DESCRIPTION, methods=(SERVICE_ACCOUNT, WORKLOAD_IDENTITY))
"""Where the platform is an identity provider."""
