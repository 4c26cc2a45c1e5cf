"""Which settings of the person who runs the stack its processes get: all that make sense on this machine. About the
others the stack decides itself, because it brings the servers, accounts, keys and tables that they name."""

import os
from collections.abc import Mapping, Sequence

from config import GivenSettings, Settings, SettingsError
from emulators.failures import StackFailed
from emulators.ports import USUAL_PORTS
from settings.tables import TableSettings

DECIDED = frozenset(
    {
        *("AWS_REGION", "AWS_ENDPOINT_URL", "CUSTOMER_AWS_ENDPOINT_URL", "CUSTOMER_CLOUDS_ADDRESS", "CLOUDS_CA_FILE"),
        *("PLATFORM_AWS_ACCOUNT_ID", "PLATFORM_ROLE_NAME"),
        *("ALICLOUD_ACCESS_KEY_ID", "ALICLOUD_ACCESS_KEY_SECRET", "ALICLOUD_PRINCIPAL_ARN"),
        *("SECRETS_MANAGER_PREFIX", "RESULTS_BUCKET", "AUDIT_ANCHORS_BUCKET", "API_HOST", "METRICS_ADDRESS"),
        *(name.upper() for name in Settings.model_fields if name.endswith("_kms_key_id")),
        *(name.upper() for name in TableSettings.model_fields),
    }
)
"""What is set of these is ignored, and named."""
PASSED_ON = frozenset(name.upper() for name in Settings.model_fields) - DECIDED - USUAL_PORTS.keys()


def passed_on() -> dict[str, str]:
    """The settings that the processes get from the environment. Set to nothing is not set."""
    return {name: os.environ[name] for name in sorted(PASSED_ON) if os.environ.get(name)}


def checked(values: Mapping[str, str], *, account: str) -> Settings:
    """As the processes will read them. Raises StackFailed with the sentence of a wrong one, before anything starts."""
    ours = {name.lower(): value for name, value in values.items() if name.lower() in Settings.model_fields}
    try:
        return GivenSettings.of(**{**ours, "platform_aws_account_id": account})
    except SettingsError as error:
        raise StackFailed(str(error)) from None


def ignored() -> Sequence[str]:
    """The names of variables that are set and that the stack leaves aside."""
    ours = {name for name in os.environ if name.startswith("TEMPORAL_")} - USUAL_PORTS.keys()
    return sorted(name for name in DECIDED | ours if os.environ.get(name))
