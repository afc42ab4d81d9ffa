"""Make ``docs/images/page.png`` again: the demo's page in Chromium, with somebody who fell ill.

``python -m tools.screenshot [--out FILE]`` needs Chromium (Debian: ``apt-get install chromium``)
and the tools for development. It starts a demo of its own on a free port, waits until the page has
found everybody who falls ill (about a minute), and ends it.
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from producers.clinic import demo_clinic

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "images" / "page.png"
WIDTH, HEIGHT = 1280, 900
SPEED = 15_000
FOUND_WITHIN_S = 600
COLOURS = 128  # flat colours and the blends at their edges: nobody sees the difference


@contextmanager
def demo() -> Iterator[str]:
    """The address of a running demo."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "acrophase", "demo", "--speed", str(SPEED)]
    running = subprocess.Popen([*command, "--port", str(port)], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert running.stdout is not None
        for line in running.stdout:
            if b"Ctrl-C ends the demo" in line:
                break
        else:
            sys.exit("the demo has ended; what it said stands above")
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.communicate()


def fall_ill() -> list[str]:
    """Who does in the demo, by its plan."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    people = demo_clinic(1, start, start).truth()["people"]
    return [person["subject"] for person in people if person["troubles"]]


def shot(page: Page, address: str) -> bytes:
    """The page as soon as everybody who falls ill has been found, as PNG."""
    page.goto(address)
    alerting = page.locator(".queue > a", has=page.locator(".reason"))
    for subject in fall_ill():
        found = alerting.filter(has_text=subject)
        expect(found).to_be_visible(timeout=FOUND_WITHIN_S * 1000)
    # Whoever lives later than before: seen in the 24 hours and in the drift alike.
    alerting.filter(has_text=re.compile(r"Heart rate peaks .* later")).first.click()
    expect(page.locator(".chart.drift svg:visible")).to_contain_text("Timing later")
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")
    return page.screenshot()


def main() -> None:
    """Run the demo, take the picture, write the file."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--out", type=Path, default=OUT, help=f"default: {OUT.relative_to(ROOT)}")
    out: Path = options.parse_args().out
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        sys.exit("error: there is no Chromium on this machine (Debian: apt-get install chromium)")
    with demo() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        png = shot(page, address)
        browser.close()
    out.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    picture.save(out, optimize=True)
    print(f"{out}: {WIDTH} x {HEIGHT}, {out.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    main()
