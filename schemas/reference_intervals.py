"""Reference intervals: when and for whom each is meant, and which of several counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, model_validator

from schemas.conditions import Conditions, CyclePhase, Sex, Spans, rank

ReferenceGroup = Literal["young-adult"]

# Where a reference varies with age, the young adult is this old: past puberty, before any of the
# slow declines (DHEA-S, IGF-1, testosterone).
YOUNG_ADULT_AGE = 25.0

_ANY_WAKING = (-1.0, 24.0)  # an unknown time since waking counts as below 0


class Reference(Conditions):
    """A reference interval; ``None`` is an open end. Open conditions fit everybody."""

    low: float | None = Field(default=None, description="Lower limit, analyte's unit.")
    high: float | None = Field(default=None, description="Upper limit, analyte's unit.")
    from_hour: float = Field(default=0, ge=0, lt=24, description="From this local clock hour,")
    to_hour: float = Field(default=24, gt=0, le=24, description="to before this one; may wrap.")
    from_wake_h: float | None = Field(
        default=None, ge=0, lt=24, description="From so many hours after waking,"
    )
    to_wake_h: float | None = Field(default=None, gt=0, le=24, description="to before so many.")
    group: ReferenceGroup | None = Field(
        default=None,
        description="Group that people of every age are compared with, if they ask for it.",
    )

    @model_validator(mode="after")
    def _interval(self) -> Reference:
        if self.low is None and self.high is None:
            raise ValueError("give low, high or both")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"low {self.low:g} is not below high {self.high:g}")
        if self.from_hour == self.to_hour:
            raise ValueError("from_hour and to_hour are the same")
        if (self.from_wake_h is None) != (self.to_wake_h is None):
            raise ValueError("give both from_wake_h and to_wake_h, or neither")
        if self.from_wake_h is not None and self.to_wake_h is not None:
            if self.from_wake_h >= self.to_wake_h:
                raise ValueError("from_wake_h is not below to_wake_h")
            if not self.whole_day:
                raise ValueError("either clock hours or hours since waking, not both")
        if self.group is not None and self.has_age:
            raise ValueError("a group has its own age: from_age and to_age say nothing here")
        return self

    @property
    def whole_day(self) -> bool:
        """Whether it is meant for every clock hour."""
        return self.from_hour == 0 and self.to_hour == 24

    def applies(
        self,
        clock_hour: float,
        sex: Sex | None,
        age: float | None,
        *,
        hours_since_waking: float | None = None,
        cycle_phase: CyclePhase | None = None,
    ) -> bool:
        """Whether the interval is meant for this time and person, apart from `group`.

        Unknown never fits a condition that is set.
        """
        if not any(low <= clock_hour < high for low, high in self._hours()):
            return False
        if self.from_wake_h is not None and self.to_wake_h is not None:
            if hours_since_waking is None:
                return False
            if not self.from_wake_h <= hours_since_waking < self.to_wake_h:
                return False
        return self.fits(sex, age, cycle_phase)

    @property
    def specificity(self) -> int:
        """As for all conditions; hours since waking tell more than clock hours."""
        return super().specificity + (not self.whole_day) + 2 * (self.from_wake_h is not None)

    def spans(self) -> tuple[Spans, ...]:
        """As for all conditions, with the axes clock hour, hours since waking and group."""
        woken = _ANY_WAKING
        if self.from_wake_h is not None and self.to_wake_h is not None:
            woken = (self.from_wake_h, self.to_wake_h)
        group = (0.0, 1.0) if self.group is None else (1.0, 2.0)
        return (*super().spans(), self._hours(), (woken,), (group,))

    def _hours(self) -> Spans:
        if self.from_hour < self.to_hour:
            return ((self.from_hour, self.to_hour),)
        return ((0.0, self.to_hour), (self.from_hour, 24.0))

    def typical_hour(self, wake_hour: float | None) -> float:
        """A clock hour in the middle of the interval's hours, for somebody who wakes at
        `wake_hour`."""
        if self.from_wake_h is not None and self.to_wake_h is not None:
            return ((wake_hour or 0) + (self.from_wake_h + self.to_wake_h) / 2) % 24
        turn = 0 if self.from_hour < self.to_hour else 24
        return ((self.from_hour + self.to_hour + turn) / 2) % 24


def choose(
    references: Sequence[Reference],
    clock_hour: float,
    sex: Sex | None,
    age: float | None,
    *,
    hours_since_waking: float | None = None,
    cycle_phase: CyclePhase | None = None,
    group: ReferenceGroup | None = None,
) -> Reference | None:
    """The most specific interval that applies; ``None`` if none does.

    A `group` asks for the interval of that group whatever the person's own age. Where the
    analyte has none of its own, it is the interval of a person of YOUNG_ADULT_AGE.
    """
    if group is not None:
        of_group = [reference for reference in references if reference.group == group]
        found = _best(of_group, clock_hour, sex, age, hours_since_waking, cycle_phase)
        if found is not None:
            return found
        age = YOUNG_ADULT_AGE
        cycle_phase = None if cycle_phase == "postmenopausal" else cycle_phase
    of_all = [reference for reference in references if reference.group is None]
    return _best(of_all, clock_hour, sex, age, hours_since_waking, cycle_phase)


def _best(
    references: Sequence[Reference],
    clock_hour: float,
    sex: Sex | None,
    age: float | None,
    hours_since_waking: float | None,
    cycle_phase: CyclePhase | None,
) -> Reference | None:
    fitting = [
        reference
        for reference in references
        if reference.applies(
            clock_hour,
            sex,
            age,
            hours_since_waking=hours_since_waking,
            cycle_phase=cycle_phase,
        )
    ]
    return min(fitting, key=rank, default=None)
