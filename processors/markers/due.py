"""Which markers a new reading or event may change, and those markers anew.

Every function takes a person's shelf and what of it is new. A marker is a function of what is on
the shelf for its night, day, week or pair, so it may be made again at any time.
"""

from __future__ import annotations

from processors.markers import axes, cycles, nights, sleeps, slow, wakings, weeks
from processors.markers.cycle_pages import CyclePages
from processors.markers.dated import Dated
from processors.markers.diary import DAY_MS, HOUR_MS, samples_of
from processors.markers.shelf import Shelf, Touched, Who
from processors.rhythm.samples import Samples
from schemas.analytes import Analyte

LEVEL_DAYS = 14
"""Evening-to-morning ratio and late-night level are of so many days."""
SLOW_DAYS = 5 * 365
"""A trend is that of so many days."""
_MELATONIN = "melatonin"
# How long a dose may stand before the night that it masks; the markers decide whether it does.
_DOSE_DAYS = 2


def night_pages(shelf: Shelf, touched: Touched, _: Who) -> list[Dated]:
    """Melatonin: the nights of new samples and doses."""
    found: list[Dated] = []
    doses = shelf.life.taken(_MELATONIN)
    for slug in nights.DLMO_THRESHOLDS:
        diary = shelf.diaries.get(slug)
        if diary is None:
            continue
        due = {n for day in touched.of(slug) for n in (day - 1, day)}
        due |= {day + k for day in touched.doses for k in range(-1, _DOSE_DAYS)}
        analyte = shelf.catalogue[slug]
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


def waking_pages(shelf: Shelf, touched: Touched, _: Who) -> list[Dated]:
    """Cortisol: the wakings of new samples, sleeps and doses, and the levels of the weeks after."""
    found: list[Dated] = []
    doses = shelf.life.taken(wakings.HYDROCORTISONE)
    for slug in wakings.CORTISOL:
        diary = shelf.diaries.get(slug)
        if diary is None:
            continue
        analyte, sampled = shelf.catalogue[slug], diary.days()
        # A waking looks at its own date and the two beside it.
        due = {day + k for day in touched.of(slug) for k in (-1, 0, 1)} | touched.sleeps
        due |= {day + k for day in touched.doses for k in range(-1, _DOSE_DAYS)}
        # A usual waking is that of four weeks.
        due |= _after(touched.sleeps, sleeps.WEEKS_DAYS + 1) & sampled
        for day in sorted(due & {each + k for each in sampled for k in (-1, 0, 1)}):
            taken = samples_of(diary.of_days(day - 1, day + 1), analyte.unit)
            found += _waking(shelf, analyte, taken, day, doses)
        masked = {day + k for day in touched.doses for k in range(_DOSE_DAYS)}
        levels = _after(touched.of(slug) | masked, LEVEL_DAYS)
        levels |= _after(touched.sleeps, sleeps.WEEKS_DAYS + 1)
        for day in sorted(levels & sampled):
            taken = samples_of(diary.of_days(day - LEVEL_DAYS + 1, day), analyte.unit)
            usual = sleeps.usual_waking(shelf.life.sleeps, day)
            found += wakings.level_markers(analyte, taken, day, doses, usual)
    return found


