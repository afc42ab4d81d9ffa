"""Pictures that the command line writes, drawn without a display.

Colours are of the Okabe-Ito palette, which colour-blind people can tell apart; red and yellow
are kept for alarms.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from processors.rhythm.cosinor import Cosinor
from schemas.errors import InputFileError

Floats = NDArray[np.float64]

_CURVE = "#0072B2"
_DATA = "#555555"
_PEAK = "#009E73"


def draw_fit(
    path: Path,
    *,
    title: str,
    axis: str,
    hours: Floats,
    values: Floats,
    fit: Cosinor,
    is_log: bool,
    peak_label: str,
) -> None:
    """Write a picture of samples and the fitted curve over the clock hour.

    ``hours``, ``values``, shape (n,): the samples, local clock hours of any day and values in the
    unit that ``axis`` names; with ``is_log`` the curve was fitted to their natural logarithms.
    ``peak_label`` says the peak's time in words.
    The band is the 90 % confidence band of the curve's mean. The file's ending chooses the
    format. Raises InputFileError if the file cannot be written.
    """
    figure = Figure(figsize=(8, 4.8), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    axes.plot(
        hours % fit.period,
        values,
        "o",
        color=_DATA,
        markersize=float(np.clip(60 / np.sqrt(len(values)), 1.0, 5.0)),
        alpha=float(np.clip(30 / np.sqrt(len(values)), 0.05, 0.7)),
        markeredgewidth=0,
        rasterized=True,
        label=f"{len(values)} samples",
    )
    if fit.coefficients:
        _draw_curve(axes, fit, is_log, peak_label)
    if is_log:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")
        axes.tick_params(axis="y", which="minor", labelsize="x-small")
    ticks = range(0, int(fit.period) + 1, 3)
    axes.set_xticks(ticks, [f"{hour:02d}:00" for hour in ticks])
    axes.set_xlim(0, fit.period)
    axes.set_xlabel("local clock time")
    axes.set_ylabel(axis)
    axes.set_title(title, loc="left")
    if fit.reason is not None:
        axes.set_title(fit.reason, loc="right", fontsize="x-small", wrap=True)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize="small")
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise InputFileError(f"the picture {path} cannot be written: {error}") from error


def _draw_curve(axes: Axes, fit: Cosinor, is_log: bool, peak_label: str) -> None:
    grid = np.linspace(0, fit.period, 481)
    natural = np.exp if is_log else np.asarray
    low, high = fit.band(grid)
    axes.fill_between(
        grid,
        natural(low),
        natural(high),
        color=_CURVE,
        alpha=0.2,
        linewidth=0,
        label="90 % confidence band of the curve",
    )
    harmonics = "one harmonic" if fit.components == 1 else "two harmonics"
    axes.plot(grid, natural(fit.curve(grid)), color=_CURVE, label=f"cosinor, {harmonics}")
    mesor = float(natural(np.float64(fit.coefficients[0])))
    axes.axhline(mesor, color=_CURVE, linewidth=0.8, linestyle=(0, (5, 4)), label="mesor")
    if fit.peak is None or fit.peak_value is None:
        return
    top = float(natural(np.float64(fit.peak_value)))
    axes.axvline(fit.peak, color=_PEAK, linewidth=0.8, linestyle=":")
    axes.plot(fit.peak, top, "v", color=_PEAK, markersize=8)
    late = fit.peak > 0.7 * fit.period
    axes.annotate(
        peak_label,
        (fit.peak, top),
        xytext=(-8 if late else 8, 8),
        textcoords="offset points",
        ha="right" if late else "left",
        color=_PEAK,
        fontweight="bold",
        bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1.5},
    )
