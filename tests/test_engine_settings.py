"""What an operator may say that an engine needs: it is published, granted and checked, and reads no data."""

import pytest

from composition.clouds import catalogue
from config import Settings, SettingsError
from domain.accounts import ProviderType
from domain.catalogue import SetupRequest
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
    "aws": ("s3:GetObject", "s3:GETOBJECT", "ec2:Describe*", "iam:CreateUser", "ecs:DescribeTaskDefinition", "x"),
    "azure": ("Microsoft.Compute/disks/write", "*/read", "Microsoft.KeyVault/vaults/secrets/read", "Reader"),
    "gcp": ("storage.objects.get", "compute.instances.delete", "compute.*", "logging.logEntries.list"),
    "alicloud": ("oss:GetObject", "ecs:*", "ecs:RunInstances", "kms:GetSecretValue"),
    "oci": ("OBJECT_READ", "INSTANCE_UPDATE", "SECRET_BUNDLE_READ", "all-resources"),
    "ibm": ("is:Editor", "is", "*:Viewer"),
}


@pytest.mark.parametrize(("cloud", "name"), [(cloud, name) for cloud, names in UNFIT.items() for name in names])
def test_what_reads_data_changes_something_or_is_no_name_in_full_is_refused(
    cloud: str, name: str, monkeypatch: pytest.MonkeyPatch
):
    variable = f"{cloud.upper()}_ENGINE_PERMISSIONS"
    monkeypatch.setenv("PLATFORM_AWS_ACCOUNT_ID", "111122223333")
    monkeypatch.setenv(variable, f"{NEEDS[cloud][0]},{name}")
    with pytest.raises(SettingsError, match=f"{variable} has a wrong value") as refusal:
        Settings.from_environment()
    assert name not in str(refusal.value) or len(name) < 4


def test_more_than_a_session_of_aws_can_say_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PLATFORM_AWS_ACCOUNT_ID", "111122223333")
    monkeypatch.setenv("AWS_ENGINE_PERMISSIONS", ",".join(f"sns:ListThings{number:04}" for number in range(60)))
    with pytest.raises(SettingsError, match="AWS_ENGINE_PERMISSIONS"):
        Settings.from_environment()


def test_without_the_setting_nothing_is_added(clients: AwsClients):
    given = settings()
    assert set(given.engine_permissions.values()) == {()}
    assert {kind.value for kind in ProviderType} == set(given.engine_permissions)
