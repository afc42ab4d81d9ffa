"""Every Flux query of every dashboard and alert rule, asked of a real InfluxDB that our own engine
has filled, must answer with the columns and rows that its panel reads."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from dashboards.grafana.datasource import INFLUX_UID
from dashboards.grafana.generate import as_json, dashboards
from dashboards.grafana.queries import choices
from dashboards.grafana.rules import RULES
from dashboards.page.words import KINDS, SEVERITIES, STATUSES
from processors.store import Store as OurStore
from processors.store import open_store
from schemas.catalogue import load_catalogue
from schemas.measurements import ALERT, MARKER, PROFILE, READING, RHYTHM
from schemas.results import Marker, Rhythm
from tests.stack.clinic_in_store import BEGIN, END, OTHER_SITE, fill
from tests.stack.servers import Bucket
from tools.render_dashboards.asking import ALL, Asked, Frame, Json, Store, Viewer, asked

BOARDS: dict[str, Json] = {name: json.loads(as_json(board)) for name, board in dashboards().items()}
EVERYBODY = Viewer(BEGIN, END)
# Together they have everything that a panel of one person can show.
PEOPLE = tuple(
    replace(EVERYBODY, site="default", subject=subject, analyte=analyte)
    for subject, analyte in (
        ("sim-01", "saliva-cortisol"),
        ("sim-02", "heart-rate"),
        ("sim-06", "saliva-cortisol"),
        ("sim-07", "saliva-melatonin"),
        ("sim-05", "saliva-cortisol"),
        ("sim-07", "heart-rate"),
        ("sim-07", "serum-igf-1"),
    )
)
# Columns of these are made of what there is: of those that the panel knows, some.
SPARSE = {
    "Series by how far they can be believed A": set(STATUSES),
    "Deviations seen first, by day A": {"time", *KINDS},
    "Alerts opened, by day A": {"time", *SEVERITIES},
    "Onset over the nights A": {
        "time",
        "dlmo-threshold",
        "dlmo-baseline",
        "dlmo-hockey-stick",
        "sleep-midpoint",
    },
}
PHASES = (
    *("acrophase", "acrophase_low", "acrophase_high"),
    *("phase_shift", "phase_shift_low", "phase_shift_high"),
)
ANNOTATION = {"time", "text", "tags"}
# Read by nobody and yet of use: in the table that a chart can be shown as.
UNREAD = {"acrophase", "time"}

QUERIES = [
    pytest.param(board, one, id=f"{board}: {one.what}")
    for board, made in BOARDS.items()
    for one in asked(made)
]


@pytest.fixture(scope="module")
def bucket(influx: Bucket) -> Bucket:
    return influx.other(f"grafana {uuid.uuid4()}")


@pytest.fixture(scope="module")
def ours(bucket: Bucket) -> Iterator[OurStore]:
    """The store as the worker writes it, filled."""
    store = open_store(bucket.store_url, bucket.token)
    fill(store)
    yield store
    store.close()


@pytest.fixture(scope="module")
def store(ours: OurStore, bucket: Bucket) -> Iterator[Store]:
    """The same as Grafana sees it."""
    seen = Store(bucket.url, bucket.org, bucket.bucket, bucket.token)
    yield seen
    seen.close()


def viewers(board: str) -> tuple[Viewer, ...]:
    return PEOPLE if board == "subject" else (EVERYBODY,)


def answers(store: Store, query: str, board: str) -> list[Frame]:
    """The frames that have rows, of everybody who may look."""
    found: list[Frame] = []
    for viewer in viewers(board):
        frames = store.ask(query, viewer)
        assert len(frames) <= 1, "a panel reads one frame"
        found += [frame for frame in frames if any(frame.values())]
    return found


def read_by(board: Json, one: Asked) -> set[str]:
    """The columns that a variable, an annotation or a panel reads of its query's answer."""
    if one.kind == "variable":
        return {"_value"}
    if one.kind == "annotation":
        return ANNOTATION
    title, ref_id = one.what.rsplit(" ", 1)
    (panel,) = (panel for panel in board["panels"] if panel["title"] == title)
    named = {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]}
    options = panel["options"]
    if panel["type"] == "trend":
        assert options["xField"] in named
    if panel["type"] == "xychart":
        index = ord(ref_id) - ord("A")
        (series,) = (s for s in options["series"] if s["frame"]["matcher"]["options"] == index)
        return {series["x"]["matcher"]["options"], series["y"]["matcher"]["options"]}
    return named


