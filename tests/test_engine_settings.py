"""What an operator may say that an engine needs: it is published, granted and checked, and reads no data."""

import pytest

from composition.clouds import catalogue
from config import Settings, SettingsError
from domain.accounts import ProviderType
from domain.onboarding.catalogue import SetupRequest
from settings.engines import FORMS
from stores.session import AwsClients, connect
from tests.engine_needs import ALICLOUD, AZURE, GCP, IBM, OCI

AWS = ("sns:ListTopics", "cloudwatch:DescribeAlarms", "iam:ListUsers")
NEEDS = {"aws": AWS, "azure": AZURE, "gcp": GCP, "alicloud": ALICLOUD, "oci": OCI, "ibm": IBM}


@pytest.fixture(scope="module")
def clients() -> AwsClients:
    """Nothing is asked of them."""
    return connect("ap-south-1", endpoint_url="http://127.0.0.1:1")


def settings(**given: str) -> Settings:
    return Settings.model_validate({"platform_aws_account_id": "111122223333", **given})


@pytest.mark.parametrize("cloud", FORMS)
def test_what_an_engine_needs_is_published_and_in_what_the_customer_runs(cloud: str, clients: AwsClients):
    given = settings(**{f"{cloud}_engine_permissions": ", ".join(NEEDS[cloud])})
    provider = catalogue(given, clients).provider(cloud)
    permissions = provider.description.permissions
    assert tuple(permission.name for permission in permissions[-len(NEEDS[cloud]) :]) == NEEDS[cloud]
    assert not any(permission.required for permission in permissions[-len(NEEDS[cloud]) :])
    setup = provider.setup(SetupRequest("te-3f2b1c649f0e4a428a6b0d3b5c7d9e1f"))
    shown = f"{setup.template}{setup.script}"
    assert [name for name in NEEDS[cloud] if name.split(":Viewer")[0] not in shown] == []


UNFIT = {
    "aws": (
        *("s3:GetObject", "s3:GETOBJECT", "ec2:Describe*", "iam:CreateUser", "ecs:DescribeTaskDefinition", "x"),
        *("lambda:ListFunctions", "sts:GetFederationToken", "ecr:GetAuthorizationToken"),
    ),
    "azure": (
        *("Microsoft.Compute/disks/write", "*/read", "Microsoft.KeyVault/vaults/secrets/read", "Reader"),
        "Microsoft.Storage/storageAccounts/listKeys/action",
        "Microsoft.Storage/storageAccounts/fileServices/fileshares/files/read",
        "Microsoft.ContainerRegistry/registries/pull/read",
        "Microsoft.OperationalInsights/workspaces/sharedKeys/read",
        "Microsoft.OperationalInsights/workspaces/query/AzureActivity/read",
        "Microsoft.Web/sites/functions/masterkey/read",
    ),
    "gcp": (
        *("storage.objects.get", "compute.instances.delete", "compute.*", "logging.logEntries.list"),
        *("source.repos.get", "firebasedatabase.instances.get", "container.secrets.list", "run.services.get"),
        *("secretmanager.versions.access", "bigquery.tables.getData", "iam.serviceAccounts.getAccessToken"),
    ),
    "alicloud": (
        *("oss:GetObject", "ecs:*", "ecs:RunInstances", "kms:GetSecretValue", "log:GetLogStoreLogs"),
        *("ots:GetRow", "cs:DescribeClusterUserKubeconfig", "rds:DescribeBackups", "ecs:DescribeUserData"),
    ),
    "oci": (
        *("OBJECT_READ", "INSTANCE_UPDATE", "SECRET_BUNDLE_READ", "all-resources", "REPOSITORY_READ"),
        *("CONSOLE_HISTORY_READ", "AUTONOMOUS_DATABASE_CONTENT_READ", "NOSQL_ROWS_READ"),
    ),
    "ibm": ("is:Editor", "is", "*:Viewer", "cloud-object-storage:Reader", "support:Viewer"),
}


def refused(monkeypatch: pytest.MonkeyPatch, **given: str) -> str:
    """What a process says that does not start with these settings."""
    for name, value in {"PLATFORM_AWS_ACCOUNT_ID": "111122223333", **given}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refusal:
        Settings.from_environment()
    return str(refusal.value)


@pytest.mark.parametrize(("cloud", "name"), [(cloud, name) for cloud, names in UNFIT.items() for name in names])
def test_what_reads_data_changes_something_or_is_no_name_in_full_is_refused(
    cloud: str, name: str, monkeypatch: pytest.MonkeyPatch
):
    variable = f"{cloud.upper()}_ENGINE_PERMISSIONS"
    said = refused(monkeypatch, **{variable: f"{NEEDS[cloud][0]},{name}"})
    assert said.startswith(f"{variable} has a wrong value: it must be ")
    assert "Name 2 of it " in said
    assert name not in said or len(name) < 4


@pytest.mark.parametrize(("cloud", "action"), [("aws", "sns:ListThings{:04}"), ("alicloud", "ecs:DescribeThings{:03}")])
def test_more_than_a_session_can_say_is_refused(cloud: str, action: str, monkeypatch: pytest.MonkeyPatch):
    variable = f"{cloud.upper()}_ENGINE_PERMISSIONS"
    said = refused(monkeypatch, **{variable: ",".join(map(action.format, range(90)))})
    assert said.endswith("It is too long for the policy of a session.")


def test_more_names_than_a_customer_would_read_are_refused(monkeypatch: pytest.MonkeyPatch):
    said = refused(monkeypatch, OCI_ENGINE_PERMISSIONS=",".join(f"THING_{number}_READ" for number in range(201)))
    assert said.endswith("It holds 201 names, where 1 to 200 are allowed.")


def test_customers_are_asked_for_nothing_of_an_engine_that_is_not_there(monkeypatch: pytest.MonkeyPatch):
    said = refused(monkeypatch, IBM_ENGINE_PERMISSIONS="is:Viewer")
    assert said.startswith("IBM_ENGINE_URL is missing")
    monkeypatch.setenv("IBM_ENGINE_URL", "https://engine.example")
    assert Settings.from_environment().engine_permissions["ibm"] == ("is:Viewer",)


def test_without_the_setting_nothing_is_added(clients: AwsClients):
    given = settings()
    assert set(given.engine_permissions.values()) == {()}
    assert {kind.value for kind in ProviderType} == set(given.engine_permissions)
