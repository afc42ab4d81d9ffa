"""The least-squares cosinors of many series at once: the same fits as `cosinor`, compiled.

`cosinor.fit_cosinor` is for one recording and for papers; this is for ten thousand people, and for
the stream. Model, statistics and refusals are those of `cosinor` (sources there), in columns. One
series after another: samples are checked, their rows' products summed, the normal equations
solved by Cholesky's method and, where clock times lie close, the solution mended once by its own
residuals, which gives back the digits that the products lose. The zero-amplitude F has an even
numerator, and so a closed tail.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from processors.compiled import compiled
from processors.rhythm.cosinor import (
    ALPHA,
    LEAST_CYCLE,
    LEAST_SINGULAR,
    LEAST_SPAN,
    LEAST_SWING,
    MOST_HOURS,
    MOST_VALUE,
    SAME_PHASE,
    FitStatus,
)
from processors.rhythm.turn import turn
from processors.rhythm.waveform import Floats

Integers = NDArray[np.int64]

# What a series' status code means; the first two have a fit.
_STATUSES = (
    FitStatus.FITTED,
    FitStatus.NO_RHYTHM,
    FitStatus.NOT_FINITE,
    FitStatus.TOO_FEW,
    FitStatus.SHORT_SPAN,
    FitStatus.SAME_TIMES,
    FitStatus.CONSTANT,
)
_FITTED, _NO_RHYTHM, _NOT_FINITE, _TOO_FEW, _SHORT_SPAN, _SAME_TIMES, _CONSTANT = range(7)

# Columns of a fit's statistics.
_N, _DF, _MESOR_SE, _AMPLITUDE, _AMPLITUDE_SE, _ACROPHASE, _ACROPHASE_SE = range(7)
_F, _P, _R_SQUARED, _RESIDUAL_SD = range(7, 11)
_STATISTICS = 11

# The widest gap between clock times matters from half a cycle on; from the width of one of these
# arcs on it is found exactly without sorting them.
_ARCS = 64
_KEYS = 1.0 / SAME_PHASE
# Below this share the smallest pivot has lost so many digits that a solution needs mending.
_MEND = 1e-4
_EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class Fits:
    """Columns of fits. Only series that carried one have a row; `series` tells which.

    What is absent is not in the columns, so that no number stands for it.
    """

    status_codes: Integers
    """(k): of every series; see `status`."""
    series: Integers
    """(m): the series that have a fit, ascending."""
    coefficients: Floats
    """(m, 2 components + 1): M, beta_1, gamma_1[, beta_2, gamma_2], value unit."""
    covariance: Floats
    """(m, 2 components + 1, 2 components + 1), value unit squared."""
    statistics: Floats
    """(m, 11); the properties name them."""

    def status(self, series: int) -> FitStatus:
        """Whether that series carried a fit; if not, `fit_cosinor` tells why in a sentence."""
        return _STATUSES[self.status_codes[series]]

    @property
    def rhythmic(self) -> NDArray[np.bool_]:
        """(m): the joint 95 % region of the first harmonic is clear of zero."""
        return np.asarray(self.status_codes[self.series] == _FITTED)

    @property
    def n(self) -> Floats:
        """(m): samples."""
        return self.statistics[:, _N]

    @property
    def df_residual(self) -> Floats:
        """(m): n - 2 components - 1."""
        return self.statistics[:, _DF]

    @property
    def mesor(self) -> Floats:
        """(m), value unit."""
        return self.coefficients[:, 0]

    @property
    def mesor_se(self) -> Floats:
        """(m), value unit."""
        return self.statistics[:, _MESOR_SE]

    @property
    def amplitude(self) -> Floats:
        """(m): of the first harmonic, value unit."""
        return self.statistics[:, _AMPLITUDE]

    @property
    def amplitude_se(self) -> Floats:
        """(m), value unit."""
        return self.statistics[:, _AMPLITUDE_SE]

    @property
    def acrophase(self) -> Floats:
        """(rhythmic ones): peak of the first harmonic, hours [0, period)."""
        return np.asarray(self.statistics[self.rhythmic, _ACROPHASE])

    @property
    def acrophase_se(self) -> Floats:
        """(rhythmic ones), hours."""
        return np.asarray(self.statistics[self.rhythmic, _ACROPHASE_SE])

    @property
    def f(self) -> Floats:
        """(m): of the zero-amplitude test of all harmonics together."""
        return self.statistics[:, _F]

    @property
    def p(self) -> Floats:
        """(m): probability of such an F without rhythm."""
        return self.statistics[:, _P]

    @property
    def r_squared(self) -> Floats:
        """(m): share 0..1 of the variance explained."""
        return self.statistics[:, _R_SQUARED]

    @property
    def residual_sd(self) -> Floats:
        """(m): on `df_residual`, value unit."""
        return self.statistics[:, _RESIDUAL_SD]


def fit_many(
    hours: ArrayLike,
    values: ArrayLike,
    lengths: ArrayLike,
    *,
    period: float = 24.0,
    components: Literal[1, 2] = 1,
) -> Fits:
    """Fit a cosinor to each of k series.

    `hours` and `values`, shape (N,): the samples of all series, one series after another, as
    `fit_cosinor` takes them. `lengths`, shape (k,): how many samples each series has; their sum
    is N. Raises ``ValueError`` for other shapes, a period that is not positive and another number
    of components.

    >>> hours = np.tile(np.arange(0, 24, 2.0), 2)
    >>> peaks = np.repeat([8.0, 20.0], 12)
    >>> fits = fit_many(hours, 5 + np.cos(2 * np.pi * (hours - peaks) / 24), [12, 12])
    >>> fits.acrophase.round(6).tolist()
    [8.0, 20.0]
    """
    t = np.ascontiguousarray(hours, dtype=np.float64)
    y = np.ascontiguousarray(values, dtype=np.float64)
    sizes = np.ascontiguousarray(lengths, dtype=np.int64)
    if t.ndim != 1 or t.shape != y.shape or sizes.ndim != 1:
        raise ValueError(
            "hours, values and lengths must be columns, the first two of one length, not "
            f"{t.shape}, {y.shape}, {sizes.shape}"
        )
    if not (math.isfinite(period) and period > 0):
        raise ValueError(f"the period must be a positive number of hours, not {period}")
    if components not in (1, 2):
        raise ValueError(f"components must be 1 or 2, not {components}")
    k, p = sizes.size, 2 * components + 1
    codes, series = np.empty(k, np.int64), np.empty(k, np.int64)
    coefficients, covariance = np.empty((k, p)), np.empty((k, p, p))
    statistics = np.empty((k, _STATISTICS))
    m = _fit_all(
        t, y, sizes, period, components, codes, series, coefficients, covariance, statistics
    )
    if m < 0:
        raise ValueError(f"lengths must be 0 or more and sum to the {t.size} samples")
    return Fits(codes, series[:m], coefficients[:m], covariance[:m], statistics[:m])


@compiled
def _fit_all(
    hours: Floats,
    values: Floats,
    lengths: Integers,
    period: float,
    components: int,
    codes: Integers,
    series: Integers,
    coefficients: Floats,
    covariance: Floats,
    statistics: Floats,
) -> int:
    """Fit every series; the number of rows filled, or -1 if the lengths do not fit the samples."""
    longest = 0
    total = 0
    for n in lengths:
        if n < 0:
            return -1
        total += n
        longest = max(longest, n)
    if total != hours.size:
        return -1
    rows = np.empty((longest, 2 * components + 1))
    phases = np.empty(longest)
    begin = 0
    m = 0
    for k in range(lengths.size):
        end = begin + lengths[k]
        code = _check(hours[begin:end], values[begin:end], period, components, phases)
        if code == _FITTED:
            code = _fit(
                phases[: end - begin],
                values[begin:end],
                period,
                components,
                rows,
                coefficients[m],
                covariance[m],
                statistics[m],
            )
        codes[k] = code
        if code <= _NO_RHYTHM:
            series[m] = k
            m += 1
        begin = end
    return m


@compiled
def _check(t: Floats, y: Floats, period: float, components: int, phases: Floats) -> int:
    """`cosinor._trouble` as a code, in the same order, without sorting; fills phases, [0, 1]."""
    n = t.size
    for i in range(n):
        # Comparisons with NaN are false.
        if not (abs(t[i]) <= MOST_HOURS and abs(y[i]) <= MOST_VALUE):
            return _NOT_FINITE
    if n < 2 * components + 2:
        return _TOO_FEW
    needed = 2 * components + 1
    different = np.empty(needed)
    found = 0
    first = np.full(_ARCS, 2.0)
    last = np.full(_ARCS, -1.0)
    earliest = latest = t[0]
    lowest = highest = y[0]
    for i in range(n):
        phase = t[i] / period
        phase -= math.floor(phase)
        phases[i] = phase
        key = np.rint(phase * _KEYS)
        if key >= _KEYS:
            key = 0.0
        if found < needed:
            is_new = True
            for j in range(found):
                is_new = is_new and different[j] != key
            if is_new:
                different[found] = key
                found += 1
        place = key * SAME_PHASE
        arc = int(place * _ARCS)
        first[arc] = min(first[arc], place)
        last[arc] = max(last[arc], place)
        earliest, latest = min(earliest, t[i]), max(latest, t[i])
        lowest, highest = min(lowest, y[i]), max(highest, y[i])
    if found < needed:
        return _SAME_TIMES
    if latest - earliest < LEAST_SPAN * period:
        return _SHORT_SPAN
    widest = 0.0
    before = -1.0
    start = 0.0
    for arc in range(_ARCS):
        if last[arc] >= 0.0:
            if before < 0.0:
                start = first[arc]
            else:
                widest = max(widest, first[arc] - before)
            before = last[arc]
    if 1.0 - max(widest, start + 1.0 - before) < LEAST_CYCLE:
        return _SHORT_SPAN
    most = max(abs(lowest), abs(highest))
    if highest - lowest <= max(8.0 * _EPSILON * most, LEAST_SWING):
        return _CONSTANT
    return _FITTED


@compiled
def _fit(
    phases: Floats,
    y: Floats,
    period: float,
    components: int,
    rows: Floats,
    theta: Floats,
    covariance: Floats,
    out: Floats,
) -> int:
    """One series that `_check` has let pass; fills theta, covariance and out."""
    n = y.size
    p = 2 * components + 1
    centre = most = 0.0
    for i in range(n):
        centre += y[i]
        most = max(most, abs(y[i]))
    centre /= n
    total = cos = sin = cos_cos = cos_sin = cos_d = sin_d = 0.0
    for i in range(n):
        c, s = turn(phases[i])
        d = y[i] - centre
        rows[i, 1], rows[i, 2] = c, s
        total += d * d
        cos += c
        sin += s
        cos_cos += c * c
        cos_sin += c * s
        cos_d += c * d
        sin_d += s * d
    products, right = np.zeros((p, p)), np.zeros(p)
    products[0, 0], products[1, 0], products[2, 0] = n, cos, sin
    products[1, 1], products[2, 1], products[2, 2] = cos_cos, cos_sin, n - cos_cos
    right[1], right[2] = cos_d, sin_d
    if components == 2:
        for i in range(n):
            c, s, d = rows[i, 1], rows[i, 2], y[i] - centre
            rows[i, 0], rows[i, 3], rows[i, 4] = 1.0, (c - s) * (c + s), 2.0 * s * c
            for a in (3, 4):
                right[a] += rows[i, a] * d
                for b in range(a + 1):
                    products[a, b] += rows[i, a] * rows[i, b]

    lower = np.zeros((p, p))
    conditioning = _cholesky(products, lower)
    if conditioning == 0.0:
        return _SAME_TIMES
    _solve(lower, right, theta)
    if conditioning < _MEND:
        _residuals(rows, y, centre, theta, right)
        _solve(lower, right, right)
        theta += right
    residual = _residuals(rows, y, centre, theta, right)
    theta[0] += centre

    df_model, df = 2.0 * components, float(n - p)
    rss = max(residual, n * (_EPSILON * most) ** 2)
    mss = max(total - rss, 0.0)
    variance = rss / df
    unit = np.zeros(p)
    for a in range(p):
        unit[:] = 0.0
        unit[a] = 1.0
        _solve(lower, unit, unit)
        for b in range(p):
            covariance[a, b] = unit[b]  # of unit residual variance, for now
    beta, gamma = theta[1], theta[2]
    v_bb, v_bg, v_gg = covariance[1, 1], covariance[1, 2], covariance[2, 2]
    first_f = (beta * beta * v_gg - 2.0 * beta * gamma * v_bg + gamma * gamma * v_bb) / variance
    first_f /= 2.0 * (v_bb * v_gg - v_bg * v_bg)
    amplitude = math.hypot(beta, gamma)
    if amplitude > 0.0:
        u, v = beta / amplitude, gamma / amplitude
        along = u * u * v_bb + 2.0 * u * v * v_bg + v * v * v_gg
        across = v * v * v_bb - 2.0 * u * v * v_bg + u * u * v_gg
        out[_ACROPHASE_SE] = math.sqrt(max(across * variance, 0.0)) / amplitude
    else:
        along = (v_bb + v_gg) / 2.0 + math.hypot((v_bb - v_gg) / 2.0, v_bg)
        out[_ACROPHASE_SE] = 0.0  # never seen: such a fit has no rhythm
    hours_per_radian = period / (2.0 * math.pi)
    out[_ACROPHASE_SE] *= hours_per_radian
    hour = (math.atan2(gamma, beta) * hours_per_radian) % period
    out[_ACROPHASE] = hour if hour < period else 0.0
    for a in range(p):
        for b in range(p):
            covariance[a, b] *= variance
    out[_N], out[_DF] = n, df
    out[_MESOR_SE] = math.sqrt(covariance[0, 0])
    out[_AMPLITUDE] = amplitude
    out[_AMPLITUDE_SE] = math.sqrt(max(along * variance, 0.0))
    out[_F] = mss / df_model / variance
    out[_P] = _tail(out[_F], components, df)
    out[_R_SQUARED] = mss / (mss + rss)
    out[_RESIDUAL_SD] = math.sqrt(variance)
    return _FITTED if _tail(first_f, 1, df) < ALPHA else _NO_RHYTHM


@compiled
def _residuals(rows: Floats, y: Floats, centre: float, theta: Floats, right: Floats) -> float:
    """The residual sum of squares; fills right with the rows' products with the residuals."""
    square = first = second = third = fourth = fifth = 0.0
    for i in range(y.size):
        e = y[i] - centre - theta[0] - rows[i, 1] * theta[1] - rows[i, 2] * theta[2]
        if theta.size == 5:
            e -= rows[i, 3] * theta[3] + rows[i, 4] * theta[4]
            fourth += rows[i, 3] * e
            fifth += rows[i, 4] * e
        square += e * e
        first += e
        second += rows[i, 1] * e
        third += rows[i, 2] * e
    right[0], right[1], right[2] = first, second, third
    if theta.size == 5:
        right[3], right[4] = fourth, fifth
    return square


