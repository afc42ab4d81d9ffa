"""Markers in a real browser: seen, opened, kept open, and never run."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from schemas.measurements import EVENT, MARKER
from tests.dashboards.browser import Desk, Ward
from tests.dashboards.clinic_markers import NO_WAKING, event, marker

pytestmark = pytest.mark.browser

_CORTISOL = "/?subject=sim-03&analyte=saliva-cortisol"


def _panel(page: Page, title: str) -> Locator:
    heading = page.get_by_role("heading", level=2, name=title, exact=True)
    return page.locator(".panel", has=heading)


def test_markers_of_the_analyte_on_show_and_of_the_person(ward: Ward, desk: Desk) -> None:
    page = desk.open(_CORTISOL)
    markers, person = _panel(page, "Markers"), _panel(page, "Person")
    expect(markers.locator("summary")).to_have_count(4)
    expect(markers).to_contain_text("0.0452 µg/dL")
    expect(markers.locator("summary").last).to_contain_text(NO_WAKING)
    expect(markers).to_contain_text("Dose echo 7")
    expect(person).to_contain_text("Middle of sleep")
    expect(page.locator(".cycle")).to_have_text("Cycle day 17, ovulation on day 14 (13–15).")
    page.get_by_role("link", name="Saliva melatonin", exact=True).click()
    expect(page).to_have_url(re.compile("analyte=saliva-melatonin"))
    expect(markers).to_contain_text("Melatonin onset (DLMO), fixed threshold")
    expect(markers.locator("summary")).to_have_count(3)
    expect(markers).not_to_contain_text("Dose echo 7")
    expect(person.locator("summary")).to_have_count(5)
    # that of nobody else, and of what has none nothing is shown
    page.get_by_role("link", name=re.compile("^sim-02")).click()
    expect(page.locator(".person h2")).to_have_text("sim-02")
    for panel in (markers, person, _panel(page, "Events"), page.locator(".cycle")):
        expect(panel).to_be_hidden()


def test_each_kind_of_happening_has_its_words(ward: Ward, desk: Desk) -> None:
    page = desk.open(_CORTISOL)
    expect(_panel(page, "Events").locator("li")).to_have_count(5)
    expect(_panel(page, "Events")).to_contain_text("Menses · first day of menses")


def test_a_marker_is_opened_by_keyboard_and_stays_open_while_it_changes(
    ward: Ward, desk: Desk
) -> None:
    page = desk.open(_CORTISOL)
    slope = page.locator(".marker", has_text="Slope over the day")
    summary = slope.locator("summary")
    expect(summary).to_have_attribute("title", re.compile("^Method: Method of diurnal-slope"))
    expect(slope.locator("svg.spark")).to_be_visible()
    expect(slope.locator("ol")).to_be_hidden()
    page.get_by_label("Evidence").focus()
    for _ in range(2):  # the one before it is the late-night level
        page.keyboard.press("Tab")
    expect(summary).to_be_focused()
    page.keyboard.press("Enter")
    expect(slope.get_by_text("Method: Method of diurnal-slope")).to_be_visible()
    expect(slope.get_by_role("listitem")).to_have_count(12)
    expect(slope.get_by_role("listitem").first).to_contain_text("Tue 3 Nov −0.120 per hour")
    told = marker(
        "saliva-cortisol", "diurnal-slope", 0, value=-0.2, low=-0.25, high=-0.15, unit="1/h"
    )
    other = marker("saliva-cortisol", "an-other", 0, value=3.0, low=2.0, high=4.0)
    ward.store.write(MARKER, [MARKER.row(told), MARKER.row(other)])
    expect(summary).to_contain_text("−0.200 per hour")
    expect(page.locator(".marker").first).to_contain_text("An other")
    expect(slope.get_by_role("listitem").first).to_contain_text("−0.200 per hour")
    expect(summary).to_be_focused()
    page.keyboard.press("Enter")
    expect(slope.locator("ol")).to_be_hidden()


def test_what_is_withheld_later_leaves_those_that_are_given(ward: Ward, desk: Desk) -> None:
    page = desk.open(_CORTISOL)
    summaries = _panel(page, "Markers").locator("summary")
    expect(summaries.nth(1)).to_contain_text("Slope over the day")
    gone = marker("saliva-cortisol", "diurnal-slope", 0, sentence="A dose masks it.")
    ward.store.write(MARKER, [MARKER.row(gone)])
    expect(summaries.nth(2)).to_contain_text("A dose masks it.")
    expect(summaries.nth(2)).to_contain_text("not given")
    expect(summaries).to_have_count(4)
    expect(_panel(page, "Markers").locator("summary", has_text="per hour")).to_have_count(0)


def test_the_date_after_midnight_is_the_wearers(ward: Ward, desk: Desk) -> None:
    """The data's clock stands at 3 November, 14:32 UTC; nobody waits for it to show a date."""
    page = desk.open(_CORTISOL)
    told = marker("saliva-cortisol", "late-night-level", -1, value=0.2, low=0.1, high=0.3)
    ward.store.write(MARKER, [MARKER.row(told)])
    expect(_panel(page, "Markers").locator("summary").first).to_contain_text("Wed 4 Nov")


def test_no_marker_and_no_event_runs(ward: Ward, desk: Desk) -> None:
    evil = '<img src=x onerror="window.hacked = true"><script>window.hacked = true</script>'
    given = {"sentence": evil, "method": f'"{evil}', "unit": "h"}
    told = [
        marker("saliva-cortisol", "given", 0, value=1.0, low=0.5, high=1.5, **given),
        marker("saliva-cortisol", "not-given", 0, **given),
        marker("cycle", "ovulation-day", 16, **given),
    ]
    page = desk.open(_CORTISOL)
    ward.store.write(MARKER, [MARKER.row(one) for one in told])
    ward.store.write(EVENT, [EVENT.row(event("dose", evil, 1))])
    expect(page.locator(".cycle")).to_contain_text(evil)
    expect(_panel(page, "Events")).to_contain_text(evil)
    for name in ("Given", "Not given"):
        one = _panel(page, "Markers").locator(".marker", has_text=name).filter(has_text=evil)
        one = one.first if name == "Given" else one.last
        one.locator("summary").click()
        expect(one.locator(".method")).to_have_text(f'Method: "{evil}')
        expect(one.locator("summary")).to_have_attribute("title", f'Method: "{evil}')
    assert page.evaluate("window.hacked") is None
    assert page.locator(".page img").count() == 0


def test_open_markers_fit_a_telephone(ward: Ward, desk: Desk) -> None:
    page = desk.open("/?subject=sim-03&analyte=saliva-melatonin", width=390, height=844)
    summaries = page.locator(".marker:visible summary")
    expect(summaries).to_have_count(8)
    for summary in summaries.all():
        box = summary.bounding_box()
        assert box is not None
        assert box["height"] >= 24, "WCAG 2.2, 2.5.8"
        summary.click()
    expect(page.locator(".marker[open]")).to_have_count(8)
    for width in (390, 1280, 1000):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        wide = page.locator(".marker, .marker *:not(svg *), .events li").evaluate_all(
            """all => all.filter(one => one.checkVisibility()
                 && one.scrollWidth > one.clientWidth + 1
                 && getComputedStyle(one).display !== 'inline').map(one => one.innerText)"""
        )
        assert wide == [], f"cut off at {width} pixels"
