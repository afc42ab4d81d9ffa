"""Markers in words: which are shown, in what order, how they are said, and what is never said."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest

from dashboards.page.markers import Items, cycle_line, of_analyte, of_person
from dashboards.page.source import DAY_MS, StoreRow
from dashboards.page.spark import picture, points
from processors.store.memory import MemoryStore
from schemas.measurements import MARKER
from tests.dashboards.clinic import NOW, Clinic, evidence_of
from tests.dashboards.clinic_markers import NO_WAKING, TODAY_MS, WHO, all_markers, marker, nightly

_CHARTED = ("heart-rate", "saliva-cortisol", "saliva-melatonin", "wrist-temperature")


def _rows(*markers: Any) -> list[StoreRow]:
    """Rows as the store gives them."""
    store = MemoryStore()
    store.write(MARKER, [MARKER.row(one) for one in markers])
    return store.select(MARKER)


def _text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def _heads(items: Items) -> list[str]:
    return [_text(item.head) for item in items.values()]


def test_an_analytes_markers_are_said_with_unit_interval_date_and_number() -> None:
    rows = _rows(*all_markers())
    assert _heads(of_analyte(rows, "saliva-cortisol", TODAY_MS)) == [
        "Late-night level 0.0452 µg/dL Tue 3 Nov · 90 %: 0.0300 to 0.0700 · n = 7",
        "Slope over the day −0.120 per hour Tue 3 Nov · 90 %: −0.150 to −0.090 · n = 7",
        "Dose echo 7 12.5 mg Sun 1 Nov · 90 %: 11.0 to 14.2 · n = 7",
        "Area after waking (AUCg); Area of the increase after waking (AUCi); "
        f"Rise after waking (CAR) not given Tue 3 Nov {NO_WAKING}",
    ]
    melatonin = of_analyte(rows, "saliva-melatonin", TODAY_MS)
    assert _heads(melatonin)[1] == (
        "Melatonin onset (DLMO), fixed threshold 00:10 Mon 2 Nov · 90 %: 23:46 to 00:40 · n = 7"
    )
    assert [item.withheld for item in melatonin.values()] == [False, False, True]


def test_opened_a_marker_tells_its_sentence_its_method_and_its_dates() -> None:
    items = of_analyte(_rows(*all_markers()), "saliva-cortisol", TODAY_MS)
    slope = items["saliva-cortisol", "diurnal-slope"]
    said = _text(slope.body)
    assert said.startswith("It is -0.12. Method: Method of diurnal-slope (Somebody et al. 1999)")
    assert "Tue 3 Nov −0.120 per hour (−0.150 to −0.090)" in said
    assert "Fri 23 Oct" in said
    assert "Thu 22 Oct" not in said
    assert slope.hint == "Method: Method of diurnal-slope (Somebody et al. 1999)"
    response = list(items.values())[-1]
    for name in ("car-rise", "car-aucg", "car-auci"):
        assert f"Method of {name}" in response.body
        assert f"Method of {name}" in response.hint


def test_markers_of_the_person_stand_apart_from_those_of_analytes_with_charts() -> None:
    rows = _rows(*all_markers())
    assert [head.split(" · ")[0] for head in _heads(of_person(rows, _CHARTED, TODAY_MS))] == [
        "Day of the cycle 17 Cycle",
        "Length of sleep 7.20 h Sleep duration",
        "Middle of sleep 05:18 Sleep midpoint",
        "Social jet lag 1.25 h Sleep midpoint",
        "Ovulation, day of the cycle 14 Cycle",
    ]
    own = of_person(rows, (*_CHARTED, "sleep-midpoint", "sleep-duration"), TODAY_MS)
    assert len(own) == 2, "sleep that has charts of its own is told beside them"
    shown = {key for slug in _CHARTED for key in of_analyte(rows, slug, TODAY_MS)}
    assert not shown & set(of_person(rows, _CHARTED, TODAY_MS))


def test_a_number_that_was_withdrawn_is_not_said() -> None:
    """The store merges fields: of a row that is withheld now the old number is still there."""
    given = marker("saliva-melatonin", "dlmo-threshold", 0, value=21.5, low=21.0, high=22.0)
    gone = marker("saliva-melatonin", "dlmo-threshold", 0, sentence="A dose masks it.")
    rows = _rows(given, gone)
    assert rows[0]["value"] == 21.5
    (item,) = of_analyte(rows, "saliva-melatonin", TODAY_MS).values()
    assert item.withheld
    assert "21" not in item.head + item.body + item.hint
    assert "A dose masks it." in item.head


def test_what_is_withheld_today_still_tells_when_it_was_measured() -> None:
    rows = _rows(
        marker("saliva-melatonin", "dlmo-threshold", 3, value=21.5, unit="clock_h"),
        marker("saliva-melatonin", "dlmo-threshold", 1),
    )
    (item,) = of_analyte(rows, "saliva-melatonin", TODAY_MS).values()
    assert item.withheld
    assert "Sat 31 Oct 21:30" in _text(item.body)


def test_a_reason_that_holds_on_two_dates_is_said_for_each() -> None:
    rows = _rows(marker("x", "car-rise", 1), marker("x", "car-aucg", 0))
    assert len(of_analyte(rows, "x", TODAY_MS)) == 2


def test_a_number_without_an_interval_is_explained_at_once() -> None:
    sentence = "LH is high for the testosterone: the pattern is called primary (p = 0.004)."
    axis = marker("serum-testosterone", "lh-testosterone-axis", 0, value=0.004, sentence=sentence)
    (item,) = of_analyte(_rows(axis), "serum-testosterone", TODAY_MS).values()
    assert _text(item.head) == f"LH–testosterone axis 0.00400 Tue 3 Nov · n = 7 {sentence}"
    assert sentence not in item.body, "once is enough"


def test_a_date_is_no_instant_and_does_not_move_with_the_zone() -> None:
    """Of another year it is said with the year."""
    old = marker("serum-dheas", "level-for-age", 400, value=0.5, low=0.1, high=0.9)
    assert "Mon 29 Sep 2025" in _heads(of_analyte(_rows(old), "serum-dheas", TODAY_MS))[0]


def test_no_text_of_the_store_becomes_html() -> None:
    evil = '<img src=x onerror="window.hacked = true">&amp;'
    given = {"sentence": evil, "method": evil, "unit": evil}
    rows = _rows(
        marker(evil, evil, 0, value=1.0, low=0.5, high=1.5, **given),
        marker(evil, evil, 1, value=1.0, low=0.5, high=1.5, **given),
        marker(evil, f"b{evil}", 0, value=1.0, **given),
        marker(evil, f"c{evil}", 0, **given),
        marker("cycle", "cycle-day", 0, value=1.0),
        marker("cycle", "ovulation-day", 0, sentence=evil),
    )
    tags: list[str] = []
    said: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append(tag)

        def handle_data(self, data: str) -> None:
            said.append(data)

    reader = Reader()
    items = of_person(rows, (), TODAY_MS)
    for item in items.values():
        reader.feed(item.head + item.body)
    reader.feed(cycle_line(rows, TODAY_MS))
    reader.close()
    assert set(tags) == {"span", "svg", "path", "p", "h3", "ol", "li", "b"}
    assert "".join(said).count(evil) > 12, "said as the text that it is"


_TODAY = {"value": 17.0, "low": 17.0, "high": 17.0, "unit": "d"}


@pytest.mark.parametrize(
    ("ovulation", "line"),
    [
        ({"value": 14.4, "low": 13.2, "high": 15.6}, "Cycle day 17, ovulation on day 14 (13–15)."),
        ({"value": 14.4, "low": 14.1, "high": 14.9}, "Cycle day 17, ovulation on day 14."),
        (
            {"value": 18.9, "low": 16.2, "high": 22.0},
            "Cycle day 17, ovulation expected on day 18 (16–22).",
        ),
        (
            {"sentence": "This cycle probably has no ovulation."},
            "Cycle day 17. This cycle probably has no ovulation.",
        ),
    ],
)
def test_the_cycle_is_one_line(ovulation: dict[str, Any], line: str) -> None:
    rows = _rows(
        marker("cycle", "cycle-day", 0, **_TODAY),
        marker("cycle", "ovulation-day", 16, unit="d", **ovulation),
    )
    assert _text(cycle_line(rows, TODAY_MS)) == line


def test_the_cycle_of_another_day_says_so_and_an_ovulation_of_another_cycle_is_left_out() -> None:
    day = marker("cycle", "cycle-day", 2, **_TODAY)
    earlier = marker("cycle", "ovulation-day", 40, value=14.4, low=13.2, high=15.6, unit="d")
    assert cycle_line(_rows(day, earlier), TODAY_MS) == "Cycle day 17 on Sun 1 Nov."
    assert cycle_line(_rows(earlier), TODAY_MS) == ""
    assert cycle_line(_rows(marker("cycle", "cycle-day", 0)), TODAY_MS) == ""
    assert cycle_line([], TODAY_MS) == ""


def test_a_trend_over_midnight_is_one() -> None:
    rows = _rows(*nightly("saliva-melatonin", "dlmo-threshold", 22.9, 0.06))
    assert {row["value"] > 12 for row in rows} == {True, False}
    shown = points(rows, TODAY_MS)
    assert len(shown) == 24
    values = [point.value for point in shown]
    assert max(values) - min(values) < 2
    for point in shown:
        assert point.low == pytest.approx(point.value - 0.4)
        assert point.high == pytest.approx(point.value + 0.5)


def test_a_trend_is_of_the_last_30_days_and_what_was_withheld_is_a_gap() -> None:
    rows = _rows(
        *(
            marker("x", "m10", ago, **({} if ago in (3, 4) else {"value": 10.0 + ago}))
            for ago in (40, 30, 29, 28, 5, 4, 3, 2, 1)
        )
    )
    shown = points(rows, TODAY_MS)
    assert [round((TODAY_MS - point.date) / DAY_MS) for point in shown] == [29, 28, 5, 2, 1]
    svg = picture(shown, TODAY_MS)
    assert svg.count('class="trace"') == 2, "29 to 28 and 2 to 1 days ago"
    assert svg.count('class="dot"') == 2, "the lone one, and the newest"
    assert svg.count('class="band"') == 5
    places = [float(x) for x in re.findall(r'class="band" d="M([\d.]+)', svg)]
    assert places == sorted(places)
    assert 0 <= places[0] < 6
    assert 88 < places[-1] <= 96


def test_one_value_or_always_the_same_is_drawn_without_trouble() -> None:
    (item,) = of_analyte(_rows(marker("x", "m10", 0, value=5.0)), "x", TODAY_MS).values()
    assert "svg" not in item.head
    same = _rows(*(marker("x", "m10", ago, value=0.0) for ago in range(3)))
    (item,) = of_analyte(same, "x", TODAY_MS).values()
    assert "svg" in item.head
    assert "nan" not in item.head


def test_a_marker_of_the_wearers_date_after_midnight_is_read(clinic: Clinic) -> None:
    """At 23:32 UTC it is half past midnight of 4 November at UTC+1."""
    clinic.series(WHO, "saliva-cortisol", days=3)
    tomorrow = marker("saliva-cortisol", "car-rise", -1, value=0.2, low=0.1, high=0.3)
    clinic.write(MARKER, tomorrow)
    now_ms = round((NOW + timedelta(hours=9)).timestamp() * 1000)
    evidence = evidence_of(clinic.store, WHO, now_ms=now_ms)  # type: ignore[arg-type]
    today = evidence.today_ms(now_ms)
    assert today == TODAY_MS + DAY_MS
    (item,) = of_analyte(evidence.markers, "saliva-cortisol", today).values()
    assert "Wed 4 Nov" in item.head