def _waking(
    shelf: Shelf, analyte: Analyte, taken: Samples, day: int, doses: list[float]
) -> list[Dated]:
    told = shelf.life.sleeps
    wakes = wakings.wakes_of(sleeps.wakings_about(told, day), taken)
    if wakes:
        return wakings.waking_markers(analyte, taken, day, wakes[0], doses)
    of_day = taken.hours[(taken.hours + taken.offset_h) // 24.0 == day]
    if not of_day.size:
        return []
    before = sleeps.wakings_about(told, day - 1)
    if any(of_day[-1] - wake.hour <= wakings.LONGEST_AWAKE_H for wake in before):
        # Said, because it may have been said otherwise before that waking was told.
        sentence = "The samples of this date belong to the waking of the day before."
        return wakings.withheld_markers(analyte, day, int(of_day.size), sentence)
    usual = sleeps.usual_waking(told, day)
    return wakings.assumed_waking_markers(analyte, taken, day, usual, doses)


def week_pages(shelf: Shelf, touched: Touched, _: Who) -> list[Dated]:
    """Activity, heart rate, temperature: the days that are over, of new half hours."""
    found: list[Dated] = []
    steps = shelf.half_hours.get(weeks.STEPS)
    for slug in dict.fromkeys((*weeks.ACTIVITY, *weeks.PHASES)):
        dense = shelf.half_hours.get(slug)
        if dense is None or dense.newest is None:
            continue
        adjusts = slug == weeks.HEART_RATE
        new = touched.of(slug, weeks.STEPS) if adjusts else touched.of(slug)
        over = {day for day in dense.days() if day < dense.newest}
        analyte = shelf.catalogue[slug]
        for day in sorted(_after(new, weeks.PERIOD_DAYS) & over):
            first = day - weeks.PERIOD_DAYS + 1
            hourly = dense.hourly(first, day)
            if slug in weeks.ACTIVITY:
                week = hourly.part(hourly.day > day - weeks.WEEK_DAYS)
                found += weeks.activity_markers(analyte, week, day)
            if slug in weeks.PHASES:
                beside = steps.hourly(first, day) if adjusts and steps is not None else None
                same_clock = dense.same_clock(first, day)
                found += weeks.rhythm_markers(analyte, hourly, beside, day, same_clock=same_clock)
    return found


def sleep_pages(shelf: Shelf, touched: Touched, _: Who) -> list[Dated]:
    """Sleep: the wakings of the weeks after a new sleep."""
    told = shelf.life.sleeps
    woken = {one.day for one in told if one.awake}
    due = _after(touched.sleeps, sleeps.WEEKS_DAYS + 1) & woken
    return [marker for day in sorted(due) for marker in sleeps.sleep_markers_of(told, day)]


def cycle_pages(shelf: Shelf, touched: Touched, who: Who) -> list[Dated]:
    """Cycles: that in which something is new and all later ones."""
    if touched.cycle_from is None:
        return []
    pages = CyclePages(shelf.catalogue, shelf.diaries, shelf.life)
    return pages.markers_from(touched.cycle_from, who.sex, who.birth_year)


def axis_pages(shelf: Shelf, touched: Touched, who: Who) -> list[Dated]:
    """Axes: the pairs of new results, and all later ones."""
    found: list[Dated] = []
    pages: CyclePages | None = None
    for of in axes.AXES:
        controllers, products = shelf.diaries.get(of.controller), shelf.diaries.get(of.product)
        if controllers is None or products is None:
            continue
        pages = pages or CyclePages(shelf.catalogue, shelf.diaries, shelf.life)
        new = touched.of(of.controller, of.product)
        if touched.cycle_from is not None and of.product in cycles.JUDGED:
            new |= {pages.first_day(touched.cycle_from)}  # the phase chooses the reference
        if not new:
            continue
        made = products.all()
        for day in sorted({one.day for one in made if one.day >= min(new)}):
            phase = pages.phase_on(day)
            first = pages.own_from(day, axes.OWN_DAYS)
            past = [one for one in made if first <= one.day <= day]
            if phase is not None and of.product in cycles.JUDGED:
                # In a cycle a set point is one of its phase.
                past = [one for one in past if pages.phase_on(one.day) == phase]
            age = None if who.birth_year is None else slow.age_at(day * DAY_MS, who.birth_year)
            person = axes.Person(who.sex, age, phase)
            marker = axes.axis_marker(
                of, shelf.catalogue, controllers.of_days(first, day), past, person
            )
            if marker is not None:
                found.append(marker)
    return found


def slow_pages(shelf: Shelf, touched: Touched, who: Who) -> list[Dated]:
    """Slow hormones: new results, and all later ones."""
    found: list[Dated] = []
    for slug in slow.SLOW:
        diary, new = shelf.diaries.get(slug), touched.of(slug)
        if diary is None or not new:
            continue
        analyte = shelf.catalogue[slug]
        for day in sorted(day for day in diary.days() if day >= min(new)):
            results = diary.of_days(day - SLOW_DAYS, day)
            found += slow.slow_markers(analyte, results, who.sex, who.birth_year)
    return found


PAGES = (
    night_pages,
    waking_pages,
    week_pages,
    sleep_pages,
    cycle_pages,
    axis_pages,
    slow_pages,
)


def _after(since: set[int], days: int) -> set[int]:
    """Dates from each of some dates on, so many."""
    return {day for begin in since for day in range(begin, begin + days)}
