"""For whom something in the catalogue is meant: sex, age and cycle phase.

Reference intervals and priors share these conditions. An open condition fits everybody, the
unknown fits no condition that is set, and of several entries that fit the most specific counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

Sex = Literal["female", "male"]
CyclePhase = Literal[
    "follicular",
    "early follicular",
    "late follicular",
    "mid-cycle",
    "luteal",
    "early luteal",
    "mid-luteal",
    "late luteal",
    "postmenopausal",
]

# First and last day of each phase, counted from the day of the LH peak in serum (day 0):
# Stricker 2006, Clin Chem Lab Med 44:883, abstract. Laboratories list "postmenopausal" beside
# them; it has no days.
CYCLE_DAYS: Mapping[CyclePhase, tuple[int, int]] = {
    "follicular": (-15, -1),
    "early follicular": (-15, -6),
    "late follicular": (-5, -1),
    "mid-cycle": (0, 0),
    "luteal": (1, 14),
    "early luteal": (1, 4),
    "mid-luteal": (5, 9),
    "late luteal": (10, 14),
}

Spans = tuple[tuple[float, float], ...]
"""Half-open stretches of one axis of conditions."""

_ALL_AGES = (-1.0, 150.0)  # an age that nobody knows counts as below 0
_ALL_SEXES = (0.0, 3.0)  # female, male, unknown
_SEXES: Mapping[Sex, tuple[float, float]] = {"female": (0.0, 1.0), "male": (1.0, 2.0)}
_ALL_PHASES = (-100.0, 102.0)
_POSTMENOPAUSAL = (100.0, 101.0)


class Entry(BaseModel):
    """A table of the catalogue: frozen, closed, and without NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Conditions(Entry):
    """Who somebody must be. Open conditions fit everybody."""

    sex: Sex | None = Field(default=None, description="Only for this sex.")
    from_age: float | None = Field(default=None, ge=0, description="From this age in years,")
    to_age: float | None = Field(default=None, gt=0, le=150, description="to before this one.")
    cycle_phase: CyclePhase | None = Field(
        default=None, description="Only in this phase of the cycle, or after it has ended."
    )

    @model_validator(mode="after")
    def _ordered_ages(self) -> Conditions:
        if (self.from_age or 0) >= (self.to_age or math.inf):
            raise ValueError(f"from_age {self.from_age:g} is not below to_age {self.to_age:g}")
        return self

    def fits(self, sex: Sex | None, age: float | None, cycle_phase: CyclePhase | None) -> bool:
        """Whether the person is meant; unknown never fits a condition that is set."""
        if self.sex is not None and self.sex != sex:
            return False
        if self.has_age and (
            age is None or not (self.from_age or 0) <= age < (self.to_age or math.inf)
        ):
            return False
        return self.cycle_phase is None or (
            cycle_phase is not None and inside(_phase(cycle_phase), _phase(self.cycle_phase))
        )

    @property
    def has_age(self) -> bool:
        """Whether it sets a condition on age."""
        return (self.from_age, self.to_age) != (None, None)

    @property
    def typical_age(self) -> float | None:
        """An age inside the condition; ``None`` if there is none."""
        if not self.has_age:
            return None
        if self.to_age is None:
            return (self.from_age or 0) + 5
        return ((self.from_age or max(self.to_age - 10, 0)) + self.to_age) / 2

    @property
    def specificity(self) -> int:
        """How much is asked; a cycle phase tells more of this very sample than an age does."""
        return (self.sex is not None) + self.has_age + 2 * (self.cycle_phase is not None)

    def spans(self) -> tuple[Spans, ...]:
        """The conditions as stretches of the axes sex, age and cycle phase."""
        ages = (self.from_age or 0.0, self.to_age or _ALL_AGES[1]) if self.has_age else _ALL_AGES
        return (
            (_ALL_SEXES if self.sex is None else _SEXES[self.sex],),
            (ages,),
            (_ALL_PHASES,) if self.cycle_phase is None else _phase(self.cycle_phase),
        )

    @property
    def breadth(self) -> float:
        """Size of what the conditions let through, to compare one with another inside it."""
        return math.prod(sum(high - low for low, high in spans) for spans in self.spans())

    def contains(self, other: Conditions) -> bool:
        """Whether everything that fits `other` fits this too."""
        return all(map(inside, other.spans(), self.spans()))

    def overlaps(self, other: Conditions) -> bool:
        """Whether something can fit both."""
        return all(
            any(a < d and c < b for a, b in mine for c, d in theirs)
            for mine, theirs in zip(self.spans(), other.spans(), strict=True)
        )


C = TypeVar("C", bound=Conditions)


def inside(inner: Spans, outer: Spans) -> bool:
    """Whether every stretch of `inner` lies inside one of `outer`."""
    return all(any(c <= a and b <= d for c, d in outer) for a, b in inner)


def rank(entry: Conditions) -> tuple[int, float]:
    """Sorts the most specific first: more is asked, or as much and of fewer."""
    return (-entry.specificity, entry.breadth)


def undecided(entries: Sequence[C]) -> Iterator[tuple[int, int]]:
    """Positions of entries that can fit together while neither is more specific."""
    for (i, a), (j, b) in combinations(enumerate(entries), 2):
        if a.specificity == b.specificity and a.overlaps(b) and a.contains(b) == b.contains(a):
            yield i, j


def age_gaps(entries: Sequence[C]) -> Iterator[tuple[float, float]]:
    """Ages between two entries that nothing fills though their other conditions are the same."""
    with_age = [entry for entry in entries if entry.has_age]
    for a in with_age:
        later = [
            b.from_age or 0
            for b in with_age
            if b is not a
            and _apart_from_age(b) == _apart_from_age(a)
            and (b.from_age or 0) >= (a.from_age or 0)
        ]
        if a.to_age is not None and later and min(later) > a.to_age:
            gap = a.model_copy(update={"from_age": a.to_age, "to_age": min(later)})
            if not any(entry.contains(gap) for entry in entries):
                yield a.to_age, min(later)


def _apart_from_age(entry: Conditions) -> tuple[Spans, ...]:
    sex, _, *others = entry.spans()
    return (sex, *others)


def _phase(phase: CyclePhase) -> Spans:
    if phase == "postmenopausal":
        return (_POSTMENOPAUSAL,)
    first, last = CYCLE_DAYS[phase]
    return ((float(first), float(last + 1)),)
