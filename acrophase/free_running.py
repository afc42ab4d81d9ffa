"""Whether somebody's clock runs at 24 hours at all: what ``acrophase fit`` says where it does not.

The cosinor of 24 hours is asked first, everywhere. Lomb-Scargle over 19 to 29 hours is offered
beside it, and given only where 24 hours does not fit.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from processors.rhythm.clock_bins import clock_bins
from processors.rhythm.free_period import (
    METHOD,
    FreePeriod,
    Periodogram,
    free_period,
    periodogram,
)
from processors.rhythm.marker import Marker, withheld
from processors.rhythm.samples import Floats

# More samples than this count as their half-hour means: a period of a day is not told by minutes,
# and errors of neighbouring samples are one.
_DENSE = 2_000
_STRETCH_H = 0.5


class FreeRunning(BaseModel):
    """The period where the 24-hour model fails, as ``--json`` prints it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    status: Literal["measured", "withheld"] = Field(
        description="'measured': 24 hours does not fit and another period does; 'withheld': "
        "`sentence` says why there is none to give."
    )
    period: float | None = Field(description="Hours; null if withheld.")
    low: float | None = Field(description="Lower limit of the 90 % interval, hours.")
    high: float | None = Field(description="Upper limit of the 90 % interval, hours.")
    day_fits: bool = Field(
        description="Whether 24 hours fits as well as the best period. False and no period given: "
        "the samples do not tell any."
    )
    best: float | None = Field(
        description="Where the periodogram is highest, hours; null where nothing stands out."
    )
    n: int = Field(description="Samples, or half-hour means of so many.")
    sentence: str = Field(description="The period in words, or why there is none.")
    method: str = Field(description="The formula and its source.")


def free_running(hours: Floats, values: Floats, components: Literal[1, 2]) -> FreeRunning:
    """The period of samples (n): hours that never jump, values on the scale of the fit."""
    found: FreePeriod = free_period(*_thinned(hours, values), components=components)
    return _told(found.period, day_fits=found.day_fits, best=found.best_h)


def not_told(n: int, sentence: str) -> FreeRunning:
    """No period of n samples, and why."""
    return _told(withheld("free-period", "h", n, sentence, METHOD), day_fits=False, best=None)


def _told(marker: Marker, *, day_fits: bool, best: float | None) -> FreeRunning:
    return FreeRunning(
        status=marker.status,
        period=marker.value,
        low=marker.low,
        high=marker.high,
        day_fits=day_fits,
        best=best,
        n=marker.n,
        sentence=marker.sentence,
        method=marker.method,
    )


def periods_of(hours: Floats, values: Floats, components: Literal[1, 2]) -> Periodogram | str:
    """The periodogram of the same samples, or why there is none."""
    return periodogram(*_thinned(hours, values), components=components)


def _thinned(hours: Floats, values: Floats) -> tuple[Floats, Floats]:
    if hours.size <= _DENSE:
        return hours, values
    means = clock_bins(hours, values, width_h=_STRETCH_H)
    since = means.clock_h - means.clock_bin * _STRETCH_H
    return np.asarray(means.start_ms / 3_600_000 + since), means.means
