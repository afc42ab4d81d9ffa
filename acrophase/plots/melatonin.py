"""Melatonin profiles as sleep laboratories draw them: samples, threshold, hockey stick and knee."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase

from acrophase.fit_markers import FitMarker, Night
from acrophase.plots.picture import CURVE, DATA, MIDDLE, PEAK
from acrophase.tables import clock
from processors.rhythm.melatonin import stick_of
from processors.rhythm.samples import Floats

# More nights than this do not fit on a page.
_MOST_NIGHTS = 7


def nights_height(nights: Sequence[Night]) -> float:
    """How many inches the rows of some nights need."""
    return 1.0 + 3.6 * min(len(nights), _MOST_NIGHTS)


def draw_nights(figure: FigureBase, axis: str, nights: Sequence[Night]) -> None:
    """Draw a row a night, of the last seven; `axis`: label of the level."""
    shown = nights[-_MOST_NIGHTS:]
    rows = figure.subplots(len(shown), 1, squeeze=False)[:, 0]
    # Nights under each other on one clock: what moves from night to night is seen to move.
    spans = [_clock_span(night) for night in shown]
    first, last = min(begin for _, begin, _ in spans), max(end for _, _, end in spans)
    for axes, night, (noon, _, _) in zip(rows, shown, spans, strict=True):
        _draw_night(axes, night)
        _label_hours(axes, noon + first, noon + last)
        axes.set_ylabel(axis)
        axes.spines[["top", "right"]].set_visible(False)
    end = f"; the last {len(shown)} of {len(nights)} nights" if len(nights) > len(shown) else ""
    rows[-1].set_xlabel(f"local clock time{end}")
    handles = {
        label: handle
        for axes in rows
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        handles.values(),
        handles.keys(),
        loc="outside lower center",
        ncols=3,
        frameon=False,
        fontsize="small",
    )


def _draw_night(axes: Axes, night: Night) -> None:
    samples = night.samples
    local = samples.hours + samples.offset_h
    for chosen, shape, label in (
        (~samples.below, "o", "samples"),
        (samples.below, "v", "below the detection limit"),
    ):
        if chosen.any():
            axes.plot(
                local[chosen], samples.values[chosen], shape, color=DATA, markersize=5, label=label
            )
    axes.plot(local, samples.values, color=DATA, linewidth=0.6, alpha=0.6)
    axes.axhline(
        night.threshold,
        color=MIDDLE,
        linewidth=1,
        linestyle=(0, (5, 4)),
        label=f"threshold {night.threshold:g} {samples.unit}",
    )
    stick = stick_of(samples, night.threshold, doses=night.doses)
    markers = {marker.name: marker for marker in night.markers}
    if stick is not None:
        found, first, last = stick
        grid = np.union1d(np.linspace(first, last, 241), found.hour)
        turn = samples.wall_clock(found.hour) - found.hour
        axes.plot(grid + turn, found.curve(grid), color=CURVE, label="hockey stick", zorder=3)
        _draw_time(axes, markers["dlmo-hockey-stick"], found.level, local, PEAK, "knee", "o")
    _draw_time(
        axes, markers["dlmo-threshold"], night.threshold, local, MIDDLE, "threshold crossing", "D"
    )
    _draw_time(axes, markers["melatonin-offset"], night.threshold, local, MIDDLE, "offset", "s")
    # Room for a knee that lies near 0.
    axes.set_ylim(bottom=-0.03 * float(samples.values.max()))
    told = [
        f"{word} {_around(marker)}"
        for word, name in (
            ("knee", "dlmo-hockey-stick"),
            ("threshold crossing", "dlmo-threshold"),
            ("own threshold", "dlmo-baseline"),
            ("offset", "melatonin-offset"),
        )
        if (marker := markers[name]).status == "measured"
    ]
    onset = markers["dlmo-threshold"]
    words = ", ".join(told[:2]) + "\n" + ", ".join(told[2:]) if told else onset.sentence
    axes.set_title(f"{night.on}: {words.strip()}", loc="left", fontsize="small")


def _draw_time(
    axes: Axes,
    marker: FitMarker,
    level: float,
    local: Floats,
    colour: str,
    label: str,
    shape: str,
) -> None:
    """A clock time at its level with its 90 % interval, on the profile's own hours."""
    if marker.value is None or marker.low is None or marker.high is None:
        return
    # Markers are wrapped to [0, 24); the profile runs on over midnight.
    turn = 24.0 * math.floor((float(local.max()) - marker.value) / 24.0)
    axes.errorbar(
        marker.value + turn,
        level,
        xerr=[[marker.value - marker.low], [marker.high - marker.value]],
        fmt=shape,
        color=colour,
        markersize=7,
        capsize=4,
        zorder=4,
        label=f"{label} and its 90 % interval",
    )


def _clock_span(night: Night) -> tuple[float, float, float]:
    """The noon before the profile's first sample, and hours from it to the first and the last."""
    local = night.samples.hours + night.samples.offset_h
    noon = 24.0 * math.floor((float(local.min()) - 12.0) / 24.0) + 12.0
    return noon, float(local.min()) - noon, float(local.max()) - noon


def _label_hours(axes: Axes, first: float, last: float) -> None:
    """Whole clock hours that run on over midnight, about ten of them."""
    step = next((step for step in (1, 2, 3, 6) if last - first <= 12 * step), 6)
    ticks = range(step * math.floor(first / step), step * math.ceil(last / step) + 1, step)
    axes.set_xticks(ticks, [clock(hour) for hour in ticks])
    margin = 0.02 * (last - first) + 0.1
    axes.set_xlim(first - margin, last + margin)


def _around(marker: FitMarker) -> str:
    assert marker.value is not None
    assert marker.low is not None
    assert marker.high is not None
    return f"{clock(marker.value)} ({clock(marker.low)} to {clock(marker.high)})"
