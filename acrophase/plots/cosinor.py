"""The fitted curve over the clock hour, with samples, band and residuals."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase
from matplotlib.lines import Line2D
from matplotlib.ticker import (
    FixedFormatter,
    FixedLocator,
    NullLocator,
)
from numpy.typing import NDArray
from scipy.special import stdtrit

from acrophase.person import HourlyReference
from acrophase.plots.picture import CURVE, DATA, MIDDLE, PEAK, label_log_axis
from acrophase.tables import clock
from processors.rhythm.cosinor import Cosinor

Floats = NDArray[np.float64]

# More samples than this are a cloud: half-hour medians and quartiles say more.
_CLOUD = 2_000
_BIN_H = 0.5

# A cloud's axis ends beyond these quantiles where the whole would take more than so many times the
# room: one sprint does not flatten a month. What lies outside is counted in the picture.
_SHOWN = (0.01, 0.99)
_MOST_ROOM = 2.0

# Ratios that a residual axis may be labelled at.
_RATIOS = (1.02, 1.05, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)


def draw_curve(
    figure: FigureBase,
    *,
    axis: str,
    unit: str,
    hours: Floats,
    values: Floats,
    fit: Cosinor,
    is_log: bool,
    reference: HourlyReference | None,
) -> None:
    """Draw samples, fitted curve and residuals over the clock hour.

    ``hours``, ``values``, shape (n,): the samples, local clock hours of any day and values in
    ``unit``; with ``is_log`` the curve was fitted to their natural logarithms, and residuals are
    ratios. The band is the 90 % confidence band of the curve's mean, and all intervals are 90 %
    ones.
    """
    if fit.coefficients:
        top, below = figure.subplots(2, 1, sharex=True, height_ratios=(3.4, 1))
    else:
        top, below = figure.add_subplot(), None
    _draw_samples(top, hours % fit.period, values)
    if fit.coefficients:
        _draw_curve(top, fit, is_log)
    if is_log:
        top.set_yscale("log")
    if len(values) > _CLOUD:
        _limit_axis(top, values, is_log)
    if reference is not None:
        _draw_reference(top, reference)
    if is_log:
        label_log_axis(top)
    top.set_ylabel(axis)
    top.set_title(_figures(fit, unit, is_log), loc="left", fontsize="small", pad=22)
    if below is not None:
        _draw_residuals(below, hours, values, fit, is_log, unit)
    bottom = top if below is None else below
    ticks = range(0, int(fit.period) + 1, 3)
    bottom.set_xticks(ticks, [f"{hour:02d}:00" for hour in ticks])
    bottom.set_xlim(0, fit.period)
    bottom.set_xlabel("local clock time")
    for axes in (top, bottom):
        axes.spines[["top", "right"]].set_visible(False)
    legend = figure.legend(
        *top.get_legend_handles_labels(),
        loc="outside lower center",
        ncols=3,
        frameon=False,
        fontsize="small",
    )
    for handle in legend.legend_handles:
        # A faint dot in a cloud is a visible one in the legend.
        if isinstance(handle, Line2D) and handle.get_linestyle() == "None":
            handle.set(alpha=1.0, markersize=5)


def _draw_samples(axes: Axes, phases: Floats, values: Floats) -> None:
    n = len(values)
    axes.plot(
        phases,
        values,
        "o",
        color=DATA,
        markersize=float(np.clip(60 / np.sqrt(n), 1.0, 5.0)),
        alpha=float(np.clip(30 / np.sqrt(n), 0.05, 0.7)),
        markeredgewidth=0,
        rasterized=True,
        label=f"{n:,} samples",
    )
    if n > _CLOUD:
        _draw_bins(axes, phases, values, "half-hour median and quartiles")


def _draw_reference(axes: Axes, reference: HourlyReference) -> None:
    """The reference of each half hour as a band; an open end reaches the edge of the axes."""
    bottom, top = axes.get_ylim()
    # Each half hour from its begin to its end.
    hours = np.repeat(np.arange(len(reference.limits) + 1) / 2.0, 2)[1:-1]
    limits = [pair for pair in reference.limits for _ in range(2)]
    axes.fill_between(
        hours,
        [bottom if low is None else low for low, _ in limits],
        [top if high is None else high for _, high in limits],
        where=[pair != (None, None) for pair in limits],
        color=DATA,
        alpha=0.13,
        linewidth=0,
        zorder=0,
        label=f"reference of {reference.words}",
    )
    axes.set_ylim(bottom, top)


def _limit_axis(axes: Axes, values: Floats, is_log: bool) -> None:
    """End the axis of a cloud where nearly all of it does, and say how much lies outside.

    Curve, mesor and medians stay inside.
    """
    scaled = np.log(values) if is_log else values
    low, high = np.quantile(scaled, _SHOWN).tolist()
    for line in axes.get_lines()[1:]:
        drawn = np.asarray(line.get_ydata(), dtype=np.float64)
        # Vertical lines have the axes' own height.
        if line.get_transform() == axes.transData:
            drawn = np.log(drawn) if is_log else drawn
            low, high = min(low, float(drawn.min())), max(high, float(drawn.max()))
    if float(np.ptp(scaled)) <= _MOST_ROOM * (high - low):
        return
    room = 0.05 * (high - low)
    low, high = max(low - room, float(scaled.min())), min(high + room, float(scaled.max()))
    under, over = int((scaled < low).sum()), int((scaled > high).sum())
    bounds = [
        f"{side} {end:,.4g}"
        for many, side, end in ((under, "down to", values.min()), (over, "up to", values.max()))
        if many
    ]
    natural = np.exp if is_log else float
    # A little room, so that what lies at the edge is not cut in half.
    axes.set_ylim(float(natural(low - 0.2 * room)), float(natural(high + 0.2 * room)))
    axes.annotate(
        f"{under + over:,} of {len(values):,} samples lie outside, {' and '.join(bounds)}",
        (1.0, 1.0),
        xycoords="axes fraction",
        xytext=(0, -2),
        textcoords="offset points",
        ha="right",
        va="top",
        color=DATA,
        fontsize="small",
        bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1.5},
        zorder=5,
    )


def _draw_bins(axes: Axes, phases: Floats, values: Floats, label: str | None) -> None:
    bins = (phases // _BIN_H).astype(np.int64)
    rows = [
        ((number + 0.5) * _BIN_H, *np.quantile(values[bins == number], (0.25, 0.5, 0.75)))
        for number in np.unique(bins)
    ]
    middle, low, median, high = np.array(rows).T
    axes.errorbar(
        middle,
        median,
        yerr=(median - low, high - median),
        fmt="s",
        color=MIDDLE,
        markersize=3,
        linewidth=1,
        label=label,
        zorder=2.5,
    )


def _draw_curve(axes: Axes, fit: Cosinor, is_log: bool) -> None:
    grid = np.linspace(0, fit.period, 481)
    natural = np.exp if is_log else np.asarray
    low, high = fit.band(grid)
    axes.fill_between(
        grid,
        natural(low),
        natural(high),
        color=CURVE,
        alpha=0.2,
        linewidth=0,
        label="90 % confidence band of the curve",
    )
    harmonics = "one harmonic" if fit.components == 1 else "two harmonics"
    axes.plot(grid, natural(fit.curve(grid)), color=CURVE, label=f"cosinor, {harmonics}", zorder=3)
    mesor = float(natural(np.float64(fit.coefficients[0])))
    axes.axhline(mesor, color=CURVE, linewidth=0.8, linestyle=(0, (5, 4)), label="mesor")
    if fit.peak is None or fit.peak_value is None:
        return
    top = float(natural(np.float64(fit.peak_value)))
    axes.axvline(fit.peak, color=PEAK, linewidth=0.8, linestyle=":")
    half = _half(fit, fit.peak_se)
    for turn in (-fit.period, 0.0, fit.period):
        # An interval that runs over midnight goes on at the other edge.
        axes.errorbar(
            fit.peak + turn,
            top,
            xerr=half,
            fmt="v",
            color=PEAK,
            markersize=8,
            capsize=4,
            zorder=4,
            label="peak" + (" and its 90 % interval" if half else "") if turn == 0 else None,
        )
    side = "left" if fit.peak < 0.15 * fit.period else "center"
    axes.annotate(
        _peak_label(fit),
        (fit.peak, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 5),
        textcoords="offset points",
        ha="right" if fit.peak > 0.85 * fit.period else side,
        color=PEAK,
        fontweight="bold",
    )


def _draw_residuals(
    axes: Axes, hours: Floats, values: Floats, fit: Cosinor, is_log: bool, unit: str
) -> None:
    """Differences from the curve, or on the log scale ratios, with their SD either way."""
    curve = fit.curve(hours)
    residuals = values / np.exp(curve) if is_log else values - curve
    zero = 1.0 if is_log else 0.0
    phases = hours % fit.period
    if len(values) > _CLOUD:
        _draw_bins(axes, phases, residuals, None)
    else:
        axes.vlines(phases, zero, residuals, color=DATA, linewidth=0.6, alpha=0.6)
        axes.plot(phases, residuals, "o", color=DATA, markersize=2.5, markeredgewidth=0)
    axes.axhline(zero, color=CURVE, linewidth=0.8)
    sd = fit.residual_sd or 0.0
    bounds = (math.exp(-sd), math.exp(sd)) if is_log else (-sd, sd)
    axes.axhspan(*bounds, color=CURVE, alpha=0.08, linewidth=0)
    if is_log:
        axes.set_yscale("log")
        widest = float(np.exp(np.abs(np.log(residuals)).max()))
        around = max((ratio for ratio in _RATIOS if ratio <= widest), default=_RATIOS[0])
        ticks = (1 / around, 1.0, around)
        axes.yaxis.set_major_locator(FixedLocator(ticks))
        axes.yaxis.set_major_formatter(FixedFormatter([f"{tick:.3g}" for tick in ticks]))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.set_ylabel("observed /\nfitted")
    else:
        axes.set_ylabel(f"residual\n({unit})")


def _figures(fit: Cosinor, unit: str, is_log: bool) -> str:
    """The figures that belong under such a picture, with their 90 % intervals."""
    if not fit.coefficients or fit.f is None or fit.p is None or fit.mesor is None:
        return fit.reason or ""
    natural = math.exp if is_log else float
    half = _half(fit, fit.mesor_se) or 0.0
    mesor = tuple(natural(fit.mesor + side * half) for side in (0, -1, 1))
    amplitude = fit.amplitude or 0.0
    half = _half(fit, fit.amplitude_se) or 0.0
    told = [
        f"mesor {_three(mesor[0])} ({_three(mesor[1])} to {_three(mesor[2])}) {unit}",
        f"amplitude {_three(amplitude)} ({_three(max(amplitude - half, 0.0))} to "
        f"{_three(amplitude + half)}) {'ln units' if is_log else unit}",
    ]
    if fit.acrophase is not None:
        told.append(f"acrophase {_around(fit, fit.acrophase, fit.acrophase_se)}")
    p = f"p = {fit.p:.2g}" if fit.p >= 0.001 else "p < 0.001"
    tests = (
        f"F({fit.df_model}, {fit.df_residual}) = {_three(fit.f)}, {p}, R² = {fit.r_squared:.3f}, "
        f"n = {fit.n:,}; 90 % intervals"
    )
    if fit.reason is not None:
        tests += f"\n{fit.reason}"
    return ", ".join(told) + f"\n{tests}"


def _peak_label(fit: Cosinor) -> str:
    if fit.peak is None:
        return ""
    return f"peak {_around(fit, fit.peak, fit.peak_se)}"


def _around(fit: Cosinor, hour: float, se: float | None) -> str:
    """A clock time with its 90 % interval, or as much of it as there is."""
    half = _half(fit, se)
    if half is None:
        return f"{clock(hour)}, uncertain"
    return f"{clock(hour)} ({clock(hour - half)} to {clock(hour + half)})"


def _three(value: float) -> str:
    """Three significant digits, and all of those before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:#.3g}"


def _half(fit: Cosinor, se: float | None) -> float | None:
    """Half-width of the 90 % interval of an estimate with this standard error."""
    if se is None or fit.df_residual is None:
        return None
    return float(stdtrit(fit.df_residual, 0.95)) * se
