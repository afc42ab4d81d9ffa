"""A marker's number as people write it."""

from __future__ import annotations

from typing import Any

import pytest

from dashboards.page.marker_words import amount, interval, is_measured, title, unit_words


def _row(value: float | None, unit: str, **more: Any) -> dict[str, Any]:
    row = {"analyte": "saliva-cortisol", "marker": "m", "low": None, "high": None}
    status = "withheld" if value is None else "measured"
    return {**row, "value": value, "unit": unit, "status": status, **more}


@pytest.mark.parametrize(
    ("value", "low", "high", "unit", "said", "between"),
    [
        (23.99, 23.5, 24.75, "clock_h", "23:59", "23:30 to 00:45"),
        (0.2, -0.75, 1.0, "clock_h", "00:12", "23:15 to 01:00"),
        (0.3333, 0.1, 0.5, "1", "0.333", "0.100 to 0.500"),
        (-0.123, -0.15, -0.09, "1/h", "−0.123 per hour", "−0.150 to −0.090"),
        (12345.6, 11000.0, 14000.0, "{steps}", "12,346 steps", "11,000 to 14,000"),
        (5.58, 4.0, 7.0, "ug/dL", "5.58 µg/dL", "4.00 to 7.00"),
        (390.0, 380.0, 400.0, "ug/dL.min", "390 µg/dL·min", "380 to 400"),
        (0.0, 0.0, 0.0, "1", "0", ""),
        (0.001, -2.0, 2.0, "h", "0.00 h", "−2.00 to 2.00"),
        (-0.001, -2.0, 2.0, "h", "0.00 h", "−2.00 to 2.00"),
        (1e-9, 0.0, 2e-9, "1", "1e−09", "0 to 2e−09"),
        (1e12, 0.0, 2e12, "1", "1e+12", "0 to 2e+12"),
        (7.25, None, None, "furlong", "7.25 furlong", ""),
        (7.25, 7.0, None, "furlong", "7.25 furlong", ""),
        (None, 1.0, 2.0, "h", "–", ""),
    ],
)
def test_numbers(
    value: float | None, low: float | None, high: float | None, unit: str, said: str, between: str
) -> None:
    row = _row(value, unit, low=low, high=high)
    assert amount(row) == said
    assert interval(row) == between


def test_a_day_of_the_cycle_is_a_number_and_no_length_of_time() -> None:
    """Day 14 lasts from 14.0 to 15.0."""
    row = _row(14.9, "d", low=13.2, high=15.1, marker="ovulation-day")
    assert (amount(row), interval(row)) == ("14", "13 to 15")
    assert amount(_row(14.9, "d")) == "14.9 d"


def test_a_unit_is_that_of_the_analyte_only_where_it_is_its_own() -> None:
    assert unit_words("m[IU]/mL", "serum-lh") == "IU/L"
    assert unit_words("m[IU]/mL", "urine-lh") == "mIU/mL"
    assert unit_words("m[IU]/mL", "cycle") == "m[IU]/mL", "the catalogue has two names for it"
    assert unit_words("%", "hba1c") == "%", "a change of HbA1c is no HbA1c"
    assert unit_words("h", "sleep-midpoint") == "h", "social jet lag is no clock time"
    assert unit_words("Cel", "wrist-temperature") == "°C"


def test_a_name_that_nobody_knows_makes_a_title() -> None:
    assert title("sleep-onset-variance") == "Sleep onset variance"
    assert title("") == ""
    assert title("X") == "X"


def test_a_measured_row_without_a_number_is_none() -> None:
    assert not is_measured(_row(None, "h", status="measured"))
    assert not is_measured(_row(1.0, "h", status="withheld"))
    assert is_measured(_row(0.0, "h"))
