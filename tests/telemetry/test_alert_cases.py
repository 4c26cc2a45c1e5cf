"""The cases of `promtool test rules`: of each alert one where it fires and one where it does not."""

import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.pages import ROOT
from tests.telemetry.rules import ALERTS, alerts, parts

CASES = ROOT / "deploy/prometheus/alerts_test.yml"
NAMES = [rule["alert"] for rule in alerts()]


def cases() -> list[dict[str, Any]]:
    return list(yaml.safe_load(CASES.read_text())["tests"])


def asked() -> Iterator[tuple[str, bool]]:
    """Each alert that is looked at, and whether it is to fire."""
    for case in cases():
        for look in case["alert_rule_test"]:
            yield look["alertname"], bool(look.get("exp_alerts"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fires", [True, False])
def test_an_alert_has_a_case(name: str, fires: bool):
    assert (name, fires) in set(asked())


def test_no_case_is_of_an_alert_that_is_not_there():
    assert {name for name, _ in asked()} == set(NAMES)


def test_the_series_are_those_that_the_rules_ask_for():
    wanted = {metric for rule in alerts() for metric in parts(rule["expr"]).metrics}
    series = [each["series"] for case in cases() for each in case["input_series"]]
    given = {metric for one in series for metric in parts(one).metrics}
    assert given == wanted


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool, of Debian's package prometheus, is not installed")
def test_prometheus_finds_the_cases_right():
    for words in (["check", "rules", ALERTS.name], ["test", "rules", CASES.name]):
        command = ["promtool", *words]
        done = subprocess.run(command, cwd=CASES.parent, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
