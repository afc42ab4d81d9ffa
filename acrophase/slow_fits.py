"""A recording of a slow hormone (DHEA-S, IGF-1, HbA1c): its level for the age, trend and change.

They hardly change over the day, so results count by date. Level and trend are against the
catalogue's references by age, for which sex and birth year must be told as far as these ask for
them; the change between the last two results needs neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from acrophase.fit_markers import FitMarker, dated
from acrophase.fits import Floats, Samples
from acrophase.person import Person
from processors.markers.slow import age_references
from processors.rhythm.marker import withheld
from processors.rhythm.samples import Bools
from processors.rhythm.slow_hormones import (
    CHANGE,
    LEVEL,
    TREND,
    AgeReference,
    slow_change,
    slow_level,
    slow_trend,
)
from schemas.analytes import Analyte

# The catalogue's group of hormones that are drawn a few times a year.
SLOW_SAMPLING = "slow-marker"

_YEAR_DAYS = 365.2425
# A birth year is on average half a year before the birthday that is counted from.
_HALF_YEAR = 0.5
# Where every age has one reference, results lie at any one age.
_ANY_AGE = 40.0


class SlowFit(BaseModel):
    """One person's results of a slow hormone, as ``--json`` prints them."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    subject: str = Field(description="Pseudonymous id of the person.")
    analyte: str = Field(description="Analyte slug of the catalogue.")
    unit: str = Field(description="UCUM unit of the values.")
    notes: tuple[str, ...] = Field(description="What was made of the results.")
    markers: tuple[FitMarker, ...] = Field(
        description="'level-for-age' in standard deviations of people of the same age, "
        "'trend-beyond-age' in per cent a year, 'change' of the last result against the one before "
        "it, with the reference change value in its sentence."
    )


class SlowResults(NamedTuple):
    """Results (n) with the references that they are drawn on."""

    days: Floats
    """Local days since `first`, with their fraction."""
    first: date
    values: Floats
    below: Bools
    ages: Floats | None
    """At each result; None where no age is known."""
    references: Sequence[AgeReference]
    """Of this person's sex; empty where that is not known and they ask for it."""
    fit: SlowFit


def is_slow(analyte: Analyte) -> bool:
    """Whether it is one of them."""
    return analyte.sampling == SLOW_SAMPLING


def slow_results(subject: str, analyte: Analyte, samples: Samples, person: Person) -> SlowResults:
    """The results with their markers, of a person whose age `person.check_age` has seen."""
    taken = samples.taken
    days = (taken.hours + taken.offset_h) / 24.0
    # Two results of one day are one result: the first counts.
    first = np.zeros(taken.n, dtype=np.bool_)
    first[np.unique(np.floor(days), return_index=True)[1]] = True
    notes = samples.notes
    if not first.all():
        notes += (f"{int((~first).sum())} results on the day of another were left out.",)
    taken, days, comparators = taken.part(first), days[first], samples.comparators[first]
    values, below = taken.values, taken.below
    references = age_references(analyte, person.sex)
    missing = _missing(analyte, person)
    ages: Floats | None = None
    if person.birth_year is not None:
        # Somebody may be sampled in the first half of the year of birth.
        ages = np.maximum(_years(samples.midnight, days) - person.birth_year - _HALF_YEAR, 0.0)
    elif not any(reference.has_age for reference in analyte.references):
        ages = _ANY_AGE + _years(samples.midnight, days) - _years(samples.midnight, days)[0]
    beyond = int((comparators > 0).sum())
    cvs = {"cv_analytical": analyte.cv_analytical, "cv_within": analyte.cv_within}
    if missing is None and beyond:
        missing = f"{beyond} of {taken.n} results are above the assay's range."
    if missing is not None or ages is None:
        told = missing or ""
        level = withheld("level-for-age", "1", taken.n, told, LEVEL)
        trend = withheld("trend-beyond-age", "%/a", taken.n, told, TREND)
    else:
        level = slow_level(ages, values, references, below=below, **cvs)
        trend = slow_trend(ages, values, references, below=below, **cvs)
    if taken.n < 2:
        change = withheld(
            "change", "%", taken.n, "There is one result, and none before it.", CHANGE
        )
    elif (comparators[-2:] > 0).any():
        change = withheld("change", "%", 2, "A result is above the assay's range.", CHANGE)
    else:
        change = slow_change(
            float(values[-2]), float(values[-1]), below=bool(below[-2:].any()), **cvs
        )
    last = samples.midnight + timedelta(days=int(days[-1] // 1))
    fit = SlowFit(
        subject=subject,
        analyte=analyte.slug,
        unit=analyte.unit,
        notes=(*notes, REFERENCES_DIFFER),
        markers=(dated(level, None), dated(trend, None), dated(change, last)),
    )
    shown = ages if person.birth_year is not None else None
    return SlowResults(days, samples.midnight, values, below, shown, references, fit)


REFERENCES_DIFFER = (
    "References differ between laboratories: compare with those of your own where you have them."
)


def _missing(analyte: Analyte, person: Person) -> str | None:
    """What must be told of the person before there is a reference, in a sentence."""
    asked = [
        option
        for option, is_asked in (
            ("--sex", person.sex is None and all(r.sex is not None for r in analyte.references)),
            (
                "--birth-year",
                person.birth_year is None and any(r.has_age for r in analyte.references),
            ),
        )
        if is_asked
    ]
    if not asked:
        return None
    return (
        f"The reference of {analyte.short_name} is one of sex and age: tell {' and '.join(asked)}."
    )


def _years(midnight: date, days: Floats) -> Floats:
    """Decimal years of local days since a date."""
    begun = (midnight - date(midnight.year, 1, 1)).days
    return np.asarray(midnight.year + (begun + days) / _YEAR_DAYS)
