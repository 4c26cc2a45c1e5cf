"""Settings: what the environment may say, what is said when it is wrong, and that .env.example knows them all."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tomllib import loads
from typing import Any

import boto3.session
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import PydanticUndefined

import config
from composition import clouds, scan_work
from config import Settings, SettingsError
from domain.accounts import ProviderType
from domain.onboarding.credentials import Secret
from engines.http.engine import EngineAddress
from providers.alicloud.provider import PlatformAliCloud
from settings.secret_values import API_SECRETS, ENGINE_TOKENS, SECRETS, WORKER_SECRETS, unneeded

ROOT = Path(config.__file__).parent
EXAMPLE = (ROOT / ".env.example").read_text()
NAMES = [name.upper() for name in Settings.model_fields]
CANARY = "kanarienvogel.0123456789~-_+/=="
NEEDED = {"PLATFORM_AWS_ACCOUNT_ID": "111122223333"}


@contextmanager
def environment(**values: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (NEEDED | values).items():
            patch.setenv(name, value)
        yield


def example() -> Mapping[str, tuple[str, str]]:
    """Comment and value of every variable in .env.example, also of those that are commented out."""
    found = re.findall(r"^# (.+)\n#?([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE)
    return {name: (comment, value) for comment, name, value in found}


def test_the_example_lists_every_setting_and_temporals_two():
    assert sorted(example()) == sorted([*NAMES, "TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE"])


@pytest.mark.parametrize("name", NAMES)
def test_the_example_has_the_description_and_the_default(name: str):
    field = Settings.model_fields[name.lower()]
    default = "" if field.default in (None, PydanticUndefined) else str(field.default)
    assert example()[name] == (field.description, default)


def test_the_example_as_it_is_lacks_only_the_account_number(monkeypatch: pytest.MonkeyPatch):
    for name, (_, value) in example().items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as failure:
        Settings.from_environment()
    assert str(failure.value).startswith("PLATFORM_AWS_ACCOUNT_ID is missing")
    assert len(str(failure.value).splitlines()) == 1


def test_a_variable_is_read_by_its_name_in_capitals():
    with environment(API_PORT="8100", DYNAMODB_ACCOUNTS_TABLE="other-accounts"):
        settings = Settings.from_environment()
    assert settings.api_port == 8100
    assert settings.tables.accounts == "other-accounts"
    assert settings.tables.tenants == "threat-engine-tenants"


def test_a_variable_that_is_set_to_nothing_counts_as_not_set():
    with environment(API_PORT="", CLOUDFORMATION_TEMPLATE_URL=""):
        settings = Settings.from_environment()
    assert (settings.api_port, settings.cloudformation_template_url) == (8000, None)


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_value_is_named_in_one_sentence_and_not_shown(name: str):
    wrong = "two words"
    with environment(**{name: wrong}), pytest.raises(SettingsError) as failure:
        Settings.from_environment(SECRETS)
    assert str(failure.value).startswith(f"{name} has a wrong value: it must be ")
    assert len(str(failure.value).splitlines()) == 1
    assert wrong not in str(failure.value)


@settings(deadline=None)  # each example reads all settings, and a busy machine takes its time
@given(
    st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=1)
    | st.from_regex("[0-9]{11,13}", fullmatch=True)
)
def test_an_account_number_is_twelve_digits(text: str):
    with environment(PLATFORM_AWS_ACCOUNT_ID=text):
        assert accepted() == bool(re.fullmatch("[0-9]{12}", text))


def accepted() -> bool:
    try:
        Settings.from_environment()
    except SettingsError:
        return False
    return True


def test_every_wrong_setting_is_told_at_once():
    with environment(API_PORT="0", LOG_LEVEL="verbose"), pytest.raises(SettingsError) as failure:
        Settings.from_environment()
    assert [line.split()[0] for line in str(failure.value).splitlines()] == ["API_PORT", "LOG_LEVEL"]


PLATFORM_ALICLOUD = {
    "ALICLOUD_ACCESS_KEY_ID": "LTAI" + "a" * 20,
    "ALICLOUD_ACCESS_KEY_SECRET": "s" * 30,
    "ALICLOUD_PRINCIPAL_ARN": "acs:ram::1234567890123456:user/threat-engine",
}


@pytest.mark.parametrize("left_out", PLATFORM_ALICLOUD)
def test_of_the_three_alicloud_settings_the_worker_uses_none_alone(left_out: str):
    given = {name: value for name, value in PLATFORM_ALICLOUD.items() if name != left_out}
    with environment(**given), pytest.raises(SettingsError) as failure:
        Settings.from_environment(WORKER_SECRETS)
    assert str(failure.value).startswith(f"{left_out} is missing: it must be ")
    assert len(str(failure.value).splitlines()) == 1


def test_the_alicloud_secret_is_not_shown():
    with environment(**PLATFORM_ALICLOUD):
        settings = Settings.from_environment(WORKER_SECRETS)
    assert settings.alicloud_access_key_secret is not None
    assert settings.alicloud_access_key_secret.get_secret_value() == PLATFORM_ALICLOUD["ALICLOUD_ACCESS_KEY_SECRET"]
    assert PLATFORM_ALICLOUD["ALICLOUD_ACCESS_KEY_SECRET"] not in f"{settings!r}{settings.model_dump_json()}"


def test_an_engine_has_its_address_and_its_token():
    with environment(GCP_ENGINE_URL="https://engine.example", GCP_ENGINE_TOKEN=CANARY):
        found = scan_work.addresses(Settings.from_environment(WORKER_SECRETS))
    assert found == {ProviderType.GCP: EngineAddress("https://engine.example", Secret(CANARY))}


def test_a_token_is_shown_nowhere():
    with environment(GCP_ENGINE_URL="https://engine.example", GCP_ENGINE_TOKEN=CANARY):
        settings = Settings.from_environment(WORKER_SECRETS)
    shown = (repr(settings), str(settings), settings.model_dump_json(), repr(scan_work.addresses(settings)))
    assert not [text for text in shown if CANARY in text]


@pytest.mark.parametrize("token", ["tok en", "token\n", "tökèn", "a" * 5000, "=token"])
def test_a_token_fits_a_header(token: str):
    with environment(IBM_ENGINE_TOKEN=token), pytest.raises(SettingsError) as failure:
        Settings.from_environment(WORKER_SECRETS)
    assert str(failure.value).startswith("IBM_ENGINE_TOKEN has a wrong value")
    assert token not in str(failure.value)


# Who reads which secret, and from where

GOOD = {
    "RATE_LIMIT_STORE_URL": "rediss://:kanarienvogel@redis.example:6379/0",
    **{name: value for name, value in PLATFORM_ALICLOUD.items() if "KEY" in name},
    **{name.upper(): f"{CANARY}" for name in ENGINE_TOKENS},
}
"""A value for each secret."""


def test_every_masked_setting_is_a_secret_of_the_processes_that_need_it():
    masked = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    assert masked <= set(SECRETS)
    assert {name.upper() for name in SECRETS} == set(GOOD)


@pytest.mark.parametrize("name", GOOD)
def test_a_secret_comes_from_its_variable_or_from_a_file(name: str, tmp_path: Path):
    (tmp_path / "secret").write_text(f"{GOOD[name]}\n")
    found = []
    for source in ({name: GOOD[name]}, {f"{name}_FILE": str(tmp_path / "secret")}):
        with environment(**PLATFORM_ALICLOUD), pytest.MonkeyPatch.context() as patch:
            patch.delenv(name, raising=False)
            for variable, value in source.items():
                patch.setenv(variable, value)
            found.append(shown_in_full(getattr(Settings.from_environment(SECRETS), name.lower())))
    assert found == [GOOD[name]] * 2


def shown_in_full(value: Any) -> str:
    return str(getattr(value, "get_secret_value", lambda: value)())


@pytest.mark.parametrize("name", GOOD)
def test_a_process_reads_only_the_secrets_that_it_needs(name: str):
    """Whatever another process's secret is, and wherever it should be: the process starts and does not have it."""
    for needed in (API_SECRETS, WORKER_SECRETS, ()):
        if name.lower() in needed:
            continue
        for variable, value in ((name, GOOD[name]), (name, "not even valid \0".strip("\0")), (f"{name}_FILE", "/none")):
            with environment(**{variable: value}):
                assert getattr(Settings.from_environment(needed), name.lower()) is None


