"""HTML of queue, headings and evidence: what it says, and that nothing stored can become HTML."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from dashboards.page import captions, days, markup, panels
from dashboards.page.charts import day_chart, day_points
from dashboards.page.drift import drift_chart
from dashboards.page.feed import Failure
from dashboards.page.source import DAY_MS, Evidence, Overview, Person, Series
from dashboards.page.triage import count, rank
from dashboards.page.words import SEVERITIES, face
from processors.store.memory import MemoryStore
from tests.dashboards.clinic import NOW_MS, evidence_of

_EVIL = '<img src=x onerror="window.hacked = 1">\'&'
_MINUTE_MS = 60_000


class _Parser(HTMLParser):
    """Tags that were opened and the text between them; unbalanced tags fail."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def close(self) -> None:
        super().close()
        assert not self._open


def _parsed(html: str) -> _Parser:
    parser = _Parser()
    parser.feed(html)
    parser.close()
    return parser


def _everything(
    evidence: Evidence, overview: Overview, person: Person, analyte: str, message: str
) -> Iterator[str]:
    """All HTML of the page for one view."""
    what = face(analyte)
    alerts = overview.open_alerts_of(person)
    for entry in rank(overview):
        yield markup.queue_row(entry, NOW_MS)
    yield markup.heading("Acrophase")
    yield markup.data_clock(NOW_MS, NOW_MS + DAY_MS, 0)
    yield markup.counters(count(rank(overview)))
    yield markup.failure(Failure(0.0, message))
    yield markup.person(person)
    yield markup.unknown_person(person)
    yield markup.chip(what, SEVERITIES["major"])
    yield captions.figures(evidence, alerts, what, NOW_MS)
    yield captions.day_heading(evidence, what, NOW_MS)
    yield captions.day_legend(evidence, day_points(evidence, what, NOW_MS))
    yield captions.drift_heading(evidence)
    yield captions.days_heading()
    yield from panels.panels(evidence, alerts, NOW_MS).values()
    yield from days.pictures(evidence, what, NOW_MS)


@pytest.mark.parametrize(
    ("subject", "analyte"),
    [
        ("sim-01", "heart-rate"),
        ("sim-03", "saliva-cortisol"),
        ("sim-05", "saliva-cortisol"),
        ("sim-06", "saliva-cortisol"),
        ("sim-07", "saliva-cortisol"),
    ],
)
def test_every_piece_is_well_formed(
    clinic_store: MemoryStore, overview: Overview, subject: str, analyte: str
) -> None:
    evidence = evidence_of(clinic_store, subject, analyte)
    pieces = list(_everything(evidence, overview, Person("default", subject), analyte, "x"))
    assert len(pieces) > 30
    for html in pieces:
        assert "None" not in _parsed(html).text
        assert "nan" not in _parsed(html).text


