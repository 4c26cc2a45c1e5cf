"""What is published about onboarding an OCI tenancy: one method, its fields, the permissions."""

from domain.accounts import ProviderType
from domain.onboarding.catalogue import AuthMethod, CredentialField, ProviderDescription
from providers.oci.permissions import PERMISSIONS
from providers.oci.regions import REGIONS

OCID_PATTERN = r"ocid1\.{kind}\.oc[0-9]{{1,3}}\.[a-z0-9-]{{0,32}}\.[a-z0-9]{{1,128}}"
"""Oracle's form is ocid1.<type>.<realm>.[region][.future use].<unique id>; tenancies and users have no region."""

TENANCY_PATTERN = OCID_PATTERN.format(kind="tenancy")
MAX_OCID_CHARACTERS = 180

USER_PRINCIPAL = AuthMethod(
    method="user_principal",
    credential_type="oci_user_principal",
    name="API signing key of a user",
    description=(
        "A user that may read settings only, and an API signing key of it. The script makes both; the private key "
        "never goes to Oracle."
    ),
    fields=(
        CredentialField(
            name="user_ocid",
            pattern=OCID_PATTERN.format(kind="user"),
            description="The user's OCID: ocid1.user.oc1..<letters and digits>.",
            max_characters=MAX_OCID_CHARACTERS,
        ),
        CredentialField(
            name="tenancy_ocid",
            pattern=TENANCY_PATTERN,
            description="The tenancy's OCID: ocid1.tenancy.oc1..<letters and digits>.",
            max_characters=MAX_OCID_CHARACTERS,
        ),
        CredentialField(
            name="fingerprint",
            pattern=r"[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){15}",
            description="The key's fingerprint as OCI shows it: 16 pairs of hexadecimal digits with colons between.",
            max_characters=47,
        ),
        CredentialField(
            name="private_key",
            pattern=r"-----BEGIN [A-Z ]{1,40}-----[ -~\s]+",
            description="The whole text of the private key file (-----BEGIN …), not its path. RSA, 2048 to 4096 bits.",
            secret=True,
            pem=True,
        ),
        CredentialField(
            name="pass_phrase",
            pattern=r"[^\x00-\x1f\x7f]{1,1024}",
            description="The pass phrase of the private key, in one line. Leave it out when the key is not encrypted.",
            required=False,
            secret=True,
            max_characters=1024,
        ),
        CredentialField(
            name="region",
            pattern="|".join(sorted(REGIONS)),
            description="A region that the tenancy is subscribed to, by its identifier, such as eu-frankfurt-1.",
            max_characters=32,
        ),
    ),
)

DESCRIPTION = ProviderDescription(
    provider_type=ProviderType.OCI,
    name="Oracle Cloud Infrastructure",
    methods=(USER_PRINCIPAL,),
    permissions=PERMISSIONS,
    account_number_pattern=TENANCY_PATTERN,
    propagation_seconds=60,
)
