"""What is read of markers: the newest of each, the last 30 days, and with few questions."""

from __future__ import annotations

from typing import Any

from dashboards.page.source import DAY_MS, Evidence, Person, Series, StoreRow, read_evidence
from processors.store.memory import MemoryStore
from schemas.measurements import MARKER
from tests.dashboards.clinic import NOW_MS
from tests.dashboards.clinic_markers import TODAY_MS, WHO, all_markers, fill_markers, marker

_SERIES = Series(Person("default", WHO), "saliva-cortisol")


class _Asked(MemoryStore):
    """The store in memory, and what markers were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[bool, int | None]] = []

    def select(self, measurement: Any, **how: Any) -> list[StoreRow]:
        """As the store."""
        if measurement is MARKER:
            self.asked.append((how.get("latest", False), how.get("start_ms")))
        return super().select(measurement, **how)

    def put(self, *markers: Any) -> None:
        """Write markers."""
        self.write(MARKER, [MARKER.row(one) for one in markers])


def _read(store: MemoryStore, known: Evidence | None = None, now_ms: int = NOW_MS) -> Evidence:
    return read_evidence(store, _SERIES, now_ms, known)


def test_two_questions_however_many_markers_there_are() -> None:
    store = _Asked()
    fill_markers(store)
    evidence = _read(store)
    assert len(evidence.markers) == len(all_markers()) > 80
    first = TODAY_MS - 30 * DAY_MS
    assert store.asked == [(True, None), (False, first)]


def test_the_newest_is_read_whatever_its_age_and_older_ones_only_of_30_days() -> None:
    store = _Asked()
    store.put(*(marker("serum-dheas", "level-for-age", ago, value=1.0) for ago in (800, 400)))
    store.put(*(marker("cycle", "cycle-day", ago, value=1.0) for ago in (31, 30, 0)))
    markers = _read(store).markers
    ages = [(row["analyte"], round((TODAY_MS - row["time"]) / DAY_MS)) for row in markers]
    assert ages == [("serum-dheas", 400), ("cycle", 30), ("cycle", 0)]


def test_somebody_elses_markers_are_not_read() -> None:
    store = _Asked()
    store.put(marker("cycle", "cycle-day", 0, value=1.0, subject="sim-04"))
    store.put(marker("cycle", "cycle-day", 0, value=1.0, site="elsewhere"))
    assert _read(store).markers == ()


def test_only_the_newest_days_are_read_again_and_nothing_new_is_missed() -> None:
    store = _Asked()
    fill_markers(store)
    known = _read(store)
    store.asked.clear()
    revised = marker("saliva-cortisol", "diurnal-slope", 1, value=-0.3, low=-0.4, high=-0.2)
    late = marker("serum-dheas", "level-for-age", 90, value=0.5, low=0.1, high=0.9)
    day = marker("saliva-cortisol", "diurnal-slope", -1, value=-0.2, low=-0.3, high=-0.1)
    store.put(revised, late, day)
    again = _read(store, known)
    assert store.asked == [(True, None), (False, TODAY_MS - 3 * DAY_MS)]
    assert again.markers == _read(store).markers
    assert len(again.markers) == len(known.markers) + 2
    tomorrow = _read(store, again, NOW_MS + DAY_MS)
    assert tomorrow.markers == _read(store, None, NOW_MS + DAY_MS).markers