def test_nothing_that_is_stored_becomes_html(clinic_store: MemoryStore, overview: Overview) -> None:
    """Every text column of every row, and the address bar, tries to."""

    def poisoned(row: dict[str, Any]) -> dict[str, Any]:
        kept = ("kind", "direction", "severity", "status", "state")
        return {
            name: _EVIL if isinstance(value, str) and name not in kept else value
            for name, value in row.items()
        } | ({"explained_by": _EVIL} if "explained_by" in row else {})

    def all_poisoned(rows: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
        return tuple(poisoned(row) for row in rows)

    clean = evidence_of(clinic_store, "sim-03")
    person = Person(_EVIL, _EVIL)
    evidence = Evidence(
        Series(person, _EVIL),
        all_poisoned(clean.profile),
        all_poisoned(clean.history),
        all_poisoned(clean.readings),
        all_poisoned(clean.deviations),
        (),
    )
    bad = Overview(all_poisoned(overview.rhythms), all_poisoned(overview.alerts), NOW_MS)
    said = ""
    for html in _everything(evidence, bad, person, _EVIL, _EVIL):
        parsed = _parsed(html)
        said += parsed.text
        for tag, attributes in parsed.tags:
            assert tag != "img"
            assert not [name for name in attributes if name.startswith("on")]
    for words in (_EVIL, f"explained by {_EVIL}", f"sent as {_EVIL}"):
        assert words in said, "said as the text that it is"
    for options in (
        day_chart(evidence, face(_EVIL), NOW_MS),
        drift_chart(evidence, face(_EVIL), NOW_MS),
    ):
        # What the charts take from the store as text goes into tooltips, which are HTML.
        for series in options["series"]:
            for point in series["data"]:
                if isinstance(point, dict):
                    assert _EVIL not in str(point.get("name", ""))


def test_the_address_holds_the_view_and_nothing_else() -> None:
    assert markup.address(Person("default", "sim-03")) == "/?subject=sim-03"
    address = markup.address(Person("north&south", "a b"), "heart-rate")
    assert address == "/?subject=a+b&site=north%26south&analyte=heart-rate"


def test_a_row_of_the_queue_says_what_is_wrong_since_when_and_how_it_stands(
    overview: Overview,
) -> None:
    texts = [_parsed(markup.queue_row(entry, NOW_MS)).text for entry in rank(overview)]
    assert texts[0] == (
        "sim-03▲ MajorSaliva cortisol peaks 3.4 h later than this person's baseline: at 11:36 "
        "instead of 08:12.now +3.6 h · open for 2 d · seen just now"
    )
    assert texts[3].endswith("silent for 2 d · open for 40 h · seen 2 d ago")
    assert texts[4] == "sim-01✓ No alertlast seen just now"


def test_a_name_that_the_sentence_does_not_begin_with_is_put_before_it(
    overview: Overview,
) -> None:
    (first, *_) = rank(overview)
    assert first.alert is not None
    old = Overview(overview.rhythms, (first.alert | {"reason": "It was late."},), NOW_MS)
    html = markup.queue_row(rank(old)[0], NOW_MS)
    assert "<b>Saliva cortisol.</b> It was late." in html


@pytest.mark.parametrize(
    ("behind_ms", "said"),
    [
        (0, ""),
        (5 * _MINUTE_MS, ""),
        (-5 * _MINUTE_MS, ""),
        (6 * _MINUTE_MS, "6 min behind today's clock"),
        (20 * DAY_MS, "20 d behind today's clock"),
        (-2 * DAY_MS, "2 d ahead of today's clock"),
    ],
)
def test_data_that_are_not_of_now_say_so(behind_ms: int, said: str) -> None:
    text = _parsed(markup.data_clock(NOW_MS, NOW_MS + behind_ms, 0)).text
    assert text.startswith("Data until Tue 3 Nov 2026 14:32 UTC")
    assert said in text
    assert ("clock" in text) == bool(said)


def test_counters_tell_everybodys_state_in_symbol_word_and_number(overview: Overview) -> None:
    text = _parsed(markup.counters(count(rank(overview)))).text
    assert text == "8 people▲ Major 1◆ Moderate 2● Minor 1◌ Silent 0✓ No alert 4"


def test_figures_stand_beside_what_they_are_compared_to(
    clinic_store: MemoryStore, overview: Overview
) -> None:
    evidence = evidence_of(clinic_store, "sim-03")
    alerts = overview.open_alerts_of(evidence.series.person)
    html = captions.figures(evidence, alerts, face("saliva-cortisol"), NOW_MS)
    text = _parsed(html).text
    assert "Peak time ▲, major alert11:5090 %: 11:26 to 12:15+3.6 h vs baseline" in text
    assert "Daily swing×2.59" in text
    assert "30 days, 19 of 24 h" in text
    assert text.count("alert") == 1


def test_little_data_are_not_compared_to_a_baseline(
    clinic_store: MemoryStore, overview: Overview
) -> None:
    evidence = evidence_of(clinic_store, "sim-06")
    text = _parsed(captions.figures(evidence, [], face("saliva-cortisol"), NOW_MS)).text
    assert "vs baseline" not in text
    assert "mostly the population's" in text
    assert "Not enough data" in text
    assert "Not enough data for this person's own band yet (3 days)" in captions.day_heading(
        evidence, face("saliva-cortisol"), NOW_MS
    )


def test_a_day_without_readings_says_so(clinic_store: MemoryStore) -> None:
    said = "No reading in the last 24 hours"
    for subject, silent in (("sim-05", True), ("sim-01", False)):
        heading = captions.day_heading(
            evidence_of(clinic_store, subject), face("saliva-cortisol"), NOW_MS
        )
        assert (said in heading) == silent


def test_without_a_rhythm_no_peak_is_named(clinic_store: MemoryStore) -> None:
    evidence = evidence_of(clinic_store, "sim-07")
    text = _parsed(captions.figures(evidence, [], face("saliva-cortisol"), NOW_MS)).text
    assert text.startswith("Peak time–no 24-hour rhythm")
    assert "No 24-hour rhythm now: no peak time is given" in captions.drift_heading(evidence)
    numbers = panels.numbers(evidence.rhythm, face("saliva-cortisol"))
    assert '<th scope="row">Peak time (acrophase)</th><td class="number">–</td>' in numbers


def test_deviations_open_ones_first_with_what_is_known_of_them(
    clinic_store: MemoryStore, overview: Overview
) -> None:
    evidence = evidence_of(clinic_store, "sim-03")
    alerts = overview.open_alerts_of(evidence.series.person)
    html = panels.deviations(evidence, alerts, NOW_MS)
    text = _parsed(html).text
    assert text.index("▲ Major Timing · Saliva cortisol") < text.index("● Minor Single reading")
    assert "Sun 1 Nov 11:32 – now · 2 d ago · alert open" in text
    assert "90 % interval +2.7 to +4.1 h" in text, "here the whole sentence is said"
    assert html.count('<li class="over">') == 1
    quiet = evidence_of(clinic_store, "sim-01")
    assert "No deviation in the last 30 days" in panels.deviations(quiet, [], NOW_MS)


def test_an_open_alert_older_than_the_list_is_still_listed(
    clinic_store: MemoryStore, overview: Overview
) -> None:
    evidence = evidence_of(clinic_store, "sim-03")
    gone = Evidence(evidence.series, (), evidence.history, evidence.readings, (), ())
    alerts = overview.open_alerts_of(evidence.series.person)
    assert "Saliva cortisol peaks 3.4 h later" in panels.deviations(gone, alerts, NOW_MS)


def test_readings_say_how_they_came(clinic_store: MemoryStore) -> None:
    evidence = evidence_of(clinic_store, "sim-01")
    newest = evidence.readings[-1]
    rows = (
        newest | {"value": None, "original": "absent: sample lost", "censored": None},
        newest | {"value": 0.012, "censored": "<", "original": "<0.012 ug/dL", "device": None},
        newest | {"value": 0.2, "original": "5.52 nmol/L", "live": False, "censored": None},
    )
    shown = Evidence(evidence.series, (), evidence.history, rows, (), ())
    html = panels.readings(shown, face("saliva-cortisol"))
    text = _parsed(html.replace("</td>", "</td>|")).text
    assert "Time, UTC+1µg/dL" in text
    assert "|–|absent: sample lost · home-kit-7|" in text
    assert "|<0.012|assay limit|" in text, "what was sent in the same unit is not said twice"
    assert "|0.200|came late · sent as 5.52 nmol/L · home-kit-7|" in text


def test_means_are_not_said_to_be_late(clinic_store: MemoryStore) -> None:
    text = panels.readings(evidence_of(clinic_store, "sim-01", "heart-rate"), face("heart-rate"))
    assert "mean of 5" in text
    assert "came late" not in text
