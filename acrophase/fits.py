"""From a series of a file to its fits: what ``acrophase fit`` computes."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from acrophase.fit_markers import FitMarker
from acrophase.free_running import FreeRunning, free_running, not_told, periods_of
from acrophase.person import Person
from processors.rhythm import samples as marker_samples
from processors.rhythm.cosinor import Cosinor, FitStatus, fit_cosinor
from processors.rhythm.free_period import Periodogram
from producers.files import Series
from schemas.analytes import Analyte, Scale
from schemas.errors import InputFileError, Reason, RejectedRecord

Floats = NDArray[np.float64]

CONVENTION = (
    "y = M + A cos(w t + phi), w = 2 pi / 24 h. Acrophase: peak clock time of the 24-hour "
    "harmonic, local hours [0, 24); in radians phi, (-pi, pi], so that acrophase = (-phi / w) mod "
    "24. Peak and trough: of the full curve. SE: standard error, by the delta method for amplitude "
    "and times."
)


class Fit(BaseModel):
    """One person's fit, as ``--json`` prints it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    subject: str = Field(description="Pseudonymous id of the person.")
    analyte: str = Field(description="Analyte slug of the catalogue.")
    unit: str = Field(description="UCUM unit of the values; results are in the analyte's own.")
    scale: Scale = Field(
        description="What was fitted: 'linear' the values, 'log' their natural logarithms; "
        "'value unit' in `least_squares` is then natural-log units."
    )
    convention: str = Field(default=CONVENTION, description="Phase convention in words.")
    notes: tuple[str, ...] = Field(
        description="What was done to readings before the fit, and what to mind about its figures."
    )
    least_squares: Cosinor = Field(description="Ordinary least-squares cosinor, on `scale`.")
    midline: float | None = Field(
        description="Mesor in `unit`: on the log scale the geometric midline exp(M)."
    )
    peak_value: float | None = Field(description="The curve's maximum in `unit`.")
    trough_value: float | None = Field(description="The curve's minimum in `unit`.")
    posterior: dict[str, Any] | None = Field(
        default=None,
        description="What the Bayesian estimator says of the recording, on the catalogue's scale; "
        "see processors.rhythm.estimator.Posterior. Null where that scale is log and a value is "
        "not above 0.",
    )
    free_period: FreeRunning | None = Field(
        default=None,
        description="The period of a clock that does not run at 24 hours, where that model fails, "
        "or why there is none. Null in a table of many people.",
    )
    markers: tuple[FitMarker, ...] = Field(
        default=(),
        description="What the field reads off such a recording beside the curve, or why not.",
    )


class Samples(NamedTuple):
    """A series ready to fit. Arrays have shape (n,).

    ``hours``: local clock hours from the first midnight; ``values``: in the analyte's unit;
    ``spacing_s``: seconds that each stands for; ``notes``: what was done, in sentences;
    ``comparators``: -1 where the result was '<' the value, 1 where it was '>', else 0;
    ``midnight``, ``last``: local dates of the first midnight and of the last sample; ``taken``: the
    same samples as the markers take them, on hours since that midnight that never jump;
    ``begin_ms``: the midnight itself, epoch milliseconds.
    """

    hours: Floats
    values: Floats
    spacing_s: Floats
    notes: tuple[str, ...]
    comparators: NDArray[np.int8]
    midnight: date
    last: date
    taken: marker_samples.Samples
    begin_ms: int


def prepare(file: Path, series: Series, analyte: Analyte, scale: Scale) -> Samples:
    """The samples of a series.

    Of readings at the same time the first counts, as it does on Kafka. Censored readings have
    their limit as value.

    Raises ``InputFileError`` that names the rows whose value has no logarithm on the log scale,
    or the unit that most values seem to be in.
    """
    first = np.zeros(len(series), dtype=np.bool_)
    first[np.unique(series.times_ms, return_index=True)[1]] = True
    distinct = series.select(first)
    factor, shift = analyte.conversion(series.unit)
    values = distinct.values * factor + shift
    notes = []
    slipped = _other_unit(file, analyte, values, series.unit)
    if slipped.any():
        notes.append(
            f"{int(slipped.sum())} readings make sense in another unit only and were left out, as "
            f"they would be refused in the stream: line {_lines(distinct.rows[slipped])}."
        )
        distinct, values = distinct.select(~slipped), values[~slipped]
    local_ms = distinct.times_ms + distinct.offset_ms
    midnight_ms = int(local_ms.min()) // 86_400_000 * 86_400_000
    hours = (local_ms - midnight_ms) / 3_600_000
    if len(distinct) + int(slipped.sum()) < len(series):
        notes.append(
            f"{len(series) - len(distinct) - int(slipped.sum())} readings at the time of another "
            "were left out."
        )
    censored = int(np.count_nonzero(distinct.comparators))
    if censored:
        notes.append(
            f"{censored} readings beyond the assay's range count as its limit for least squares; "
            "the posterior takes them for anything beyond it."
        )
    if scale == "log" and (values <= 0).any():
        raise InputFileError(
            f"{file}, line {_lines(distinct.rows[values <= 0])}: values that are not above 0 have "
            "no logarithm. Write a result below the detection limit as '<LIMIT', or fit with "
            "--scale linear."
        )
    spacing_s = distinct.spacing_s(analyte.decorrelation_s)
    if spacing_s is None:
        spacing_s = np.full(len(distinct), analyte.cadence_s)
    independent = float(np.minimum(1.0, spacing_s / analyte.decorrelation_s).sum())
    if independent < 0.8 * len(values):
        notes.append(
            f"Readings closer than {analyte.decorrelation_s / 60:g} minutes are not independent: "
            f"these {len(values)} tell as much as {independent:.0f}. The standard errors and p of "
            "least squares take all for independent and are too small; the posterior does not."
        )
    offset_h = (distinct.offset_ms - distinct.offset_ms[0]) / 3_600_000
    taken = marker_samples.samples(
        hours - offset_h,
        values,
        analyte.unit,
        offset_h=offset_h,
        below=distinct.comparators < 0,
        verified=distinct.timing in ("device", "verified"),
    )
    midnight, last = (
        datetime.fromtimestamp(ms / 1000, UTC).date() for ms in (midnight_ms, int(local_ms.max()))
    )
    begin_ms = midnight_ms - int(distinct.offset_ms[0])
    return Samples(
        hours,
        values,
        spacing_s,
        tuple(notes),
        distinct.comparators,
        midnight,
        last,
        taken,
        begin_ms,
    )


