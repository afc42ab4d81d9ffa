"""A person's book: takes in readings and events, and gives the markers that they may change.

Everything is a function of the readings and events taken in; when `markers` is asked in between
makes no difference to the last answer for a date. See `diary` for how late a reading may come.
"""

from __future__ import annotations

import msgspec

from processors.markers import axes, cycles, due, nights, slow, wakings, weeks
from processors.markers.dated import Dated
from processors.markers.diary import DAY_MS, HOUR_MS, Diary, Kept
from processors.markers.half_hours import HalfHours
from processors.markers.life import Life
from processors.markers.shelf import Shelf, Touched, Who
from schemas.catalogue import Catalogue
from schemas.events import Dose, Event, Sleep

_GLUCOSE, _INSULIN = "interstitial-glucose", "serum-insulin"
# Results of insulin may be as late as this and still find the glucose of their half hour.
_PAIRS_DAYS = 30
_DENSE = (*weeks.ACTIVITY, *weeks.PHASES, _GLUCOSE)
# By analyte: days that a marker looks back over, and days that a reading may be late.
_CYCLE_SPAN = (cycles.OWN_DAYS + 100, 60)
_AXIS_SPAN = (axes.OWN_DAYS, 60)
_SPANS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(nights.DLMO_THRESHOLDS, (2, 30)),
    **dict.fromkeys(wakings.CORTISOL, (due.LEVEL_DAYS + 2, 30)),
    **dict.fromkeys((*cycles.KINDS, *cycles.JUDGED), _CYCLE_SPAN),
    **dict.fromkeys((of.controller for of in axes.AXES), _AXIS_SPAN),
    **dict.fromkeys((of.product for of in axes.AXES), _AXIS_SPAN),
    **dict.fromkeys(slow.SLOW, (due.SLOW_DAYS, 365)),
}


def keeps_readings(slug: str) -> bool:
    """Whether markers are made of an analyte's single readings."""
    return slug in _SPANS and slug not in _DENSE


def keeps_half_hours(slug: str) -> bool:
    """Whether markers are made of the means of an analyte's half hours."""
    return slug in _DENSE


class Book:
    """One person's; see the module's docstring."""

    def __init__(self, catalogue: Catalogue, life: Life) -> None:
        self._shelf = Shelf(catalogue, life)
        self._touched = Touched()
        self._dumped: dict[str, bytes] = {}

    def begin(self, life: Life) -> None:
        """Go on with what events had told."""
        self._shelf.life = life

    def read(self, slug: str, reading: Kept) -> None:
        """Take a reading of an analyte that `keeps_readings`."""
        if self._diary(slug).add(reading):
            self._touch(slug, reading.day)

    def half_hour(
        self, slug: str, day: int, half: int, mean: float, n: int, offset_h: float
    ) -> bool:
        """Take the mean of a half hour's n readings of an analyte that `keeps_half_hours`: half 0
        of a local date begins at midnight, when the wearer's clock is `offset_h` ahead of UTC.

        False if nothing can be said before the day is over.
        """
        dense = self._shelf.half_hours.get(slug) or self._half_hours(slug)
        says = dense.put(day, half, mean, n, offset_h)
        self._touched.readings.setdefault(slug, set()).add(day)
        self._dumped.pop(slug, None)
        return says or slug == _GLUCOSE

    def told(self, event: Event) -> None:
        """Take an event into the person's life."""
        offset = event.at.utcoffset()
        assert offset is not None  # the contract takes no other times
        day = int((event.at.timestamp() + offset.total_seconds()) // 86_400)
        if not self._shelf.life.take(event):
            return
        if isinstance(event, Dose):
            self._touched.doses.add(day)
        elif isinstance(event, Sleep):
            self._touched.sleeps.add(day)
        else:
            self._touched.cycle(day)

    def known_anew(self) -> None:
        """The person turned out to be somebody else than was thought: references change."""
        judged = (*slow.SLOW, *(of.product for of in axes.AXES), *cycles.JUDGED)
        for slug in judged:
            diary = self._shelf.diaries.get(slug)
            for day in diary.days() if diary is not None else ():
                self._touch(slug, day)

    def markers(self, who: Who) -> list[Dated]:
        """All markers that may have changed since the last call."""
        self._pair_glucose()
        found = [marker for page in due.PAGES for marker in page(self._shelf, self._touched, who)]
        # A day is described once it is over.
        still_open = {
            slug: {dense.newest}
            for slug, dense in self._shelf.half_hours.items()
            if slug != _GLUCOSE
            and dense.newest is not None
            and dense.newest in self._touched.of(slug)
        }
        self._touched = Touched(still_open)
        for diary in self._shelf.diaries.values():
            diary.forget()
        for dense in self._shelf.half_hours.values():
            dense.forget()
        return found

    def dump(self, slug: str) -> bytes:
        """What is kept of one analyte, for `load`; nothing of one that makes no markers."""
        known = self._dumped.get(slug)
        if known is None:
            diary, dense = self._shelf.diaries.get(slug), self._shelf.half_hours.get(slug)
            saved = [
                [] if diary is None else diary.dump(),
                [] if dense is None else dense.dump(),
            ]
            known = msgspec.msgpack.encode(saved) if any(saved) else b""
            self._dumped[slug] = known
        return known

    def load(self, slug: str, dumped: bytes) -> None:
        """Take over what `dump` gave."""
        if not dumped:
            return
        readings, half_hours = msgspec.msgpack.decode(dumped)
        if readings:
            self._diary(slug).load(readings)
        if half_hours:
            dense = self._half_hours(slug)
            dense.load(half_hours)
            if dense.newest is not None:
                self._touched.readings.setdefault(slug, set()).add(dense.newest)

    def _touch(self, slug: str, day: int) -> None:
        self._touched.readings.setdefault(slug, set()).add(day)
        self._dumped.pop(slug, None)
        if slug in cycles.KINDS or slug in cycles.JUDGED:
            self._touched.cycle(day)

    def _diary(self, slug: str) -> Diary:
        diaries = self._shelf.diaries
        if slug not in diaries:
            diaries[slug] = Diary(*_SPANS[slug])
        return diaries[slug]

    def _half_hours(self, slug: str) -> HalfHours:
        half_hours = self._shelf.half_hours
        if slug not in half_hours:
            half_hours[slug] = HalfHours(_PAIRS_DAYS if slug == _GLUCOSE else weeks.PERIOD_DAYS)
        return half_hours[slug]

    def _pair_glucose(self) -> None:
        """Keep of the glucose that is measured all the time what belongs to results of insulin."""
        dense = self._shelf.half_hours.get(_GLUCOSE)
        insulin = self._shelf.diaries.get(_INSULIN)
        if dense is None or insulin is None or not self._touched.of(_GLUCOSE, _INSULIN):
            return
        glucose = self._diary(_GLUCOSE)
        for one in insulin.all():
            day, of_day = divmod(one.time_ms + one.offset_ms, DAY_MS)
            mean = dense.at(day, of_day // (HOUR_MS // 2))
            if mean is not None and glucose.replace(one._replace(value=mean, sign=0)):
                self._touch(_GLUCOSE, day)
