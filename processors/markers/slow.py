"""Flat and slow hormones: a result against age, the trend, and the change from the last one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from processors.markers.dated import Dated
from processors.markers.diary import Kept
from processors.rhythm.marker import Marker, withheld
from processors.rhythm.slow_hormones import AgeReference, slow_change, slow_level, slow_trend
from schemas.analytes import Analyte
from schemas.conditions import Sex

SLOW = ("serum-dheas", "serum-igf-1", "hba1c")

_OLDEST = 120
_YEAR_MS = 365.2425 * 86_400_000


def age_references(analyte: Analyte, sex: Sex | None) -> list[AgeReference]:
    """The analyte's reference intervals by age, for one sex; none if they depend on a sex that is
    not known."""
    found: list[AgeReference] = []
    for age in range(_OLDEST):
        low, high = analyte.reference(12.0, sex, age + 0.5)
        if low is None or high is None or low <= 0.0:
            continue
        if found and found[-1].to_age == age and (found[-1].low, found[-1].high) == (low, high):
            found[-1] = found[-1]._replace(to_age=float(age + 1))
        else:
            found.append(AgeReference(float(age), float(age + 1), low, high))
    return found


def age_at(time_ms: int, birth_year: int) -> float:
    """Age in years; the birthday, which nobody asks for, is taken to be in the middle of the year.

    >>> age_at(1_719_792_000_000, 1984)  # 1 July 2024
    40.0
    """
    year = datetime.fromtimestamp(time_ms / 1000.0, UTC).year
    begin_ms = datetime(year, 7, 1, tzinfo=UTC).timestamp() * 1000.0
    return year - birth_year + (time_ms - begin_ms) / _YEAR_MS


def slow_markers(
    analyte: Analyte, results: Sequence[Kept], sex: Sex | None, birth_year: int | None
) -> list[Dated]:
    """Level and trend of results in order of time, and the change from the last but one."""
    day = results[-1].day
    beyond = sum(result.sign > 0 for result in results)
    cvs = {"cv_analytical": analyte.cv_analytical, "cv_within": analyte.cv_within}
    found: list[Marker] = []
    references = age_references(analyte, sex)
    if beyond:
        sentence = f"{beyond} of {len(results)} results are above the assay's range."
        found += [
            withheld("level-for-age", "1", len(results), sentence, "results against age"),
            withheld("trend-beyond-age", "%/a", len(results), sentence, "results against age"),
        ]
    elif birth_year is None or not references:
        what = "birth year" if birth_year is None else "sex"
        sentence = f"The person's {what} is not known, and the reference depends on it."
        if birth_year is not None and sex is not None:
            sentence = "There is no reference for this person's age."
        found += [
            withheld("level-for-age", "1", len(results), sentence, "results against age"),
            withheld("trend-beyond-age", "%/a", len(results), sentence, "results against age"),
        ]
    else:
        ages = np.array([age_at(result.time_ms, birth_year) for result in results])
        values = np.array([result.value for result in results])
        below = np.array([result.sign < 0 for result in results])
        found.append(slow_level(ages, values, references, below=below, **cvs))
        found.append(slow_trend(ages, values, references, below=below, **cvs))
    if len(results) > 1 and any(result.sign > 0 for result in results[-2:]):
        sentence = "A result is above the assay's range."
        found.append(withheld("change", "%", 2, sentence, "ratio of two results"))
    elif len(results) > 1:
        first, second = results[-2], results[-1]
        is_below = first.sign < 0 or second.sign < 0
        found.append(slow_change(first.value, second.value, below=is_below, **cvs))
    return [Dated(analyte.slug, day, marker) for marker in found]
