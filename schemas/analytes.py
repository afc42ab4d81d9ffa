"""What is known of an analyte: the types of a catalogue entry, and what a reading asks of it.

How does this unit convert, is this value possible, what is usual at this hour? The entries
themselves are in ``catalogue.toml``; `schemas.catalogue` reads them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from schemas.errors import Reason, RejectedRecord
from schemas.units import Conversion, conversion, scale_of

OMEGA = 2 * math.pi / 24  # radians an hour

RhythmKind = Literal["24-h", "24-h sleep-keyed", "wake-keyed", "cycle", "flat", "pulsatile"]
Scale = Literal["log", "linear"]
Keep = Literal["all", "means", "none"]
Evidence = Literal["A", "B", "C", "?", "local"]
Sex = Literal["female", "male"]
Coefficients = tuple[float, float, float, float, float]

# A value on the log scale is looked at twice when it lies beyond the usual range by more than
# this factor. Large enough that disease and stress pass; a slip of unit is usually larger.
SUSPECT_FACTOR = 3.0


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Code(_Frozen):
    """One code under which readings of the analyte arrive."""

    code: str = Field(description="LOINC code, or 'local:...' where LOINC has none.")
    name: str = Field(description="What the code's owner calls it.")
    evidence: Evidence = Field(
        description="How sure the code is: A its owner's page, B a copy of its table, C seen in "
        "public repositories only, ? unverified, local our own."
    )

    @field_validator("code")
    @classmethod
    def _check_digit(cls, code: str) -> str:
        if not code.startswith("local:") and not loinc_check_digit_holds(code):
            raise ValueError(f"{code} is not a LOINC code: its check digit is wrong")
        return code


class Limits(_Frozen):
    """A closed range in the analyte's unit."""

    low: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Limits:
        if self.low >= self.high:
            raise ValueError(f"low {self.low:g} is not below high {self.high:g}")
        return self

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


class Prior(_Frozen):
    """The rhythm of the population, on the model scale.

    The model scale is the natural logarithm of the analyte's unit for log analytes and the unit
    itself for linear ones: y(t) = mesor + amplitude·cos(ω(t − acrophase_h))
    + amplitude_2·cos(2ω(t − acrophase_2_h)), t in local clock hours, ω = 2π/24 h.
    """

    mesor: float = Field(description="Midline, model scale.")
    mesor_sd: float = Field(gt=0, description="SD of the midline between people, model scale.")
    amplitude: float = Field(ge=0, description="Amplitude of the 24-h harmonic, model scale.")
    acrophase_h: float = Field(
        ge=0, lt=24, description="Peak clock time of the 24-h harmonic, local hours."
    )
    amplitude_2: float = Field(ge=0, description="Amplitude of the 12-h harmonic, model scale.")
    acrophase_2_h: float = Field(
        ge=0, lt=12, description="First peak clock time of the 12-h harmonic, local hours."
    )
    coefficient_sd: float = Field(
        gt=0, description="SD between people of each cosine and sine coefficient, 24-h harmonic."
    )
    coefficient_2_sd: float = Field(
        gt=0, description="SD between people of each cosine and sine coefficient, 12-h harmonic."
    )
    residual_sd: float = Field(
        gt=0, description="SD of one person's readings about the own curve, assay included."
    )
    residual_strength: float = Field(
        gt=0, description="Number of readings that the residual SD is worth."
    )

    def mean(self) -> Coefficients:
        """Prior mean (mesor, β1, γ1, β2, γ2).

        y(t) = mesor + β1·cos ωt + γ1·sin ωt + β2·cos 2ωt + γ2·sin 2ωt, model scale.
        """
        phase, phase_2 = OMEGA * self.acrophase_h, 2 * OMEGA * self.acrophase_2_h
        return (
            self.mesor,
            self.amplitude * math.cos(phase),
            self.amplitude * math.sin(phase),
            self.amplitude_2 * math.cos(phase_2),
            self.amplitude_2 * math.sin(phase_2),
        )

    def sd(self) -> Coefficients:
        """Prior SDs between people of (mesor, β1, γ1, β2, γ2), model scale."""
        return (
            self.mesor_sd,
            self.coefficient_sd,
            self.coefficient_sd,
            self.coefficient_2_sd,
            self.coefficient_2_sd,
        )

    def value(self, clock_hour: float) -> float:
        """Population curve at a local clock hour, model scale."""
        return (
            self.mesor
            + self.amplitude * math.cos(OMEGA * (clock_hour - self.acrophase_h))
            + self.amplitude_2 * math.cos(2 * OMEGA * (clock_hour - self.acrophase_2_h))
        )


