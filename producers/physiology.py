"""Seeded synthetic people and their true rhythms.

A person is drawn from the catalogue's priors: the five coefficients of y(t) = [1, cos wt, sin wt,
cos 2wt, sin 2wt]·b (w = 2π/24 h, t = local clock hours; natural logarithms for analytes on the log
scale) scatter about the prior's mean with its SD. A chronotype shared by all of a person's rhythms
turns part of that scatter into a common phase.

What two harmonics cannot say comes on top: the awakening rise of cortisol, the flat day of
melatonin, sleep and exercise in heart rate, sleep in wrist temperature. Each of these shapes is
first made orthogonal to the two harmonics over the person's habitual day, so that the drawn
coefficients *are* the least-squares cosinor of the curve: the truth that an estimator must find.

Everything is a function of the seed: no clock, no I/O, no global random state.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from schemas.catalogue import Analyte

FloatArray = npt.NDArray[np.float64]

OMEGA = 2 * math.pi / 24.0

# Share of the between-person variance of a rhythm's phase that the chronotype explains (assumed).
_CHRONOTYPE_SHARE = 0.5
# Habitual wake time and sleep length of adults, hours: mid-sleep about 3-4 h with an SD of about
# an hour on work days (Roenneberg et al., J Biol Rhythms 2003;18:80-90), rounded.
_WAKE_HOUR, _WAKE_CHRONOTYPE_H, _WAKE_SD_H = 7.0, 0.7, 0.3
_SLEEP_H, _SLEEP_SD_H = 7.8, 0.5
WEEKEND_H = 0.6  # people sleep in (assumed)
WAKE_DAY_SD_H = 0.4  # from day to day (assumed)
PHASE_DAY_SD_H = 0.25  # of the rhythms themselves (assumed)
# Cortisol awakening response: about 50 % in 30 min, in about three people of four (Stalder et al.,
# Psychoneuroendocrinology 2016;63:414-432).
_RESPONDERS = 0.75
_AWAKENING_RISE = math.log(1.55)
_AWAKENING_RISE_SD = 0.15
# Parts of the within-person variance: one error shared by a day's readings, the rest wanders
# (design section 4 simulates 0.15 beside 0.35).
_DAY_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that goes wrong with a person or a device, planned and known.

    ``phase``: all that follows is `size` hours later; ``amplitude``: the curve's swing is
    multiplied by `size`; ``level``: the level is multiplied by `size` (log scale) or raised by it
    (linear scale, canonical unit); ``outlier``: one reading is, in the same way; ``silent``:
    nothing is measured, and `size` is 0; ``axis``: within four weeks a gland's product falls to
    `size` of what it was, and its controller rises against it. Without `analytes` it concerns all
    of them, and then a phase shift moves sleep as well. Instants are epoch seconds.
    """

    kind: Literal["phase", "amplitude", "level", "outlier", "silent", "axis"]
    onset: float
    size: float = 0.0
    analytes: tuple[str, ...] = ()
    end: float = math.inf

    def concerns(self, analyte: str) -> bool:
        """True if this trouble touches the analyte."""
        return not self.analytes or analyte in self.analytes

    def active(self, instants: FloatArray) -> npt.NDArray[np.bool_]:
        """At which of the instants it lasts."""
        return (instants >= self.onset) & (instants < self.end)


@dataclass(frozen=True, slots=True)
class Curve:
    """The true 24-hour curve of one analyte in one person, on the catalogue's scale.

    `coefficients` (5): the cosinor with two harmonics. `residual_sd` is the spread of single
    readings about the curve, assay error included; `day_sd` and `wander_sd` are parts of it.
    """

    analyte: str
    log: bool
    coefficients: FloatArray
    correction: FloatArray  # (5) what the shape's own projection takes away again
    sleep_step: float  # asleep against awake
    awakening_rise: float
    pulse_height: float  # of a nocturnal pulse over its flat base; 0 for all but melatonin
    activity: float  # scale of one bpm of activity; 0 for all but heart rate
    day_sd: float
    wander_sd: float
    wander_tau_s: float
    residual_sd: float

    @property
    def amplitudes(self) -> tuple[float, float]:
        """Amplitude of the first and of the second harmonic."""
        _, c1, s1, c2, s2 = self.coefficients
        return math.hypot(c1, s1), math.hypot(c2, s2)

    @property
    def peaks(self) -> tuple[float, float]:
        """Peak clock time of the two harmonics: hours [0, 24) and [0, 12)."""
        _, c1, s1, c2, s2 = self.coefficients
        first = math.atan2(s1, c1) / OMEGA
        return first % 24.0, math.atan2(s2, c2) / (2 * OMEGA) % 12.0