def test_the_api_offers_roles_of_alicloud_with_the_name_of_our_user_alone():
    with environment(ALICLOUD_PRINCIPAL_ARN=PLATFORM_ALICLOUD["ALICLOUD_PRINCIPAL_ARN"]):
        found = clouds.platform_alicloud(Settings.from_environment(API_SECRETS))
    assert found == PlatformAliCloud(PLATFORM_ALICLOUD["ALICLOUD_PRINCIPAL_ARN"], None)


def everything() -> None:
    """Read every secret that there is."""
    Settings.from_environment(SECRETS)
    config.temporal_connection()


WRONG_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: None, "has a wrong value: it must be the path of a file that can be read"),
    "a folder": (Path.mkdir, "has a wrong value: it must be the path of a file that can be read"),
    "a pipe": (os.mkfifo, "has a wrong value: it must be the path of a file that can be read"),
    "too large": (lambda path: path.write_text("a" * 8_193), "is too large: it may have 8192 bytes at most"),
    "empty": (lambda path: path.write_text("\n"), "is empty: it must hold the value"),
    "not text": (lambda path: path.write_bytes(b"\xff\xfe"), "is not text in UTF-8"),
}


@pytest.mark.parametrize(("make", "sentence"), WRONG_FILES.values(), ids=WRONG_FILES.keys())
@pytest.mark.parametrize("name", ["AZURE_ENGINE_TOKEN", "TEMPORAL_API_KEY"])
def test_a_file_that_gives_no_secret_is_told_without_its_path(
    name: str, make: Callable[[Path], object], sentence: str, tmp_path: Path
):
    path = tmp_path / "kanarienvogel"
    make(path)
    with environment(**{f"{name}_FILE": str(path)}), pytest.raises(SettingsError) as failure:
        everything()
    assert str(failure.value).startswith(f"{name}_FILE ")
    assert sentence in str(failure.value)
    assert "kanarienvogel" not in str(failure.value)


