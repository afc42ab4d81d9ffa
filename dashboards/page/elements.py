"""Elements that stay while what they show changes: focus, scroll and what was opened are kept."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from nicegui import ui
from nicegui.element import Element

from dashboards.page.markers import Items
from dashboards.page.palette import Options
from dashboards.page.source import Series

# A click with a modifier key keeps the browser's own meaning (new tab, new window).
PLAIN_CLICK = """(event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  emit();
}"""


@dataclass(frozen=True)
class Link:
    """One link of a list: where to, its inside as HTML, and whether it is the current one."""

    address: str
    inside: str
    current: bool


class LinkList:
    """Links that keep their elements (and so focus and scroll) while text and order change."""

    def __init__(self, container: Element, choose: Callable[[Hashable], None]) -> None:
        self._container = container
        self._choose = choose
        self._elements: dict[Hashable, tuple[Element, ui.html]] = {}
        self._shown: dict[Hashable, Link] = {}

    def show(self, links: dict[Hashable, Link]) -> None:
        """Show exactly these links in this order."""
        for key in [key for key in self._elements if key not in links]:
            self._elements.pop(key)[0].delete()
            self._shown.pop(key)
        for index, (key, link) in enumerate(links.items()):
            if key not in self._elements:
                self._add(key)
            element, inside = self._elements[key]
            if self._shown.get(key) != link:
                element.props["href"] = link.address
                if link.current:
                    element.props["aria-current"] = "true"
                else:
                    element.props.pop("aria-current", None)
                element.update()
                inside.set_content(link.inside)
                self._shown[key] = link
            if self._container.default_slot.children[index] is not element:
                element.move(self._container, index)

    def _add(self, key: Hashable) -> None:
        with self._container:
            element = ui.element("a")
            with element:
                inside = ui.html("", tag="span")
        element.on("click", lambda: self._choose(key), js_handler=PLAIN_CLICK)
        self._elements[key] = (element, inside)


class Chart:
    """A chart that is made anew for another series and only fed for the same one."""

    def __init__(self, container: Element) -> None:
        self._container = container
        self._series: Series | None = None
        self._chart: ui.echart | None = None
        self._drawn = False

    def show(self, series: Series, options: Options, summary: str) -> None:
        """Draw the options; nothing is sent if nothing changed."""
        if self._chart is None or self._series != series:
            self._chart = self._replaced(options)
            self._chart.props["role"] = "img"
            self._chart.props["aria-label"] = summary
            self._series = series
        elif self._chart.options != options:
            self._chart.options.clear()
            self._chart.options.update(options)
            self._chart.props["aria-label"] = summary
            self._chart.update()

    def _replaced(self, options: Options) -> ui.echart:
        # NiceGUI's chart (3.18) fails in the browser if it is taken away before it was drawn; until
        # then nobody sees it.
        if self._chart is not None:
            if self._drawn:
                self._chart.delete()
            else:
                self._chart.classes("leaving")
        self._drawn = False
        with self._container:
            chart = ui.echart(options, renderer="svg")

        def finished() -> None:
            if self._chart is chart:
                self._drawn = True
            else:
                chart.delete()

        chart.on("chart:finished", finished, [])
        return chart


class MarkerList:
    """Markers that can be opened; one that is open stays so while its value changes."""

    def __init__(self, container: Element) -> None:
        self._container = container
        self._elements: dict[Hashable, tuple[Element, Element, ui.html, ui.html]] = {}

    def show(self, items: Items) -> None:
        """Show exactly these in this order."""
        for key in [key for key in self._elements if key not in items]:
            self._elements.pop(key)[0].delete()
        for index, (key, item) in enumerate(items.items()):
            if key not in self._elements:
                self._elements[key] = self._added(withheld=item.withheld)
            element, summary, head, body = self._elements[key]
            head.set_content(item.head)
            body.set_content(item.body)
            if summary.props.get("title") != item.hint:
                summary.props["title"] = item.hint
                summary.update()
            if self._container.default_slot.children[index] is not element:
                element.move(self._container, index)

    def _added(self, *, withheld: bool) -> tuple[Element, Element, ui.html, ui.html]:
        with self._container:
            element = ui.element("details").classes("marker withheld" if withheld else "marker")
            with element:
                summary = ui.element("summary")
                with summary:
                    head = ui.html("", tag="span").classes("head")
                body = ui.html("").classes("body")
        return element, summary, head, body