@dataclass(frozen=True, slots=True)
class Person:
    """Who a simulated person is, for good."""

    subject: str
    birth_year: int
    sex: Literal["female", "male"]
    chronotype: float  # standard normal; positive = late
    wake_hour: float  # habitual, work days, local clock
    sleep_h: float
    awakening_rise: float  # of log cortisol at its height, 0 in people without one
    curves: tuple[Curve, ...]

    def curve(self, analyte: str) -> Curve:
        """The curve of that analyte; ``KeyError`` if this person has none."""
        for curve in self.curves:
            if curve.analyte == analyte:
                return curve
        raise KeyError(analyte)


def basis(clock_hours: FloatArray) -> FloatArray:
    """The design matrix (n, 5) of a cosinor with 24- and 12-hour components."""
    angle = OMEGA * clock_hours
    columns = (np.ones_like(angle), np.cos(angle), np.sin(angle), np.cos(2 * angle))
    return np.stack((*columns, np.sin(2 * angle)), axis=-1)


def project(values: FloatArray) -> FloatArray:
    """Least-squares coefficients (5) of a curve given at equally spaced hours of one day (n).

    >>> project(basis(np.arange(0, 24, 0.5)) @ np.array([1.0, 2, 3, 4, 5])).round(9).tolist()
    [1.0, 2.0, 3.0, 4.0, 5.0]
    """
    hours = np.linspace(0.0, 24.0, values.size, endpoint=False)
    projected = basis(hours).T @ values * (2.0 / values.size)
    projected[0] /= 2.0
    return projected


def awakening(hours_since_waking: FloatArray) -> FloatArray:
    """Course of the awakening response: 0 for six minutes, 1 at half an hour, over after three.

    A gamma-shaped bump; its latency and height in time follow Stalder et al. 2016.
    """
    rise = np.clip((hours_since_waking - 0.1) / 0.4, 0.0, 12.0)
    return np.square(rise * np.exp(1.0 - rise))


def asleep(instants: FloatArray, sleeps: Sequence[tuple[float, float]], edge: float) -> FloatArray:
    """How much asleep, 0..1; instants, sleeps (onset, waking) and edge width in one unit."""
    depth = np.zeros_like(instants)
    for onset, waking in sleeps:
        depth += np.tanh((instants - onset) / edge) - np.tanh((instants - waking) / edge)
    return depth / 2.0


def nocturnal(clock_hours: FloatArray, peak: float) -> FloatArray:
    """A night-long pulse, 0 by day and 1 at its peak clock time, of a logarithm.

    A cosine cut off at its midline (the baseline-cosine family of Van Someren & Nagtegaal, Sleep
    Med 2007;8:590-601, with its cutoff at 0), flattened because a logarithm rises faster.
    """
    return np.maximum(np.cos(OMEGA * (clock_hours - peak)), 0.0) ** 0.7


# Of the fixed thresholds in use for saliva, 3 and 4 pg/mL, the one that also finds the onset of
# people with low levels (Benloucif et al., J Clin Sleep Med 4 (2008) 66-69).
ONSET_PG_ML = 3.0
_EVENING = (15.0, 29.0)


