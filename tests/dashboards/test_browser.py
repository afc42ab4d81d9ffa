"""The page in a real browser: what is seen, where links lead, and that it stays alive."""

from __future__ import annotations

import re
import signal
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from schemas.measurements import PROFILE, RHYTHM
from schemas.results import DeviationKind
from tests.dashboards.browser import Desk, PageProcess, Rows, Ward
from tests.dashboards.clinic import NOW, Clinic, Plan, half_hour, rhythm

pytestmark = pytest.mark.browser


def queue(page: Page) -> list[str]:
    """The people in the queue from top to bottom."""
    return page.locator(".queue .who").all_inner_texts()


def drawn(page: Page) -> list[int]:
    """How many shapes each of the charts has."""
    return [chart.locator("path").count() for chart in page.locator(".chart svg:visible").all()]


def _middle(page: Page, selector: str) -> tuple[float, float]:
    box = page.locator(selector).last.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_queue_ranks_people_and_says_why(ward: Ward, desk: Desk) -> None:
    page = desk.open()
    rows = page.locator(".queue > a")
    expect(rows).to_have_count(8)
    assert queue(page)[:4] == ["sim-03", "sim-02", "sim-07", "sim-05"]
    expect(rows.nth(0)).to_contain_text("▲ Major")
    expect(rows.nth(0)).to_contain_text(
        "Saliva cortisol peaks 3.4 h later than this person's baseline: at 11:36 instead of 08:12."
    )
    expect(rows.nth(0)).to_contain_text("open for 2 d · seen just now")
    expect(rows.nth(3)).to_contain_text("silent for 2 d")
    expect(rows.nth(4)).to_contain_text("✓ No alert")
    expect(page.locator(".counters")).to_contain_text("8 people")
    expect(page.locator("header")).to_contain_text("not a medical device")
    expect(page.locator("header")).to_contain_text("Data until")


def test_the_first_in_the_queue_is_shown_at_once(ward: Ward, desk: Desk) -> None:
    page = desk.open()
    expect(page.locator(".person h2")).to_have_text("sim-03")
    expect(page.locator(".chart svg:visible")).to_have_count(2)
    expect(page.locator(".figures")).to_contain_text("Peak time")
    expect(page.locator(".days li")).to_have_count(14)
    assert page.url == desk.address + "/", "what nobody chose is not in the address bar"


def test_a_click_shows_the_person_and_the_address_bar_holds_the_view(
    ward: Ward, desk: Desk
) -> None:
    page = desk.open()
    page.get_by_role("link", name=re.compile("^sim-02")).click()
    expect(page).to_have_url(desk.address + "/?subject=sim-02")
    expect(page.locator(".person h2")).to_have_text("sim-02")
    expect(page.locator(".queue a[aria-current]")).to_contain_text("sim-02")
    expect(page.locator(".heading h3").first).to_have_text("24 hours · Heart rate")
    page.get_by_role("link", name="Saliva cortisol", exact=True).click()
    expect(page).to_have_url(desk.address + "/?subject=sim-02&analyte=saliva-cortisol")
    expect(page.locator(".heading h3").first).to_have_text("24 hours · Saliva cortisol")
    page.go_back()
    expect(page.locator(".heading h3").first).to_have_text("24 hours · Heart rate")
    page.go_back()
    expect(page).to_have_url(desk.address + "/")
    page.go_forward()
    page.go_forward()
    expect(page.locator(".heading h3").first).to_have_text("24 hours · Saliva cortisol")
    page.reload()
    expect(page.locator(".person h2")).to_have_text("sim-02")
    expect(page.locator(".heading h3").first).to_have_text("24 hours · Saliva cortisol")


def test_a_link_leads_straight_to_a_view(ward: Ward, desk: Desk) -> None:
    page = desk.open("/?subject=sim-03&analyte=wrist-temperature")
    expect(page.locator(".heading h3").first).to_have_text("24 hours · Wrist temperature")
    expect(page.locator(".chart.day svg:visible")).to_be_visible()
    day, drift = drawn(page)
    assert day > 45, "bands, median, limits and a point for each half hour"
    assert drift > 15, "interval, estimate and baseline, three times, and the axes"
    picture = page.get_by_role("img", name=re.compile("24-hour chart of Wrist temperature"))
    expect(picture).to_be_visible()


