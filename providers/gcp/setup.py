"""What a Google Cloud customer runs: a script that makes a service account with a role of its own, and a way to it.

Commands and options as the gcloud CLI documents them (cloud.google.com/sdk/gcloud/reference: `services enable`,
`iam roles`, `iam service-accounts`, `iam workload-identity-pools`, `projects add-iam-policy-binding`).
"""

from collections.abc import Sequence
from shlex import quote

from domain.onboarding.catalogue import Setup, SetupRequest
from providers.gcp.description import WORKLOAD_IDENTITY

SCRIPT = """\
#!/usr/bin/env bash
# Makes a service account that may read the settings of one project, and @PURPOSE@.
# Run it in Cloud Shell, or where you are signed in with `gcloud auth login`, as an Owner of the project:
#
#   PROJECT_ID=<the project to onboard> bash setup.sh
#
# It may be run again: it brings the role up to date@AGAIN@.
set -euo pipefail

PROJECT_ID="${PROJECT_ID:-$(gcloud config get-value project)}"
# The names are this onboarding's own: another one of the same project has others.
NAME="threat-engine-@SUFFIX@"
case "$PROJECT_ID" in
  *:*) SITE="${PROJECT_ID#*:}.${PROJECT_ID%%:*}" ;; # of a domain: example.com:my-project
  *) SITE="$PROJECT_ID" ;;
esac
ACCOUNT="$NAME@$SITE.iam.gserviceaccount.com"
ROLE="threatEngineReader_@SUFFIX@"
PERMISSIONS="@PERMISSIONS@"

# Google Cloud takes some time until what was made is known everywhere.
retry() {
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
    if "$@"; then return 0; fi
    sleep 10
  done
  return 1
}

# Nothing for what there is not, else what is asked for of it.
look_up() { gcloud iam "$@" --project "$PROJECT_ID" 2> /dev/null || true; }

gcloud services enable @SERVICES@ --project "$PROJECT_ID"

case "$(look_up roles describe "$ROLE" --format 'value(name,deleted)')" in
  "") gcloud iam roles create "$ROLE" --project "$PROJECT_ID" --title "Threat Engine Reader" --stage GA \\
        --description "Reads settings for the threat engine. It reads no data and no secret, and changes nothing." \\
        --permissions "$PERMISSIONS" --quiet ;;
  *True) gcloud iam roles undelete "$ROLE" --project "$PROJECT_ID" ;;
esac
gcloud iam roles update "$ROLE" --project "$PROJECT_ID" --permissions "$PERMISSIONS" --quiet

if [ -z "$(look_up service-accounts describe "$ACCOUNT" --format 'value(email)')" ]; then
  gcloud iam service-accounts create "$NAME" --project "$PROJECT_ID" --display-name "Threat Engine"
fi
retry gcloud projects add-iam-policy-binding "$PROJECT_ID" --member "serviceAccount:$ACCOUNT" \\
  --role "projects/$PROJECT_ID/roles/$ROLE" --condition None --format none

@CREDENTIAL@
"""

KEY = """\
umask 077
gcloud iam service-accounts keys create "$NAME-$PROJECT_ID.json" --iam-account "$ACCOUNT" \\
  --project "$PROJECT_ID"

echo "service_account_json the content of $NAME-$PROJECT_ID.json; delete the file when it is submitted\""""

