"""What the dashboards' variables ask: which sites, people and analytes there are."""

from __future__ import annotations

import json

from dashboards.grafana.flux import PERSON
from schemas.catalogue import load_catalogue
from schemas.measurements import RHYTHM

_SCHEMA = 'import "influxdata/influxdb/schema"\n'


def _tag_values(tag: str, where: str) -> str:
    return f"""{_SCHEMA}schema.tagValues(
  bucket: v.defaultBucket,
  tag: "{tag}",
  predicate: (r) => r._measurement == "{RHYTHM.name}"{where},
  start: v.timeRangeStart,
  stop: v.timeRangeStop,
)"""


def sites() -> str:
    """``_value``: sites with anybody in the range."""
    return _tag_values("site", "")


def subjects() -> str:
    """``_value``: pseudonyms of the chosen site."""
    return _tag_values("subject", " and r.site == ${site:doublequote}")


def analytes() -> str:
    """``_value``: what is measured of the chosen person."""
    return _tag_values("analyte", f" and {PERSON}")


def unit() -> str:
    """``_value``: the unit of the chosen analyte as people write it, from the catalogue."""
    units = ", ".join(
        f"{json.dumps(analyte.slug)}: {json.dumps(analyte.unit_label, ensure_ascii=False)}"
        for analyte in load_catalogue()
    )
    return f"""import "array"
import "dict"
array.from(
  rows: [
    {{
      _value:
        dict.get(dict: [{units}], key: ${{analyte:doublequote}}, default: "its unit"),
    }},
  ],
)"""