def test_every_trouble_has_its_evidence(ward: Ward, desk: Desk) -> None:
    page = desk.open("/?subject=sim-03")
    aside = page.get_by_label("Evidence")
    expect(aside).to_contain_text("Timing · Saliva cortisol")
    expect(aside).to_contain_text("90 % interval +2.7 to +4.1 h")
    expect(aside.get_by_role("heading", level=2)).to_have_text(
        ["Deviations", "Markers", "Person", "Events", "Can I believe it?", "Rhythm", "Readings"]
    )
    expect(aside.locator("table.readings tbody tr")).to_have_count(50)
    expect(aside.locator("table.readings")).to_contain_text("nmol/L · home-kit-7")


def test_where_there_is_not_enough_the_page_says_so(ward: Ward, desk: Desk) -> None:
    page = desk.open("/?subject=sim-06")
    expect(page.locator(".heading").first).to_contain_text(
        "Not enough data for this person's own band yet (3 days)"
    )
    expect(page.locator(".figures")).to_contain_text("mostly the population's")
    page = desk.open("/?subject=sim-07")
    expect(page.locator(".figures")).to_contain_text("no 24-hour rhythm")
    expect(page.get_by_text("No 24-hour rhythm now: no peak time is given")).to_be_visible()


def test_somebody_unknown_is_said_to_be_unknown(ward: Ward, desk: Desk) -> None:
    page = desk.open("/?subject=sim-99")
    expect(page.locator(".person")).to_contain_text("The store holds nobody of this name.")
    expect(page.locator(".chart svg:visible")).to_have_count(0)
    expect(page.locator(".queue > a")).to_have_count(8)
    page.get_by_role("link", name="Show all people").click()
    expect(page.locator(".person h2")).to_have_text("sim-03")


def test_an_analyte_that_the_person_lacks_falls_back(ward: Ward, desk: Desk) -> None:
    page = desk.open("/?subject=sim-02&analyte=urine-gold")
    expect(page.locator(".heading h3").first).to_have_text("24 hours · Heart rate")


def test_an_empty_store_says_so_and_fills_by_itself(
    ward: Ward, clinic_rows: Rows, desk: Desk
) -> None:
    ward.begin_with(Rows())
    page = desk.open()
    expect(page.get_by_text("The store holds nobody yet")).to_be_visible()
    expect(page.locator(".clock")).to_have_text("No data yet")
    expect(page.locator(".queue > a")).to_have_count(0)
    clinic_rows.copy_to(ward.store)
    expect(page.locator(".queue > a")).to_have_count(8)
    expect(page.locator(".chart svg:visible")).to_have_count(2)
    expect(page.get_by_text("The store holds nobody yet")).to_be_hidden()


def test_what_changes_in_the_store_arrives_without_reload(ward: Ward, desk: Desk) -> None:
    page = desk.open("/?subject=sim-08")
    expect(page.locator(".queue > a").nth(7)).to_contain_text("sim-08")
    page.evaluate("window.unreloaded = true")
    page.get_by_role("link", name=re.compile("^sim-08")).focus()
    Clinic(ward.store).alert(
        "sim-08",
        "saliva-cortisol",
        DeviationKind.LEVEL,
        "higher",
        "major",
        "Saliva cortisol is 62 % higher than this person's baseline (score 5).",
        hours_ago=90,
    )
    expect(page.locator(".queue > a").first).to_contain_text("sim-08")
    expect(page.locator(".queue > a").first).to_contain_text("62 % higher")
    expect(page.locator(".counters")).to_contain_text("▲ Major 2")
    expect(page.get_by_label("Evidence")).to_contain_text("62 % higher")
    expect(page.locator(".chips a[aria-current]")).to_contain_text("major alert")
    # the row that has moved keeps the focus
    expect(page.get_by_role("link", name=re.compile("^sim-08"))).to_be_focused()
    assert page.evaluate("window.unreloaded")


