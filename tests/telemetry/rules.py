"""The dashboard and the alert rules, as those who load them read them."""

import json
from dataclasses import dataclass
from typing import Any

import promql_parser as promql
import yaml

from tests.pages import ROOT

ALERTS = ROOT / "deploy/prometheus/alerts.yml"
SCRAPING = ROOT / "deploy/prometheus/prometheus.yml"
DASHBOARD = ROOT / "deploy/grafana/dashboard.json"


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def queries() -> dict[str, str]:
    """Every query by where it stands."""
    of_alerts = {f"alert {rule['alert']}": rule["expr"] for rule in alerts()}
    of_panels = {f"panel {p['title']} {t['refId']}": t["expr"] for p in panels() for t in p["targets"]}
    return of_alerts | of_panels


@dataclass(frozen=True)
class Matcher:
    """What a query wants of a label."""

    metric: str
    label: str
    value: str


@dataclass(frozen=True)
class Parts:
    """What a query is made of."""

    metrics: frozenset[str]
    matchers: frozenset[Matcher]
    grouped_by: frozenset[str]


def parts(query: str) -> Parts:
    """Raises ValueError for a query that is not PromQL."""
    found: list[Any] = []
    promql.walk(promql.parse(query), found.append)
    series = [node for node in found if isinstance(node, promql.VectorSelector)]
    grouping = [node.modifier for node in found if isinstance(node, promql.AggregateExpr) and node.modifier]
    return Parts(
        frozenset(str(node.name) for node in series),
        frozenset(Matcher(str(node.name), m.name, m.value) for node in series for m in node.matchers.matchers),
        frozenset(label for modifier in grouping for label in modifier.labels),
    )