@compiled
def _cholesky(products: Floats, lower: Floats) -> float:
    """Factor the rows' products. The smallest pivot's share of the largest; 0 if singular."""
    p = len(products)
    least, most = 1e300, 0.0
    for a in range(p):
        for b in range(a + 1):
            rest = products[a, b]
            for j in range(b):
                rest -= lower[a, j] * lower[b, j]
            if a > b:
                lower[a, b] = rest / lower[b, b]
            elif rest <= 0.0:
                return 0.0
            else:
                least, most = min(least, rest), max(most, rest)
                lower[a, a] = math.sqrt(rest)
    # Eigenvalues are squares of singular values. The smallest pivot bounds them from above only,
    # but with five rows never by a factor of ten thousand.
    if least < 1e4 * LEAST_SINGULAR**2 * most:
        eigenvalues = np.linalg.eigvalsh(products)
        if eigenvalues[0] < LEAST_SINGULAR**2 * eigenvalues[-1]:
            return 0.0
    return least / most


@compiled
def _solve(lower: Floats, right: Floats, out: Floats) -> None:
    """out = (L L')^-1 right; `out` may be `right`."""
    p = len(lower)
    for a in range(p):
        rest = right[a]
        for b in range(a):
            rest -= lower[a, b] * out[b]
        out[a] = rest / lower[a, a]
    for a in range(p - 1, -1, -1):
        rest = out[a]
        for b in range(a + 1, p):
            rest -= lower[b, a] * out[b]
        out[a] = rest / lower[a, a]


@compiled
def _tail(f: float, components: int, df: float) -> float:
    """P(F(2 components, df) > f): the incomplete beta function at an integer is a short sum.

    >>> round(_tail(4.1028, 1, 10.0), 4), round(_tail(3.4780, 2, 10.0), 4)
    (0.05, 0.05)
    """
    x = df / (df + 2.0 * components * f)
    tail = x ** (df / 2.0)
    if components == 2:
        tail *= 1.0 + df / 2.0 * (1.0 - x)
    return float(tail)
