"""A person's book: what markers are made of, and which of them a reading or an event may change.

Everything is a function of the readings and events taken in; when `markers` is asked in between
makes no difference to the last answer for a date. See `diary` for how late a reading may come.
"""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple

import msgspec

from processors.markers import axes, cycles, nights, sleeps, slow, wakings, weeks
from processors.markers.cycle_pages import CyclePages
from processors.markers.dated import Dated
from processors.markers.diary import DAY_MS, HOUR_MS, Diary, Kept, samples_of
from processors.markers.half_hours import HalfHours
from processors.markers.life import Life
from processors.rhythm.samples import Samples
from schemas.analytes import Analyte
from schemas.catalogue import Catalogue
from schemas.conditions import Sex
from schemas.events import Dose, Event, Sleep

LEVEL_DAYS = 14
"""Evening-to-morning ratio and late-night level are of so many days."""
_MELATONIN = "melatonin"
# How long a dose may stand before the night that it masks; the markers decide whether it does.
_DOSE_DAYS = 2

_DENSE = tuple(dict.fromkeys((*weeks.ACTIVITY, *weeks.PHASES, "interstitial-glucose")))
_DENSE_SPAN = (weeks.PERIOD_DAYS, 2)
# By analyte: days that a marker looks back over, and days that a reading may be late.
_CYCLE_SPAN = (cycles.OWN_DAYS + 100, 60)
_AXIS_SPAN = (axes.OWN_DAYS, 60)
_SPANS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(nights.DLMO_THRESHOLDS, (2, 30)),
    **dict.fromkeys(wakings.CORTISOL, (LEVEL_DAYS + 2, 30)),
    **dict.fromkeys((*cycles.KINDS, *cycles.JUDGED), _CYCLE_SPAN),
    **dict.fromkeys((of.controller for of in axes.AXES), _AXIS_SPAN),
    **dict.fromkeys(
        (of.product for of in axes.AXES if of.product != "interstitial-glucose"), _AXIS_SPAN
    ),
    **dict.fromkeys(slow.SLOW, (5 * 365, 365)),
}


class Who(NamedTuple):
    """What is known of the person."""

    sex: Sex | None = None
    birth_year: int | None = None


def keeps_readings(slug: str) -> bool:
    """Whether markers are made of an analyte's single readings."""
    return slug in _SPANS


def keeps_half_hours(slug: str) -> bool:
    """Whether markers are made of the means of an analyte's half hours."""
    return slug in _DENSE


