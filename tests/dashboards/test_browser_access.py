"""The page for everybody: without a mouse, on a telephone, in the dark, without seeing colours."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.dashboards.browser import Desk, Ward

pytestmark = pytest.mark.browser

_VIEWS = [
    "/",
    "/?subject=sim-03&analyte=heart-rate",
    "/?subject=sim-06",
    "/?subject=sim-99",
]


def _loaded(page: Page) -> None:
    expect(page.locator(".queue > a")).to_have_count(8)
    if "sim-99" not in page.url:
        expect(page.locator(".chart svg:visible")).to_have_count(2)


def _tab_to(page: Page, there: Locator, most: int = 30) -> None:
    for _ in range(most):
        if there.evaluate("element => element.matches(':focus')"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{most} times Tab do not lead to {there}")


def test_everything_is_reached_by_keyboard(ward: Ward, desk: Desk) -> None:
    page = desk.open()
    _loaded(page)
    rows = page.locator(".queue > a")
    _tab_to(page, rows.first)
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("End")
    expect(rows.last).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(rows.last).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(desk.address + "/?subject=sim-02")
    expect(rows.nth(1)).to_be_focused()
    outline = rows.nth(1).evaluate("element => getComputedStyle(element).outlineStyle")
    assert outline == "solid", "where the focus is can be seen"
    cortisol = page.get_by_role("link", name="Saliva cortisol", exact=True)
    _tab_to(page, cortisol)
    page.keyboard.press("Enter")
    expect(page.locator(".heading h3").first).to_have_text("24 hours · Saliva cortisol")
    expect(cortisol).to_be_focused()
    evidence = page.get_by_label("Evidence")
    _tab_to(page, evidence)
    page.keyboard.press("End")
    expect(evidence.locator("table.readings tr").last).to_be_in_viewport()


def test_charts_and_lists_are_said_to_those_who_do_not_see_them(ward: Ward, desk: Desk) -> None:
    page = desk.open("/?subject=sim-03")
    _loaded(page)
    people = page.get_by_role("navigation", name="People, most urgent first")
    expect(people.get_by_role("link")).to_have_count(8)
    expect(people.locator("[aria-current]")).to_contain_text("sim-03")
    expect(page.get_by_role("region", name="Charts")).to_be_visible()
    expect(page.get_by_role("complementary", name="Evidence")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Acrophase")
    expect(page.get_by_role("group", name="Analytes").get_by_role("link")).to_have_count(4)
    day = page.get_by_role("img", name=re.compile("24-hour chart of Saliva cortisol: 5 values"))
    expect(day).to_be_visible()
    expect(day).to_have_attribute("aria-label", re.compile(r"highest at \d\d:\d\d \("))
    drift = page.get_by_role("img", name=re.compile("Drift over 30 days: peak time now 11:50"))
    expect(drift).to_be_visible()
    levels = page.locator(".page :is(h1, h2, h3)").evaluate_all(
        "headings => headings.map(heading => Number(heading.tagName[1]))"
    )
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.evaluate("document.documentElement.lang")


@pytest.mark.parametrize("view", _VIEWS)
def test_nothing_is_cut_off_at_any_width(ward: Ward, desk: Desk, view: str) -> None:
    page = desk.open(view)
    _loaded(page)
    for width in (1280, 1000, 820, 390):
        page.set_viewport_size({"width": width, "height": 844})
        assert _cut_off(page) == [], f"at {width} pixels"
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def _cut_off(page: Page) -> list[str]:
    """Elements that are wider than their place, or that stick out of the window."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('.page *')].filter(element => {
          if (!element.checkVisibility() || element.closest('.unseen, svg')) return false;
          const box = element.getBoundingClientRect();
          return box.right > innerWidth + 0.5 || box.left < -0.5
              || element.scrollWidth > element.clientWidth + 1
                 && getComputedStyle(element).display !== 'inline';
        }).map(element => `${element.tagName}.${element.className}: ${element.innerText}`)"""
    )
    return found


def test_on_a_telephone_the_list_leads_to_a_person_and_back(ward: Ward, desk: Desk) -> None:
    page = desk.open(width=390, height=844)
    rows = page.locator(".queue > a")
    expect(rows).to_have_count(8)
    expect(page.locator(".person h2")).to_be_hidden()
    expect(page.get_by_label("Evidence")).to_be_hidden()
    rows.last.scroll_into_view_if_needed()
    rows.nth(1).click()
    expect(page.locator(".person h2")).to_be_in_viewport()
    expect(rows.first).to_be_hidden()
    expect(page.locator(".chart svg:visible")).to_have_count(2)
    expect(page.get_by_label("Evidence")).to_contain_text("Heart rate is 14 % higher")
    last_reading = page.locator("table.readings tr").last
    last_reading.scroll_into_view_if_needed()
    expect(last_reading).to_be_in_viewport()
    back = page.get_by_role("link", name="← All people")
    back.scroll_into_view_if_needed()
    back.click()
    expect(page).to_have_url(desk.address + "/")
    expect(rows.first).to_be_in_viewport()
    page.go_back()
    expect(page.locator(".person h2")).to_have_text("sim-02")


def test_targets_are_large_enough_for_a_thumb(ward: Ward, desk: Desk) -> None:
    """WCAG 2.2, 2.5.8: at least 24 by 24 pixels."""
    page = desk.open("/?subject=sim-03", width=390, height=844)
    expect(page.locator(".chart svg:visible")).to_have_count(2)
    for link in page.locator(".page :is(a, summary)").all():
        box = link.bounding_box()
        if box is not None:
            assert min(box["width"], box["height"]) >= 24, link.inner_text()


def test_no_state_is_told_by_colour_alone(ward: Ward, desk: Desk) -> None:
    page = desk.open("/?subject=sim-03")
    _loaded(page)
    badges = page.locator(".badge").all_inner_texts()
    assert len(badges) > 12
    for said in badges:
        assert re.fullmatch(r"[▲◆●◌✓◐○≈] ?\w[\w -]+", said), said
    for said in page.locator(".mark").all_inner_texts():
        assert said in "▲◆●"
    marks = page.locator(".mark + .unseen").all_text_contents()
    assert ", major alert" in marks
    assert len(marks) == page.locator(".mark").count()
    # shaded spans bear the symbol and the words
    expect(page.locator(".chart.drift svg:visible")).to_contain_text("▲ Timing later")


@pytest.mark.parametrize("dark", [False, True])
def test_light_and_dark_follow_the_visitor(ward: Ward, desk: Desk, dark: bool) -> None:
    page = desk.open("/?subject=sim-03", dark=dark)
    _loaded(page)

    def brightness(selector: str, name: str) -> float:
        colour = page.locator(selector).first.evaluate(
            f"element => getComputedStyle(element).{name}"
        )
        return sum(map(float, re.findall(r"[\d.]+", colour)[:3])) / 765

    for selector in (".panel", ".page section", ".page nav", "header"):
        assert (brightness(selector, "backgroundColor") < 0.3) == dark
        assert (brightness(selector, "color") > 0.7) == dark
    # the charts take the same colours, as they hand the style sheet's names to the browser
    assert (brightness(".chart.day svg text", "fill") > 0.5) == dark
    assert (brightness(".days .band", "fill") < 0.4) == dark
