"""What an OCI customer runs: a user, a group and a policy with exactly the permissions that are published, and a key
that is made on the customer's side."""

from collections.abc import Sequence

from domain.onboarding.catalogue import Setup, SetupRequest
from providers.oci.permissions import statement

INSTRUCTIONS = """\
1. Sign in to the OCI console as an administrator of the tenancy and open Cloud Shell; the script needs nothing else.
2. Save the script as threat-engine.sh and run: bash threat-engine.sh
3. It makes the user, the group and the policy ThreatEngine-{suffix} and an API signing key, and prints the fields to \
submit. The private key is in threat-engine-oci-{suffix}.pem; submit the whole text of that file as private_key.
4. Delete threat-engine-oci-{suffix}.pem when the account is active.

The user may read settings and no data, and cannot sign in to the console. Running the script again changes nothing \
but what is missing. To take the access away, delete the user ThreatEngine-{suffix}; another \
onboarding of this tenancy has its own, and neither changes the other.
"""

SCRIPT = """\
#!/usr/bin/env bash
# Lets a threat engine read the settings of this tenancy. Needs the oci command line and openssl; Cloud Shell has both.
# Elsewhere set OCI_TENANCY; and EMAIL where the tenancy asks for an address of each user.
set -euo pipefail
umask 077

# The name is this onboarding's own: another one of the same tenancy has another one.
NAME=ThreatEngine-@SUFFIX@
KEY=threat-engine-oci-@SUFFIX@.pem
TENANCY="${OCI_TENANCY:?set it to the OCID of the tenancy}"

home_region() {
  oci iam region-subscription list --tenancy-id "$TENANCY" --raw-output \\
    --query 'data[?"is-home-region"] | [0]."region-name"'
}
HOME_REGION="$(home_region)"
iam() { oci iam "$@" --region "$HOME_REGION" --raw-output; }

# The user, which may use API keys and nothing else
USER_ID="$(iam user list --all --name "$NAME" --query 'data[0].id')"
if [ -z "$USER_ID" ]; then
  USER_ID="$(iam user create --name "$NAME" --description 'Reads settings for a threat engine' \\
    ${EMAIL:+--email "$EMAIL"} --query 'data.id')"
fi
iam user update-user-capabilities --user-id "$USER_ID" --can-use-api-keys true --can-use-console-password false \\
  --can-use-auth-tokens false --can-use-customer-secret-keys false --can-use-smtp-credentials false >/dev/null

# The group
GROUP_ID="$(iam group list --all --name "$NAME" --query 'data[0].id')"
if [ -z "$GROUP_ID" ]; then
  GROUP_ID="$(iam group create --name "$NAME" --description 'Reads settings for a threat engine' --query 'data.id')"
fi
MEMBER="data[?id=='$USER_ID' || \\"user-id\\"=='$USER_ID'] | [0].id"
if [ -z "$(iam group list-users --all --group-id "$GROUP_ID" --query "$MEMBER")" ]; then
  iam group add-user --user-id "$USER_ID" --group-id "$GROUP_ID" >/dev/null
fi

# The policy
STATEMENTS='["@STATEMENT@"]'
STATEMENTS="${STATEMENTS/GROUP_ID/$GROUP_ID}"
POLICY_ID="$(iam policy list --all --compartment-id "$TENANCY" --name "$NAME" --query 'data[0].id')"
if [ -z "$POLICY_ID" ]; then
  iam policy create --compartment-id "$TENANCY" --name "$NAME" --description 'Reads settings for a threat engine' \\
    --statements "$STATEMENTS" >/dev/null
else
  iam policy update --policy-id "$POLICY_ID" --statements "$STATEMENTS" --version-date '' --force >/dev/null
fi

# The key, whose private half stays in this file
[ -s "$KEY" ] || openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$KEY" 2>/dev/null
FINGERPRINT="$(openssl pkey -in "$KEY" -pubout -outform DER | openssl md5 -c | awk '{ print $NF }')"
if [ -z "$(iam user api-key list --user-id "$USER_ID" \\
    --query "data[?fingerprint=='$FINGERPRINT'] | [0].fingerprint")" ]; then
  iam user api-key upload --user-id "$USER_ID" --key "$(openssl pkey -in "$KEY" -pubout)" >/dev/null
fi

printf 'user_ocid     %s\\n' "$USER_ID"
printf 'tenancy_ocid  %s\\n' "$TENANCY"
printf 'fingerprint   %s\\n' "$FINGERPRINT"
printf 'region        %s\\n' "$HOME_REGION"
printf 'private_key   the text of the file %s\\n' "$KEY"
"""


def setup(request: SetupRequest, permissions: Sequence[str]) -> Setup:
    granted = statement("id GROUP_ID", permissions)
    return Setup(
        template=None,
        template_url=None,
        quick_create_url=None,
        instructions=INSTRUCTIONS.format(suffix=request.suffix),
        platform_account_id=None,
        script=SCRIPT.replace("@STATEMENT@", granted).replace("@SUFFIX@", request.suffix),
    )
