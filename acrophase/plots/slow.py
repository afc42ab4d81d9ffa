"""Results of a slow hormone over the years, on the reference of the person's ages."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from textwrap import wrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from acrophase.plots.picture import CURVE, DATA, MIDDLE, label_log_axis, save
from acrophase.slow_fits import SlowResults
from processors.rhythm.samples import Floats
from processors.rhythm.slow_hormones import age_curve

# Room beside the results, so that the band is seen to go on; of half a year at least.
_MARGIN_SHARE, _LEAST_MARGIN_DAYS = 0.08, 183.0
_YEAR_DAYS = 365.2425
# Letters that fit beside each other above the axes.
_LINE = 112


def draw_slow(path: Path, title: str, axis: str, results: SlowResults, *, is_log: bool) -> None:
    """Write the chart; the file's ending chooses the format. Raises OutputFileError.

    `axis`: label of the values; `is_log`: whether their axis is logarithmic. Without a known age
    there is no band, and the reason stands in the picture.
    """
    figure = Figure(figsize=(8, 5), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    begin = float(results.first.toordinal() - date(1970, 1, 1).toordinal())
    at = begin + results.days
    span = float(np.ptp(at))
    margin = max(_MARGIN_SHARE * span, _LEAST_MARGIN_DAYS)
    grid = np.linspace(at[0] - margin, at[-1] + margin, 200)
    if results.ages is not None and results.references:
        ages = results.ages[0] + (grid - at[0]) / _YEAR_DAYS
        low, middle, high = age_curve(ages, results.references)
        axes.fill_between(
            grid, low, high, color=CURVE, alpha=0.15, linewidth=0, label="reference, 2.5 to 97.5 %"
        )
        axes.plot(grid, middle, color=CURVE, linewidth=1, label="middle of the age")
        _draw_ages(axes, float(at[0]), float(results.ages[0]))
    axes.plot(at, results.values, color=DATA, linewidth=0.8, alpha=0.7)
    for chosen, shape, label in (
        (~results.below, "o", "results"),
        (results.below, "v", "below the detection limit"),
    ):
        if chosen.any():
            axes.plot(
                at[chosen], results.values[chosen], shape, color=DATA, markersize=6, label=label
            )
    change = results.fit.markers[-1]
    if change.value is not None:
        axes.annotate(
            f"{change.value:+.0f} %",
            (at[-1], results.values[-1]),
            xytext=(0, 8),
            textcoords="offset points",
            ha="center",
            color=MIDDLE,
            fontweight="bold",
        )
    axes.set_xlim(float(grid[0]), float(grid[-1]))
    axes.xaxis_date()
    if is_log:
        label_log_axis(axes)
    locator = AutoDateLocator()  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.set_ylabel(axis)
    sentences = dict.fromkeys(marker.sentence for marker in results.fit.markers)
    lines = [line for sentence in sentences for line in wrap(sentence, _LINE)]
    axes.set_title("\n".join(lines), loc="left", fontsize="small", pad=10)
    axes.margins(y=0.08)
    axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize="small")
    save(figure, path)


def _draw_ages(axes: Axes, day: float, age: float) -> None:
    """A second axis of ages; at the `day` (matplotlib's) the person had that `age`."""

    def to_age(days: ArrayLike) -> Floats:
        return np.asarray(age + (np.asarray(days, dtype=np.float64) - day) / _YEAR_DAYS)

    def to_day(ages: ArrayLike) -> Floats:
        return np.asarray(day + (np.asarray(ages, dtype=np.float64) - age) * _YEAR_DAYS)

    beside = axes.secondary_xaxis("top", functions=(to_age, to_day))
    beside.set_xlabel("age (years)", fontsize="small")
