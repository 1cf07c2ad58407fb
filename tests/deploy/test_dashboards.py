"""The dashboard and the alerts ask for what the code tells, and say what to do."""

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.deploy.metrics import complaints, known_metrics

ROOT = Path(__file__).parents[2]
ALERTS = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((ROOT / "deploy/grafana/careloop.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


@pytest.fixture(scope="module")
def known() -> dict[str, set[str]]:
    return known_metrics()


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_what_is_told(rule, known):
    assert list(complaints(rule["expr"], known)) == []


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_to_do(rule):
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"]
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(), re.MULTILINE)
    assert anchor in {slug(heading) for heading in headings}


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_names_only_labels_that_its_expression_leaves(rule):
    used = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    grouped = set(re.findall(r"\w+", " ".join(re.findall(r"\bby \(([^)]*)\)", rule["expr"]))))
    assert used <= (grouped or {"instance", "job"})


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_shows_what_is_told(panel, known):
    assert panel["targets"]
    for target in panel["targets"]:
        assert list(complaints(target["expr"], known)) == []


def test_every_metric_of_ours_is_on_the_dashboard_or_in_an_alert(known):
    """What nobody looks at need not be measured."""
    text = json.dumps(DASHBOARD) + json.dumps(ALERTS)
    families = {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in known}
    unseen = {family for family in families if family not in text}
    assert unseen <= {"careloop_rate_limits_unsettled"}


def test_the_dashboard_can_be_imported():
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    assert DASHBOARD["uid"] == "careloop"
    for panel in PANELS:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert panel["datasource"]["uid"] == "${datasource}"


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("careloop_absent_total", "careloop_absent_total is told by nobody"),
        ('careloop_redis_up{tenant="x"}', "careloop_redis_up has no label tenant"),
        ("sum by (shop) (careloop_redis_up)", "nothing in it has a label shop"),
        ("careloop_http_requests", "careloop_http_requests is told by nobody"),
    ],
)
def test_a_mistake_is_found(expression, complaint, known):
    assert complaint in list(complaints(expression, known))


def test_what_is_no_promql_is_found(known):
    with pytest.raises(ValueError):
        list(complaints("sum by (part (x)", known))


def slug(heading: str) -> str:
    """A heading's anchor, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