FEDERATION = """\
# The pool trusts this platform's tokens, and of these the ones for this account only: the subject is its external id.
ISSUER=@ISSUER@
SUBJECT=@SUBJECT@
POOL="$NAME"
PROVIDER="${SUBJECT:0:32}"
NUMBER="$(gcloud projects describe "$PROJECT_ID" --format 'value(projectNumber)')"
IN_POOL=(--location global --workload-identity-pool "$POOL" --project "$PROJECT_ID")

case "$(look_up workload-identity-pools describe "$POOL" --location global --format 'value(state)')" in
  "") gcloud iam workload-identity-pools create "$POOL" --location global --project "$PROJECT_ID" \\
        --display-name "Threat Engine" ;;
  DELETED) gcloud iam workload-identity-pools undelete "$POOL" --location global --project "$PROJECT_ID" ;;
esac
OPTIONS=(--issuer-uri "$ISSUER" --attribute-mapping "google.subject=assertion.sub"
  --attribute-condition "assertion.sub == '$SUBJECT'")
case "$(look_up workload-identity-pools providers describe "$PROVIDER" --location global \\
    --workload-identity-pool "$POOL" --format 'value(state)')" in
  "") retry gcloud iam workload-identity-pools providers create-oidc "$PROVIDER" "${IN_POOL[@]}" "${OPTIONS[@]}" ;;
  DELETED) gcloud iam workload-identity-pools providers undelete "$PROVIDER" "${IN_POOL[@]}" ;;
esac
retry gcloud iam workload-identity-pools providers update-oidc "$PROVIDER" "${IN_POOL[@]}" "${OPTIONS[@]}"
retry gcloud iam service-accounts add-iam-policy-binding "$ACCOUNT" --project "$PROJECT_ID" \\
  --role roles/iam.workloadIdentityUser --condition None --format none --member \\
  "principal://iam.googleapis.com/projects/$NUMBER/locations/global/workloadIdentityPools/$POOL/subject/$SUBJECT"

echo "project_id            $PROJECT_ID"
echo "project_number        $NUMBER"
echo "pool_id               $POOL"
echo "provider_id           $PROVIDER"
echo "service_account_email $ACCOUNT\""""

SERVICES = "iam.googleapis.com cloudresourcemanager.googleapis.com"

INSTRUCTIONS = """\
1. Open Cloud Shell, or a shell where you are signed in with gcloud auth login, as an Owner of the project.
2. Save the script as setup.sh and run: PROJECT_ID=<the project to onboard> bash setup.sh
3. {submit}

The script makes a service account with a role that holds exactly the published permissions, on this project only. The \
role reads settings, never data. To take the access away, delete the service account. \
The names of all that it makes end with {{suffix}}: another onboarding of this project has its own, and neither \
changes the other. {note}
"""
OF_KEY = INSTRUCTIONS.format(
    submit="Submit the content of the key file that it writes as service_account_json, and delete the file.",
    note="Where your organisation forbids keys (iam.disableServiceAccountKeyCreation), the last step fails.",
)
OF_FEDERATION = INSTRUCTIONS.format(
    submit="Submit here the five values that it prints. None of them is a secret.",
    note="No key is made: your pool threat-engine-{suffix} lends the account to us, for your external id only.",
)


def setup_of(request: SetupRequest, permissions: Sequence[str], *, issuer: str) -> Setup:
    """`issuer` is ours, for a method without a key."""
    keyless = request.auth_method == WORKLOAD_IDENTITY.method
    parts = {
        "PERMISSIONS": ",".join(permissions),
        "PURPOSE": "a pool that lends it to the platform" if keyless else "a key of it",
        "AGAIN": "" if keyless else ", and makes one more key",
        "SERVICES": f"{SERVICES} iamcredentials.googleapis.com sts.googleapis.com" if keyless else SERVICES,
        "CREDENTIAL": FEDERATION if keyless else KEY,
        "ISSUER": quote(issuer),
        "SUBJECT": quote(request.external_id),
        "SUFFIX": request.suffix,
    }
    return Setup(
        template=None,
        template_url=None,
        quick_create_url=None,
        instructions=(OF_FEDERATION if keyless else OF_KEY).format(suffix=request.suffix),
        platform_account_id=None,
        script=_filled(parts),
    )


def _filled(parts: dict[str, str]) -> str:
    """Nothing of a customer's is filled in but what we gave: the external id, and the beginning of the account's id."""
    script = SCRIPT
    for name, text in parts.items():
        script = script.replace(f"@{name}@", text)
    return script
