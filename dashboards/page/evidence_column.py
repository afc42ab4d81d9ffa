"""The column of evidence: one panel a subject, each shown if there is something to say."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from nicegui import ui

from dashboards.page import markers
from dashboards.page.elements import MarkerList
from dashboards.page.panels import TITLES, panels
from dashboards.page.source import Evidence, StoreRow
from dashboards.page.words import face


class _MarkerPanel:
    """A panel whose markers can be opened."""

    def __init__(self, title: str) -> None:
        self._panel = ui.element("div").classes("panel")
        with self._panel:
            ui.html(f"<h2>{title}</h2>")
            self._note = ui.html("", tag="p").classes("note")
            self._list = MarkerList(ui.element("div").classes("markers"))

    def show(self, items: markers.Items, note: str) -> None:
        """Show these markers; nothing at all if there are none."""
        self._panel.set_visibility(bool(items))
        self._note.set_content(note)
        self._list.show(items)


class EvidenceColumn:
    """The panels of one visitor's page; made within the element that is to hold them."""

    def __init__(self) -> None:
        self._texts: dict[str, ui.html] = {}
        for title in TITLES:
            self._texts[title] = ui.html("").classes("panel")
            if title == "Deviations":
                self._markers = _MarkerPanel("Markers")
                self._person = _MarkerPanel("Person")
        self.clear()

    def clear(self) -> None:
        """There is nobody, or nothing yet, to show."""
        self._told: object = None
        self._show_texts({})
        self._markers.show({}, "")
        self._person.show({}, "")

    def show(
        self,
        evidence: Evidence,
        alerts: Sequence[StoreRow],
        charted: Collection[str],
        now_ms: int,
    ) -> None:
        """Bring every panel up to date.

        ``charted``: the person's analytes that have charts of their own.
        """
        slug, today = evidence.series.analyte, evidence.today_ms(now_ms)
        self._show_texts(panels(evidence, alerts, now_ms))
        # They change a few times a day, and one with its thirty dates takes 2 ms to say (measured):
        # too much for every poll of every visitor.
        told = (slug, set(charted), today, evidence.markers)
        if told == self._told:
            return
        self._told = told
        self._markers.show(
            markers.of_analyte(evidence.markers, slug, today),
            markers.analyte_note(face(slug).name),
        )
        self._person.show(markers.of_person(evidence.markers, charted, today), markers.PERSON_NOTE)

    def _show_texts(self, insides: Mapping[str, str]) -> None:
        for title, element in self._texts.items():
            inside = insides.get(title)
            element.set_visibility(bool(inside))
            element.set_content(f"<h2>{title}</h2>{inside}" if inside else "")
