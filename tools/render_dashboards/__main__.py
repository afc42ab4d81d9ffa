"""Draw the dashboards: ``python -m tools.render_dashboards [--influxd PROGRAM] [--out FOLDER]``.

Starts an InfluxDB of its own, fills it with the simulated clinic of the stack tests through our own
engine, asks the generated dashboards' queries, and writes a picture of each.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from processors.store import open_store
from schemas.catalogue import load_catalogue
from tests.stack.clinic_in_store import BEGIN, END, fill
from tests.stack.servers import InfluxNode
from tools.render_dashboards.asking import Asked, Frame, Store, Viewer
from tools.render_dashboards.fields import DARK, LIGHT, Theme
from tools.render_dashboards.sheet import sheet

ROOT = Path(__file__).parents[2]
GENERATED = ROOT / "dashboards" / "grafana" / "generated"
EVERYBODY = Viewer(BEGIN, END)
PERSON = replace(
    EVERYBODY,
    site="default",
    subject="sim-02",
    analyte="heart-rate",
    unit=load_catalogue()["heart-rate"].unit_label,
)
LAST_DAY = replace(EVERYBODY, start=END - timedelta(days=1))
PICTURES: tuple[tuple[str, str, Viewer, Theme], ...] = (
    ("cohort", "cohort", EVERYBODY, LIGHT),
    ("subject", "subject", PERSON, LIGHT),
    ("subject-dark", "subject", PERSON, DARK),
    ("alerts", "alerts", EVERYBODY, LIGHT),
    ("pipeline", "pipeline", LAST_DAY, DARK),
)


def main() -> None:
    """Write the pictures, and nothing else that stays."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--influxd", default="influxd", help="the server's program")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        InfluxNode(Path(folder), options.influxd) as node,
    ):
        bucket = node.set_up()
        ours = open_store(bucket.store_url, bucket.token)
        fill(ours)
        ours.close()
        store = Store(*bucket)
        for name, board, viewer, theme in PICTURES:

            def answer(one: Asked, viewer: Viewer = viewer) -> list[Frame]:
                return store.ask(one.query, viewer) or [{}]

            made = json.loads((GENERATED / f"{board}.json").read_text())
            sheet(made, answer, viewer, theme, options.out / f"grafana-{name}.png")
        store.close()


if __name__ == "__main__":
    main()
