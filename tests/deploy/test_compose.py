"""docker-compose.yml: well-formed, hardened, in the right order, and in agreement with the rest of the repository."""

import json
import re
import subprocess
import tomllib
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from config import Settings
from deploy.ministack.roles import ROLES
from emulators.temporal import DYNAMIC_CONFIG, temporal_program
from tests.deploy.composition import Service, document, example, interpolated, services
from tests.pages import ROOT

OURS = {"ministack-roles", "setup", "api", "worker"}
ONE_SHOT = {"temporal-schema", "ministack-roles", "setup", "temporal-tools"}

each_service = pytest.mark.parametrize("name", sorted(services()))


def service(name: str) -> Service:
    return services()[name]


def environment(name: str) -> dict[str, str]:
    found: dict[str, str] = interpolated(service(name).get("environment", {}), example())
    return found


def test_it_follows_the_schema_of_compose_files():
    schema = json.loads((ROOT / "tests/deploy/compose-spec.json").read_text())
    assert [f"{list(error.path)}: {error.message}" for error in Draft7Validator(schema).iter_errors(document())] == []


def test_the_schema_refuses_a_word_that_compose_does_not_know():
    schema = json.loads((ROOT / "tests/deploy/compose-spec.json").read_text())
    assert not Draft7Validator(schema).is_valid({"services": {"api": {"image": "x", "heathcheck": {}}}})


# Images


@each_service
def test_an_image_is_pinned_by_a_full_version_or_built_here(name: str):
    image, _, tag = service(name)["image"].partition(":")
    if name in OURS:
        assert (image, service(name)["build"]) == ("threat-engine-onboarding", ".")
    else:
        assert re.fullmatch(r"\d+\.\d+(\.\d+)?(-trixie)?", tag)


def test_the_temporal_images_are_the_version_that_the_tests_run():
    version = subprocess.run([temporal_program(), "--version"], capture_output=True, text=True, check=True).stdout
    [server] = re.findall(r"Server (\d+\.\d+\.\d+)", version)
    images = {name: service(name)["image"] for name in ("temporal", "temporal-schema", "temporal-tools")}
    assert images == {
        "temporal": f"temporalio/server:{server}",
        "temporal-schema": f"temporalio/admin-tools:{server}",
        "temporal-tools": f"temporalio/admin-tools:{server}",
    }
    [ui] = re.findall(r"UI (\d+\.\d+\.\d+)", version)
    assert service("temporal-ui")["image"] == f"temporalio/ui:{ui}"


def test_ministack_is_the_version_that_the_tests_run():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["dev"]
    [pinned] = [line.partition("==")[2] for line in extras if line.startswith("ministack==")]
    assert service("ministack")["image"] == f"ministackorg/ministack:{pinned}"


# Hardening


@each_service
def test_a_container_can_change_nothing_and_gain_nothing(name: str):
    found = service(name)
    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert found["tmpfs"][0] == "/tmp"
    assert not {"privileged", "cap_add", "pid", "ipc", "network_mode", "devices"} & set(found)
    assert not any("docker.sock" in str(volume) for volume in found.get("volumes", []))


@each_service
def test_a_port_is_open_to_this_machine_only(name: str):
    for port in service(name).get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)


def test_the_database_is_reached_by_those_who_need_it_only():
    assert document()["networks"]["database"]["internal"] is True
    inside = {name for name, found in services().items() if "database" in found.get("networks", [])}
    assert inside == {"postgres", "temporal-schema", "temporal"}
    assert "ports" not in service("postgres")


def test_what_is_mounted_from_here_is_there_and_read_only():
    mounted = [v for found in services().values() for v in interpolated(found.get("volumes", []), example())]
    from_here = [volume.split(":") for volume in mounted if volume.startswith(".")]
    assert [source for source, *_ in from_here if not (ROOT / source).exists()] == []
    assert {mode for *_, mode in from_here} == {"ro"}


# Secrets


def test_a_secret_comes_from_a_file_that_is_in_no_commit_and_no_image():
    [secret] = document()["secrets"].values()
    file = secret["file"].removeprefix("./")
    ignored = subprocess.run(["git", "check-ignore", "-q", file], cwd=ROOT, check=False)  # noqa: S607
    assert ignored.returncode == 0


SECRET = re.compile(r"password|secret|token|api_?key|access_?key|pwd", re.IGNORECASE)


@each_service
def test_no_secret_stands_in_the_file(name: str):
    suspicious = {key: value for key, value in environment(name).items() if SECRET.search(key)}
    assert {key for key, value in suspicious.items() if value != "/run/secrets/postgres_password"} == set()


def test_no_secret_stands_in_the_example():
    assert [key for key in example() if SECRET.search(key)] == []


# Settings

