"""Results: what the processors publish and store.

One model a kind of result. The store's measurements (`schemas.measurements`) take their columns
from these models, so a field is declared, described and given its unit here and nowhere else.

Phase is a peak clock time in hours [0, 24) of the wearer's local clock. Bounds of an interval
around a clock time are not wrapped: low <= estimate <= high, so they may lie below 0 or above 24.
Every interval is a 90 % interval.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Status(StrEnum):
    """How far a rhythm can be believed."""

    INSUFFICIENT = "insufficient"
    EMERGING = "emerging"
    ESTABLISHED = "established"
    LEVEL_ONLY = "level-only"
    ARRHYTHMIC = "arrhythmic"
    STALE = "stale"


class DeviationKind(StrEnum):
    """What departs from what."""

    OUTLIER = "outlier"
    LEVEL = "level"
    AMPLITUDE = "amplitude"
    PHASE = "phase"
    ARRHYTHMIC = "arrhythmic"
    MISSING = "missing"


Direction = Literal["higher", "lower", "later", "earlier", "lost", "silent"]
Severity = Literal["minor", "moderate", "major"]


class SeriesResult(BaseModel):
    """What every result has in common."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        serialize_by_alias=True,
        # A result is sent whole: fields without a value are null.
        json_schema_serialization_defaults_required=True,
    )

    schema_: int = Field(default=1, alias="schema", description="Version of this record's shape.")
    site: str = Field(description="Tenant or study site.")
    subject: str = Field(description="Pseudonymous id of the person.")
    analyte: str = Field(description="Analyte slug of the catalogue.")
    time: datetime = Field(description="Event time of the result, UTC.")


class StoredReading(SeriesResult):
    """A reading as stored: each one of a sparse analyte, five-minute means of a dense one."""

    value: float | None = Field(
        description="Value in the analyte's canonical unit; the mean if n > 1; null if the source "
        "said that there is none."
    )
    low: float | None = Field(description="Lowest of the n values, canonical unit.")
    high: float | None = Field(description="Highest of the n values, canonical unit.")
    n: int = Field(description="Number of readings that this row stands for.")
    clock_hour: float = Field(description="Local clock time, hours [0, 24).")
    censored: str | None = Field(
        default=None, description="'<' or '>' if the value is a limit of the assay."
    )
    original: str | None = Field(
        default=None,
        description="Value and unit as they were sent, or why there is no value, if one reading.",
    )
    device: str | None = Field(default=None, description="Source of the reading, if one reading.")
    outlier_z: float | None = Field(
        default=None,
        description="Standard normal score of the reading against its prediction, if one reading.",
    )
    live: bool = Field(
        default=True, description="False if it arrived too late to be acted upon (backfill)."
    )


