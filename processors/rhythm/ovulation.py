"""When ovulation was or will be in a cycle: a posterior over its day, from all that is known.

    posterior(day) ~ prior(day | the person's own cycles)
                     × likelihood(LH) × likelihood(temperature) × likelihood(progesterone)
                     × likelihood(next menses, or none yet),    and the same for no ovulation.

The prior is the population's, moved by the person's past cycles as far as these tell: the time from
menses to ovulation varies, and the time from there to the next menses varies little. Anovulation
is one more possibility with a probability of its own. Days count from the local midnight at which
the first day of the menses began: 13.5 is the noon of cycle day 14.

Source of the population: Bull, Rowland, Scherwitzl, Scherwitzl, Danielsson & Harper, npj Digit Med
2 (2019) 83, 612,613 ovulatory cycles: 16.9 days (95 % 10 to 30) to ovulation, 12.4 (7 to 17) after
it. How much of that lies between people and within them is assumed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from processors.rhythm.cycle_evidence import (
    Evidence,
    first_of_surges,
    log_likelihood,
    surge_log_likelihood,
)
from processors.rhythm.marker import Marker, withheld
from processors.rhythm.samples import Floats
from schemas.conditions import CYCLE_DAYS, CyclePhase

_METHOD = "posterior over the day, menses, LH, temperature and progesterone together"

# Of the logarithm of days to ovulation: through the mean and the 97.5th percentile.
_TO_OVULATION = 2.79
_BETWEEN, _WITHIN = 0.20, 0.18
# Of days from ovulation to the next menses.
_LUTEAL, _LUTEAL_BETWEEN, _LUTEAL_WITHIN = 12.4, 1.7, 1.8
_ANOVULATION = 0.06
# Length of cycles without ovulation, logarithm of days: about 32, 16 to 64.
_NONE_LENGTH, _NONE_SD = math.log(32.0), 0.35

_STEP = 0.25
_FIRST, _LAST = 4.0, 80.0
_LIKELY_NONE = 0.5
# Ovulation follows the LH peak, from whose day phases count, by so much.
_AFTER_PEAK = 0.7
# Phases that tile the cycle; the others of the catalogue are their unions.
PHASES: tuple[CyclePhase, ...] = (
    "early follicular",
    "late follicular",
    "mid-cycle",
    "early luteal",
    "mid-luteal",
    "late luteal",
)


class PastCycle(NamedTuple):
    """A finished cycle without a missing log."""

    length: float
    ovulation: float | None = None
    """Days, as `Ovulation.day`; None: not known, or none."""
    ovulation_sd: float = 0.0


class Habit(NamedTuple):
    """What a person's next cycle will be like, before anything is seen of it."""

    log_days: float = _TO_OVULATION
    log_sd: float = math.hypot(_BETWEEN, _WITHIN)
    luteal: float = _LUTEAL
    luteal_sd: float = math.hypot(_LUTEAL_BETWEEN, _LUTEAL_WITHIN)
    anovulation: float = _ANOVULATION


@dataclass(frozen=True, slots=True, eq=False)
class Ovulation:
    """The posterior of one cycle."""

    days: Floats
    """(g) grid, days since the menses' first day began."""
    probability: Floats
    """(g) of an ovulation then; with `anovulation` they sum to 1."""
    anovulation: float
    n: int
    """Readings that counted, and the menses' end if there is one."""

    def quantile(self, share: float) -> float:
        """The day before which an ovulation, if there is one, was with such a probability."""
        total = np.cumsum(self.probability)
        at = np.interp(share * total[-1], np.r_[0.0, total], np.r_[self.days, self.days[-1]])
        return float(at) - _STEP / 2.0


def habit(past: Sequence[PastCycle]) -> Habit:
    """The population's cycle moved by the person's own.

    Each past cycle counts by what it tells: a known ovulation more than a length alone. Raises
    ``ValueError`` for a length or an ovulation that is not above 0, or not in this order.

    >>> own = habit([PastCycle(35.0), PastCycle(36.0), PastCycle(34.0)])
    >>> round(math.exp(own.log_days)), round(own.luteal, 1)
    (21, 12.4)
    """
    mean, precision = _TO_OVULATION / _BETWEEN**2, 1.0 / _BETWEEN**2
    luteal, luteal_precision = _LUTEAL / _LUTEAL_BETWEEN**2, 1.0 / _LUTEAL_BETWEEN**2
    for cycle in past:
        if not 0.0 < (cycle.ovulation or 1.0) < cycle.length < math.inf or cycle.ovulation == 0.0:
            raise ValueError(
                f"no cycle is {cycle.length} days long, ovulation on {cycle.ovulation}"
            )
        if cycle.ovulation is not None:
            error = math.hypot(_WITHIN, cycle.ovulation_sd / cycle.ovulation)
            seen = math.log(cycle.ovulation)
            weight = 1.0 / (_LUTEAL_WITHIN**2 + cycle.ovulation_sd**2)
            luteal += weight * (cycle.length - cycle.ovulation)
            luteal_precision += weight
        else:
            days = max(cycle.length - _LUTEAL, 6.0)
            seen = math.log(days)
            error = math.hypot(_WITHIN, math.hypot(_LUTEAL_BETWEEN, _LUTEAL_WITHIN) / days)
        mean += seen / error**2
        precision += 1.0 / error**2
    return Habit(
        mean / precision,
        math.sqrt(1.0 / precision + _WITHIN**2),
        luteal / luteal_precision,
        math.sqrt(1.0 / luteal_precision + _LUTEAL_WITHIN**2),
    )