def fit_samples(
    series: Series, analyte: Analyte, scale: Scale, components: Literal[1, 2], samples: Samples
) -> Fit:
    """Least squares of one person's samples."""
    is_log = scale == "log"
    beyond = int(np.count_nonzero(samples.comparators))
    if 2 * beyond > len(samples.values):
        found = Cosinor(
            status=FitStatus.CENSORED,
            reason=_mostly_limits(beyond, len(samples.values)),
            n=len(samples.values),
            period=24.0,
            components=components,
        )
    else:
        found = fit_cosinor(samples.hours, _scaled(samples, scale), components=components)

    def natural(value: float | None) -> float | None:
        return math.exp(value) if is_log and value is not None else value

    return Fit(
        subject=series.subject,
        analyte=series.analyte,
        unit=analyte.unit,
        scale=scale,
        notes=samples.notes,
        least_squares=found,
        midline=natural(found.mesor),
        peak_value=natural(found.peak_value),
        trough_value=natural(found.trough_value),
    )


def with_posterior(fit: Fit, analyte: Analyte, samples: Samples, person: Person) -> Fit:
    """The fit with its posterior beside it, from the prior of people like this."""
    # Numba takes a second to import, which a table of many people need not pay.
    from processors.rhythm.estimator import fit_posterior

    if analyte.scale == "log" and (samples.values <= 0).any():
        return fit
    posterior = fit_posterior(
        analyte,
        samples.hours % 24,
        samples.values,
        samples.spacing_s,
        comparators=samples.comparators,
        prior=analyte.prior_of(person.sex, person.age(samples.midnight)),
    )
    return fit.model_copy(update={"posterior": posterior.model_dump(mode="json")})


def with_free_period(fit: Fit, samples: Samples) -> Fit:
    """The fit with the period beside it, on hours that never jump and on the scale of the fit."""
    if fit.least_squares.status is FitStatus.CENSORED:
        found = not_told(len(samples.values), fit.least_squares.reason or "")
    else:
        found = free_running(samples.taken.hours, _scaled(samples, fit.scale), _components(fit))
    return fit.model_copy(update={"free_period": found})


def periodogram_of(fit: Fit, samples: Samples) -> Periodogram | str:
    """What ``free_period`` of such a fit was read off."""
    return periods_of(samples.taken.hours, _scaled(samples, fit.scale), _components(fit))


def _components(fit: Fit) -> Literal[1, 2]:
    return 1 if fit.least_squares.components == 1 else 2


def _scaled(samples: Samples, scale: Scale) -> Floats:
    return np.log(samples.values) if scale == "log" else samples.values


def _mostly_limits(beyond: int, n: int) -> str:
    return (
        f"{beyond} of {n} readings are beyond the assay's range, and a curve through its limits "
        "is none of the person's."
    )


_INSTEAD = {
    "flat": "hardly changes over the day, so there is no 24-hour curve to fit; acrophase analyse "
    "follows its level",
    "pulsatile": "comes in pulses, and a cosine through them finds what the sampling times make of "
    "them. Take the mean and the pulses of a profile with a sample every 10 to 20 minutes; "
    "acrophase analyse follows the level",
    "cycle": "follows the menstrual cycle, not the hour: a cosine of 24 hours through it finds "
    "what the sampling times make of days and pulses. Compare results of the same phase of the "
    "cycle (docs/catalogue.md has the references); acrophase analyse follows the level",
}


def refuse_without_curve(file: Path, analyte: Analyte, more: str = "") -> None:
    """Refuse analytes that are not ruled by the hour.

    Raises ``InputFileError`` that says what to use instead, and `more`.
    """
    if not analyte.is_daily:
        raise InputFileError(
            f"{file}: no cosinor: {analyte.short_name} {_INSTEAD[analyte.rhythm]}.{more}"
        )


def _lines(rows: NDArray[np.int64]) -> str:
    """The first of some line numbers."""
    return ", ".join(map(str, rows[:5].tolist())) + (", …" if len(rows) > 5 else "")


def _other_unit(file: Path, analyte: Analyte, values: Floats, unit: str) -> NDArray[np.bool_]:
    """Which values (n) make sense in another unit only: of a few of them units were mixed.

    Raises InputFileError where most do: a curve in the wrong unit looks like any other.
    """
    slipped = np.zeros(values.size, dtype=np.bool_)
    details = []
    outside = (values < analyte.screen.low) | (values > analyte.screen.high)
    for at in np.flatnonzero(outside).tolist():
        try:
            analyte.check(float(values[at]), unit)
        except RejectedRecord as error:
            if error.reason is Reason.UNIT_SUSPECT:
                slipped[at] = True
                details.append(error.detail)
    if 2 * len(details) > len(values):
        raise InputFileError(f"{file}: {details[0]} (--unit).")
    return slipped
