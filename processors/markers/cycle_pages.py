"""The pages of a person's book about menstrual cycles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from processors.markers import cycles
from processors.markers.cycles import Found
from processors.markers.dated import Dated
from processors.markers.diary import DAY_MS, Diary, Kept
from processors.markers.life import Life
from processors.markers.slow import age_at
from processors.rhythm.menses import Cycle, CycleLog
from schemas.catalogue import Catalogue
from schemas.conditions import CyclePhase, Sex

_LONGEST = 100  # days of a cycle that evidence is looked for


class CyclePages:
    """What diaries and events say of each cycle; made anew for each look."""

    def __init__(self, catalogue: Catalogue, diaries: Mapping[str, Diary], life: Life) -> None:
        self._catalogue = catalogue
        self._diaries = {
            slug: diaries[slug]
            for slug in (*cycles.KINDS, *cycles.JUDGED)
            if slug in diaries and len(diaries[slug])
        }
        self._life = life
        self._starts = cycles.starts_of(life.menses)
        self._found: dict[int, Found] = {}

    def found_on(self, day: int) -> Found | None:
        """The cycle that a local date lies in, with its ovulation; None: no menses before."""
        log = cycles.log_at(self._starts, day)
        cycle = cycles.cycle_at(log, day)
        if cycle is None:
            return None
        if cycle.start not in self._found:
            self._found[cycle.start] = self._find(log, cycle)
        return self._found[cycle.start]

    def phase_on(self, day: int) -> CyclePhase | None:
        """The phase that a local date is probably in."""
        return cycles.phase_on(self.found_on(day), day)

    def own_from(self, day: int, days: int) -> int:
        """From which local date on results compare with those of a date: so many days before it,
        and no further than evidence of the cycles is kept."""
        if not self._starts:
            return day - days
        begun = cycles.cycle_at(cycles.log_at(self._starts, day), day)
        return day - days if begun is None else begun.start - cycles.OWN_DAYS

    def markers_from(self, day: int, sex: Sex | None, birth_year: int | None) -> list[Dated]:
        """All markers of cycles and of hormones in them, from the cycle on that a local date is
        in."""
        found: list[Dated] = []
        begun: set[int] = set()
        for each in self._days_from(day):
            of_day = self.found_on(each)
            if of_day is not None and of_day.cycle.start not in begun:
                begun.add(of_day.cycle.start)
                found += cycles.cycle_markers(of_day, of_day.cycle.start)
            found.append(cycles.day_marker(of_day, cycles.log_at(self._starts, each), each))
            for slug in cycles.JUDGED:
                if slug in self._diaries:
                    found += self._judged(slug, each, of_day, sex, birth_year)
        if self._starts:
            first = self.first_day(day)
            others = sorted({*self._life.menses} - {*self._starts})
            found += [
                marker for other in others if other >= first for marker in cycles.same_menses(other)
            ]
        return found

    def first_day(self, day: int) -> int:
        """The earliest local date whose phase may depend on what happened on a date: the first of
        its cycle, or of that before a menses."""
        of_day = cycles.cycle_at(cycles.log_at(self._starts, day - 1), day - 1)
        return day if of_day is None else of_day.start

    def _days_from(self, day: int) -> list[int]:
        """Local dates with a reading or a positive test whose markers may depend on that of a
        date; none of somebody who has no menses."""
        if not self._starts:
            return []
        first = self.first_day(day)
        days = {each for diary in self._diaries.values() for each in diary.days()}
        days |= {surge // DAY_MS for surge in self._life.surges}
        return sorted(each for each in days if each >= first)

    def _find(self, log: CycleLog, cycle: Cycle) -> Found:
        start = cycle.start
        end = start + (_LONGEST if cycle.length is None else cycle.length)
        readings: dict[str, tuple[Sequence[float], Sequence[float], Sequence[bool]]] = {}
        newest = 0.0
        for slug, diary in self._diaries.items():
            inside = diary.of_days(start, end - 1)
            days = [cycles.days_since(kept, start) for kept in inside]
            newest = max([newest, *days])
            if slug in cycles.KINDS and inside:
                readings[slug] = (
                    days,
                    [kept.value for kept in inside],
                    [kept.sign < 0 for kept in inside],
                )
        surges = [
            surge / DAY_MS - start for surge in self._life.surges if start <= surge / DAY_MS < end
        ]
        return cycles.found_in(
            cycle,
            log,
            readings,
            today=max([newest, *surges]),
            surges=surges,
            ill=[
                (ill.begin_ms / DAY_MS - start, ill.end_ms / DAY_MS - start)
                for ill in self._life.illnesses
            ],
        )

    def _judged(
        self, slug: str, day: int, of_day: Found | None, sex: Sex | None, birth_year: int | None
    ) -> list[Dated]:
        results = self._diaries[slug].of_days(day, day)
        if not results:
            return []
        age = None if birth_year is None else age_at(day * DAY_MS, birth_year)
        past: list[tuple[Found, Sequence[Kept]]] = []
        if of_day is not None:
            start = of_day.cycle.start
            earlier = self._diaries[slug].of_days(start - cycles.OWN_DAYS, start - 1)
            by_cycle: dict[int, tuple[Found, list[Kept]]] = {}
            for kept in earlier:
                its = self.found_on(kept.day)
                # Of cycles that began before, evidence may be gone.
                if its is not None and its.cycle.start >= start - cycles.OWN_DAYS:
                    by_cycle.setdefault(its.cycle.start, (its, []))[1].append(kept)
            past = [by_cycle[begin] for begin in sorted(by_cycle)]
        # Of several results of one day the last one stands for it.
        return cycles.hormone_markers(self._catalogue[slug], results[-1], of_day, past, sex, age)