@pytest.mark.parametrize(("board", "one"), QUERIES)
def test_a_query_answers_with_what_is_read(store: Store, board: str, one: Asked) -> None:
    found = answers(store, one.query, board)
    assert found, "nobody sees anything"
    wanted = read_by(BOARDS[board], one)
    columns = set().union(*found)
    if one.what in SPARSE:
        assert SPARSE[one.what] - {"time"} <= wanted
        assert columns <= SPARSE[one.what]
        assert columns - {"time"}
    else:
        assert wanted <= columns
        spare = {"timeEnd"} if one.kind == "annotation" else UNREAD
        assert columns - wanted <= spare, "a column that no panel names"
    for name in wanted & columns:
        values = [value for frame in found for value in frame.get(name, ())]
        assert any(value is not None for value in values), f"{name} is empty for everybody"


@pytest.mark.parametrize(("board", "one"), QUERIES)
@pytest.mark.parametrize(
    ("begin_d", "end_d"), [(-900, -870), (0, 1), (16, 17)], ids=["before", "first", "between"]
)
def test_a_query_answers_where_there_is_little(
    store: Store, board: str, one: Asked, begin_d: int, end_d: int
) -> None:
    begin, end = BEGIN + timedelta(days=begin_d), BEGIN + timedelta(days=end_d)
    for viewer in viewers(board):
        assert len(store.ask(one.query, replace(viewer, start=begin, stop=end))) <= 1


def test_a_query_of_an_alert_rule_answers_with_one_number(store: Store) -> None:
    (rule,) = (rule for rule in RULES if rule.datasource == INFLUX_UID)
    (frame,) = store.ask(rule.question, EVERYBODY)
    ((name, (minutes,)),) = frame.items()
    assert name == "silent_min"
    since = (datetime.now(UTC) - END).total_seconds() / 60
    assert minutes > since


def panel_rows(store: Store, board: str, title: str, viewer: Viewer) -> list[Json]:
    """Rows of a panel's first query."""
    (query,) = (one.query for one in asked(BOARDS[board]) if one.what == f"{title} A")
    frames = store.ask(query, viewer)
    if not frames:
        return []
    (frame,) = frames
    return [dict(zip(frame, row, strict=True)) for row in zip(*frame.values(), strict=True)]


def epoch_ms(time: datetime) -> int:
    return round(time.timestamp() * 1000)


class TestCohort:
    def test_triage_is_the_open_alerts_worst_and_oldest_first(
        self, ours: OurStore, store: Store
    ) -> None:
        found = panel_rows(store, "cohort", "Who needs looking at", EVERYBODY)
        rank = list(SEVERITIES)
        expected = sorted(
            (rank.index(row["severity"]), row["time"], row["subject"], row["kind"], row["reason"])
            for row in ours.select(ALERT, latest=True)
            if row["state"] == "open"
        )
        assert len(expected) >= 5
        seen = [
            (rank.index(r["severity"]), epoch_ms(r["since"]), r["subject"], r["kind"], r["reason"])
            for r in found
        ]
        assert [row[:2] for row in seen] == [row[:2] for row in expected]
        assert sorted(seen) == expected

    def test_triage_says_how_each_stands_now(self, ours: OurStore, store: Store) -> None:
        rhythms = {
            (row["site"], row["subject"], row["analyte"]): row
            for row in ours.select(RHYTHM, latest=True)
        }
        for row in panel_rows(store, "cohort", "Who needs looking at", EVERYBODY):
            rhythm = rhythms[row["site"], row["subject"], row["analyte"]]
            assert row["level_change"] == pytest.approx(rhythm["level_ratio"] - 1)
            assert row["phase_shift"] == rhythm["phase_shift"]
            assert epoch_ms(row["last_reading"]) == rhythm["last_reading"]

    def test_everybody_stands_under_one_sign(self, ours: OurStore, store: Store) -> None:
        (found,) = panel_rows(store, "cohort", "People", EVERYBODY)
        silent = found.pop("silent")
        people = {(row["site"], row["subject"]) for row in ours.select(RHYTHM, latest=True)}
        assert sum(found.values()) == len(people) == 8
        alerts = [row for row in ours.select(ALERT, latest=True) if row["state"] == "open"]
        alerting = {(row["site"], row["subject"]) for row in alerts}
        assert found["quiet"] == 8 - len(alerting)
        assert silent == len({row["subject"] for row in alerts if row["kind"] == "missing"}) >= 1

    def test_a_site_is_looked_at_alone(self, store: Store) -> None:
        elsewhere = replace(EVERYBODY, site=OTHER_SITE)
        (found,) = panel_rows(store, "cohort", "People", elsewhere)
        found.pop("silent")
        assert sum(found.values()) == 1
        assert panel_rows(store, "cohort", "Who needs looking at", elsewhere) == [
            row
            for row in panel_rows(store, "cohort", "Who needs looking at", EVERYBODY)
            if row["site"] == OTHER_SITE
        ]

    def test_triage_says_where_the_newest_value_lies(self, ours: OurStore, store: Store) -> None:
        day_ms = epoch_ms(END - timedelta(days=1)), epoch_ms(END)
        expected: dict[tuple[str, str], str] = {}
        for row in ours.select(PROFILE, start_ms=day_ms[0], end_ms=day_ms[1]):
            value, low, high = row["value"], row["ref_low"], row["ref_high"]
            if value is None or row["site"] != "default":
                continue
            where = "" if low is None and high is None else "within"
            where = "above" if high is not None and value > high else where
            where = "below" if low is not None and value < low else where
            expected[row["subject"], row["analyte"]] = where
        found = panel_rows(store, "cohort", "Who needs looking at", EVERYBODY)
        told = [(row["reference"] or "") for row in found]
        assert told == [expected.get((row["subject"], row["analyte"]), "") for row in found]
        assert len(set(told)) > 1


