"""What an Azure customer runs: a script that makes a service principal with a role of its own, and a secret for it.

Commands and options as the Azure CLI documents them (learn.microsoft.com/cli/azure: `ad app`, `ad sp`,
`role definition`, `role assignment`).
"""

import json
from collections.abc import Sequence

from domain.onboarding.catalogue import Setup, SetupRequest
from providers.azure.description import CERTIFICATE, DESCRIPTION, SERVICE_PRINCIPAL

ROLE = {
    "Name": "@ROLE@",
    "IsCustom": True,
    "Description": "Reads settings for the threat engine. It reads no data and no secret, and changes nothing.",
    "NotActions": [],
    "DataActions": list[str](),
    "NotDataActions": [],
    "AssignableScopes": ["@SCOPE@"],
}

SCRIPT = """\
#!/usr/bin/env bash
# Makes a service principal that may read the settings of one subscription, and a credential for it.
# Run it in Azure Cloud Shell, or where you are signed in with `az login`, as an Owner of the subscription:
#
#   SUBSCRIPTION_ID=<the subscription to onboard> bash setup.sh
#
# It may be run again: it brings the role up to date, and adds a new credential beside those that there are.
set -euo pipefail

SUBSCRIPTION_ID="${SUBSCRIPTION_ID:-$(az account show --query id --output tsv)}"
az account set --subscription "$SUBSCRIPTION_ID"
TENANT_ID="$(az account show --query tenantId --output tsv)"
SCOPE="/subscriptions/$SUBSCRIPTION_ID"
# The names are this onboarding's own: another one of the same subscription has others.
ROLE="Threat Engine Reader $SUBSCRIPTION_ID @SUFFIX@"
APP="threat-engine-$SUBSCRIPTION_ID-@SUFFIX@"

# Azure takes some time until what was made is known everywhere.
retry() {
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
    if "$@"; then return 0; fi
    sleep 10
  done
  return 1
}

CLIENT_ID="$(az ad app list --filter "displayName eq '$APP'" --query '[0].appId' --output tsv)"
if [ -z "$CLIENT_ID" ]; then
  CLIENT_ID="$(az ad app create --display-name "$APP" --query appId --output tsv)"
fi
OBJECT_ID="$(az ad sp list --filter "appId eq '$CLIENT_ID'" --query '[0].id' --output tsv)"
if [ -z "$OBJECT_ID" ]; then
  retry az ad sp create --id "$CLIENT_ID" --output none
  OBJECT_ID="$(az ad sp show --id "$CLIENT_ID" --query id --output tsv)"
fi

FOLDER="$(mktemp -d)"
trap 'rm -rf "$FOLDER"' EXIT
sed -e "s|@ROLE@|$ROLE|" -e "s|@SCOPE@|$SCOPE|" > "$FOLDER/role.json" <<'JSON'
@DEFINITION@
JSON
if [ -n "$(az role definition list --scope "$SCOPE" --custom-role-only true --name "$ROLE" --query '[0].id' \\
    --output tsv)" ]; then
  az role definition update --role-definition "$FOLDER/role.json" --output none
else
  az role definition create --role-definition "$FOLDER/role.json" --output none
fi
retry az role assignment create --role "$ROLE" --scope "$SCOPE" --assignee-object-id "$OBJECT_ID" \\
  --assignee-principal-type ServicePrincipal --output none

@CREDENTIAL@
"""

COMMANDS = {
    SERVICE_PRINCIPAL.method: """\
CLIENT_SECRET="$(az ad app credential reset --id "$CLIENT_ID" --append --years 1 \\
  --display-name threat-engine --query password --output tsv)"

echo "tenant_id       $TENANT_ID"
echo "client_id       $CLIENT_ID"
echo "client_secret   $CLIENT_SECRET"
echo "subscription_id $SUBSCRIPTION_ID\"""",
    CERTIFICATE.method: """\
# The private key is made here and stays in this file; Azure gets the certificate only.
umask 077
openssl req -x509 -newkey rsa:2048 -sha256 -days 365 -nodes -subj "/CN=$APP" \\
  -keyout "$FOLDER/key.pem" -out "$FOLDER/certificate.pem"
az ad app credential reset --id "$CLIENT_ID" --append --cert "@$FOLDER/certificate.pem" --output none
cat "$FOLDER/certificate.pem" "$FOLDER/key.pem" > "$APP.pem"

echo "tenant_id          $TENANT_ID"
echo "client_id          $CLIENT_ID"
echo "client_certificate the content of $APP.pem; delete the file when it is submitted"
echo "subscription_id    $SUBSCRIPTION_ID\"""",
}
"""What makes the credential of each method."""

INSTRUCTIONS = """\
1. Open Azure Cloud Shell (Bash), or a shell where you are signed in with az login, as an Owner of the subscription \
who may register applications.
2. Save the script as setup.sh and run: SUBSCRIPTION_ID=<the subscription to onboard> bash setup.sh
3. Submit here the four values that it prints. It shows them once.

The script registers an application with a role that holds exactly the published permissions, on this subscription \
only. The role reads settings, never data. The names of both end with {suffix}: another onboarding of this \
subscription has its own, and neither changes the other. To take the access away, delete the application.
"""


def setup_of(request: SetupRequest, permissions: Sequence[str]) -> Setup:
    """Raises InvalidInput for a method that there is not."""
    method = DESCRIPTION.method(request.auth_method)
    return Setup(
        template=None,
        template_url=None,
        quick_create_url=None,
        instructions=INSTRUCTIONS.format(suffix=request.suffix),
        platform_account_id=None,
        script=script_of(COMMANDS[method.method], permissions, request.suffix),
    )


def script_of(credential: str, permissions: Sequence[str], suffix: str) -> str:
    """Nothing of a customer's is filled in: the definition of the role, the commands and the suffix are ours."""
    definition = json.dumps({**ROLE, "Actions": list(permissions)}, indent=2)
    script = SCRIPT.replace("@DEFINITION@", definition).replace("@CREDENTIAL@", credential)
    return script.replace("@SUFFIX@", suffix)