def melatonin_onset(person: Person) -> float | None:
    """When a person's usual melatonin rises above 3 pg/mL in the evening, local clock hours.

    ``None`` if it is above in the afternoon already, or below until late in the night.
    """
    curve = person.curve("saliva-melatonin")
    hours = np.arange(*_EVENING, 1.0 / 60.0)
    usual = basis(hours) @ (curve.coefficients - curve.correction)
    above = usual + curve.pulse_height * nocturnal(hours, curve.peaks[0]) >= math.log(ONSET_PG_ML)
    if above[0] or not above.any():
        return None
    return float(hours[int(np.argmax(above))] % 24.0)


# Light activity and exercise: how many a day, minutes (from, to), bpm (from, to). Assumed.
ACTIVITIES = ((6.0, (5.0, 20.0), (8.0, 20.0)), (3.0 / 7.0, (25.0, 45.0), (30.0, 55.0)))
ACTIVITY_RISE_S, ACTIVITY_FALL_S = 60.0, 180.0
SLEEP_EDGE_S = 1500.0
# Which way sleep moves what follows it.
_ASLEEP = {"heart-rate": -1.0, "wrist-temperature": 1.0}


def activity_moments(awake_h: float) -> tuple[float, float]:
    """Mean while awake (bpm) and variance over the whole day (bpm²) of ACTIVITIES."""
    mean = square = 0.0
    for per_day, (short, long), (low, high) in ACTIVITIES:
        hours = ((short + long) / 2 + (ACTIVITY_FALL_S - ACTIVITY_RISE_S) / 60.0) / 60.0
        mean += per_day * hours * (low + high) / 2
        square += per_day * hours * (low * low + low * high + high * high) / 3
    mean /= awake_h
    return mean, square / 24.0 - mean * mean * awake_h / 24.0


def draw_person(
    rng: np.random.Generator, subject: str, year: int, analytes: Sequence[Analyte]
) -> Person:
    """Draw a person from the priors of the analytes; `year` is the present one, for ages 20-69."""
    chronotype = float(rng.standard_normal())
    wake_hour = _WAKE_HOUR + _WAKE_CHRONOTYPE_H * chronotype + _WAKE_SD_H * rng.standard_normal()
    person = Person(
        subject=subject,
        birth_year=year - int(rng.integers(20, 70)),
        sex="female" if rng.random() < 0.5 else "male",
        chronotype=chronotype,
        wake_hour=float(wake_hour),
        sleep_h=float(_SLEEP_H + _SLEEP_SD_H * np.clip(rng.standard_normal(), -2, 2)),
        awakening_rise=float(
            (rng.random() < _RESPONDERS)
            * max(_AWAKENING_RISE + _AWAKENING_RISE_SD * rng.standard_normal(), 0.1)
        ),
        curves=(),
    )
    return replace(person, curves=tuple(_draw_curve(rng, person, a) for a in analytes))