@pytest.mark.parametrize("name", [*GOOD, "TEMPORAL_API_KEY"])
def test_a_secret_that_is_set_twice_is_refused(name: str, tmp_path: Path):
    (tmp_path / "secret").write_text(CANARY)
    with environment(**{name: CANARY, f"{name}_FILE": str(tmp_path / "secret")}), pytest.raises(SettingsError) as told:
        everything()
    assert f"{name} and {name}_FILE are both set: set one of them." in str(told.value)
    assert CANARY not in str(told.value)


def test_the_value_in_a_file_is_judged_like_that_of_the_variable(tmp_path: Path):
    (tmp_path / "secret").write_text("two words\n")
    with environment(IBM_ENGINE_TOKEN_FILE=str(tmp_path / "secret")), pytest.raises(SettingsError) as failure:
        Settings.from_environment(WORKER_SECRETS)
    assert str(failure.value).startswith("IBM_ENGINE_TOKEN has a wrong value")


def test_temporals_key_comes_from_a_file_too(tmp_path: Path):
    (tmp_path / "key").write_text("k\n")
    with environment(TEMPORAL_API_KEY_FILE=str(tmp_path / "key")):
        assert config.temporal_connection().options == {"api_key": "k", "tls": True}


def test_a_secret_that_a_process_does_not_need_is_named_by_its_variable():
    values = {"ALICLOUD_ACCESS_KEY_SECRET": "x", "RATE_LIMIT_STORE_URL": "y", "OCI_ENGINE_TOKEN": ""}
    assert unneeded(API_SECRETS, values) == ["ALICLOUD_ACCESS_KEY_SECRET"]


