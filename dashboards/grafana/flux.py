"""Pieces of Flux. Every name of a column goes through the measurement, so that none can be wrong.

Grafana fills in ``v.defaultBucket``, ``v.timeRangeStart``, ``v.timeRangeStop``, ``v.windowPeriod``
and the dashboard's variables. An answer without a column ``_value`` reaches a panel as it is, one
frame for each Flux table, so every query ends in one table.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from schemas.measurements import Measurement

# Values are put into the text quoted and escaped by Grafana. A site may be «All», which is `.*`.
COHORT = "r.site =~ /^${site:regex}$/"
PERSON = "r.site == ${site:doublequote} and r.subject == ${subject:doublequote}"
SERIES = f"{PERSON} and r.analyte == ${{analyte:doublequote}}"

IN_RANGE = ("v.timeRangeStart", "v.timeRangeStop")
# What is still open, or newest, may have begun long before the range that is looked at. Needs the
# package date.
UP_TO_NOW = ("date.sub(d: 365d, from: v.timeRangeStop)", "v.timeRangeStop")
DATE = 'import "date"\n'

# What a clock shows, from hours that need not be wrapped. Needs the package math.
CLOCK = """two = (v) => if v < 10 then "0" + string(v: v) else string(v: v)
clock = (v) => {
  minutes = (int(v: math.round(x: v * 60.0)) + 2880) % 1440
  return two(v: minutes / 60) + ":" + two(v: minutes % 60)
}"""

MS = 1_000_000  # nanoseconds, of which Flux makes its times
TABLE_ROWS = 200


def rows(
    measurement: Measurement,
    where: str,
    fields: Sequence[str],
    *steps: str,
    span: tuple[str, str] = IN_RANGE,
) -> str:
    """Values of some fields, then ``steps``; ``where`` is a condition on tags of the row ``r``."""
    wanted = " or ".join(f'r._field == "{name}"' for name in checked(measurement, fields))
    return piped(
        "from(bucket: v.defaultBucket)",
        f"range(start: {span[0]}, stop: {span[1]})",
        f'filter(fn: (r) => r._measurement == "{measurement.name}" and {where})',
        f"filter(fn: (r) => {wanted})",
        *steps,
    )


def piped(*steps: str) -> str:
    """Steps of one stream."""
    return "\n  |> ".join(steps)


def checked(measurement: Measurement, fields: Sequence[str]) -> Sequence[str]:
    """The same; raises ``ValueError`` if one is no field of the measurement."""
    known = {column.name for column in measurement.fields}
    if unknown := [name for name in fields if name not in known]:
        raise ValueError(f"{measurement.name} has no field {', '.join(unknown)}")
    return fields


def wide(measurement: Measurement) -> tuple[str, ...]:
    """Steps that make a table of a person's rows, a column a field; ``_time`` names the row."""
    keys = json.dumps(["_time", *measurement.tags])
    return (
        'drop(columns: ["_start", "_stop", "_measurement"])',
        f'pivot(rowKey: {keys}, columnKey: ["_field"], valueColumn: "_value")',
        "group()",
    )


def wide_of_one_type(measurement: Measurement) -> tuple[str, ...]:
    """The same, for fields of one type and many series: one pivot and not one for each."""
    group, pivot = "group()", wide(measurement)[1]
    return (group, pivot)


def keep(*columns: str) -> str:
    """The step that leaves these columns."""
    return f"keep(columns: {json.dumps(columns)})"


def time_named(name: str = "time") -> str:
    """The step that calls ``_time`` as the panel does."""
    return f'rename(columns: {{_time: "{name}"}})'