class TestSubject:
    WELL = replace(EVERYBODY, site="default", subject="sim-07", analyte="heart-rate")
    OUT_OF_PHASE = replace(WELL, subject="sim-02")
    RISEN = replace(WELL, subject="sim-01", analyte="saliva-cortisol")

    def test_the_day_is_the_newest_half_hours_by_the_clock(
        self, ours: OurStore, store: Store
    ) -> None:
        title = "24 hours: ${analyte:text} in ${unit}"
        found = panel_rows(store, "subject", title, self.WELL)
        tags = {"site": "default", "subject": "sim-07", "analyte": "heart-rate"}
        expected = {row["clock_hour"]: row for row in ours.select(PROFILE, tags=tags, limit=48)}
        assert [row["clock_hour"] for row in found] == sorted(expected)
        assert len(found) == 48
        for row in found:
            assert row == {name: expected[row["clock_hour"]][name] for name in row}

    def test_the_day_in_which_the_clock_was_put_back_rises_all_along(self, store: Store) -> None:
        change = datetime(2026, 10, 25, 6, tzinfo=UTC)
        viewer = replace(self.WELL, stop=change)
        title = "24 hours: ${analyte:text} in ${unit}"
        hours = [row["clock_hour"] for row in panel_rows(store, "subject", title, viewer)]
        assert all(here < there for here, there in pairwise(hours))
        assert 44 <= len(hours) < 48  # an hour came twice

    def test_the_other_site_has_another_person_of_that_name(
        self, ours: OurStore, store: Store
    ) -> None:
        title = "Readings: ${analyte:text} in ${unit}"
        here = panel_rows(store, "subject", title, self.RISEN)
        there = panel_rows(store, "subject", title, replace(self.RISEN, site=OTHER_SITE))
        for site, found in (("default", here), (OTHER_SITE, there)):
            tags = {"site": site, "subject": "sim-01", "analyte": "saliva-cortisol"}
            rows = [row for row in ours.select(READING, tags=tags) if row["value"] is not None]
            assert [row["value"] for row in found] == [row["value"] for row in rows]
        assert here != there

    def test_the_dial_points_to_the_peaks(self, store: Store) -> None:
        (query,) = (
            one.query
            for one in asked(BOARDS["subject"])
            if one.what == "Peak on the clock: ${analyte:text} C"
        )
        (frame,) = store.ask(query, self.WELL)
        ages = []
        for x, y, peak in zip(frame["peak_x"], frame["peak_y"], frame["acrophase"], strict=True):
            hour = math.atan2(x, y) * 24 / math.tau % 24
            assert hour == pytest.approx(peak, abs=1e-6)
            ages.append(math.hypot(x, y))
        assert len(ages) > 20
        assert ages == sorted(ages)
        assert 0.3 <= ages[0] < ages[-1] <= 1.0

    def test_drift_has_no_shift_of_a_rhythm_that_is_lost(
        self, ours: OurStore, store: Store
    ) -> None:
        title = "Is it moving: peak of ${analyte:text} against baseline"
        lost = 0
        for viewer in PEOPLE:
            tags = {"site": viewer.site, "subject": viewer.subject, "analyte": viewer.analyte}
            rhythms = {row["time"]: row for row in ours.select(RHYTHM, tags=tags)}
            lost += sum(row["status"] == "arrhythmic" for row in rhythms.values())
            found = panel_rows(store, "subject", title, viewer)
            assert bool(found) == (viewer.analyte != "serum-igf-1")
            assert all(row["phase_shift"] is not None for row in found)
            arrhythmic = {t for t, row in rhythms.items() if row["status"] == "arrhythmic"}
            step_ms = viewer.step_s * 1_000
            shown = {epoch_ms(row["time"]) // step_ms for row in found}
            newest = {time // step_ms + 1: time for time in sorted(rhythms)}
            assert not {step for step, time in newest.items() if time in arrhythmic} & shown
        assert lost

    def test_a_marker_that_is_withheld_has_no_number(self, ours: OurStore, store: Store) -> None:
        withheld = 0
        for viewer in PEOPLE:
            tags = {"site": viewer.site, "subject": viewer.subject}
            newest = {
                (row["analyte"], row["marker"]): row
                for row in ours.select(MARKER, tags=tags, latest=True)
            }
            found = panel_rows(store, "subject", "Markers of ${subject}", viewer)
            assert {(row["analyte"], row["marker"]) for row in found} == set(newest)
            for row in found:
                expected = newest[row["analyte"], row["marker"]]
                assert epoch_ms(row["date"]) == expected["time"]
                assert row["sentence"] == expected["sentence"]
                if expected["status"] == "withheld":
                    withheld += 1
                    assert (row["value"], row["interval"] or "") == ("–", "")
                elif expected["unit"] == "clock_h":
                    hours, minutes = map(int, row["value"].split(":"))
                    apart = (hours + minutes / 60 - expected["value"] + 12) % 24 - 12
                    assert abs(apart) <= 0.5 / 60 + 1e-9
                else:
                    number = float(row["value"].split(" ")[0])
                    assert number == pytest.approx(expected["value"], abs=0.005)
        assert withheld

    def test_annotations_tell_of_doses_and_of_alert_changes(self, store: Store) -> None:
        found = {one.what: one.query for one in asked(BOARDS["subject"])}
        dosed = replace(self.WELL, subject="sim-06", analyte="saliva-cortisol")
        (doses,) = store.ask(found["Doses and events"], dosed)
        assert "hydrocortisone 10 mg oral" in doses["text"]
        assert doses["tags"] == ["dose"] * len(doses["tags"])
        pulse = replace(self.WELL, subject="sim-07")
        (changes,) = store.ask(found["Alert changes"], pulse)
        words = [text.split(":")[0] for text in changes["text"]]
        assert words.count("Opened") >= words.count("Resolved") >= 1


class TestAlerts:
    def test_what_is_explained_pages_nobody(self, store: Store) -> None:
        found = panel_rows(store, "alerts", "Deviations that paged nobody", EVERYBODY)
        why = [row["why"] for row in found if row["subject"] == "sim-06"]
        assert any("hydrocortisone" in words for words in why)

    def test_history_is_every_alert(self, ours: OurStore, store: Store) -> None:
        found = panel_rows(store, "alerts", "All of the range", EVERYBODY)
        expected = ours.select(ALERT)
        assert sorted((epoch_ms(r["time"]), r["subject"], r["state"]) for r in found) == sorted(
            (r["time"], r["subject"], r["state"]) for r in expected
        )
        resolved = [row for row in found if row["state"] == "resolved"]
        assert resolved
        assert all(row["resolved"] > row["time"] for row in resolved)

    def test_the_longest_wait(self, ours: OurStore, store: Store) -> None:
        (found,) = panel_rows(store, "alerts", "Open alerts", EVERYBODY)
        opened = [r["time"] for r in ours.select(ALERT, latest=True) if r["state"] == "open"]
        assert found["open"] == len(opened)
        assert found["longest"] == pytest.approx((epoch_ms(END) - min(opened)) / 1000)
        quiet = replace(EVERYBODY, start=BEGIN, stop=BEGIN + timedelta(days=1))
        assert panel_rows(store, "alerts", "Open alerts", quiet) == [{"open": 0, "longest": 0.0}]


class TestPipeline:
    def test_silence_begins_with_the_newest_half_hour(self, ours: OurStore, store: Store) -> None:
        (found,) = panel_rows(store, "pipeline", "Newest reading of anybody", EVERYBODY)
        measured = [row["time"] for row in ours.select(PROFILE) if row["value"] is not None]
        over_ms = max(measured) + 1_800_000
        assert found["silent_s"] == pytest.approx(max(0, epoch_ms(END) - over_ms) / 1000)

    def test_stored_readings_are_counted_once(self, ours: OurStore, store: Store) -> None:
        title = "Readings stored, by their time of collection"
        found = panel_rows(store, "pipeline", title, EVERYBODY)
        rows = ours.select(READING, start_ms=epoch_ms(BEGIN), end_ms=epoch_ms(END))
        assert sum(row["readings"] or 0 for row in found) == sum(row["n"] for row in rows)


class TestRowsSaidTwice:
    """The later row leaves what it does not give: the value of a marker that is withheld now, the
    phase of a rhythm that is lost now."""

    TIME = BEGIN + timedelta(days=2)
    LATE = Viewer(BEGIN, END, site="default", subject="twice", analyte="saliva-melatonin")

    @pytest.fixture
    def twice(self, influx: Bucket) -> Iterator[Store]:
        bucket = influx.other(f"grafana twice {uuid.uuid4()}")
        ours = open_store(bucket.store_url, bucket.token)
        for row in (
            {
                "status": "measured",
                "value": 21.5,
                "low": 21.0,
                "high": 22.0,
                "sentence": "At 21:30.",
            },
            {
                "status": "withheld",
                "value": None,
                "low": None,
                "high": None,
                "sentence": "No rise.",
            },
        ):
            ours.write(MARKER, [MARKER.row(Marker.model_validate(self.marker() | row))])
        for status, phase in (("established", 3.0), ("arrhythmic", None)):
            ours.write(RHYTHM, [RHYTHM.row(Rhythm.model_validate(self.rhythm(status, phase)))])
        ours.close()
        seen = Store(bucket.url, bucket.org, bucket.bucket, bucket.token)
        yield seen
        seen.close()

    def series(self) -> Json:
        return {
            "site": "default",
            "subject": "twice",
            "analyte": "saliva-melatonin",
            "time": self.TIME,
        }

    def marker(self) -> Json:
        said = {"marker": "dlmo-threshold", "unit": "clock_h", "n": 5, "method": "a method"}
        return self.series() | said

    def rhythm(self, status: str, phase: float | None) -> Json:
        """A rhythm whose numbers are all 1, but for those that a lost one does not have."""
        numbers = dict.fromkeys(Rhythm.model_fields, 1.0) | dict.fromkeys(PHASES, phase)
        del numbers["schema_"]
        counts = {"n_readings": 9, "n_days": 9}
        return numbers | counts | self.series() | {"status": status, "last_reading": self.TIME}

    def test_a_marker_withheld_since_has_no_number(self, twice: Store) -> None:
        (row,) = panel_rows(twice, "subject", "Markers of ${subject}", self.LATE)
        assert (row["value"], row["interval"] or "", row["sentence"]) == ("–", "", "No rise.")
        assert panel_rows(twice, "subject", "Onset over the nights", self.LATE) == []

    def test_a_rhythm_lost_since_has_no_phase(self, twice: Store) -> None:
        title = "Is it moving: peak of ${analyte:text} against baseline"
        assert panel_rows(twice, "subject", title, self.LATE) == []
        (row,) = panel_rows(twice, "subject", "${subject}: ${analyte:text} now", self.LATE)
        assert (row["status"], row["peak"]) == ("arrhythmic", "–")
        peaks = "Peak on the clock: ${analyte:text} C"
        (query,) = (one.query for one in asked(BOARDS["subject"]) if one.what == peaks)
        assert not any(frame["peak_x"] for frame in twice.ask(query, self.LATE))


def test_variables_follow_one_another(store: Store) -> None:
    def values(query: str, **chosen: Any) -> list[str]:
        (frame,) = store.ask(query, replace(EVERYBODY, **chosen))
        found: list[str] = frame["_value"]
        return found

    assert values(choices.sites()) == ["default", OTHER_SITE]
    assert values(choices.subjects(), site="default") == [f"sim-0{n}" for n in range(1, 8)]
    assert values(choices.subjects(), site=OTHER_SITE) == ["sim-01"]
    assert values(choices.analytes(), site=OTHER_SITE, subject="sim-01") == ["saliva-cortisol"]
    for analyte in load_catalogue():
        assert values(choices.unit(), analyte=analyte.slug) == [analyte.unit_label]
    assert EVERYBODY.site == ALL
