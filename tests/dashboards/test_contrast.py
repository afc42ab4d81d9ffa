"""Text can be read, and what is drawn can be told apart, in light and in dark (WCAG 2.2)."""

from __future__ import annotations

import re
from importlib import resources

import pytest

_CSS = resources.files("dashboards.page").joinpath("page.css").read_text(encoding="utf-8")
# 1.4.3 Contrast (Minimum), and 1.4.11 Non-text Contrast for what is needed to understand.
_TEXT, _DRAWN = 4.5, 3.0

_TEXTS = [
    ("ink", "panel"),
    ("ink", "ground"),
    ("ink", "chosen"),
    ("muted", "panel"),
    ("muted", "ground"),
    ("muted", "chosen"),
    ("focus", "panel"),
    ("panel", "ink"),  # the banner
    ("silent", "panel"),
    ("silent", "chosen"),
    ("major-text", "major-ground"),
    ("moderate", "moderate-ground"),
    ("minor", "minor-ground"),
    ("major", "panel"),  # labels of shaded spans
    ("moderate", "panel"),
    ("minor", "panel"),
]
_DRAWINGS = [
    ("curve", "panel"),
    ("curve", "ground"),  # the trends of markers
    ("point", "ground"),
    ("curve", "band"),
    ("curve", "band-inner"),
    ("point", "panel"),
    ("point", "band"),
    ("point", "band-inner"),
    ("reference", "panel"),
    ("muted", "band"),  # the baseline in the drift chart
    ("focus", "ground"),
    ("focus", "chosen"),
]


def _colours(scheme: str) -> dict[str, str]:
    light, dark = re.findall(r":root \{(.*?)\}", _CSS, re.DOTALL)[:2]
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light))
    return found | (
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", dark)) if scheme == "dark" else {}
    )


def _luminance(colour: str) -> float:
    """Relative luminance of an sRGB colour, WCAG 2.2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_formula_is_the_standards() -> None:
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)
    assert _contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back"), _TEXTS)
def test_text_can_be_read(scheme: str, front: str, back: str) -> None:
    colours = _colours(scheme)
    assert _contrast(colours[front], colours[back]) >= _TEXT


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back"), _DRAWINGS)
def test_drawings_can_be_seen(scheme: str, front: str, back: str) -> None:
    colours = _colours(scheme)
    assert _contrast(colours[front], colours[back]) >= _DRAWN


def test_alarm_colours_are_for_alarms() -> None:
    """Only rules and options that speak of a severity use them."""
    for rule in re.findall(r"([^{}]+)\{([^{}]*var\(--(?:major|moderate|minor)[^{}]*)\}", _CSS):
        assert re.search(r"\.(badge|mark)\.(major|moderate|minor)", rule[0]), rule[0]
