"""The datasource variable, and the two kinds of query that are asked of it.

The SDK has no InfluxDB query of its own: a Flux query is its text and nothing else.
"""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.dashboard import VariableOption
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

INFLUX_TYPE, PROMETHEUS_TYPE = "influxdb", "prometheus"
# As provisioned; alert rules have no variables and must name them.
INFLUX_UID, PROMETHEUS_UID = "acrophase-influxdb", "acrophase-prometheus"
INFLUX_NAME, PROMETHEUS_NAME = "Acrophase store", "Acrophase metrics"

STORE = DataSourceRef(type_val=INFLUX_TYPE, uid="${datasource}")
# The system's own metrics are not in the store: only the Pipeline dashboard has this second one.
METRICS = DataSourceRef(type_val=PROMETHEUS_TYPE, uid="${metrics}")


class FluxQuery(Dataquery):
    """A Flux query as Grafana's InfluxDB datasource takes it."""

    def __init__(self, ref_id: str, query: str, datasource: DataSourceRef) -> None:
        self.ref_id, self.query, self.datasource = ref_id, query, datasource

    def to_json(self) -> dict[str, object]:
        """The target's JSON."""
        return {"refId": self.ref_id, "datasource": self.datasource, "query": self.query}


class Flux(Builder[Dataquery]):
    """Builder of a Flux target; ``ref_id`` is a letter."""

    def __init__(self, query: str, ref_id: str = "A", datasource: DataSourceRef = STORE) -> None:
        self._made = FluxQuery(ref_id, query, datasource)

    def build(self) -> Dataquery:
        """The target."""
        return self._made


def metric_query(expression: str, legend: str, ref_id: str = "A") -> prometheus.Dataquery:
    """A range query; ``legend`` names its series, with ``{{label}}`` filled in."""
    return (
        prometheus.Dataquery()
        .expr(expression)
        .legend_format(legend)
        .range()
        .format(PromQueryFormat.TIME_SERIES)
        .ref_id(ref_id)
        .datasource(METRICS)
    )


def store_variable() -> builders.DatasourceVariable:
    """Which InfluxDB: ``${datasource}``."""
    return (
        builders.DatasourceVariable("datasource")
        .label("Store")
        .description("The InfluxDB that the workers write to.")
        .type(INFLUX_TYPE)
        .current(VariableOption(text=INFLUX_NAME, value=INFLUX_UID))
    )


def metrics_variable() -> builders.DatasourceVariable:
    """Which Prometheus: ``${metrics}``."""
    return (
        builders.DatasourceVariable("metrics")
        .label("Metrics")
        .description("The Prometheus that scrapes workers and page.")
        .type(PROMETHEUS_TYPE)
        .current(VariableOption(text=PROMETHEUS_NAME, value=PROMETHEUS_UID))
    )
