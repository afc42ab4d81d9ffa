"""The clock dial of a cosinor: amplitude and acrophase as a hand, with their confidence ellipse."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import FigureBase
from matplotlib.projections.polar import PolarAxes
from matplotlib.ticker import MaxNLocator

from acrophase.plots.picture import CURVE, DATA, PEAK
from acrophase.tables import clock
from processors.rhythm.cosinor import ALPHA, Cosinor
from processors.rhythm.cosinor_limits import joint_radius_squared


def draw_dial(figure: FigureBase, fit: Cosinor, unit: str) -> None:
    """Draw the first harmonic of a fit on a clock that begins at the top and runs as clocks do.

    `unit`: of what was fitted. The ellipse is the joint 95 % region of the harmonic's two
    coefficients (Nelson et al. 1979), by which the fit gives an acrophase or none.
    """
    axes = figure.add_subplot(projection="polar")
    assert isinstance(axes, PolarAxes)
    assert fit.df_residual is not None
    axes.set_theta_zero_location("N")
    axes.set_theta_direction(-1)
    theta = np.asarray(fit.coefficients)[1:3]
    covariance = np.asarray(fit.covariance)[1:3, 1:3]
    spread, turn = np.linalg.eigh(covariance)
    radius = np.sqrt(spread.clip(0.0) * joint_radius_squared(fit.df_residual, 1.0 - ALPHA))
    around = np.linspace(0.0, 2.0 * np.pi, 361)
    edge = theta[:, None] + turn @ (radius[:, None] * np.stack((np.cos(around), np.sin(around))))
    angles, lengths = np.unwrap(np.arctan2(edge[1], edge[0])), np.hypot(*edge)
    axes.fill(angles, lengths, color=CURVE, alpha=0.2, linewidth=0)
    axes.plot(
        angles,
        lengths,
        color=CURVE,
        linewidth=1,
        zorder=3,
        label=f"joint {1 - ALPHA:.0%} confidence ellipse".replace("%", " %"),
    )
    hand = float(np.arctan2(theta[1], theta[0]))
    axes.plot([hand, hand], [0.0, float(np.hypot(*theta))], color=PEAK, linewidth=2)
    axes.plot(
        hand,
        float(np.hypot(*theta)),
        "o",
        color=PEAK,
        markersize=4,
        zorder=2.5,
        label="amplitude and acrophase",
    )
    axes.plot(0.0, 0.0, "o", color=DATA, markersize=4, clip_on=False)
    rim = 1.12 * float(lengths.max())
    circles = np.asarray(MaxNLocator(4).tick_values(0.0, rim))
    axes.set_rticks(circles[(circles > 0.0) & (circles < rim)])
    axes.set_rlim(0.0, rim)
    ticks = np.arange(0.0, fit.period, fit.period / 8)
    axes.set_xticks(ticks / fit.period * 2.0 * np.pi, [clock(hour) for hour in ticks.tolist()])
    # Circles' labels where the hand is not.
    axes.set_rlabel_position(np.degrees(hand) + 180.0)
    axes.tick_params(axis="x", pad=7)
    axes.tick_params(axis="y", labelsize="x-small", labelcolor=DATA)
    title = f"{fit.period:g}-hour harmonic, amplitude in {unit}"
    if fit.acrophase is None:
        title += "\nthe ellipse holds the centre: no acrophase"
    axes.set_title(title, fontsize="small")
    figure.legend(loc="outside lower center", frameon=False, fontsize="small")
