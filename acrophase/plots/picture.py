"""What all pictures share: colours, the clock axis, and how they reach a file.

Colours are of the Okabe-Ito palette, which colour-blind people can tell apart; red and yellow
are kept for alarms.
"""

from __future__ import annotations

from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from schemas.errors import OutputFileError

CURVE = "#0072B2"
DATA = "#555555"
PEAK = "#009E73"
MIDDLE = "#D55E00"


def save(figure: Figure, path: Path) -> None:
    """Write a picture; the file's ending chooses the format. Raises OutputFileError."""
    try:
        # Text stays text, so that a journal's typesetter can change it.
        with rc_context({"svg.fonttype": "none", "pdf.fonttype": 42}):
            figure.savefig(path)
    except (OSError, ValueError) as error:
        raise OutputFileError(f"the picture {path} cannot be written: {error}") from error