def test_the_platform_may_run_in_every_region_of_every_partition():
    aws = boto3.session.Session()
    for partition in aws.get_available_partitions():
        for region in aws.get_available_regions("ec2", partition_name=partition):
            with environment(AWS_REGION=region):
                assert Settings.from_environment().aws_region == region


@pytest.mark.parametrize(
    ("origins", "allowed"),
    [
        ("https://portal.example.com,https://other.example.com:8443", True),
        ("http://localhost:3000", True),
        ("http://127.0.0.1:5173,http://[::1]:8080,https://localhost:3000,http://localhost", True),
        ("http://app.localhost:3000", True),
        (" http://LOCALHOST:3000 , https://Portal.example.com:443", True),
        ("http://localhost:99999", False),
        ("http://portal.example.com", False),
        ("https://portal.example.com,http://portal.example.com", False),
        ("http://localhost.example.com", False),
        ("http://127.0.0.1.example.com:3000", False),
        ("http://localhost:3000/", False),
        ("http://user@localhost", False),
        ("http://*", False),
    ],
)
def test_a_page_may_call_over_http_from_the_browsers_own_machine_only(origins: str, allowed: bool):
    with environment(CORS_ORIGINS=origins):
        if allowed:
            kept = origins.lower().replace(" ", "").replace(":443", "")
            assert Settings.from_environment().cors_origins == kept
            return
        with pytest.raises(SettingsError) as failure:
            Settings.from_environment()
    assert str(failure.value) == (
        "CORS_ORIGINS has a wrong value: it must be the origins whose pages may call the API, with commas between "
        "them: https, or http on localhost, a name below it, 127.0.0.1 or [::1]."
    )


def test_settings_do_not_change():
    with environment():
        settings = Settings.from_environment()
    with pytest.raises(ValueError, match="frozen"):
        settings.api_port = 9000  # type: ignore[misc]


def test_temporal_is_looked_for_where_its_own_tools_look():
    assert config.temporal_connection() == config.TemporalConnection("localhost:7233", "default")
    with environment(TEMPORAL_ADDRESS="temporal.example:7233", TEMPORAL_NAMESPACE="onboarding", TEMPORAL_API_KEY="k"):
        found = config.temporal_connection()
    assert found == config.TemporalConnection("temporal.example:7233", "onboarding", {"api_key": "k", "tls": True})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TEMPORAL_ADDRESS", "temporal.example"),
        ("TEMPORAL_ADDRESS", "temporal.example:seven"),
        ("TEMPORAL_PROFILE", "no-such-profile"),
        ("TEMPORAL_TLS_CLIENT_CERT_PATH", "/no/such/file"),
        ("TEMPORAL_CONFIG_FILE", __file__),
    ],
)
def test_a_wrong_temporal_setting_is_told_without_its_value(name: str, value: str):
    with environment(**{name: value}), pytest.raises(SettingsError) as failure:
        config.temporal_connection()
    assert "TEMPORAL_" in str(failure.value)
    assert value not in str(failure.value)


def test_a_process_ends_with_the_sentence_and_code_two(capsys: pytest.CaptureFixture[str]):
    with environment(PLATFORM_AWS_ACCOUNT_ID="12"), pytest.raises(SystemExit) as exit:
        config.load()
    assert exit.value.code == 2
    assert capsys.readouterr().err.startswith("PLATFORM_AWS_ACCOUNT_ID has a wrong value")


def test_the_version_is_the_project_s():
    assert loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == config.VERSION
