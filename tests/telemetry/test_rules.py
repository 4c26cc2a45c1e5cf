"""The files for Prometheus and Grafana: well-formed, and each alert has its page of what to do."""

import json
import re
from itertools import combinations
from typing import Any

import pytest
import yaml

from domain.audit.trail import PATIENCE
from domain.errors import CODES
from domain.metrics import ALL, OTHER
from domain.onboarding.messages import OnboardingState, Result
from domain.scans.scan import Leaving
from tests.pages import ROOT, reference, rows, section, source, ticked
from tests.telemetry.rules import ALERTS, DASHBOARD, SCRAPING, alerts, panels, parts, queries
from workflows.metrics import REFUSAL_CODES, REFUSAL_STEPS

GUIDE = (ROOT / "docs/how-to/watch-it.md").read_text()
DURATION = re.compile(r"([0-9]+(ms|[smhdwy]))+")


@pytest.mark.parametrize("query", queries().values(), ids=queries().keys())
def test_a_query_is_promql(query: str):
    assert parts(query).metrics


def test_what_is_not_promql_is_found():
    with pytest.raises(ValueError, match="parenthesis"):
        parts("sum by (le (rate(x[5m]))")


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_wrong_and_how_bad_it_is(rule: dict[str, Any]):
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"[A-Z]\w+", rule["alert"])
    assert rule["labels"] in ({"severity": "page"}, {"severity": "ticket"})
    assert DURATION.fullmatch(rule.get("for", "0s"))
    assert rule["annotations"]["summary"].endswith(".")
    grouped = parts(rule["expr"]).grouped_by
    assert set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])) <= grouped


def test_each_alert_has_its_page_of_what_to_do_and_no_other():
    headings = re.findall(r"^### (\w+)$", GUIDE, re.MULTILINE)
    assert headings == [rule["alert"] for rule in alerts()]
    pages = [rule["annotations"]["runbook"] for rule in alerts()]
    assert pages == [f"docs/how-to/watch-it.md#{name.lower()}" for name in headings]


def test_events_that_are_not_sealed_wake_somebody_when_a_check_of_the_trail_calls_them_stalled():
    [rule] = [rule for rule in alerts() if rule["alert"] == "AuditUnsealed"]
    [after] = re.findall(r"> (\d+)", rule["expr"])
    [unseen] = re.findall(r"\[(\d+)m\]", rule["expr"])
    minutes = int(rule["for"].removesuffix("m"))
    assert int(after) / 60 + minutes == int(unseen) + minutes == PATIENCE.total_seconds() / 60


def closed_sets() -> dict[tuple[str, str], set[str]]:
    """The values that a label can have, where an enum or a registry lists them."""
    steps = set(re.findall(r'@activity\.defn\(name="(\w+)"', source("activities/*.py")))
    final = {state.value for state in OnboardingState if state.final}
    return {
        ("onboarding_step_failures_total", "code"): {*CODES, OTHER},
        ("onboarding_step_failures_total", "step"): steps,
        ("onboarding_duration_seconds", "outcome"): final,
        ("onboarding_submission_duration_seconds", "result"): set(Result),
        ("onboardings_running", "state"): set(OnboardingState) - final,
        ("onboardings_ended_total", "outcome"): final,
        ("onboarding_submissions_total", "result"): set(Result),
        ("scans_ended_total", "outcome"): {"completed", "failed", "cancelled"},
        ("scans_skipped_total", "reason"): set(Leaving),
        ("notification_deliveries_total", "state"): {"delivered", "failed"},
        ("aws_requests_total", "result"): {"ok", "refused", "throttled", "failed"},
    }


def base(metric: str) -> str:
    return re.sub(r"_(bucket|count|sum)$", "", metric)


@pytest.mark.parametrize("query", queries().values(), ids=queries().keys())
def test_a_query_asks_for_labels_and_values_that_there_are(query: str):
    ours = {metric.exposed: set(metric.labels) for metric in ALL}
    for matcher in parts(query).matchers:
        if (name := base(matcher.metric)) in ours:
            assert matcher.label in ours[name]
        if (values := closed_sets().get((name, matcher.label))) is not None:
            assert set(matcher.value.split("|")) <= values, matcher


def test_a_panel_has_a_place_of_its_own():
    taken = [panel["gridPos"] for panel in panels()]
    for one, other in combinations(taken, 2):
        apart = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert apart or above, (one, other)
    assert all(place["x"] + place["w"] <= 24 for place in taken)
    assert len({panel["id"] for panel in panels()}) == len({panel["title"] for panel in panels()}) == len(panels())


def test_the_dashboard_lets_its_reader_choose_the_source():
    dashboard = json.loads(DASHBOARD.read_text())
    assert [(v["name"], v["type"]) for v in dashboard["templating"]["list"]] == [("datasource", "datasource")]
    assert re.findall(r'"uid": "([^"$]+)"', DASHBOARD.read_text()) == [dashboard["uid"]]


def test_the_example_for_prometheus_reads_both_processes_and_the_rules():
    example = yaml.safe_load(SCRAPING.read_text())
    assert [job["job_name"] for job in example["scrape_configs"]] == ["onboarding-api", "onboarding-worker"]
    assert example["rule_files"] == [ALERTS.name]
    for job in example["scrape_configs"]:
        assert job["static_configs"][0]["targets"][0] in GUIDE


def test_each_metric_of_ours_is_documented_and_no_other():
    documented = rows(section(reference("metrics"), "## Metrics of our own"))
    assert documented == [
        [f"`{m.exposed}`", m.kind.value, ", ".join(f"`{label}`" for label in m.labels) or "–", m.meaning] for m in ALL
    ]


def test_each_label_of_ours_is_documented():
    documented = {name for row in rows(section(reference("metrics"), "## Labels")) for name in ticked(row[0])}
    assert documented == {label for metric in ALL for label in metric.labels}


def test_the_metrics_of_the_sdk_that_are_used_are_documented():
    used = {base(name) for query in queries().values() for name in parts(query).metrics if name.startswith("temporal_")}
    assert used == {name for name in ticked(reference("metrics")) if re.fullmatch(r"temporal_\w*[a-z]", name)}


def test_the_steps_and_codes_of_refusals_are_those_of_the_reference():
    page = section(reference("errors"), "## Steps of a validation")
    assert set(re.findall(r"^### Step `(\w+)`$", page, re.MULTILINE)) == REFUSAL_STEPS
    assert {name for row in rows(page) for name in ticked(row[0])} == REFUSAL_CODES
