"""The cycle chart: readings by cycle day, with the posterior of ovulation and its interval."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from acrophase.cycles import CycleSamples
from acrophase.plots.picture import CURVE, DATA, MIDDLE, PEAK, label_log_axis, save
from processors.rhythm.ovulation import Ovulation

# More cycles than this do not fit on a page.
_MOST_CYCLES = 6
# A menses that was not logged makes a cycle of years.
_MOST_CYCLE_DAYS = 90.0


def draw_cycles(
    path: Path, title: str, axis: str, cycles: Sequence[CycleSamples], *, is_log: bool
) -> None:
    """Write a chart with a row a cycle, of the last six; cycle day 14 lies between 14 and 15.

    `axis`: label of the values; `is_log`: whether their axis is logarithmic. The file's ending
    chooses the format. Raises OutputFileError.
    """
    shown = cycles[-_MOST_CYCLES:]
    figure = Figure(figsize=(8, 1.2 + 3.2 * len(shown)), dpi=150, layout="constrained")
    rows = figure.subplots(len(shown), 1, squeeze=False, sharex=True, sharey=True)[:, 0]
    handles = {}
    for axes, cycle in zip(rows, shown, strict=True):
        beside = _draw_cycle(axes, cycle)
        axes.set_ylabel(axis, fontsize="small")
        for part in (axes, beside):
            pairs = zip(*part.get_legend_handles_labels(), strict=True)
            handles.update({label: handle for handle, label in pairs})
    # All rows share the axis, with room for the intervals above the readings.
    levels = np.concatenate([cycle.values for cycle in shown])
    low, high = float(levels.min()), float(levels.max())
    if is_log:
        rows[0].set_ylim(low / 1.1, high * (high / low) ** 0.25 * 1.1)
        label_log_axis(rows[0])
    else:
        rows[0].set_ylim(low - 0.05 * (high - low) - 0.01, high + 0.25 * (high - low) + 0.01)
    last = min(max(_last_day(cycle) for cycle in shown), _MOST_CYCLE_DAYS)
    rows[-1].set_xlim(1, last + 1)
    rows[-1].xaxis.set_major_locator(MultipleLocator(7, offset=1))
    rows[-1].xaxis.set_minor_locator(MultipleLocator(1))
    rows[-1].set_xlabel("cycle day, 1 is the first of the menses")
    if len(cycles) > len(shown):
        title += f": the last {len(shown)} of {len(cycles)} cycles"
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    figure.legend(
        handles.values(),
        handles.keys(),
        loc="outside lower center",
        ncols=3,
        frameon=False,
        fontsize="small",
    )
    save(figure, path)


def _draw_cycle(axes: Axes, cycle: CycleSamples) -> Axes:
    """One cycle; gives the axes of the posterior."""
    day = cycle.days + 1.0
    axes.plot(day, cycle.values, color=DATA, linewidth=0.6, alpha=0.6)
    for chosen, shape, label in (
        (~cycle.below, "o", "readings"),
        (cycle.below, "v", "below the detection limit"),
    ):
        if chosen.any():
            axes.plot(
                day[chosen], cycle.values[chosen], shape, color=DATA, markersize=4, label=label
            )
    beside = axes.twinx()
    beside.set_yticks([])
    if isinstance(cycle.found, Ovulation):
        beside.fill_between(
            cycle.found.days + 1.0,
            cycle.found.probability,
            color=CURVE,
            alpha=0.25,
            linewidth=0,
            label="probability of ovulation, by day",
        )
        beside.set_ylim(0, 1.6 * float(np.max(cycle.found.probability)))
    for marker in cycle.markers:
        if marker.value is None or marker.low is None or marker.high is None:
            continue
        is_posterior = marker.name == "ovulation-day"
        colour = PEAK if is_posterior else MIDDLE
        # In the axes' own height, so that no value hides it.
        beside.errorbar(
            marker.value,
            0.95 if is_posterior else 0.88,
            xerr=[[marker.value - marker.low], [marker.high - marker.value]],
            transform=beside.get_xaxis_transform(),
            fmt="v",
            color=colour,
            capsize=4,
            label=("ovulation" if is_posterior else "temperature shift") + ", 90 % interval",
        )
        beside.axvline(marker.value, color=colour, linewidth=0.8, linestyle=":")
    for part in (axes, beside):
        part.spines[["top", "right"]].set_visible(False)
    sentences = "\n".join(marker.sentence for marker in cycle.markers)
    length = "not over yet" if cycle.length is None else f"{cycle.length} days"
    axes.set_title(f"{cycle.on}, {length}. {sentences}", loc="left", fontsize="small")
    return beside


def _last_day(cycle: CycleSamples) -> float:
    """The last cycle day to show: of the cycle, or of its readings and the ovulation's interval."""
    if cycle.length is not None:
        return float(cycle.length)
    ends = [marker.high for marker in cycle.markers if marker.high is not None]
    return float(np.ceil(max(28.0, float(cycle.days.max()) + 1.0, *ends)))
