"""The hockey-stick fit of an evening's melatonin: where the flat base turns into the rise.

A line up to the knee, from there a line (two samples) or a parabola (three and more) that rises to
its last sample, through one point in common, the knee; least squares over all samples together.
Which samples are base, rise and neither follows rules on slopes and the threshold; the knee is
searched on a grid of whole minutes and of levels, and every cell of it is solved exactly:
given the knee, base slope and parabola are least squares under a few linear limits.

Source: Danilenko, Verevkin, Antyufeev, Wirz-Justice & Cajochen, The hockey-stick method to estimate
evening dim light melatonin onset (DLMO) in humans, Chronobiol Int 31 (2014) 349-355, in the
form that the package dlmoR gives it: limits of the base's slope and ends, of the parabola's
slopes, of the search, and the truncation of the rise. Its simulated annealing for the smallest
parallelogram is exact here, and its optimiser for each parabola is the solution itself.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from processors.rhythm.samples import Floats

# A crossing of the threshold after which the level falls below it again within so many hours is
# not the night's rise: the later one wins.
LATER_WINS_H = 2.0
# Steepest base: 0.2 pg/mL per hour at a threshold of 2.3 pg/mL.
_BASE_SLOPE = 0.2 / 2.3
_LEVELS = 300  # of the threshold: 0.01 pg/mL at 3 pg/mL
_MINUTE = 1.0 / 60.0
# The draws for the knee's error, and the grid on which they are fitted: on one of whole minutes and
# 40 levels, with fifteen times the work, the error is within 4 % of this one (simulated).
_SEED = 2014
_DRAWS = 64
_COARSE_KNEES, _COARSE_LEVELS = 20, 8
# Draws or knees solved at once: arrays that stay in the processor's cache take a third of the time.
_BLOCK = 32
# Errors of the times also decide which samples are base and which rise, which draws about one
# fitted curve do not repeat. Taken a fifth larger, intervals hold as promised (simulated).
_TIMES = 1.2


class Rise(NamedTuple):
    """Which samples of a profile (n) are what, as indices."""

    first: int
    """First of the base."""
    base: int
    """Last of the base."""
    rise: int
    """First of the rise."""
    crossing: int
    """First at or above the threshold."""
    last: int
    """Last of the steady part of the rise."""
    end: int
    """First below the threshold again; n if there is none."""


class HockeyStick(NamedTuple):
    """The best knee, the curve through it, and the knees among which it was searched."""

    hour: float
    level: float
    base_slope: float
    rise_slope: float
    bend: float
    """The rise is level + rise_slope u + bend u², u hours after the knee."""
    squares: float
    """Sum of squared residuals."""
    hours: Floats
    """(x): the knees of the grid."""

    def curve(self, hours: Floats) -> Floats:
        """The fitted curve."""
        u = hours - self.hour
        rise = self.rise_slope * u + self.bend * u * u
        return np.asarray(self.level + np.where(u <= 0.0, self.base_slope * u, rise))


def find_rise(hours: Floats, values: Floats, threshold: float) -> Rise | str:
    """The night's rise in a profile, or in a sentence why there is none.

    hours, values: (n), hours ascending. A single sample above the threshold is a blip and no rise.
    """
    above = values >= threshold
    if not above.any():
        return "The level never rises to the threshold."
    if above.all():
        return "The level is above the threshold from the first sample on."
    crossings = np.flatnonzero(above[1:] & ~above[:-1]) + 1
    for crossing in crossings.tolist():
        falls = np.flatnonzero(~above[crossing:])
        end = crossing + int(falls[0]) if falls.size else values.size
        lasts = hours[end] - hours[crossing] > LATER_WINS_H if falls.size else True
        if lasts and end - crossing > 1:
            break
    else:
        if not crossings.size:
            return "The level falls from above the threshold and does not rise again."
        return "No rise above the threshold lasts: single samples above it are no onset."
    low = np.flatnonzero(~above[:crossing])
    first = int(low[0])
    # The base ends with the last sample before the crossing that is not above the one before it.
    steps = np.diff(values[first:crossing])
    falls = np.flatnonzero(steps <= 0.0)
    base = first + int(falls[-1]) + 1 if falls.size else first
    # Samples between base and crossing belong to the rise if they already climb half as fast.
    slopes = np.diff(values) / np.diff(hours)
    rise = crossing
    while rise - 1 > base and slopes[rise - 2] >= slopes[crossing - 1] / 2.0:
        rise -= 1
    return Rise(first, base, rise, crossing, _last(hours, values, slopes, rise, end - 1), end)


def _last(hours: Floats, values: Floats, slopes: Floats, rise: int, last: int) -> int:
    """Where the steady part of a rise ends: later samples that level off do not count."""
    while last > rise and (
        slopes[last - 1] <= 0.0
        or _too_wide(hours[rise - 1 : last + 1], values[rise - 1 : last + 1])
    ):
        last -= 1
    while last > rise and slopes[last - 1] < slopes[rise - 1 : last].max() / 2.0:
        last -= 1
    return last


def _too_wide(x: Floats, y: Floats) -> bool:
    """Whether the smallest parallelogram about a rise is too wide for its lean.

    It has horizontal sides at the lowest and highest sample, and leans to the right by k for each
    unit of height. The slope of its long diagonal must be half that of its short one, which means
    that it leans three times as far as it is wide. Its width, a convex polygon in k, is smallest
    where two samples change places.
    """
    x, y = x - x[0], y - y.min()
    height = float(y.max())
    if height == 0.0:
        return True
    i, j = np.triu_indices(x.size, 1)
    apart = y[j] != y[i]
    leans = np.append((x[j] - x[i])[apart] / (y[j] - y[i])[apart], 0.0)
    leans = leans[leans >= 0.0]
    across = x - leans[:, None] * y
    widths = across.max(axis=1) - across.min(axis=1)
    best = int(widths.argmin())
    return bool(leans[best] * height < 3.0 * widths[best])


def region(hours: Floats, rise: Rise) -> tuple[float, float]:
    """Between which hours the knee is searched.

    From the middle of the last two base samples, or, with samples between base and rise, from a
    tenth into the interval after the base, to 95 % of the interval before the rise.
    """
    before, after = float(hours[rise.rise - 1]), float(hours[rise.rise])
    end = before + 0.95 * (after - before)
    last = float(hours[rise.base])
    if rise.rise - 1 > rise.base:
        return last + 0.1 * (float(hours[rise.base + 1]) - last), end
    if rise.base > rise.first:
        return (float(hours[rise.base - 1]) + last) / 2.0, end
    return last + 0.05 * (after - last), end


def grid(hours: Floats, values: Floats, threshold: float, rise: Rise) -> tuple[Floats, Floats]:
    """The knees (x), whole minutes, and the levels (y) of the search."""
    begin, end = region(hours, rise)
    whole = np.arange(math.ceil(begin / _MINUTE - 1e-6), math.floor(end / _MINUTE + 1e-6) + 1)
    knees = whole * _MINUTE if whole.size else np.array([(begin + end) / 2.0])
    lowest = float(values.min())
    levels = lowest + np.arange(int((threshold - lowest) * _LEVELS / threshold + 1e-9) + 1) * (
        threshold / _LEVELS
    )
    return np.asarray(knees, dtype=np.float64), np.asarray(levels, dtype=np.float64)


def fit(hours: Floats, values: Floats, threshold: float, rise: Rise) -> HockeyStick:
    """The best hockey stick on the grid.

    hours, values: the whole profile (n); `rise`: as `find_rise` tells.
    """
    knees, levels = grid(hours, values, threshold, rise)
    t, y = hours[rise.first : rise.last + 1], values[rise.first : rise.last + 1]
    blocks = [
        cells(t, y, threshold, knees[begin : begin + _BLOCK], levels)
        for begin in range(0, knees.size, _BLOCK)
    ]
    squares, base_slope, rise_slope, bend = map(np.concatenate, zip(*blocks, strict=True))
    at = int(squares.argmin())
    x, level = divmod(at, levels.size)
    return HockeyStick(
        float(knees[x]),
        float(levels[level]),
        float(base_slope.flat[at]),
        float(rise_slope.flat[at]),
        float(bend.flat[at]),
        float(squares.flat[at]),
        knees,
    )


def knee_sd(
    hours: Floats,
    found: HockeyStick,
    threshold: float,
    rise: Rise,
    levels: Floats,
    sd: Floats,
    timing_sd_h: float,
) -> float:
    """Standard deviation (h) of the knee under the errors of the samples and of their times.

    `sd` (n): of each value; `timing_sd_h`: of every time. Profiles are drawn about the fitted curve
    and fitted again, on a coarser grid; the draws are always the same ones, so that results
    repeat. A minute is the least that the grid can tell.
    """
    part = slice(rise.first, rise.last + 1)
    t = hours[part]
    noise, late = np.random.default_rng(_SEED).standard_normal((2, _DRAWS, t.size))
    # Levels below anything an assay shows would pull the base down.
    drawn = np.maximum(
        found.curve(t + _TIMES * timing_sd_h * late) + sd[part] * noise, threshold * 1e-3
    )
    knees = found.hours[:: max(found.hours.size // _COARSE_KNEES, 1)]
    coarse = np.linspace(levels[0], levels[-1], _COARSE_LEVELS)
    best = np.empty(_DRAWS)
    for begin in range(0, _DRAWS, _BLOCK):
        block = slice(begin, begin + _BLOCK)
        squares = cells(t, drawn[block], threshold, knees, coarse)[0].min(axis=2)
        best[block] = knees[squares.argmin(axis=1)]
    return max(float(best.std()), _MINUTE)


def cells(
    t: Floats, y: Floats, threshold: float, knees: Floats, levels: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Every cell of the grid solved: sum of squares, base slope, rise slope, bend; (*, x, l) each.

    t (n): the samples that count; y (n) or (*, n): their values, of one profile or of several.
    With u and v hours and level from the knee:

    - base, v = m u: |m| limited, and its left end within [0, threshold];
    - rise, v = b u + a u²: b at least half the slope of a line through the knee (and so above 0),
      b + 2 a u at the last sample not below 0; with one or two samples v = b u.
    """
    u = t - knees[:, None]
    is_base = u <= 0.0
    left, right = np.where(is_base, u, 0.0), np.where(is_base, 0.0, u)
    last = u[:, -1:]

    def of(weights: Floats) -> Floats:
        """Sums of weights (x, n) times v: v = y - level is linear in the level."""
        return np.asarray((y @ weights.T)[..., None] - weights.sum(axis=1)[:, None] * levels)

    def square(mask: Floats) -> Floats:
        """Sums of v² over a mask (x, n)."""
        squares = (y * y @ mask.T)[..., None] - 2.0 * (y @ mask.T)[..., None] * levels
        return np.asarray(squares + mask.sum(axis=1)[:, None] * levels**2)

    base_uu = (left**2).sum(axis=1)[:, None]
    base_uv = of(left)
    reach = np.maximum(-left[:, :1], 1e-12)
    steepest = _BASE_SLOPE * threshold
    m = np.clip(
        base_uv / np.maximum(base_uu, 1e-300),
        np.maximum(-steepest, (levels - threshold) / reach),
        np.minimum(steepest, levels / reach),
    )
    squares = square(is_base.astype(np.float64)) + m * (m * base_uu - 2.0 * base_uv)

    s2, s3, s4 = ((right**k).sum(axis=1)[:, None] for k in (2, 3, 4))
    uv, uuv = of(right), of(right**2)

    def cost(b: Floats, a: Floats) -> Floats:
        return np.asarray(b * (b * s2 - 2.0 * uv) + a * (a * s4 - 2.0 * uuv + 2.0 * b * s3))

    line = uv / s2
    least = np.maximum(line, 0.0) / 2.0
    free = np.maximum(s2 * s4 - s3 * s3, 1e-300)
    free_b, free_a = (uv * s4 - uuv * s3) / free, (uuv * s2 - uv * s3) / free
    # Along either limit: as flat as allowed at the knee, or flat at the last sample.
    edge_a = np.maximum((uuv - least * s3) / s4, -least / (2.0 * last))
    top_uu = s2 - s3 / last + s4 / (4.0 * last**2)
    top_b = np.maximum((uv - uuv / (2.0 * last)) / top_uu, least)
    top_a = -top_b / (2.0 * last)
    on_edge = cost(least, edge_a) <= cost(top_b, top_a)
    inside = (free_b >= least) & (free_b + 2.0 * free_a * last >= 0.0)
    bends = (~is_base).sum(axis=1)[:, None] > 2
    b = np.where(bends, np.where(inside, free_b, np.where(on_edge, least, top_b)), line)
    a = np.where(bends, np.where(inside, free_a, np.where(on_edge, edge_a, top_a)), 0.0)
    squares = squares + square((~is_base).astype(np.float64)) + cost(b, a)
    return np.maximum(squares, 0.0), m, b, a