class Book:
    """One person's; see the module's docstring."""

    def __init__(self, catalogue: Catalogue, life: Life) -> None:
        self._catalogue = catalogue
        self._life = life
        self._dumped: dict[str, bytes] = {}
        self._diaries: dict[str, Diary] = {}
        self._dense: dict[str, HalfHours] = {}
        self._touched: dict[str, set[int]] = {}  # by analyte: local dates
        self._sleeps_touched: set[int] = set()
        self._doses_touched: set[int] = set()
        self._cycle_from: int | None = None  # the earliest local date that may have changed

    def begin(self, life: Life) -> None:
        """Go on with what events had told."""
        self._life = life

    # --- taking in ------------------------------------------------------------------------

    def read(self, slug: str, reading: Kept) -> None:
        """Take a reading of an analyte that `keeps_readings`."""
        diary = self._diaries.get(slug)
        if diary is None:
            diary = self._diaries[slug] = Diary(*_SPANS[slug])
        if diary.add(reading):
            self._touch(slug, reading.day)

    def half_hour(self, slug: str, start_ms: int, offset_h: float, mean: float) -> None:
        """Take a half hour's mean of an analyte that `keeps_half_hours`; it began at `start_ms`
        (epoch), when the wearer's clock was `offset_h` ahead of UTC."""
        dense = self._dense.get(slug)
        if dense is None:
            dense = self._dense[slug] = HalfHours(*_DENSE_SPAN)
        day, of_day = divmod(start_ms + round(offset_h * HOUR_MS), DAY_MS)
        if dense.put(day, of_day // (HOUR_MS // 2), mean, offset_h):
            self._touch(slug, day)

    def told(self, event: Event) -> None:
        """Take an event into the person's life."""
        offset = event.at.utcoffset()
        assert offset is not None  # the contract takes no other times
        local_s = event.at.timestamp() + offset.total_seconds()
        day = int(local_s // 86_400)
        if self._life.take(event):
            if isinstance(event, Dose):
                self._doses_touched.add(day)
            elif isinstance(event, Sleep):
                self._sleeps_touched.add(day)
            else:
                self._cycle_touched(day)

    def known_anew(self) -> None:
        """The person turned out to be somebody else than was thought: references change."""
        for slug in (*slow.SLOW, *(of.product for of in axes.AXES)):
            diary = self._diaries.get(slug)
            if diary is not None:
                self._touched.setdefault(slug, set()).update(diary.days())
        days = [min(days) for slug in cycles.JUDGED if (days := self._days(slug))]
        if days:
            self._cycle_touched(min(days))

    def _touch(self, slug: str, day: int) -> None:
        self._touched.setdefault(slug, set()).add(day)
        self._dumped.pop(slug, None)
        if slug in cycles.KINDS or slug in cycles.JUDGED:
            self._cycle_touched(day)

    def _cycle_touched(self, day: int) -> None:
        self._cycle_from = day if self._cycle_from is None else min(self._cycle_from, day)

    # --- markers --------------------------------------------------------------------------

    @property
    def is_due(self) -> bool:
        """Whether `markers` would have anything to look at."""
        return bool(
            self._touched
            or self._sleeps_touched
            or self._doses_touched
            or self._cycle_from is not None
        )

    def markers(self, who: Who) -> list[Dated]:
        """All markers that may have changed since the last call."""
        found: list[Dated] = []
        for slug in nights.DLMO_THRESHOLDS:
            found += self._nights(slug)
        for slug in wakings.CORTISOL:
            found += self._wakings(slug)
        for slug in _DENSE:
            found += self._weeks(slug)
        if self._sleeps_touched:
            found += self._sleeps()
        if self._cycle_from is not None:
            pages = CyclePages(self._catalogue, self._diaries, self._life)
            found += pages.markers_from(self._cycle_from, who.sex, who.birth_year)
        for of in axes.AXES:
            found += self._axis(of, who)
        for slug in slow.SLOW:
            found += self._slow(slug, who)
        # A day is described once it is over.
        self._touched = {
            slug: {dense.newest}
            for slug, dense in self._dense.items()
            if dense.newest in self._touched.get(slug, ()) and dense.newest is not None
        }
        self._sleeps_touched.clear()
        self._doses_touched.clear()
        self._cycle_from = None
        for diary in self._diaries.values():
            diary.forget()
        for dense in self._dense.values():
            dense.forget()
        return found

    def _days(self, slug: str) -> set[int]:
        diary = self._diaries.get(slug)
        return set() if diary is None else diary.days()

    def _nights(self, slug: str) -> list[Dated]:
        diary = self._diaries.get(slug)
        if diary is None:
            return []
        due = {n for day in self._touched.get(slug, ()) for n in (day - 1, day)}
        due |= {day + k for day in self._doses_touched for k in range(-1, _DOSE_DAYS)}
        analyte = self._catalogue[slug]
        doses = self._life.taken(_MELATONIN)
        found: list[Dated] = []
        for day in sorted(due):
            begin = day * DAY_MS + nights.NIGHT_BEGINS_H * HOUR_MS
            readings = [
                kept
                for kept in diary.of_days(day, day + 1)
                if begin <= kept.time_ms + kept.offset_ms < begin + DAY_MS
            ]
            if readings:
                taken = samples_of(readings, analyte.unit)
                found += nights.night(analyte, taken, day, doses).markers
        return found

    def _wakings(self, slug: str) -> list[Dated]:
        diary = self._diaries.get(slug)
        if diary is None:
            return []
        touched = set(self._touched.get(slug, ()))
        with_readings = diary.days()
        due = {n for day in touched for n in (day - 1, day)} | self._sleeps_touched
        due |= {day + k for day in self._doses_touched for k in range(-1, _DOSE_DAYS)}
        # A usual waking is that of four weeks.
        due |= {
            day
            for since in self._sleeps_touched
            for day in range(since + 1, since + sleeps.WEEKS_DAYS + 1)
            if day in with_readings
        }
        touched |= {day + k for day in self._doses_touched for k in range(_DOSE_DAYS)}
        levels = {
            day
            for since in touched
            for day in range(since, since + LEVEL_DAYS)
            if day in with_readings
        }
        due &= {n for day in with_readings for n in (day - 1, day)}
        analyte, doses = self._catalogue[slug], self._life.taken(wakings.HYDROCORTISONE)
        found: list[Dated] = []
        for day in sorted(due):
            taken = samples_of(diary.of_days(day - 1, day + 1), analyte.unit)
            found += self._waking(analyte, taken, day, doses)
        for day in sorted(levels):
            readings = diary.of_days(day - LEVEL_DAYS + 1, day)
            found += wakings.level_markers(analyte, samples_of(readings, analyte.unit), day, doses)
        return found

    def _waking(
        self, analyte: Analyte, taken: Samples, day: int, doses: list[float]
    ) -> list[Dated]:
        told = self._life.sleeps
        wakes = wakings.wakes_of(sleeps.wakings_about(told, day), taken)
        if wakes:
            return wakings.waking_markers(analyte, taken, day, wakes[0], doses)
        of_day = taken.hours[(taken.hours + taken.offset_h) // 24.0 == day]
        before = sleeps.wakings_about(told, day - 1)
        if not of_day.size or any(
            of_day[-1] - wake.hour <= wakings.LONGEST_AWAKE_H for wake in before
        ):
            return []
        usual = sleeps.usual_waking(told, day)
        return wakings.assumed_waking_markers(analyte, taken, day, usual, doses)

    def _weeks(self, slug: str) -> list[Dated]:
        dense = self._dense.get(slug)
        if dense is None or slug not in (*weeks.ACTIVITY, *weeks.PHASES):
            return []
        touched = set(self._touched.get(slug, ()))
        if slug == "heart-rate":
            touched |= self._touched.get(weeks.STEPS, set())
        assert dense.newest is not None
        over = {day for day in dense.days() if day < dense.newest}
        due = {day for since in touched for day in range(since, since + weeks.PERIOD_DAYS)} & over
        steps = self._dense.get(weeks.STEPS)
        analyte = self._catalogue[slug]
        found: list[Dated] = []
        for day in sorted(due):
            first = day - weeks.PERIOD_DAYS + 1
            hourly = dense.hourly(first, day)
            if slug in weeks.ACTIVITY:
                week = hourly.part(hourly.day > day - weeks.WEEK_DAYS)
                found += weeks.activity_markers(analyte, week, day)
            if slug in weeks.PHASES:
                found += weeks.rhythm_markers(
                    analyte,
                    hourly,
                    steps.hourly(first, day) if steps and slug == "heart-rate" else None,
                    day,
                    same_clock=dense.same_clock(first, day),
                )
        return found

    def _sleeps(self) -> list[Dated]:
        woken = {one.day for one in self._life.sleeps if one.awake}
        due = {
            day
            for since in self._sleeps_touched
            for day in range(since, since + sleeps.WEEKS_DAYS + 1)
            if day in woken
        }
        return [
            marker
            for day in sorted(due)
            for marker in sleeps.sleep_markers_of(self._life.sleeps, day)
        ]

    def _axis(self, of: axes.AxisOf, who: Who) -> list[Dated]:
        controllers = self._diaries.get(of.controller)
        if controllers is None:
            return []
        pages = CyclePages(self._catalogue, self._diaries, self._life)
        touched = self._touched.get(of.controller, set()) | self._touched.get(of.product, set())
        if self._cycle_from is not None and of.product in cycles.JUDGED:
            touched |= {pages.first_day(self._cycle_from)}  # the phase chooses the reference
        if not touched:
            return []
        found: list[Dated] = []
        products = self._products(of, controllers)
        for day in sorted({one.day for one in products if one.day >= min(touched)}):
            first = day - axes.OWN_DAYS
            marker = axes.axis_marker(
                of,
                self._catalogue,
                controllers.of_days(first, day),
                [one for one in products if first <= one.day <= day],
                axes.Person(
                    who.sex,
                    None if who.birth_year is None else slow.age_at(day * DAY_MS, who.birth_year),
                    pages.phase_on(day),
                ),
            )
            if marker is not None:
                found.append(marker)
        return found

    def _products(self, of: axes.AxisOf, controllers: Diary) -> list[Kept]:
        """Results of the product; of what is measured all the time the half hours that count."""
        diary = self._diaries.get(of.product)
        if diary is not None:
            return diary.all()
        dense = self._dense.get(of.product)
        found: list[Kept] = []
        for one in controllers.all() if dense is not None else ():
            day, of_day = divmod(one.time_ms + one.offset_ms, DAY_MS)
            mean = dense.at(day, of_day // (HOUR_MS // 2)) if dense is not None else None
            if mean is not None:
                found.append(one._replace(value=mean, sign=0))
        return found

    def _slow(self, slug: str, who: Who) -> list[Dated]:
        touched = self._touched.get(slug)
        diary = self._diaries.get(slug)
        if diary is None or not touched:
            return []
        analyte = self._catalogue[slug]
        window = _SPANS[slug][0]
        return [
            marker
            for day in sorted(diary.days())
            if day >= min(touched)
            for marker in slow.slow_markers(
                analyte, diary.of_days(day - window, day), who.sex, who.birth_year
            )
        ]

    # --- state ----------------------------------------------------------------------------

    def dump(self, slug: str) -> bytes:
        """What is kept of one analyte, for `load`; nothing of one that makes no markers."""
        known = self._dumped.get(slug)
        if known is None:
            saved: list[Any] = []
            if slug in self._diaries:
                saved = self._diaries[slug].dump()
            elif slug in self._dense:
                saved = self._dense[slug].dump()
            known = zlib.compress(msgspec.msgpack.encode(saved), level=1) if saved else b""
            self._dumped[slug] = known
        return known

    def load(self, slug: str, dumped: bytes) -> None:
        """Take over what `dump` gave."""
        if not dumped:
            return
        saved = msgspec.msgpack.decode(zlib.decompress(dumped))
        if keeps_readings(slug):
            self._diaries[slug] = Diary(*_SPANS[slug])
            self._diaries[slug].load(saved)
        else:
            dense = self._dense[slug] = HalfHours(*_DENSE_SPAN)
            dense.load(saved)
            if dense.newest is not None:
                self._touched.setdefault(slug, set()).add(dense.newest)
