"""The sentence that a deviation says: what happened, against what, how sure, from how much.

It begins with the analyte's name, and how sure it is stands in brackets at its end, so that whoever
has little room can show the sentence without them.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.catalogue import Analyte
from schemas.results import DeviationKind, Direction, Severity


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a deviation when it opens.

    observed, expected: canonical unit for level and outlier, model scale for amplitude, clock
    hours for phase. effect, low, high: see `schemas.results.Deviation`; for an outlier low and
    high are the bounds of the prediction. window_d: half-life of the recent window, days.
    """

    z: float
    threshold: float
    effect: float | None
    low: float | None
    high: float | None
    observed: float | None
    expected: float | None
    n_effective: float
    window_d: float | None


def clock(hours: float) -> str:
    """A clock time in words, hours of any turn.

    >>> clock(-0.25), clock(8.5)
    ('23:45', '08:30')
    """
    minutes = round(hours * 60.0) % 1440
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def duration(hours: float) -> str:
    """A length of time in words.

    >>> duration(0.75), duration(7.0), duration(7.25), duration(60.0)
    ('45 min', '7 h', '7.2 h', '2.5 days')
    """
    if hours < 1.0:
        return f"{hours * 60.0:.0f} min"
    number, unit = (hours, "h") if hours < 48.0 else (hours / 24.0, "days")
    return f"{number:.1f}".removesuffix(".0") + f" {unit}"


def _percent(ratio: float) -> str:
    return f"{abs(ratio - 1.0) * 100.0:.0f} %"


def _signed(value: float, decimals: int) -> str:
    """With its sign, and a true minus."""
    return f"{value:+.{decimals}f}".replace("-", "−")


def _change(low: float, high: float) -> str:
    """Two ratios as changes in percent."""
    return f"{_signed(100.0 * (low - 1.0), 0)} to {_signed(100.0 * (high - 1.0), 0)} %"


def reason(analyte: Analyte, kind: DeviationKind, direction: Direction, e: Evidence) -> str:
    """One sentence for people."""
    name = analyte.short_name[0].upper() + analyte.short_name[1:]
    if kind is DeviationKind.MISSING:
        assert e.effect is not None
        text = f"{name}: no readings for {duration(e.effect)}"
        if e.expected:
            text += f"; the longest usual pause is {duration(e.expected)}"
        return text + f" (from {e.n_effective:,.0f} readings so far)."
    amount = f"{e.n_effective:.0f} effective readings"
    if kind is DeviationKind.OUTLIER:
        assert e.observed is not None
        assert e.low is not None
        assert e.high is not None
        d = analyte.decimals
        return (
            f"{name} of {e.observed:.{d}f} {analyte.unit_label} is {direction} than predicted for "
            f"that hour (90 % of readings fall between {e.low:.{d}f} and {e.high:.{d}f} "
            f"{analyte.unit_label}; score {_signed(e.z, 1)}; from {amount})."
        )
    assert e.effect is not None
    assert e.low is not None
    assert e.high is not None
    assert e.window_d is not None
    sure = f"score {abs(e.z):.1f}; {amount} of about the last {duration(24.0 * e.window_d)}"
    if kind is DeviationKind.PHASE:
        assert e.observed is not None
        assert e.expected is not None
        return (
            f"{name} peaks {abs(e.effect):.1f} h {direction} than this person's baseline: at "
            f"{clock(e.observed)} instead of {clock(e.expected)} (90 % interval "
            f"{_signed(e.low, 1)} to {_signed(e.high, 1)} h; {sure})."
        )
    if kind is DeviationKind.ARRHYTHMIC:
        return (
            f"{name} has lost its 24-hour rhythm: the daily swing is "
            f"{e.effect * 100.0:.0f} % of this person's baseline and cannot be told from none "
            f"({sure})."
        )
    interval = f"90 % interval {_change(e.low, e.high)}"
    if kind is DeviationKind.AMPLITUDE:
        word = "flatter" if direction == "lower" else "steeper"
        return (
            f"{name} runs {word}: the daily swing is {_percent(e.effect)} {direction} than this "
            f"person's baseline ({interval}; {sure})."
        )
    assert e.observed is not None
    assert e.expected is not None
    d = analyte.decimals
    return (
        f"{name} is {_percent(e.effect)} {direction} than this person's baseline: "
        f"{e.observed:.{d}f} instead of {e.expected:.{d}f} {analyte.unit_label} ({interval}; "
        f"{sure})."
    )


def severity(analyte: Analyte, kind: DeviationKind, e: Evidence) -> Severity:
    """From effect and certainty: how urgently a person should look."""
    if kind is DeviationKind.ARRHYTHMIC:
        return "major"
    if kind is DeviationKind.MISSING:
        return "moderate"
    certainty = abs(e.z) / e.threshold
    if kind is DeviationKind.OUTLIER:
        return "moderate" if certainty > 1.5 else "minor"
    assert e.effect is not None
    least = analyte.minimum_effect
    if kind is DeviationKind.PHASE:
        size = abs(e.effect) / least.phase_h
    elif kind is DeviationKind.LEVEL:
        size = max(e.effect, 1.0 / max(e.effect, 1e-9)) / least.level_ratio
    else:
        size = max(e.effect, 1.0 / max(e.effect, 1e-9)) * least.amplitude_ratio
    if size >= 2.0 and certainty >= 1.25:
        return "major"
    return "moderate" if size >= 1.25 or certainty >= 1.5 else "minor"