class Rhythm(SeriesResult):
    """The rhythm of one series as it was at `time`."""

    status: Status = Field(
        description="How far the rhythm can be believed: insufficient, the estimate is still "
        "mostly the population's; emerging, days and not yet weeks of the person's own data; "
        "established; arrhythmic, enough data and no 24-hour rhythm in them, so no phase is given; "
        "level-only, an analyte that is not ruled by the hour (flat, pulsatile, or following the "
        "menstrual cycle) and a level that is the person's own, so no swing, phase or extreme is "
        "given; stale, no readings lately and the last estimate is shown."
    )
    mesor: float = Field(
        description="Midline of the curve, canonical unit; for analytes on the log scale the "
        "geometric one. Where there is a level only, that level."
    )
    mesor_low: float = Field(description="Lower bound of the mesor, canonical unit.")
    mesor_high: float = Field(description="Upper bound of the mesor, canonical unit.")
    amplitude: float | None = Field(
        description="Amplitude of the first harmonic: canonical unit on the linear scale, "
        "natural-log units (0.69 = doubling from midline to peak) on the log scale; null for "
        "analytes that are not ruled by the hour, which have a level only."
    )
    amplitude_low: float | None = Field(description="Lower bound of the amplitude, same unit.")
    amplitude_high: float | None = Field(description="Upper bound of the amplitude, same unit.")
    acrophase: float | None = Field(
        description="Peak clock time of the first harmonic, local hours [0, 24); null if the "
        "data show no 24-hour rhythm."
    )
    acrophase_low: float | None = Field(description="Lower bound, hours, not wrapped.")
    acrophase_high: float | None = Field(description="Upper bound, hours, not wrapped.")
    peak: float | None = Field(description="Clock time of the full curve's maximum, hours [0, 24).")
    peak_low: float | None = Field(description="Lower bound, hours, not wrapped.")
    peak_high: float | None = Field(description="Upper bound, hours, not wrapped.")
    peak_value: float | None = Field(
        description="The curve's maximum, canonical unit; null where there is a level only."
    )
    trough: float | None = Field(
        description="Clock time of the full curve's minimum, hours [0, 24)."
    )
    trough_low: float | None = Field(description="Lower bound, hours, not wrapped.")
    trough_high: float | None = Field(description="Upper bound, hours, not wrapped.")
    trough_value: float | None = Field(
        description="The curve's minimum, canonical unit; null where there is a level only."
    )
    n_readings: int = Field(description="Readings counted into this series since it began.")
    n_effective: float = Field(
        description="Readings behind the current estimate, after forgetting and after readings "
        "closer than the decorrelation time shared one unit of weight."
    )
    coverage: float = Field(
        description="Share 0..1 of the 24 local hours in which the series has lately been measured."
    )
    n_days: int = Field(description="Local days with at least one reading since the series began.")
    residual_cv: float = Field(
        description="Residual spread about the curve: relative (0.2 = 20 %) on the log scale, "
        "share of the mesor on the linear scale."
    )
    baseline_acrophase: float | None = Field(
        description="Acrophase of the person's own 28-day baseline, hours [0, 24): that of a body "
        "clock in step with the local clock."
    )
    level_ratio: float = Field(description="Mesor now over the baseline's mesor.")
    level_ratio_low: float = Field(description="Lower bound of the level ratio.")
    level_ratio_high: float = Field(description="Upper bound of the level ratio.")
    amplitude_ratio: float | None = Field(
        description="Amplitude now over the baseline's amplitude; null without a baseline rhythm."
    )
    amplitude_ratio_low: float | None = Field(description="Lower bound of the amplitude ratio.")
    amplitude_ratio_high: float | None = Field(description="Upper bound of the amplitude ratio.")
    phase_shift: float | None = Field(
        description="Acrophase now minus the baseline's, hours in (-12, 12], positive = later; "
        "after travel less what the body clock is expected to lag, so 0 if it re-entrains as "
        "expected."
    )
    phase_shift_low: float | None = Field(description="Lower bound, hours.")
    phase_shift_high: float | None = Field(description="Upper bound, hours.")
    last_reading: datetime = Field(description="Collection time of the newest reading, UTC.")
    body_clock_lag: float | None = Field(
        default=None,
        description="Hours that the body clock is expected to be behind the local clock after "
        "travel, negative if ahead; 0 when settled; null for analytes that are not ruled by the "
        "hour. Acrophase, peak and trough are local clock times and move with it.",
    )
    body_clock_lag_low: float | None = Field(
        default=None, description="Lower bound of the lag from how people differ, hours."
    )
    body_clock_lag_high: float | None = Field(default=None, description="Upper bound, hours.")


class ProfilePoint(SeriesResult):
    """One closed local half hour: what was expected and what came.

    The points of the last 24 hours are the 24-hour chart. Percentiles are of single readings,
    predicted from the person's own baseline before the half hour closed.
    """

    clock_hour: float = Field(description="Middle of the half hour, local clock hours [0, 24).")
    value: float | None = Field(
        default=None, description="Mean of the half hour's readings, canonical unit; null if none."
    )
    n: int | None = Field(default=None, description="Readings in the half hour.")
    p05: float | None = Field(default=None, description="5th percentile, canonical unit.")
    p25: float | None = Field(default=None, description="25th percentile, canonical unit.")
    p50: float | None = Field(default=None, description="Median, canonical unit.")
    p75: float | None = Field(default=None, description="75th percentile, canonical unit.")
    p95: float | None = Field(default=None, description="95th percentile, canonical unit.")
    ref_low: float | None = Field(
        default=None,
        description="Lower reference limit at this clock hour for people of the same sex and age, "
        "canonical unit; that of young adults if the person's profile asks for it. For an analyte "
        "that waking rules, by hours since the usual hour of waking. Null where there is none, or "
        "none without knowing more of the person, such as the phase of the cycle.",
    )
    ref_high: float | None = Field(
        default=None, description="Upper reference limit at this clock hour, likewise."
    )
    n_days: int | None = Field(default=None, description="Local days behind the percentiles.")
    young_low: float | None = Field(
        default=None,
        description="Lower reference limit at this clock hour for healthy young adults of the "
        "same sex, canonical unit, to be seen beside ref_low. Given for every person, also where "
        "it is the same as ref_low, of analytes whose references change with age; null for all "
        "others.",
    )
    young_high: float | None = Field(
        default=None, description="Upper reference limit of young adults, likewise."
    )


