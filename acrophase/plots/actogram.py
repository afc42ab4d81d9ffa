"""The double-plotted actogram: a row a day, each with the day after it to its right."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
from matplotlib.figure import FigureBase

from acrophase.fit_markers import FitMarker
from acrophase.plots.picture import CURVE
from acrophase.tables import clock
from processors.rhythm.clock_bins import Bins
from processors.rhythm.samples import Floats

# Bars reach from the lowest to the highest of these quantiles, so that one sprint does not flatten
# all else.
_LOW, _HIGH = 0.02, 0.98
_ABSENT = "#E6E6E6"
_MOST_ROW_LABELS = 20
# More rows than these are too thin to see.
_MOST_DAYS = 180

_NAMES = {
    "interdaily-stability": "IS",
    "intradaily-variability": "IV",
    "m10": "M10",
    "l5": "L5",
    "relative-amplitude": "RA",
}


def actogram_height(bins: Bins) -> float:
    """How many inches the rows of an actogram need."""
    return float(np.clip(1.4 + 0.2 * (int(np.ptp(_shown(bins).day)) + 1), 3.0, 9.0))


def draw_actogram(
    figure: FigureBase, bins: Bins, midnight: date, label: str, markers: Sequence[FitMarker]
) -> None:
    """Draw the days of some means over the clock, with their markers above; at most the last 180.

    `bins`: days counted from `midnight`; `label`: what the bars are, with its unit. Stretches
    without a reading are grey.
    """
    whole = int(np.ptp(bins.day)) + 1
    bins = _shown(bins)
    axes = figure.add_subplot()
    levels = _grid(bins)
    low, high = np.nanquantile(levels, (_LOW, _HIGH)).tolist()
    heights = np.clip((levels - low) / max(high - low, 1e-12), 0.0, 1.0)
    n = len(levels)
    edges = np.arange(2 * bins.per_day + 1) * bins.width_h
    for day in range(n):
        right = heights[day + 1] if day + 1 < n else np.full(bins.per_day, np.nan)
        row = np.concatenate((heights[day], right))
        floor = float(day + 1)
        # Where a run of stretches without a reading begins and ends.
        turns = np.diff(np.isnan(row).astype(np.int8), prepend=0, append=0)
        begins, ends = edges[turns == 1], edges[turns == -1]
        axes.broken_barh(
            list(zip(begins, ends - begins, strict=True)),
            (floor - 0.9, 0.9),
            facecolor=_ABSENT,
            linewidth=0,
        )
        # A step needs the value of the last stretch twice.
        tops = np.append(row, row[-1])
        axes.fill_between(
            edges,
            floor - 0.9 * np.nan_to_num(tops),
            floor,
            step="post",
            color=CURVE,
            linewidth=0,
        )
    axes.axvline(24.0, color="black", linewidth=0.8)
    axes.set_ylim(n, 0)
    axes.set_xlim(0, 48)
    ticks = range(0, 49, 6)
    axes.set_xticks(ticks, [clock(hour) for hour in ticks])
    axes.set_xlabel("local clock time, two days a row")
    first = midnight + timedelta(days=int(bins.day.min()))
    every = -(-n // _MOST_ROW_LABELS)
    rows = range(0, n, every)
    axes.set_yticks(
        [row + 0.55 for row in rows],
        [(first + timedelta(days=row)).isoformat() for row in rows],
        fontsize="x-small",
    )
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    given = [
        f"{_NAMES[marker.name]} {marker.value:.3g} ({marker.low:.3g} to {marker.high:.3g})"
        for marker in markers
        if marker.status == "measured" and marker.name in _NAMES
    ]
    why = markers[0].sentence if markers else ""
    bars = f"{label}, bars from {low:.3g} to {high:.3g}; grey: no readings"
    if whole > n:
        bars += f"; the last {n} of {whole:,} days"
    axes.set_title(
        f"{bars}\n{', '.join(given) if given else why}",
        loc="left",
        fontsize="small",
    )


def _shown(bins: Bins) -> Bins:
    return bins.part(bins.day > int(bins.day.max()) - _MOST_DAYS)


def _grid(bins: Bins) -> Floats:
    """Means (days, stretches of a day); NaN where there is none.

    Of the hour that comes twice when clocks are put back the mean is shown.
    """
    first = int(bins.day.min())
    shape = int(np.ptp(bins.day)) + 1, bins.per_day
    at = (bins.day - first) * bins.per_day + bins.clock_bin
    size = shape[0] * shape[1]
    counts = np.bincount(at, minlength=size)
    sums = np.bincount(at, weights=bins.means, minlength=size)
    means = np.full(size, np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means.reshape(shape)
