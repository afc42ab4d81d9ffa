"""What is known of an analyte: the types of a catalogue entry, and what a reading asks of it.

How does this unit convert, is this value possible, what is usual at this hour? The entries
themselves are in ``catalogue/*.toml``; `schemas.catalogue` reads them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Literal

from pydantic import Field, field_validator, model_validator

from schemas.conditions import CyclePhase, Entry, Sex, age_gaps, rank, undecided
from schemas.errors import Reason, RejectedRecord
from schemas.priors import GroupPrior, Prior
from schemas.reference_intervals import YOUNG_ADULT_AGE, Reference, ReferenceGroup, choose
from schemas.units import ACTIVITY, Conversion, conversion, scale_of

RhythmKind = Literal["24-h", "24-h sleep-keyed", "wake-keyed", "cycle", "flat", "pulsatile"]
Scale = Literal["log", "linear"]
Keep = Literal["all", "means", "none"]
Evidence = Literal["A", "B", "C", "?", "local"]

# Neither has a 24-h curve: in one there is nothing to see, in the other the pulses are all there
# is, and a cosine through them finds whatever the sampling times make of it.
WITHOUT_CURVE: frozenset[RhythmKind] = frozenset({"flat", "pulsatile"})
# Ruled by the hour. What a cycle rules has a curve over its days, which is not modelled yet.
DAILY: frozenset[RhythmKind] = frozenset({"24-h", "24-h sleep-keyed", "wake-keyed"})

# A value on the log scale is looked at twice when it lies beyond the usual range by more than
# this factor. Large enough that disease and stress pass; a slip of unit is usually larger.
SUSPECT_FACTOR = 3.0


class Code(Entry):
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


class Limits(Entry):
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


class Spread(Entry):
    """SD of the raw sustained-test scores that real people show, by direction of the test.

    1 would mean that nobody wanders beyond the model's own noise; the value that each person's
    running calibration starts from.
    """

    level: float = Field(gt=0)
    amplitude: float = Field(gt=0)
    phase: float = Field(gt=0)


class MinimumEffect(Entry):
    """The smallest departures worth telling a person about."""

    level_ratio: float = Field(
        gt=1, description="Level now over baseline, or its inverse, at least this."
    )
    amplitude_ratio: float = Field(
        gt=0, lt=1, description="Amplitude now over baseline at most this, or at least its inverse."
    )
    phase_h: float = Field(gt=0, description="Shift of the acrophase in hours, either way.")


class Equation(Entry):
    """How results in a unit convert that plain arithmetic of units would get wrong or refuse.

    value in the analyte's unit = result in `unit` · scale + offset. It serves all units of the
    same quantity as `unit`.
    """

    unit: str = Field(description="UCUM unit of the results.")
    scale: float = Field(gt=0, description="Factor to the analyte's unit.")
    offset: float = Field(default=0, description="Added after the factor.")
    depends_on: str | None = Field(
        default=None,
        description="What the factor depends on, such as an international standard, and what "
        "others use; a result converted so is as sure as that.",
    )


class Analyte(Entry):
    """One entry of the catalogue. Values are in `unit` unless said otherwise."""

    slug: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", description="Name in topics and store.")
    name: str = Field(description="Name for people.")
    short_name: str = Field(description="Name for people where room is scarce, lower case.")
    specimen: str = Field(description="What is sampled, e.g. 'saliva'.")
    axis: str = Field(description="Group on the page for people, e.g. 'Adrenal axis'.")
    sampling: str = Field(description="Group of analytes that are collected the same way.")
    codes: tuple[Code, ...] = Field(min_length=1, description="Codes of its readings.")
    unit: str = Field(description="UCUM unit of all values here and in the store.")
    unit_label: str = Field(description="The unit as people write it.")
    decimals: int = Field(ge=0, le=6, description="Decimal places worth showing.")
    molar_mass: float | None = Field(
        default=None, gt=0, description="g/mol; without it mass and molar units do not convert."
    )
    equations: tuple[Equation, ...] = Field(
        default=(), description="Conversions that units and molar mass alone do not give."
    )
    rhythm: RhythmKind = Field(description="What kind of rhythm it has.")
    wake_hour: float | None = Field(
        default=None,
        ge=0,
        lt=24,
        description="Wake-keyed: the waking hour that the prior's clock hours go with.",
    )
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
    group_priors: tuple[GroupPrior, ...] = ()
    references: tuple[Reference, ...] = ()
    sources: Mapping[str, str] = Field(
        repr=False, description="Where each number comes from, by its dotted path."
    )

    def __hash__(self) -> int:
        return hash(self.slug)

    def conversion(self, unit: str) -> Conversion:
        """(scale, offset) with canonical = value · scale + offset.

        Raises ``RejectedRecord`` (``UNKNOWN_UNIT``).
        """
        equation = self._equation(unit)
        if equation is not None:
            first = conversion(unit, equation.unit, self.molar_mass)
            return first.then(Conversion(equation.scale, equation.offset))
        source = scale_of(unit)
        if source is not None and source.dimension != ACTIVITY and self._has_activity:
            raise RejectedRecord(
                Reason.UNKNOWN_UNIT,
                f"{self.short_name} is counted in international units, to which no fixed mass "
                f"or amount corresponds: send {self.unit!r}, not {unit!r}",
            )
        return conversion(unit, self.unit, self.molar_mass)

    def depends_on(self, unit: str) -> str | None:
        """What the conversion from `unit` depends on beside arithmetic; ``None`` if nothing."""
        equation = self._equation(unit)
        return None if equation is None else equation.depends_on

    @cached_property
    def _has_activity(self) -> bool:
        scale = scale_of(self.unit)
        return scale is not None and scale.dimension == ACTIVITY

    def _equation(self, unit: str) -> Equation | None:
        """The equation that serves a unit; ``None`` where plain arithmetic does."""
        if not self.equations or unit == self.unit:
            return None
        source, target = scale_of(unit), scale_of(self.unit)
        if source is None or target is None:
            return None
        for equation in self.equations:
            scale = scale_of(equation.unit)
            if scale is None:
                continue
            if scale.dimension == target.dimension:
                # Same dimension, other scale (HbA1c in % and in mmol/mol): this unit alone.
                if source == scale:
                    return equation
            elif source.dimension != target.dimension:
                try:
                    conversion(unit, equation.unit, self.molar_mass)
                except RejectedRecord:
                    continue
                return equation
        return None

    @property
    def is_daily(self) -> bool:
        """Whether a 24-hour curve is fitted to it; of all others the level alone is followed."""
        return self.rhythm in DAILY

    @property
    def has_young_adults(self) -> bool:
        """Whether the young adults' reference can be another than that of people of one's age."""
        return any(reference.has_age or reference.group for reference in self.references)

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
        self,
        clock_hour: float,
        sex: Sex | None = None,
        age: float | None = None,
        *,
        hours_since_waking: float | None = None,
        cycle_phase: CyclePhase | None = None,
        group: ReferenceGroup | None = None,
    ) -> tuple[float | None, float | None]:
        """Reference limits (low, high) at a local clock hour; ``None`` where there is none.

        The most specific interval counts, see `schemas.conditions`; `group` asks for the young
        adults' instead of the age-matched one, see `schemas.reference_intervals.choose`.
        """
        best = choose(
            self.references,
            clock_hour,
            sex,
            age,
            hours_since_waking=hours_since_waking,
            cycle_phase=cycle_phase,
            group=group,
        )
        return (None, None) if best is None else (best.low, best.high)

    def prior_of(
        self,
        sex: Sex | None = None,
        age: float | None = None,
        cycle_phase: CyclePhase | None = None,
    ) -> Prior:
        """The prior of people like this; `prior` where nothing is known of them."""
        fitting = [group for group in self.group_priors if group.fits(sex, age, cycle_phase)]
        prior = self.prior
        for group in sorted(fitting, key=rank, reverse=True):
            prior = group.applied_to(prior)
        return prior

    def numbers(self) -> Iterator[tuple[str, float]]:
        """(dotted path, value) of every number of the entry that has a source.

        The conditions of references and priors are not counted among them.
        """
        given = self.model_dump(exclude={"sources", "decimals", "components"}, exclude_unset=True)
        yield from _numbers(given, "")

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
        self._check_units()
        if self.scale == "log" and self.limits.low <= 0:
            raise ValueError("limits: on the log scale low must be above 0")
        if self.usual.low not in self.limits or self.usual.high not in self.limits:
            raise ValueError("usual: not inside limits")
        if self.detection_limit is not None and self.detection_limit not in self.limits:
            raise ValueError("detection_limit: not inside limits")
        if self.stale_after_h < self.missing_after_h:
            raise ValueError("stale_after_h: shorter than missing_after_h")
        self._check_rhythm()
        self._check_prior("prior", self.prior)
        for n, group in enumerate(self.group_priors):
            age = group.typical_age
            self._check_prior(f"group_priors.{n}", self.prior_of(group.sex, age, group.cycle_phase))
        for i, j in undecided(self.group_priors):
            if self.group_priors[i].numbers.keys() & self.group_priors[j].numbers.keys():
                raise ValueError(
                    f"group_priors.{i} and group_priors.{j}: both can fit a person and neither is "
                    "more specific"
                )
        self._check_references()
        return self

    def _check_units(self) -> None:
        if scale_of(self.unit) is None:
            raise ValueError(f"unit: {self.unit!r} is not UCUM")
        if self._has_activity and self.molar_mass is not None and not self.equations:
            raise ValueError(
                "molar_mass: international units do not convert through a molar mass; give an "
                "equation with the standard that it depends on"
            )
        for n, equation in enumerate(self.equations):
            if scale_of(equation.unit) is None:
                raise ValueError(f"equations.{n}: {equation.unit!r} is not UCUM")
        for unit in self.neighbour_units:
            try:
                self.conversion(unit)
            except RejectedRecord as error:
                raise ValueError(f"neighbour_units: {error.detail}") from error

    def _check_rhythm(self) -> None:
        amplitudes = [self.prior.amplitude, self.prior.amplitude_2]
        amplitudes += [group.amplitude or 0 for group in self.group_priors]
        if self.rhythm in WITHOUT_CURVE:
            if any(amplitudes):
                raise ValueError(f"prior.amplitude: {self.rhythm} has no 24-h curve, set it to 0")
        elif self.prior.amplitude == 0 and self.rhythm != "cycle":
            raise ValueError(f"prior.amplitude: {self.rhythm} needs one; is it flat?")
        if (self.rhythm == "wake-keyed") != (self.wake_hour is not None):
            raise ValueError("wake_hour: needed for wake-keyed analytes, and for them only")
        if self.rhythm == "cycle" and not any(g.cycle_phase for g in self.group_priors):
            raise ValueError("group_priors: a cycle analyte needs priors by cycle phase")

    def _check_prior(self, where: str, prior: Prior) -> None:
        if self.from_model(prior.mesor) not in self.usual:
            raise ValueError(f"{where}.mesor: not inside usual; is it on the model scale?")
        for hour in range(24):
            if self.from_model(prior.value(hour)) not in self.limits:
                raise ValueError(f"{where}: the curve leaves the limits at {hour} h")

    def _check_references(self) -> None:
        for n, reference in enumerate(self.references):
            for bound in (reference.low, reference.high):
                if bound is not None and bound not in self.limits:
                    raise ValueError(f"references.{n}: {bound:g} is not inside limits")
            age = reference.typical_age if reference.group is None else YOUNG_ADULT_AGE
            prior = self.prior_of(reference.sex, age, reference.cycle_phase)
            value = self.from_model(prior.value(reference.typical_hour(self.wake_hour)))
            if not (reference.low or -math.inf) <= value <= (reference.high or math.inf):
                raise ValueError(
                    f"references.{n}: the population's own value there, {value:.3g}, is outside"
                )
        for i, j in undecided(self.references):
            raise ValueError(
                f"references.{i} and references.{j}: both can apply and neither is more specific"
            )
        for low, high in age_gaps(self.references):
            raise ValueError(f"references: nothing covers the ages {low:g} to {high:g}")


def _numbers(node: object, path: str) -> Iterator[tuple[str, float]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if not str(key).startswith(("from_", "to_")):
                yield from _numbers(value, f"{path}.{key}" if path else str(key))
    elif isinstance(node, list | tuple):
        for position, value in enumerate(node):
            yield from _numbers(value, f"{path}.{position}")
    elif isinstance(node, int | float) and not isinstance(node, bool):
        yield path, float(node)


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