class Spread(_Frozen):
    """SD of the raw sustained-test scores that real people show, by direction of the test.

    1 would mean that nobody wanders beyond the model's own noise; the value that each person's
    running calibration starts from.
    """

    level: float = Field(gt=0)
    amplitude: float = Field(gt=0)
    phase: float = Field(gt=0)


class MinimumEffect(_Frozen):
    """The smallest departures worth telling a person about."""

    level_ratio: float = Field(
        gt=1, description="Level now over baseline, or its inverse, at least this."
    )
    amplitude_ratio: float = Field(
        gt=0, lt=1, description="Amplitude now over baseline at most this, or at least its inverse."
    )
    phase_h: float = Field(gt=0, description="Shift of the acrophase in hours, either way.")


class Reference(_Frozen):
    """A reference interval; ``None`` is an open end. Open conditions fit everybody."""

    low: float | None = Field(default=None, description="Lower limit, analyte's unit.")
    high: float | None = Field(default=None, description="Upper limit, analyte's unit.")
    from_hour: float = Field(default=0, ge=0, lt=24, description="From this local clock hour,")
    to_hour: float = Field(default=24, gt=0, le=24, description="to before this one; may wrap.")
    sex: Sex | None = Field(default=None, description="Only for this sex.")
    from_age: float | None = Field(default=None, ge=0, description="From this age in years,")
    to_age: float | None = Field(default=None, ge=0, description="to before this one.")

    @model_validator(mode="after")
    def _interval(self) -> Reference:
        if self.low is None and self.high is None:
            raise ValueError("give low, high or both")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"low {self.low:g} is not below high {self.high:g}")
        if self.from_hour == self.to_hour:
            raise ValueError("from_hour and to_hour are the same")
        return self

    def applies(self, clock_hour: float, sex: Sex | None, age: float | None) -> bool:
        """Whether the interval is meant for this hour and person; unknown never fits a limit."""
        if self.from_hour < self.to_hour:
            in_hours = self.from_hour <= clock_hour < self.to_hour
        else:
            in_hours = clock_hour >= self.from_hour or clock_hour < self.to_hour
        if not in_hours or (self.sex is not None and self.sex != sex):
            return False
        if self.from_age is None and self.to_age is None:
            return True
        return age is not None and (self.from_age or 0) <= age < (self.to_age or math.inf)

    @property
    def conditions(self) -> int:
        """How many conditions the interval sets; of several that apply the most specific wins."""
        whole_day = self.from_hour == 0 and self.to_hour == 24
        return sum(
            (not whole_day, self.sex is not None, (self.from_age, self.to_age) != (None, None))
        )