def test_new_readings_move_the_charts(ward: Ward, desk: Desk) -> None:
    page = desk.open("/?subject=sim-01&analyte=heart-rate")
    expect(page.locator(".clock")).to_contain_text("Tue 3 Nov 2026 14:32")
    expect(page.locator(".days li").last).to_contain_text("0 of 31 out")
    page.evaluate("window.unreloaded = true")
    plan = Plan("sim-01", "heart-rate")
    later = NOW + timedelta(minutes=30)
    closed = half_hour(plan, -1).model_copy(update={"value": 125.0})
    risen = rhythm(plan, 0).model_copy(
        update={"time": later, "last_reading": later, "acrophase": 17.25}
    )
    ward.store.write(PROFILE, [PROFILE.row(closed)])
    ward.store.write(RHYTHM, [RHYTHM.row(risen)])
    expect(page.locator(".clock")).to_contain_text("Tue 3 Nov 2026 15:02")
    expect(page.locator(".days li").last).to_contain_text("1 of 32 out")
    expect(page.locator(".figures")).to_contain_text("17:15")
    expect(page.locator(".chart.day svg:visible")).to_contain_text("140")  # the axis has grown
    expect(page.get_by_role("img", name=re.compile("peak time now 17:15"))).to_be_visible()
    assert page.evaluate("window.unreloaded")


def test_a_store_that_fails_is_said_beside_the_last_rows(ward: Ward, desk: Desk) -> None:
    page = desk.open("/?subject=sim-02")
    expect(page.locator(".chart svg:visible")).to_have_count(2)
    banner = page.get_by_role("alert")
    expect(banner).to_be_hidden()
    ward.break_it()
    try:
        expect(banner).to_contain_text("The store cannot be read since")
        expect(banner).to_contain_text("no such table")
        expect(page.locator(".queue > a")).to_have_count(8)
        expect(page.locator(".chart svg:visible")).to_have_count(2)
        late = desk.open()
        expect(late.get_by_role("alert")).to_contain_text("The store cannot be read")
    finally:
        ward.mend_it()
    expect(banner).to_be_hidden()
    expect(late.get_by_role("alert")).to_be_hidden()
    expect(late.locator(".queue > a")).to_have_count(8)


def test_going_from_one_to_the_next_never_shows_two_charts_at_once(ward: Ward, desk: Desk) -> None:
    page = desk.open("/?subject=sim-02")
    expect(page.locator(".chart svg:visible")).to_have_count(2)
    page.evaluate(
        """() => {
          const seen = (one) => getComputedStyle(one).visibility !== "hidden";
          window.most = 0;
          const count = () => {
            for (const chart of document.querySelectorAll(".chart"))
              window.most = Math.max(window.most, [...chart.children].filter(seen).length);
          };
          new MutationObserver(count).observe(document.body, {childList: true, subtree: true});
        }"""
    )
    for person in ("sim-03", "sim-07", "sim-05", "sim-02", "sim-03"):
        page.get_by_role("link", name=re.compile(f"^{person}")).click()
    expect(page.locator(".person h2")).to_have_text("sim-03")
    expect(page.locator(".chart > *")).to_have_count(2)
    assert page.evaluate("window.most") == 1
    assert desk.complaints == []


def test_two_visitors_each_have_their_own_view(ward: Ward, desk: Desk) -> None:
    one, other = desk.open("/?subject=sim-02"), desk.open("/?subject=sim-03")
    expect(one.locator(".person h2")).to_have_text("sim-02")
    expect(other.locator(".person h2")).to_have_text("sim-03")
    one.get_by_role("link", name=re.compile("^sim-07")).click()
    expect(one.locator(".person h2")).to_have_text("sim-07")
    expect(other.locator(".person h2")).to_have_text("sim-03")


