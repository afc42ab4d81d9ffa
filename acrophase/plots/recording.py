"""The picture of a recording: melatonin profiles, curve beside clock dial, actogram."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from matplotlib.figure import Figure

from acrophase.fit_markers import FitMarker, Night
from acrophase.free_running import FreeRunning
from acrophase.person import HourlyReference
from acrophase.plots.actogram import actogram_height, draw_actogram
from acrophase.plots.clock_dial import draw_dial
from acrophase.plots.cosinor import draw_curve
from acrophase.plots.melatonin import draw_nights, nights_height
from acrophase.plots.periodogram import draw_periodogram
from acrophase.plots.picture import save
from processors.rhythm.clock_bins import Bins
from processors.rhythm.cosinor import Cosinor
from processors.rhythm.free_period import Periodogram
from processors.rhythm.samples import Floats

_CURVE_W, _DIAL_W, _CURVE_H = 8.0, 3.6, 6.0
_PERIODS_H = 3.2


def draw_recording(
    path: Path,
    *,
    title: str,
    axis: str,
    unit: str,
    hours: Floats,
    values: Floats,
    fit: Cosinor,
    is_log: bool,
    reference: HourlyReference | None,
    period: FreeRunning | None,
    periodogram: Periodogram | str,
    days: Bins | None,
    midnight: date,
    markers: Sequence[FitMarker],
    nights: Sequence[Night],
) -> None:
    """Write the picture; the file's ending chooses the format. Raises OutputFileError.

    `period`: of a clock that runs free, whose `periodogram` is then shown; `days`: the means of an
    actogram, counted from `midnight`, and `markers` its figures; `nights`: melatonin profiles; the
    rest as `cosinor.draw_curve`. Without a fit there is no dial, and of melatonin no curve either:
    an evening is a profile and no rhythm.
    """
    heights = []
    if nights:
        heights.append(nights_height(nights))
    if fit.coefficients or not nights:
        heights.append(_CURVE_H)
    free = period is not None and period.status == "measured"
    if free:
        heights.append(_PERIODS_H)
    if days is not None:
        heights.append(actogram_height(days))
    width = _CURVE_W + (_DIAL_W if fit.coefficients else 0.0)
    figure = Figure(figsize=(width, sum(heights)), dpi=150, layout="constrained")
    parts = iter(figure.subfigures(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0])
    if nights:
        draw_nights(next(parts), axis, nights)
    if fit.coefficients or not nights:
        beside = next(parts)
        if fit.coefficients:
            widths = (_CURVE_W, _DIAL_W)
            beside, dial = beside.subfigures(1, 2, squeeze=False, width_ratios=widths)[0]
            draw_dial(dial, fit, "ln units" if is_log else unit)
        draw_curve(
            beside,
            axis=axis,
            unit=unit,
            hours=hours,
            values=values,
            fit=fit,
            is_log=is_log,
            reference=reference,
        )
    if period is not None and free and not isinstance(periodogram, str):
        draw_periodogram(next(parts), periodogram, period)
    if days is not None:
        draw_actogram(next(parts), days, midnight, axis, markers)
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    save(figure, path)
