"""The picture of a recording: curve and clock dial side by side, below them the actogram."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from matplotlib.figure import Figure

from acrophase.fit_markers import FitMarker
from acrophase.plots.actogram import actogram_height, draw_actogram
from acrophase.plots.clock_dial import draw_dial
from acrophase.plots.cosinor import draw_curve
from acrophase.plots.picture import save
from processors.rhythm.clock_bins import Bins
from processors.rhythm.cosinor import Cosinor
from processors.rhythm.samples import Floats

_CURVE_W, _DIAL_W, _CURVE_H = 8.0, 3.6, 6.0


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
    days: Bins | None,
    midnight: date,
    markers: Sequence[FitMarker],
) -> None:
    """Write the picture; the file's ending chooses the format. Raises OutputFileError.

    `days`: the means of an actogram, counted from `midnight`, and `markers` its figures; the rest
    as `cosinor.draw_curve`. Without a fit there is no dial.
    """
    width = _CURVE_W + (_DIAL_W if fit.coefficients else 0.0)
    rows = [_CURVE_H] if days is None else [_CURVE_H, actogram_height(days)]
    figure = Figure(figsize=(width, sum(rows)), dpi=150, layout="constrained")
    parts = figure.subfigures(len(rows), 1, squeeze=False, height_ratios=rows)[:, 0]
    beside = parts[0]
    if fit.coefficients:
        widths = (_CURVE_W, _DIAL_W)
        beside, dial = beside.subfigures(1, 2, squeeze=False, width_ratios=widths)[0]
        draw_dial(dial, fit, "ln units" if is_log else unit)
    draw_curve(beside, axis=axis, unit=unit, hours=hours, values=values, fit=fit, is_log=is_log)
    if days is not None:
        draw_actogram(parts[1], days, midnight, axis, markers)
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    save(figure, path)
