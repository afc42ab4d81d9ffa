"""What all pictures share: colours, the logarithmic axis, and how they reach a file.

Colours are of the Okabe-Ito palette, which colour-blind people can tell apart; red and yellow
are kept for alarms.
"""

from __future__ import annotations

import math
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from schemas.errors import OutputFileError

CURVE = "#0072B2"
DATA = "#555555"
PEAK = "#009E73"
MIDDLE = "#D55E00"


def label_log_axis(axes: Axes) -> None:
    """As many plain numbers as there is room for: 1 to 9, 1-2-5, or decades alone."""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    decades = math.log10(high / low)
    steps: tuple[float, ...] = (1.0, 2.0, 5.0) if decades < 3 else (1.0,)
    if decades < 0.9:
        steps = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)
    axes.yaxis.set_major_locator(LogLocator(subs=steps, numticks=30))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def save(figure: Figure, path: Path) -> None:
    """Write a picture; the file's ending chooses the format. Raises OutputFileError."""
    try:
        # Text stays text, so that a journal's typesetter can change it.
        with rc_context({"svg.fonttype": "none", "pdf.fonttype": 42}):
            figure.savefig(path)
    except (OSError, ValueError) as error:
        raise OutputFileError(f"the picture {path} cannot be written: {error}") from error
