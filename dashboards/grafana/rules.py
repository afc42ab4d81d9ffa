"""Alert rules over the pipeline itself: a fleet that is silent, lag, dead letters, store errors.

Alerts about people are the processors' own and are not made again here. A rule asks one question,
gets one number, and compares it. Grafana fills environment variables into provisioning files by
``$``, so no question has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dashboards.grafana import promql
from dashboards.grafana.datasource import INFLUX_UID, PROMETHEUS_UID
from dashboards.grafana.queries import pipeline

# Filled in by Grafana: where docs/runbooks.md is published.
RUNBOOKS = "${ACROPHASE_RUNBOOKS_URL}"
EVERY = "1m"
_LOOKS_BACK_S = 3_600


@dataclass(frozen=True)
class Rule:
    """One rule: it fires once ``question`` has been above ``above`` for ``lasting``.

    ``panel`` is the title of the Pipeline panel that shows it, ``runbook`` a heading of
    docs/runbooks.md. ``page`` wakes somebody, ``ticket`` waits for the morning.
    """

    uid: str
    title: str
    datasource: str
    question: str
    above: float
    lasting: str
    severity: Literal["page", "ticket"]
    on_no_data: Literal["Alerting", "NoData", "OK"]
    panel: str
    runbook: str
    summary: str

    def queries(self) -> list[dict[str, object]]:
        """The rule's data: the question, and the comparison that is its condition."""
        asked: dict[str, object] = {"refId": "A", "query": self.question}
        if self.datasource == PROMETHEUS_UID:
            asked = {"refId": "A", "expr": self.question, "instant": True, "range": False}
        over = {"type": "gt", "params": [self.above]}
        compared: dict[str, object] = {
            "refId": "B",
            "type": "threshold",
            "expression": "A",
            "conditions": [{"evaluator": over}],
        }
        return [_data("A", self.datasource, asked), _data("B", "__expr__", compared)]


def _data(ref_id: str, datasource: str, model: dict[str, object]) -> dict[str, object]:
    return {
        "refId": ref_id,
        "datasourceUid": datasource,
        "relativeTimeRange": {"from": _LOOKS_BACK_S, "to": 0},
        "model": model,
    }


RULES: tuple[Rule, ...] = (
    Rule(
        uid="acrophase-silent-fleet",
        title="The whole fleet is silent",
        datasource=INFLUX_UID,
        question=pipeline.fleet_silence(),
        above=60,
        lasting="5m",
        severity="page",
        on_no_data="Alerting",
        panel="Newest reading of anybody",
        runbook="silent-fleet",
        summary="Nobody's readings have come in for an hour: an absence of alerts means nothing.",
    ),
    Rule(
        uid="acrophase-lag",
        title="The workers fall behind",
        datasource=PROMETHEUS_UID,
        question=promql.worst_lag(),
        above=10_000,
        lasting="10m",
        severity="page",
        on_no_data="Alerting",
        panel="Consumer lag",
        runbook="lag",
        summary="A partition has been more than 10,000 records behind for ten minutes, or nothing "
        "says how far it is.",
    ),
    Rule(
        uid="acrophase-dead-letters",
        title="Much of what comes in cannot be used",
        datasource=PROMETHEUS_UID,
        question=promql.dead_letter_share(),
        above=0.01,
        lasting="15m",
        severity="ticket",
        on_no_data="OK",
        panel="Dead letters by reason",
        runbook="dead-letters",
        summary="More than 1 % of the last half hour's records became dead letters.",
    ),
    Rule(
        uid="acrophase-store-errors",
        title="The store does not take what is written",
        datasource=PROMETHEUS_UID,
        question=promql.recent_store_retries(),
        above=0,
        lasting="10m",
        severity="ticket",
        on_no_data="OK",
        panel="Store: writes tried again",
        runbook="store-errors",
        summary="Writes to the store have had to be tried again for ten minutes.",
    ),
    Rule(
        uid="acrophase-unconfirmed",
        title="Results are not being kept",
        datasource=PROMETHEUS_UID,
        question=promql.oldest_unconfirmed(),
        above=120,
        lasting="2m",
        severity="page",
        on_no_data="OK",
        panel="Oldest unconfirmed output",
        runbook="store-errors",
        summary="An output has been waiting for more than two minutes to be confirmed.",
    ),
)
