"""The field reference for people is the models' own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schemas.errors import Reason
from schemas.events import parse_event
from schemas.jsonschema import MODELS
from schemas.measurements import MEASUREMENTS
from schemas.readings import parse_reading
from schemas.records_page import EXAMPLES, PAGE, records_page, write
from schemas.topics import TOPICS


def test_the_page_is_the_models() -> None:
    assert PAGE.read_text(encoding="utf-8") == records_page(), "run python -m schemas.records_page"


def test_everything_is_on_the_page() -> None:
    page = records_page()
    for model, _ in MODELS.values():
        for field, info in model.model_fields.items():
            assert f"| `{info.alias or field}` |" in page
            assert (info.description or "") in page
    for measurement in MEASUREMENTS:
        assert f"### `{measurement.name}`" in page
        assert all(f"| `{column.name}` |" in page for column in measurement.fields)
    for named in (*(f"`{topic.name}`" for topic in TOPICS), *(f"`{r.value}`" for r in Reason)):
        assert f"| {named} |" in page


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_accepted(name: str) -> None:
    value = json.dumps(EXAMPLES[name]).encode()
    record = parse_event(value) if name.startswith("event") else parse_reading(value)
    assert type(record) is MODELS[name][0]
    # An example shows what there is: nothing of it is ignored.
    assert EXAMPLES[name].items() <= record.model_dump(mode="json", by_alias=True).items()


def test_writing_the_page(tmp_path: Path) -> None:
    write(tmp_path / "records.md")
    assert (tmp_path / "records.md").read_text(encoding="utf-8") == records_page()
