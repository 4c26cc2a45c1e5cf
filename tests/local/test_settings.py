"""Which settings the embedded stack takes over, and which it names as left aside."""

from pathlib import Path

import pytest

from config import Settings
from emulators.failures import StackFailed
from emulators.ports import free_ports
from local.settings import DECIDED, PASSED_ON, checked, ignored, passed_on
from local.stack import PLATFORM_NUMBER, process_environment

CHOSEN = {
    "TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces",
    "AZURE_ENGINE_URL": "http://127.0.0.1:9000",
    "AZURE_ENGINE_TOKEN": "token",
    "CLOUDFORMATION_TEMPLATE_URL": "https://templates.example.com/role.json",
    "CORS_ORIGINS": "http://localhost:3000",
    "RATE_LIMIT_PER_TENANT": "7",
    "LOG_LEVEL": "DEBUG",
    "ENGINE_SCAN_MAX_WAIT_SECONDS": "60",
}


@pytest.mark.parametrize("name", CHOSEN)
def test_what_makes_sense_here_reaches_the_processes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str):
    monkeypatch.setenv(name, CHOSEN[name])
    assert process_environment(tmp_path, ports=free_ports(), settings={})[name] == CHOSEN[name]


def test_every_setting_is_passed_on_or_decided():
    known = {name.upper() for name in Settings.model_fields}
    assert known - DECIDED - PASSED_ON == {"API_PORT"}
    assert known >= DECIDED


def test_what_the_stack_decides_itself_is_named_when_it_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("TEMPORAL_ADDRESS", "temporal.example.com:7233")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://elsewhere")
    monkeypatch.setenv("TEMPORAL_PORT", "7234")
    monkeypatch.delenv("AWS_REGION")
    assert ignored() == ["AWS_ENDPOINT_URL", "TEMPORAL_ADDRESS"]
    assert process_environment(tmp_path, ports=free_ports(), settings={})["AWS_ENDPOINT_URL"] != "http://elsewhere"


def test_a_wrong_setting_is_told_before_anything_starts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SCANS_CONCURRENCY", "many")
    with pytest.raises(StackFailed, match=r"^SCANS_CONCURRENCY has a wrong value: it must be the number"):
        checked(passed_on(), account=PLATFORM_NUMBER)
