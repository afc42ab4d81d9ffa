"""Topics, measurements, errors and JSON Schemas: declared once, complete, described."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

import schemas.errors
from schemas import events, readings, results
from schemas.dead_letters import DeadLetter
from schemas.errors import (
    AcrophaseError,
    BrokerUnavailable,
    DeliveryError,
    Reason,
    RejectedRecord,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from schemas.jsonschema import FOLDER, MODELS, json_schemas, write
from schemas.measurements import ALERT, MEASUREMENTS, PROFILE, READING, RHYTHM, Measurement
from schemas.results import Alert, DeviationKind, ProfilePoint, StoredReading
from schemas.topics import DEAD_LETTERS, EVENTS, INPUTS, READINGS, STATE, TOPICS

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SERIES: dict[str, Any] = {
    "site": "default",
    "subject": "twin-0412",
    "analyte": "heart-rate",
    "time": NOON,
}
TRAVELLING = [
    model
    for module in (readings, events, results)
    for model in vars(module).values()
    if isinstance(model, type) and issubclass(model, BaseModel) and model is not BaseModel
]
MEASURED = pytest.mark.parametrize("measurement", MEASUREMENTS, ids=lambda m: m.name)


@pytest.mark.parametrize("model", [*TRAVELLING, DeadLetter], ids=lambda model: model.__name__)
def test_every_field_says_what_it_means(model: type[BaseModel]) -> None:
    silent = [
        name
        for name, field in model.model_fields.items()
        # `kind` is the discriminator of an event: its values are its meaning.
        if not field.description and not (issubclass(model, events.EventHeading) and name == "kind")
    ]
    assert silent == []


def test_topics() -> None:
    names = [topic.name for topic in TOPICS]
    assert len(set(names)) == len(names)
    assert {"readings", "events", "estimates", "deviations", "alerts", "state"} <= set(names)
    assert INPUTS == (READINGS, EVENTS)
    # All of a person's records, and the state kept of them, meet on one partition number.
    assert READINGS.partitions is EVENTS.partitions is STATE.partitions is None
    for topic in TOPICS:
        config = topic.config()
        assert topic.compacted == (config.get("cleanup.policy") == "compact")
        assert topic.compacted != ("retention.ms" in config)
    assert READINGS.config()["retention.ms"] == str(30 * 24 * 3600 * 1000)
    # An oversized record must fit where it is refused to.
    assert DEAD_LETTERS.max_message_bytes >= max(topic.max_message_bytes for topic in INPUTS)
    assert READINGS.max_message_bytes > 10_000_000


@MEASURED
def test_measurements_have_tags_time_and_described_fields(measurement: Measurement) -> None:
    assert measurement.columns[: len(measurement.tags)] == measurement.tags
    assert measurement.columns[len(measurement.tags)] == "time"
    # The version of the shape is a record's own; rows have their store's.
    assert sorted(measurement.columns) == sorted({*measurement.model.model_fields} - {"schema_"})
    assert all(column.description for column in measurement.fields)
    assert {"site", "subject"} <= set(measurement.tags)
    assert not {"device", "reason", "text", "original"} & set(measurement.tags)


def test_a_row_is_plain_values_in_column_order() -> None:
    alert = Alert(
        **SERIES,
        kind=DeviationKind.LEVEL,
        direction="higher",
        state="open",
        severity="major",
        updated_at=NOON,
        reason="x",
    )
    row = dict(zip(ALERT.columns, ALERT.row(alert), strict=True))
    assert row["kind"] == "level"
    assert type(row["kind"]) is str
    assert row["time"] == row["updated_at"] == 1_772_366_400_000
    assert row["resolved_at"] is None
    assert (row["direction"], row["state"]) == ("higher", "open")


def test_column_types_follow_the_models() -> None:
    types = {column.name: column.type for column in READING.fields}
    assert types["value"] == "float"
    assert types["n"] == "int"
    assert types["live"] == "bool"
    assert types["censored"] == types["device"] == "text"
    assert {c.name: c.type for c in RHYTHM.fields}["last_reading"] == "time"
    assert {c.name: c.type for c in RHYTHM.fields}["status"] == "text"
    assert {c.name: c.type for c in PROFILE.fields}["n_days"] == "int"


def test_every_value_of_a_row_has_its_columns_type() -> None:
    python = {"float": float, "int": int, "bool": bool, "text": str, "time": int}
    reading = StoredReading(
        **SERIES, value=1.5, low=1.0, high=2.0, n=2, clock_hour=7.5, outlier_z=0.1, device="w"
    )
    values = READING.row(reading)[len(READING.tags) + 1 :]
    for column, value in zip(READING.fields, values, strict=True):
        assert value is None or type(value) is python[column.type], column.name


def test_results_survive_json_and_refuse_unknown_fields() -> None:
    point = ProfilePoint(**SERIES, clock_hour=7.25, value=60.0, n=30)
    assert ProfilePoint.model_validate_json(point.model_dump_json()) == point
    assert json.loads(point.model_dump_json())["schema"] == 1
    with pytest.raises(ValueError, match="Extra inputs"):
        ProfilePoint(**SERIES, clock_hour=7.25, colour="red")  # type: ignore[call-arg]


def test_the_error_tree_is_the_one_drawn() -> None:
    drawn = (schemas.errors.__doc__ or "").split()
    for error in vars(schemas.errors).values():
        if isinstance(error, type) and issubclass(error, Exception):
            assert error.__name__ in drawn
            assert issubclass(error, AcrophaseError)


def test_errors_say_whether_to_try_again() -> None:
    assert BrokerUnavailable.retryable
    assert StoreUnavailable.retryable
    assert StoreUnavailable("busy", retry_after_s=3.0).retry_after_s == 3.0
    assert not StoreRefused.retryable
    assert not StoreError.retryable
    assert DeliveryError("lost", undelivered=4).undelivered == 4
    rejected = RejectedRecord(Reason.FUTURE, "two days ahead")
    assert str(rejected) == "future: two days ahead"
    assert (rejected.reason, rejected.detail) == (Reason.FUTURE, "two days ahead")


def test_reason_codes_are_fit_for_headers_and_tags() -> None:
    for reason in Reason:
        assert reason.value.replace("-", "").isalpha()
        assert reason.value == reason.value.lower()
        assert reason.meaning.endswith(".")


def test_json_schemas_have_not_drifted() -> None:
    files = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    assert files == json_schemas(), "run `python -m schemas.jsonschema`"


def test_writing_removes_files_of_models_that_are_gone(tmp_path: Any) -> None:
    (tmp_path / "gone.json").write_text("{}")
    write(tmp_path)
    assert {path.stem for path in tmp_path.iterdir()} == set(MODELS)


@pytest.mark.parametrize("text", json_schemas().values(), ids=json_schemas())
def test_every_property_of_a_json_schema_is_described(text: str) -> None:
    schema = json.loads(text)
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["description"]
    silent = [
        name
        for name, described in schema["properties"].items()
        if not described.get("description") and name != "kind"
    ]
    assert silent == []


def test_the_wire_names_are_in_the_schemas() -> None:
    reading = json.loads(json_schemas()["reading.json"])
    assert set(reading["required"]) == {"subject", "device", "code", "unit", "collected_at"}
    assert "schema" in reading["properties"]
    assert reading["properties"]["subject"]["pattern"].startswith("^[A-Za-z0-9]")
    rhythm = json.loads(json_schemas()["rhythm.json"])
    assert set(rhythm["required"]) == set(rhythm["properties"])
