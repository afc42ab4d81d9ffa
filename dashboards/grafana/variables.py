"""Variables of the dashboards: site, subject, analyte, and the analyte's unit.

Nothing else is ever asked of a viewer, and nothing here is more than a pseudonym.
"""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models.dashboard import (
    VariableHide,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from dashboards.grafana.datasource import STORE
from dashboards.grafana.queries import choices

# Put into a regular expression by the queries.
_EVERYTHING = ".*"


def any_site() -> builders.QueryVariable:
    """One site, or all of them."""
    everything = VariableOption(text="All", value="$__all", selected=True)
    return _site().include_all(True).all_value(_EVERYTHING).current(everything)


def one_site() -> builders.QueryVariable:
    """One site: a pseudonym is unique within its site only."""
    return _site()


def subject() -> builders.QueryVariable:
    """One person of the site."""
    return _of_store("subject", "Person", "Pseudonym of the person.", choices.subjects())


def analyte() -> builders.QueryVariable:
    """What is measured of the person."""
    return _of_store("analyte", "Analyte", "What is measured.", choices.analytes())


def unit() -> builders.QueryVariable:
    """The analyte's canonical unit, for titles: a panel's own unit cannot follow a variable."""
    made = _of_store("unit", "Unit", "Canonical unit of the analyte.", choices.unit())
    return made.hide(VariableHide.HIDE_VARIABLE)


def _site() -> builders.QueryVariable:
    return _of_store("site", "Site", "Tenant or study site.", choices.sites())


def _of_store(name: str, label: str, description: str, query: str) -> builders.QueryVariable:
    return (
        builders.QueryVariable(name)
        .label(label)
        .description(description)
        .datasource(STORE)
        .query(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(False)
        .include_all(False)
    )