def test_nothing_that_is_stored_runs(ward: Ward, desk: Desk) -> None:
    evil = '<img src=x onerror="window.hacked = true"><script>window.hacked = true</script>'
    clinic = Clinic(ward.store)
    clinic.series(evil, "heart-rate", days=2)
    clinic.alert(evil, "heart-rate", DeviationKind.LEVEL, "higher", "major", evil, hours_ago=500)
    page = desk.open()
    expect(page.locator(".queue > a").first).to_contain_text(evil)
    page.locator(".queue > a").first.click()
    expect(page.locator(".person h2")).to_have_text(evil)
    expect(page.locator(".chart svg:visible")).to_have_count(2)
    expect(page.get_by_label("Evidence")).to_contain_text(evil)
    page.mouse.move(*_middle(page, ".chart.day svg:visible path[stroke='var(--panel)']"))  # a point
    assert page.evaluate("window.hacked") is None
    assert page.locator(".page img").count() == 0
    page = desk.open("/?subject=<img src=x onerror='window.hacked = true'>&analyte=<b>")
    expect(page.locator(".person")).to_contain_text("nobody of this name")
    assert page.evaluate("window.hacked") is None


def test_who_is_shown_unasked_is_somebody_who_is_there(
    ward: Ward, clinic_rows: Rows, desk: Desk
) -> None:
    only = Rows()
    Clinic(only).series("sim-50", "heart-rate", days=2)
    ward.begin_with(only)
    page = desk.open()
    expect(page.locator(".person h2")).to_have_text("sim-50")
    ward.begin_with(clinic_rows)
    expect(page.locator(".person h2")).to_have_text("sim-03")
    expect(page.locator(".chart svg:visible")).to_have_count(2)


def test_five_hundred_people_are_still_a_queue(ward: Ward, desk: Desk) -> None:
    rows = []
    for number in range(1, 501):
        plan = Plan(f"many-{number}", "heart-rate")
        rows.append(RHYTHM.row(rhythm(plan, 0)))
    ward.store.write(RHYTHM, rows)
    page = desk.open()
    expect(page.locator(".queue > a")).to_have_count(508)
    last = page.locator(".queue > a").last
    last.scroll_into_view_if_needed()
    last.click()
    expect(page).to_have_url(re.compile("subject="))
    Clinic(ward.store).alert(
        "many-500",
        "heart-rate",
        DeviationKind.LEVEL,
        "higher",
        "major",
        "Heart rate is 62 % higher than this person's baseline (score 5).",
        hours_ago=500,
    )
    expect(page.locator(".queue > a").first).to_contain_text("many-500")
    assert len(set(queue(page))) == 508


def test_a_page_that_was_away_comes_back_by_itself(
    ward: Ward, chromium: Browser, tmp_path: Path
) -> None:
    served = PageProcess(ward.path, tmp_path / "log")
    desk = Desk(chromium, served.address)  # its own: losing the connection is no complaint here
    page = desk.open("/?subject=sim-02")
    expect(page.locator(".chart svg:visible")).to_have_count(2)
    assert served.stop(signal.SIGINT) == 0, "though a browser is connected"
    expect(page.get_by_text("Connection lost")).to_be_visible()
    Clinic(ward.store).alert(
        "sim-08", "saliva-cortisol", DeviationKind.LEVEL, "higher", "major", "New.", hours_ago=99
    )
    with PageProcess(ward.path, tmp_path / "log", served.port):
        expect(page.locator(".queue > a").first).to_contain_text("sim-08")
        expect(page.locator(".person h2")).to_have_text("sim-02")
        desk.close()


def test_young_adults_limits_are_drawn_in_their_own_pattern(ward: Ward, desk: Desk) -> None:
    """By the pattern and the word alone: somebody who sees no colours tells them apart."""
    plan = Plan("sim-01", "heart-rate")
    rows = [half_hour(plan, step) for step in range(96)]
    young = [row.model_copy(update={"young_low": 46.0, "young_high": 60.0}) for row in rows]
    Clinic(ward.store).write(PROFILE, *young)
    page = desk.open("?subject=sim-01&analyte=heart-rate")
    expect(page.locator(".legend").first).to_contain_text("young adults' limit")
    chart = page.locator(".chart.day svg:visible")
    expect(chart).to_contain_text("young ≤ 60")
    dashes = chart.locator("path[stroke-dasharray]").evaluate_all(
        "paths => paths.map(p => p.getAttribute('stroke-dasharray'))"
    )
    assert "7,3,1,3" in {dash.replace(" ", "") for dash in dashes}
    assert len(set(dashes)) >= 2
    expect(page.locator(".heading").first).to_contain_text("above the limit of healthy young")