def _draw_curve(rng: np.random.Generator, person: Person, analyte: Analyte) -> Curve:
    mean, sd = np.array(analyte.prior.mean()), np.array(analyte.prior.sd())
    log = analyte.scale == "log"
    hours = np.arange(0.0, 24.0, 0.1)
    keyed_to_sleep = analyte.slug in _ASLEEP
    bed = _over_habits(person, lambda wake, onset: _night(hours, onset, wake))
    while True:
        z = rng.standard_normal(5)
        for first in (1, 3):
            pair = slice(first, first + 2)
            z[pair] = _share_phase(z[pair], mean[pair], person.chronotype)
        coefficients = mean + sd * z
        if not keyed_to_sleep or _plausible(coefficients, _ASLEEP[analyte.slug], bed):
            break

    amplitude = math.hypot(coefficients[1], coefficients[2])
    shape = np.zeros_like(hours)
    rise = sleep_step = activity = pulse_height = 0.0
    match analyte.slug:
        case "saliva-cortisol":
            rise = person.awakening_rise
            shape = rise * _over_habits(person, lambda wake, _: awakening((hours - wake) % 24.0))
        case "heart-rate" | "wrist-temperature":
            # Much of the swing is sleep itself: a step, not a cosine (its size is assumed).
            sleep_step = _ASLEEP[analyte.slug] * amplitude
            shape = sleep_step * bed
            if analyte.slug == "heart-rate":
                activity = math.exp(-coefficients[0]) if log else 1.0
        case "saliva-melatonin":
            peak = math.atan2(coefficients[2], coefficients[1]) / OMEGA
            pulse = nocturnal(hours, peak)
            pulse_height = amplitude / math.hypot(*project(pulse)[1:3])
            # The pulse is all the shape there is: its second harmonic follows from the first.
            coefficients[3:] = project(pulse_height * pulse)[3:]
            shape = pulse_height * pulse

    # The catalogue's residual SD is of readings, its assay error included.
    assay = math.log1p(analyte.cv_analytical**2)
    if not log:
        assay = (analyte.cv_analytical * mean[0]) ** 2
    variance = max(analyte.prior.residual_sd**2 - assay, 0.1 * analyte.prior.residual_sd**2)
    active = activity_moments(24.0 - person.sleep_h)[1] * activity**2
    wander = max((1.0 - _DAY_SHARE) * variance - active, 0.25 * variance)
    return Curve(
        analyte=analyte.slug,
        log=log,
        coefficients=coefficients,
        correction=project(shape),
        sleep_step=sleep_step,
        awakening_rise=rise,
        pulse_height=pulse_height,
        activity=activity,
        day_sd=math.sqrt(_DAY_SHARE * variance),
        wander_sd=math.sqrt(wander),
        # Readings a decorrelation time apart count as independent: for exp(-t/tau) that is 2 tau.
        wander_tau_s=analyte.decorrelation_s / 2.0,
        residual_sd=math.sqrt(_DAY_SHARE * variance + wander + active + assay),
    )


def _night(hours: FloatArray, onset: float, wake: float) -> FloatArray:
    sleeps = [(onset + day, wake + day) for day in (-24.0, 0.0, 24.0)]
    return asleep(hours, sleeps, SLEEP_EDGE_S / 3600.0)


def _plausible(coefficients: FloatArray, direction: float, bed: FloatArray) -> bool:
    """Whether a curve that follows sleep does so.

    The prior's independent coefficients also allow hearts that race by night; nobody is like
    that. A cosine in step with eight hours of sleep differs by 1.24 amplitudes between sleep and
    wake; this asks for 0.7, and for a second harmonic below the first.
    """
    curve = basis(np.linspace(0.0, 24.0, bed.size, endpoint=False)) @ coefficients
    amplitude, second = math.hypot(*coefficients[1:3]), math.hypot(*coefficients[3:5])
    step = float(np.average(curve, weights=bed) - np.average(curve, weights=1.0 - bed))
    return direction * step >= 0.7 * amplitude and second <= 0.7 * amplitude


def _share_phase(z: FloatArray, mean: FloatArray, chronotype: float) -> FloatArray:
    """Give the tangential part of a harmonic's two standard normal draws to the chronotype.

    Both coefficients have the same SD, so turning them leaves their distribution as it was.
    """
    size = math.hypot(*mean)
    if size == 0.0:
        return z
    later = np.array([-mean[1], mean[0]]) / size
    own = float(z @ later)
    shared = math.sqrt(_CHRONOTYPE_SHARE) * chronotype + math.sqrt(1 - _CHRONOTYPE_SHARE) * own
    return z + (shared - own) * later


def _over_habits(person: Person, shape: Callable[[float, float], FloatArray]) -> FloatArray:
    """Mean of shape(waking hour, sleep onset hour) over a person's weeks."""
    # Five quantiles of a normal distribution stand for its scatter from day to day.
    scatter = WAKE_DAY_SD_H * np.array([-1.2816, -0.5244, 0.0, 0.5244, 1.2816])
    parts: list[FloatArray] = []
    for lie_in, weight in ((0.0, 5.0 / 7.0), (WEEKEND_H, 2.0 / 7.0)):
        for late in scatter:
            waking = person.wake_hour + lie_in + float(late)
            parts.append(weight / scatter.size * shape(waking, waking - person.sleep_h))
    return np.asarray(np.sum(parts, axis=0))