IMAGES_OWN = {
    "postgres": {"POSTGRES_USER", "POSTGRES_PASSWORD_FILE"},
    "temporal-schema": {"SQL_HOST", "SQL_PORT", "SQL_USER", "SQL_PLUGIN", "SQL_PASSWORD_FILE"},
    "temporal": {
        *("DB", "DB_PORT", "POSTGRES_SEEDS", "POSTGRES_USER", "BIND_ON_IP"),
        *("NUM_HISTORY_SHARDS", "DYNAMIC_CONFIG_FILE_PATH", "LOG_LEVEL"),
    },
    "temporal-ui": {
        *("TEMPORAL_ADDRESS", "TEMPORAL_DEFAULT_NAMESPACE", "TEMPORAL_CORS_ORIGINS", "TEMPORAL_DISABLE_NEWS_FETCH"),
        "TEMPORAL_DISABLE_WRITE_ACTIONS",
    },
    "temporal-tools": {"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "HOME"},
    "ministack": {
        *("AUTH", "BIND_HOST", "GATEWAY_PORT", "MINISTACK_REGION", "LOG_LEVEL"),
        *("IOT_MTLS_ENABLED", "SFTP_ENABLED", "HOME"),
    },
}
"""What each image reads. Temporal's: common/config/config_template_embedded.yaml and tools/sql/main.go of its server,
server/config/docker.yaml of its UI."""

OF_LIBRARIES = {
    *("TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "AWS_CONFIG_FILE", "AWS_PROFILE", "AWS_DEFAULT_REGION"),
    *("AWS_EC2_METADATA_DISABLED", "HOME"),
}
SETTINGS = {name.upper() for name in Settings.model_fields}


@each_service
def test_every_variable_is_known_to_what_runs(name: str):
    known = SETTINGS | OF_LIBRARIES if name in OURS else IMAGES_OWN[name]
    assert set(environment(name)) - known == set()


def test_the_example_holds_settings_and_what_compose_itself_reads():
    assert set(example()) - SETTINGS - OF_LIBRARIES == {"COMPOSE_PROFILES"}


def test_our_settings_are_accepted(monkeypatch: pytest.MonkeyPatch):
    for key, value in environment("api").items():
        monkeypatch.setenv(key, value)
    settings = Settings.from_environment()
    assert (settings.api_host, settings.api_port) == ("0.0.0.0", 8000)  # noqa: S104
    assert settings.aws_endpoint_url == "http://ministack:4566"


def test_without_an_aws_nothing_starts():
    with pytest.raises(KeyError, match="PLATFORM_AWS_ACCOUNT_ID"):
        interpolated(document(), {})


# What each service of ours holds

IDENTITIES = {"ministack-roles": "root", "setup": "setup", "api": "api", "worker": "worker"}
FOLDERS = {f"{name.upper()}_CONFIG": f"/host/{name}" for name in ("setup", "api", "worker")}
each_of_ours = pytest.mark.parametrize("name", sorted(OURS))


def mounted(name: str, variables: Mapping[str, str]) -> dict[str, str]:
    """What is mounted into a service, by where it is there."""
    found = [volume.split(":") for volume in interpolated(service(name).get("volumes", []), variables)]
    return {target: source for source, target, _ in found}


@each_of_ours
def test_a_service_has_its_own_identity_and_no_other_ones(name: str):
    folder = ROOT / mounted(name, example())["/etc/threat-engine"]
    profile = environment(name)["AWS_PROFILE"]
    roles = re.findall(r"role/(\S+)$", (folder / "aws-config").read_text(), re.MULTILINE)
    assert (profile, folder.name) == (IDENTITIES[name], IDENTITIES[name])
    assert roles == ([] if profile == "root" else [ROLES[profile]])
    assert f"[profile {profile}]" in (folder / "aws-config").read_text()


@each_of_ours
def test_a_service_gets_one_folder_and_one_file_of_settings_and_both_are_its_own(name: str):
    variables = example() | FOLDERS
    folder = mounted(name, variables)
    files = [each["path"] for each in interpolated(service(name).get("env_file", []), variables)]
    own = FOLDERS.get(f"{name.upper()}_CONFIG", "./deploy/ministack/root")
    assert folder == {"/etc/threat-engine": own}
    assert files == ([f"{own}/settings.env"] if name != "ministack-roles" else [])


def test_what_composes_own_file_says_reaches_a_container_only_where_the_file_names_it():
    """A secret in .env would be given to all."""
    assert not [name for name, found in services().items() if ".env" in str(found.get("env_file", "")).split("'")]


def test_what_a_service_is_given_is_in_no_commit():
    for name in ("settings.env", "alicloud_access_key_secret"):
        asked = ["git", "check-ignore", "-q", f"deploy/ministack/worker/{name}"]
        ignored = subprocess.run(asked, cwd=ROOT, check=False)
        assert ignored.returncode == 0


def test_the_server_shares_the_workers_among_tenants_as_in_development():
    given: dict[str, Any] = yaml.safe_load((ROOT / "deploy/temporal/dynamic-config.yaml").read_text())
    [key] = given
    assert (key, str(given[key][0]["value"]).lower()) == (key, DYNAMIC_CONFIG[key])


# Order


@each_service
def test_what_runs_on_tells_whether_it_is_well_and_comes_back(name: str):
    found = {"healthcheck", "restart"} & set(service(name))
    assert found == (set() if name in ONE_SHOT else {"healthcheck", "restart"})


@each_service
def test_a_service_waits_for_what_it_needs(name: str):
    for needed, how in service(name).get("depends_on", {}).items():
        expected = "service_completed_successfully" if needed in ONE_SHOT else "service_healthy"
        assert how["condition"] == expected
        optional = bool(service(needed).get("profiles")) and not service(name).get("profiles")
        assert how.get("required", True) is not optional


def starting_order() -> list[str]:
    order: list[str] = []
    while len(order) < len(services()):
        ready = [n for n, f in services().items() if n not in order and set(f.get("depends_on", {})) <= set(order)]
        assert ready, "a circle"
        order += ready
    return order


def test_the_schema_comes_first_and_our_processes_last():
    order = starting_order()
    expected = ["postgres", "temporal-schema", "temporal", "setup", "api"]
    assert sorted(expected, key=order.index) == expected
    assert order.index("ministack-roles") < order.index("setup") < order.index("worker")


def test_only_real_aws_is_left_when_the_profile_is_off():
    off = {name for name, found in services().items() if "ministack" in found.get("profiles", [])}
    assert off == {"ministack", "ministack-roles"}
    real = interpolated(service("api")["environment"], {"PLATFORM_AWS_ACCOUNT_ID": "111122223333"})
    assert {real[name] for name in ("AWS_ENDPOINT_URL", "CUSTOMER_AWS_ENDPOINT_URL")} == {""}