def ovulation(
    seen: Sequence[Evidence | str],
    *,
    today: float,
    length: float | None = None,
    usual: Habit | None = None,
    surges: Sequence[float] = (),
) -> Ovulation | str:
    """The posterior of a cycle, or in a sentence why there is none.

    `seen`: as `cycle_evidence.evidence` gives them; `today`: days since the menses' first day
    began, for a cycle that is not over; `length`: days to the next menses, for one that is;
    `usual`: the person's own `habit`; `surges`: when home tests for the LH surge were positive.
    """
    own = usual or Habit()
    for one in seen:
        if isinstance(one, str):
            return one
    found = [one for one in seen if isinstance(one, Evidence)]
    if not (math.isfinite(today) and today >= 0.0):
        return "The day is before the menses, or not known."
    if length is not None and not 10.0 < length <= _LAST:
        return f"A cycle of {length:.0f} days is no cycle: a menses is told wrong, or missing."
    if length is None and today > _LAST:
        return f"No menses was logged for {today:.0f} days: there is no cycle to look into."
    days = np.arange(_FIRST, _LAST + _STEP / 2, _STEP)
    prior = -0.5 * ((np.log(days) - own.log_days) / own.log_sd) ** 2 - np.log(days)
    prior -= float(np.logaddexp.reduce(prior))
    log_p = prior + math.log1p(-own.anovulation)
    log_none = math.log(own.anovulation)
    n = 0
    if length is not None:
        n = 1
        z = (length - days - own.luteal) / own.luteal_sd
        # A luteal phase of under four days would not have been seen as one.
        log_p += np.where(length - days >= 4.0, -0.5 * z * z - math.log(own.luteal_sd), -np.inf)
        z_none = (math.log(length) - _NONE_LENGTH) / _NONE_SD
        log_none += -0.5 * z_none * z_none - math.log(_NONE_SD * length)
    else:
        over = ndtr(-(today - days - own.luteal) / own.luteal_sd)
        log_p += np.log(np.maximum(over, 1e-300))
        none = float(ndtr(-(math.log(max(today, 1.0)) - _NONE_LENGTH) / _NONE_SD))
        log_none += math.log(max(none, 1e-300))
    for one in found:
        n += one.days.size
        likelihood, without = log_likelihood(one, days)
        log_p = log_p + likelihood
        log_none += without
    for day in first_of_surges(surges):
        n += 1
        likelihood, without = surge_log_likelihood(day, days)
        log_p = log_p + likelihood
        log_none += without
    total = float(np.logaddexp(np.logaddexp.reduce(log_p), log_none))
    return Ovulation(days, np.exp(log_p - total), math.exp(log_none - total), n)


def ovulation_day(found: Ovulation | str) -> Marker:
    """Cycle day of ovulation, 1 being the first of the menses, with its 90 % interval."""
    name, unit = "ovulation-day", "d"
    if isinstance(found, str):
        return withheld(name, unit, 0, found, _METHOD)
    if found.anovulation > _LIKELY_NONE:
        sentence = (
            "This cycle probably has no ovulation (probability "
            f"{found.anovulation:.2f}), so it has no day."
        )
        return withheld(name, unit, found.n, sentence, _METHOD)
    # Noon of the first day is 0.5 days after its midnight, and day 1.
    value, low, high = (found.quantile(share) + 1.0 for share in (0.5, 0.05, 0.95))
    none = found.anovulation
    sentence = (
        f"Ovulation is on cycle day {int(value)} (90 % interval day {int(low)} to {int(high)})"
    )
    if none >= 0.01:
        sentence += f"; with a probability of {none:.2f} there is none"
    return Marker(name, "measured", unit, found.n, f"{sentence}.", _METHOD, value, low, high)


def phases(found: Ovulation, day: float) -> Mapping[CyclePhase, float]:
    """Probability of each phase at a day, as the catalogue counts them from the LH peak's day.

    What is missing from 1 is the probability of a cycle without ovulation, which has none.
    """
    from_peak = np.floor(day) - np.floor(found.days - _AFTER_PEAK)
    result = {}
    for phase in PHASES:
        first, last = CYCLE_DAYS[phase]
        inside = (from_peak >= first) | (phase == "early follicular")
        inside &= (from_peak <= last) | (phase == "late luteal")
        result[phase] = float(found.probability[inside].sum())
    return result