class Marker(SeriesResult):
    """A number that the field names, such as an onset of melatonin, or a sentence why not.

    `time` is midnight of the local date on which its night, day or cycle begins, written as if
    that clock were UTC: it names the date and does not move with the wearer's zone. Later readings
    of that stretch revise it.
    """

    marker: str = Field(description="The marker's name, e.g. 'dlmo-threshold'.")
    status: Literal["measured", "withheld"] = Field(
        description="'withheld': the data do not carry it, and `sentence` says why."
    )
    value: float | None = Field(
        description="In `unit`; null if withheld. A store keeps the number of an earlier estimate "
        "beside a later 'withheld': `status` tells."
    )
    unit: str = Field(
        description="UCUM, or 'clock_h': local clock hours, the value in [0, 24), the bounds not "
        "wrapped."
    )
    low: float | None = Field(description="Lower limit of the 90 % interval.")
    high: float | None = Field(description="Upper limit of the 90 % interval.")
    n: int = Field(description="Readings, nights or results used.")
    sentence: str = Field(description="The marker in words, or why there is none.")
    method: str = Field(description="The formula and its source.")


class Deviation(SeriesResult):
    """A departure from what was expected; `time` is when it was first seen."""

    kind: DeviationKind = Field(
        description="What departs from what: outlier, one reading from its prediction; level, the "
        "mean from the person's baseline; amplitude and phase likewise; arrhythmic, the rhythm is "
        "lost; missing, silence against the series' own cadence."
    )
    direction: Direction = Field(description="Which way.")
    ended_at: datetime | None = Field(default=None, description="When it was over, UTC.")
    severity: Severity = Field(description="From effect and certainty.")
    z: float = Field(description="Calibrated standard normal score of the evidence.")
    threshold: float = Field(description="Absolute score that it had to exceed.")
    effect: float | None = Field(
        description="Size: ratio for level, amplitude and outlier, hours for phase and missing."
    )
    effect_low: float | None = Field(default=None, description="Lower bound of the effect.")
    effect_high: float | None = Field(default=None, description="Upper bound of the effect.")
    n_effective: float = Field(description="Effective number of readings behind the evidence.")
    retrospective: bool = Field(
        description="True if found in data that arrived too late to be acted upon."
    )
    explained_by: str | None = Field(
        default=None,
        description="What explains it, e.g. 'dose of hydrocortisone 2.0 h before'; it alerts "
        "nobody unless it lasts for longer than that explains, which is then added.",
    )
    reason: str = Field(
        description="One sentence: what happened, against what, how sure, from how many readings."
    )


class Alert(SeriesResult):
    """What a person should look at; `time` is that of the deviation behind it.

    One row a subject, analyte, kind and direction while it lasts. A retrospective or explained
    deviation makes no alert; one that outlasts what explains it makes one then, and `updated_at`
    says when.
    """

    kind: DeviationKind = Field(description="Kind of the deviation behind it.")
    direction: Direction = Field(description="Direction of the deviation behind it.")
    state: Literal["open", "resolved"] = Field(description="Where the alert stands.")
    severity: Severity = Field(description="Highest severity so far.")
    updated_at: datetime = Field(description="Event time of the last change, UTC.")
    resolved_at: datetime | None = Field(default=None, description="When it was resolved, UTC.")
    reason: str = Field(description="The deviation's sentence.")


class StoredEvent(BaseModel):
    """An event as stored, for annotations."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    site: str = Field(description="Tenant or study site.")
    subject: str = Field(description="Pseudonymous id of the person.")
    kind: str = Field(
        description="dose, sleep, wake, menses, lh-surge, travel, illness or profile."
    )
    time: datetime = Field(description="When it happened, UTC.")
    text: str = Field(description="The event in words.")
    clock_hour: float = Field(description="Local clock time, hours [0, 24).")