class Analyte(_Frozen):
    """One entry of the catalogue. Values are in `unit` unless said otherwise."""

    slug: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", description="Name in topics and store.")
    name: str = Field(description="Name for people.")
    short_name: str = Field(description="Name for people where room is scarce, lower case.")
    specimen: str = Field(description="What is sampled, e.g. 'saliva'.")
    sampling: str = Field(description="Group of analytes that are collected the same way.")
    codes: tuple[Code, ...] = Field(min_length=1, description="Codes of its readings.")
    unit: str = Field(description="UCUM unit of all values here and in the store.")
    unit_label: str = Field(description="The unit as people write it.")
    decimals: int = Field(ge=0, le=6, description="Decimal places worth showing.")
    molar_mass: float | None = Field(
        default=None, gt=0, description="g/mol; without it mass and molar units do not convert."
    )
    rhythm: RhythmKind = Field(description="What kind of rhythm it has.")
    scale: Scale = Field(description="Model scale: log for concentrations.")
    components: Literal[1, 2] = Field(
        description="Harmonics to display: 24 h alone, or 24 h and 12 h. The engine keeps both."
    )
    keep: Keep = Field(description="Raw readings in the store: all, five-minute means or none.")
    live_window_h: float = Field(gt=0, description="Arrival within this is live, later backfill.")
    cadence_s: float = Field(gt=0, description="Expected seconds between readings.")
    decorrelation_s: float = Field(
        gt=0, description="Readings closer than this share one unit of weight."
    )
    stale_after_h: float = Field(gt=0, description="Without readings for this long: stale.")
    missing_after_h: float = Field(gt=0, description="Without readings for this long: missing.")
    detection_limit: float | None = Field(
        default=None, gt=0, description="Below this assays of this kind report '<'."
    )
    limits: Limits = Field(description="Outside is impossible: refused.")
    usual: Limits = Field(
        description="Genuine results, disease included, are rarely outside; see `check`."
    )
    neighbour_units: tuple[str, ...] = Field(
        description="UCUM units in which people send this analyte under the wrong unit."
    )
    cv_within: float = Field(gt=0, description="Within-person biological CV, 0.2 = 20 %.")
    cv_analytical: float = Field(gt=0, description="Analytical CV, 0.05 = 5 %.")
    z_sd: Spread
    minimum_effect: MinimumEffect
    prior: Prior
    references: tuple[Reference, ...] = ()
    sources: Mapping[str, str] = Field(
        repr=False, description="Where each number comes from, by its dotted path."
    )

    def __hash__(self) -> int:
        return hash(self.slug)

    def conversion(self, unit: str) -> Conversion:
        """(scale, offset) with canonical = value · scale + offset; cached.

        Raises ``RejectedRecord`` (``UNKNOWN_UNIT``).
        """
        return conversion(unit, self.unit, self.molar_mass)

    @cached_property
    def screen(self) -> Limits:
        """Values inside need no second look; for those outside call `check`."""
        if self.scale == "linear":
            return self.limits
        return Limits(
            low=max(self.limits.low, self.usual.low / SUSPECT_FACTOR),
            high=min(self.limits.high, self.usual.high * SUSPECT_FACTOR),
        )

    def check(self, value: float, unit: str) -> None:
        """Refuse an impossible value, or one that makes sense in a neighbouring unit only.

        `value` is in the analyte's unit, `unit` is the one that it was sent in. A value outside
        `screen` is taken for a slip of unit if its number, read in the analyte's own or one of
        the `neighbour_units`, is `usual`. Others are refused only outside `limits`: extremes are
        what this software is for. Raises ``RejectedRecord`` (``UNIT_SUSPECT``,
        ``OUT_OF_LIMITS``).
        """
        if value in self.screen:
            return
        if value not in self.limits or self._fitting_units(value, unit):
            raise self.explain_limits(value, unit)

    def explain_limits(self, value: float, unit: str) -> RejectedRecord:
        """The refusal of one value (in the analyte's unit) that was sent in `unit`."""
        scale, offset = self.conversion(unit)
        sent = f"{(value - offset) / scale:.6g} {unit}"
        usual = f"{self.usual.low:g} to {self.usual.high:g} {self.unit}"
        fitting = self._fitting_units(value, unit)
        if fitting:
            return RejectedRecord(
                Reason.UNIT_SUSPECT,
                f"{sent} of {self.short_name} is implausible (usual: {usual}), the same number in "
                f"{' or '.join(fitting)} is not: send it with the unit it was measured in",
            )
        if value == 0 and self.scale == "log":
            return RejectedRecord(
                Reason.OUT_OF_LIMITS,
                f"{self.short_name} is never exactly 0: send the assay's detection limit with "
                "comparator '<', or absent_reason if there is no result",
            )
        return RejectedRecord(
            Reason.OUT_OF_LIMITS,
            f"{sent} of {self.short_name} is outside what is possible "
            f"({self.limits.low:g} to {self.limits.high:g} {self.unit})",
        )

    def _fitting_units(self, value: float, unit: str) -> list[str]:
        scale, offset = self.conversion(unit)
        number = (value - offset) / scale
        fitting = []
        for other in (self.unit, *self.neighbour_units):
            other_scale, other_offset = self.conversion(other)
            same_unit = math.isclose(other_scale, scale) and math.isclose(
                other_offset, offset, abs_tol=1e-9
            )
            if not same_unit and number * other_scale + other_offset in self.usual:
                fitting.append(other)
        return fitting

    def reference(
        self, clock_hour: float, sex: Sex | None = None, age: float | None = None
    ) -> tuple[float | None, float | None]:
        """Reference limits (low, high) at a local clock hour; ``None`` where there is none."""
        fitting = [r for r in self.references if r.applies(clock_hour, sex, age)]
        if not fitting:
            return (None, None)
        best = max(fitting, key=lambda r: r.conditions)
        return (best.low, best.high)

    def source(self, path: str) -> str:
        """Where the number at a dotted path is from, e.g. ``source("prior.mesor_sd")``.

        Raises ``KeyError`` if the path has no number.
        """
        while path not in self.sources:
            path, dot, _ = path.rpartition(".")
            if not dot:
                raise KeyError(path)
        return self.sources[path]

    def to_model(self, value: float) -> float:
        """A value in the analyte's unit on the model scale."""
        return math.log(value) if self.scale == "log" else value

    def from_model(self, y: float) -> float:
        """A value on the model scale in the analyte's unit."""
        return math.exp(y) if self.scale == "log" else y

    @model_validator(mode="after")
    def _consistent(self) -> Analyte:
        if self.scale == "log" and self.limits.low <= 0:
            raise ValueError("limits: on the log scale low must be above 0")
        if self.usual.low not in self.limits or self.usual.high not in self.limits:
            raise ValueError("usual: not inside limits")
        if self.from_model(self.prior.mesor) not in self.usual:
            raise ValueError("prior.mesor: not inside usual; is it on the model scale?")
        for hour in range(24):
            if self.from_model(self.prior.value(hour)) not in self.limits:
                raise ValueError(f"prior: the curve leaves the limits at {hour} h")
        if self.detection_limit is not None and self.detection_limit not in self.limits:
            raise ValueError("detection_limit: not inside limits")
        for n, reference in enumerate(self.references):
            for bound in (reference.low, reference.high):
                if bound is not None and bound not in self.limits:
                    raise ValueError(f"references.{n}: {bound:g} is not inside limits")
        if self.stale_after_h < self.missing_after_h:
            raise ValueError("stale_after_h: shorter than missing_after_h")
        if scale_of(self.unit) is None:
            raise ValueError(f"unit: {self.unit!r} is not UCUM")
        for unit in self.neighbour_units:
            try:
                self.conversion(unit)
            except RejectedRecord as error:
                raise ValueError(f"neighbour_units: {error.detail}") from error
        return self


def loinc_check_digit_holds(code: str) -> bool:
    """Whether the digit after the hyphen is LOINC's mod-10 check digit of those before it.

    Luhn's algorithm as in the LOINC Users' Guide, "LOINC code check digit".

    >>> loinc_check_digit_holds("2142-8"), loinc_check_digit_holds("8867-5")
    (True, False)
    """
    number, hyphen, digit = code.partition("-")
    if not (hyphen and number.isascii() and number.isdigit() and len(number) <= 7):
        return False
    total = 0
    for position, character in enumerate(reversed(number)):
        doubled = int(character) * (2 if position % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return digit == str(-total % 10)
