"""The page itself: NiceGUI elements that follow the feed, one ``PageView`` a visitor.

The address bar holds the view (``/?subject=sim-03&analyte=saliva-cortisol``); every choice is a
real link, so it can be opened in a tab of its own, and the browser's back button works.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs

from nicegui import ui
from nicegui.events import GenericEventArguments

from dashboards.page import captions, days, markup
from dashboards.page.charts import day_chart, day_points
from dashboards.page.drift import drift_chart
from dashboards.page.elements import PLAIN_CLICK, Chart, Link, LinkList
from dashboards.page.evidence_column import EvidenceColumn
from dashboards.page.feed import Feed, Snapshot
from dashboards.page.markers import cycle_line
from dashboards.page.source import DAYS_SHOWN, Evidence, Overview, Person, Series
from dashboards.page.triage import QueueEntry, analytes_of, count, default_analyte, rank
from dashboards.page.words import face

_ASSETS = Path(__file__).parent
_CSS = (_ASSETS / "page.css").read_text(encoding="utf-8")
_SCRIPT = (_ASSETS / "page.js").read_text(encoding="utf-8")


def create_page(feed: Feed, *, title: str) -> None:
    """Register the page at ``/`` of the NiceGUI application."""

    @ui.page("/", title=title)
    def index(
        subject: str | None = None, analyte: str | None = None, site: str = markup.DEFAULT_SITE
    ) -> None:
        person = None if subject is None else Person(site, subject)
        view = PageView(feed, title, person, analyte)
        ui.context.client.on_delete(lambda: feed.leave(view))
        feed.join(view)
        if feed.snapshot.overview is not None or feed.snapshot.failure is not None:
            view.show(feed.snapshot)


class PageView:
    """One visitor's page: builds the elements once, then follows snapshots."""

    def __init__(self, feed: Feed, title: str, person: Person | None, analyte: str | None) -> None:
        self._feed = feed
        self._person = person
        self._analyte = analyte
        self._chosen = person is not None
        self._queue_order: list[QueueEntry] = []
        self._build(title)

    def wanted(self) -> Series | None:
        """The series on show."""
        overview = self._feed.snapshot.overview
        if self._person is None or overview is None:
            return None
        slugs = [slug for slug, _ in analytes_of(overview, self._person)]
        analyte = self._analyte if self._analyte in slugs else None
        analyte = analyte or default_analyte(overview, self._person)
        return None if analyte is None else Series(self._person, analyte)

    def show(self, snapshot: Snapshot) -> None:
        """Bring every element up to date."""
        self._banner.set_content(markup.failure(snapshot.failure))
        self._banner.set_visibility(snapshot.failure is not None)
        overview = snapshot.overview
        if overview is None:
            return
        entries = rank(overview)
        wall_ms = round(time.time() * 1000)
        self._clock.set_content(markup.data_clock(overview.now_ms, wall_ms, _zone_ms(wall_ms)))
        self._counters.set_content(markup.counters(count(entries)))
        if not self._chosen and entries and self._person not in overview.people():
            self._person = entries[0].person
        self._show_queue(entries, overview.now_ms or wall_ms)
        self._show_person(snapshot, overview)

    def choose(self, person: Person | None, analyte: str | None = None) -> None:
        """Go to another view and put it into the address bar."""
        ui.navigate.history.push("/" if person is None else markup.address(person, analyte))
        self._go(person, analyte)

    def _go(self, person: Person | None, analyte: str | None) -> None:
        if person != self._person:
            ui.run_javascript("acrophase.top()")
        self._person, self._analyte = person, analyte
        self._chosen = person is not None
        self._root.classes(add="chosen") if self._chosen else self._root.classes(remove="chosen")
        self.show(self._feed.snapshot)
        self._feed.hurry()

    def _gone_back(self, event: GenericEventArguments) -> None:
        query = {name: values[0] for name, values in parse_qs(str(event.args).lstrip("?")).items()}
        subject = query.get("subject")
        site = query.get("site", markup.DEFAULT_SITE)
        self._go(None if subject is None else Person(site, subject), query.get("analyte"))

    def _build(self, title: str) -> None:
        ui.add_css(_CSS)
        ui.add_head_html(f"<script>{_SCRIPT}</script>")
        ui.on("acrophase-view", self._gone_back)
        with ui.element("div").classes("page") as self._root:
            if self._chosen:
                self._root.classes("chosen")
            with ui.element("header"):
                ui.html(markup.heading(title))
                self._clock = ui.html("", tag="p").classes("clock")
                self._counters = ui.html("").classes("counters")
                self._counters.props('aria-live="polite"')
            self._banner = ui.html("").classes("banner").props('role="alert"')
            self._banner.set_visibility(False)
            with ui.element("div").classes("regions"):
                nav = ui.element("nav").props('aria-label="People, most urgent first"')
                with nav:
                    self._empty = ui.html(markup.NOBODY)
                    self._empty.set_visibility(False)  # not known yet
                    rows = ui.element("div").classes("queue")
                self._queue = LinkList(rows, self._choose_person)
                with ui.element("section").props('tabindex="0" aria-label="Charts"'):
                    self._build_charts()
                with ui.element("aside").props('tabindex="0" aria-label="Evidence"'):
                    self._evidence = EvidenceColumn()

    def _build_charts(self) -> None:
        back = ui.element("a").classes("back").props('href="/"')
        with back:
            ui.html("← All people", tag="span")
        back.on("click", lambda: self.choose(None), js_handler=PLAIN_CLICK)
        with ui.element("div").classes("who"):
            self._person_heading = ui.html("").classes("person")
            chips = ui.element("div").classes("chips").props('role="group" aria-label="Analytes"')
        self._chips = LinkList(chips, self._choose_analyte)
        self._cycle = ui.html("", tag="p").classes("cycle")
        self._charts = ui.element("div")
        with self._charts:
            self._figures = ui.html("", tag="dl").classes("figures")
            self._day_heading = ui.html("").classes("heading")
            self._day = Chart(ui.element("div").classes("chart day"))
            self._day_legend = ui.html("").classes("legend")
            self._drift_heading = ui.html("").classes("heading")
            self._drift = Chart(ui.element("div").classes("chart drift"))
            ui.html(captions.DRIFT_LEGEND).classes("legend")
            ui.html(captions.days_heading()).classes("heading")
            with ui.element("ol").classes("days"):
                self._days = [ui.html("", tag="li") for _ in range(DAYS_SHOWN)]
        self._charts.set_visibility(False)

    def _choose_person(self, key: Hashable) -> None:
        assert isinstance(key, Person)
        self.choose(key)

    def _choose_analyte(self, key: Hashable) -> None:
        assert isinstance(key, str)
        self.choose(self._person, key)

    def _show_queue(self, entries: Sequence[QueueEntry], now_ms: int) -> None:
        self._empty.set_visibility(not entries)
        self._queue.show(
            {
                entry.person: Link(
                    markup.address(entry.person),
                    markup.queue_row(entry, now_ms),
                    entry.person == self._person,
                )
                for entry in entries
            }
        )

    def _show_person(self, snapshot: Snapshot, overview: Overview) -> None:
        series = self.wanted()
        evidence = None if series is None else snapshot.evidence.get(series)
        if self._person is None or series is None:
            self._person_heading.set_content(markup.unknown_person(self._person))
            self._chips.show({})
            self._evidence.clear()
        else:
            self._person_heading.set_content(markup.person(self._person))
            self._chips.show(
                {
                    slug: Link(
                        markup.address(self._person, slug),
                        markup.chip(face(slug), sign),
                        slug == series.analyte,
                    )
                    for slug, sign in analytes_of(overview, self._person)
                }
            )
        self._charts.set_visibility(evidence is not None)
        self._cycle.set_visibility(evidence is not None)
        if evidence is not None and overview.now_ms is not None:
            self._show_series(evidence, overview, overview.now_ms)
        elif series is not None:
            if snapshot.failure is None:
                self._feed.hurry()
            self._evidence.clear()

    def _show_series(self, evidence: Evidence, overview: Overview, now_ms: int) -> None:
        what = face(evidence.series.analyte)
        self._cycle.set_content(cycle_line(evidence.markers, evidence.today_ms(now_ms)))
        alerts = overview.open_alerts_of(evidence.series.person)
        self._figures.set_content(captions.figures(evidence, alerts, what, now_ms))
        self._day_heading.set_content(captions.day_heading(evidence, what, now_ms))
        self._day.show(
            evidence.series,
            day_chart(evidence, what, now_ms),
            captions.day_summary(evidence, what, now_ms),
        )
        points = day_points(evidence, what, now_ms)
        self._day_legend.set_content(captions.day_legend(evidence, points))
        self._drift_heading.set_content(captions.drift_heading(evidence, what))
        self._drift.show(
            evidence.series,
            drift_chart(evidence, what, now_ms),
            captions.drift_summary(evidence, what),
        )
        pictures = days.pictures(evidence, what, now_ms)
        for element, picture in zip(self._days, pictures, strict=True):
            element.set_content(picture)
        charted = {slug for slug, _ in analytes_of(overview, evidence.series.person)}
        self._evidence.show(evidence, alerts, charted, now_ms)


def _zone_ms(wall_ms: int) -> int:
    """The offset from UTC of the clock of the machine that serves the page."""
    local = datetime.fromtimestamp(wall_ms / 1000, UTC).astimezone().utcoffset()
    return 0 if local is None else round(local.total_seconds() * 1000)
