"""The periodogram of a clock that does not run at 24 hours, with its period and the day."""

from __future__ import annotations

from matplotlib.figure import FigureBase
from matplotlib.ticker import MultipleLocator

from acrophase.free_running import FreeRunning
from acrophase.plots.picture import CURVE, DATA, PEAK
from processors.rhythm.free_period import Periodogram


def draw_periodogram(figure: FigureBase, found: Periodogram, told: FreeRunning) -> None:
    """Draw how much of the variance a rhythm of each period explains, and `told`'s period."""
    axes = figure.add_subplot()
    axes.plot(found.periods, 100.0 * found.shares, color=CURVE, linewidth=1.2)
    axes.axvline(24.0, color=DATA, linewidth=1.0, linestyle=(0, (5, 4)), label="24 hours")
    if told.period is not None and told.low is not None and told.high is not None:
        axes.axvspan(told.low, told.high, color=PEAK, alpha=0.25, linewidth=0)
        axes.axvline(
            told.period,
            color=PEAK,
            linewidth=1.2,
            label=f"{told.period:.2f} hours (90 % interval {told.low:.2f} to {told.high:.2f})",
        )
    axes.set_xlim(float(found.periods[0]), float(found.periods[-1]))
    axes.set_ylim(0.0, None)
    axes.xaxis.set_major_locator(MultipleLocator(1.0))
    axes.set_xlabel("period (hours)")
    axes.set_ylabel("variance explained (%)")
    axes.set_title(
        f"{told.sentence}\nLomb-Scargle periodogram; the 24-hour curve above is a smear of this.",
        loc="left",
        fontsize="small",
    )
    axes.legend(frameon=False, fontsize="small", loc="upper right")
    axes.spines[["top", "right"]].set_visible(False)
