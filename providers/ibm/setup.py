"""What an IBM Cloud customer runs: a script that makes a service ID which may view settings, and an API key for it.

Commands and options as the reference of `ibmcloud iam` documents them.
"""

from collections.abc import Sequence

from domain.onboarding.catalogue import Setup, SetupRequest
from providers.ibm.description import DESCRIPTION
from providers.ibm.permissions import RESOURCE_GROUPS

SCRIPT = """\
#!/usr/bin/env bash
# Makes a service ID that may view the settings of this account, and an API key for it.
# Run it in IBM Cloud Shell, or where you are signed in with `ibmcloud login`, as an administrator of the account.
#
# It may be run again: it assigns what is missing, and makes a new API key beside those that there are.
set -euo pipefail

# The name is this onboarding's own: another one of the same account has another one.
NAME=threat-engine-@SUFFIX@
SERVICES="@SERVICES@"

if ! ibmcloud iam service-id "$NAME" --uuid > /dev/null 2>&1; then
  ibmcloud iam service-id-create "$NAME" --description "Views settings for the threat engine" > /dev/null
fi
SERVICE_ID="$(ibmcloud iam service-id "$NAME" --uuid | tail -n 1 | tr -d '[:space:]')"

POLICIES="$(ibmcloud iam service-policies "$SERVICE_ID" --output json)"
has_policy() {
  grep -Eq "\\"value\\": *\\"$1\\"" <<< "$POLICIES"
}
for SERVICE in $SERVICES; do
  if ! has_policy "$SERVICE"; then
    ibmcloud iam service-policy-create "$SERVICE_ID" --roles Viewer --service-name "$SERVICE" --force > /dev/null
  fi
done
@RESOURCE_GROUPS@
API_KEY="$(ibmcloud iam service-api-key-create "$NAME-$(date -u +%Y%m%d%H%M%S)" "$SERVICE_ID" \\
  --description "For the threat engine" --output json | sed -n 's/.*"apikey": *"\\([^"]*\\)".*/\\1/p')"

echo "api_key $API_KEY"
"""

RESOURCE_GROUPS_SCRIPT = """\
if ! has_policy resource-group; then
  ibmcloud iam service-policy-create "$SERVICE_ID" --roles Viewer --resource-type resource-group --force > /dev/null
fi
"""

INSTRUCTIONS = """\
1. Open IBM Cloud Shell in the account that you want to onboard, or a shell where you are signed in with ibmcloud \
login, as an administrator of the account.
2. Save the script as setup.sh and run: bash setup.sh
3. Submit here the api_key that it prints. It shows it once.

The script makes a service ID with the role Viewer on exactly the published services. The role shows settings, never \
data. To take the access away, delete the service ID threat-engine-{suffix}; another onboarding of this \
account has its own, and neither changes the other.
"""


def setup_of(request: SetupRequest, permissions: Sequence[str]) -> Setup:
    """Raises InvalidInput for a method that there is not. Nothing of a customer's is filled in but the beginning of
    the account's id, which is ours."""
    DESCRIPTION.method(request.auth_method)
    services = [name.split(":")[0] for name in permissions]
    # Resource groups are no service: a policy is for resources of that type.
    resource_groups = RESOURCE_GROUPS_SCRIPT if RESOURCE_GROUPS in services else ""
    named = " ".join(service for service in services if service != RESOURCE_GROUPS)
    parts = {"SERVICES": named, "RESOURCE_GROUPS": resource_groups, "SUFFIX": request.suffix}
    script = SCRIPT
    for part, text in parts.items():
        script = script.replace(f"@{part}@", text)
    return Setup(
        template=None,
        template_url=None,
        quick_create_url=None,
        instructions=INSTRUCTIONS.format(suffix=request.suffix),
        platform_account_id=None,
        script=script,
    )
