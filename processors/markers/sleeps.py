"""Sleep: midpoint, duration and social jet lag of the weeks up to a local date."""

from __future__ import annotations

from collections.abc import Sequence

from processors.markers.dated import Dated
from processors.markers.diary import HOUR_MS
from processors.markers.life import SleepTold
from processors.rhythm.own_day import UsualWake, Wake, usual_wake
from processors.rhythm.sleep import Nights, main_sleeps, sleep_markers

WEEKS_DAYS = 28
# A sleep longer than this has lost an event in between.
_LONGEST_MS = 18 * HOUR_MS


def nights_told(told: Sequence[SleepTold], first: int, last: int) -> Nights | str:
    """Main sleeps whose waking lies on the local dates `first` to `last`.

    A sleep is the last falling asleep before a waking, if there was no waking in between.
    """
    asleep: list[float] = []
    awake: list[float] = []
    offsets: list[float] = []
    begun: SleepTold | None = None
    for one in sorted(told):
        if not one.awake:
            begun = one
            continue
        if (
            begun is not None
            and one.time_ms - begun.time_ms <= _LONGEST_MS
            and first <= one.day <= last
        ):
            asleep.append(begun.time_ms / HOUR_MS)
            awake.append(one.time_ms / HOUR_MS)
            offsets.append(one.offset_ms / HOUR_MS)
        begun = None
    return main_sleeps(asleep, awake, offset_h=offsets)


def sleep_markers_of(told: Sequence[SleepTold], day: int) -> list[Dated]:
    """The markers of four weeks up to the waking of a local date."""
    found = sleep_markers(nights_told(told, day - WEEKS_DAYS + 1, day))
    return [
        Dated("sleep-midpoint", day, found.midpoint),
        Dated("sleep-midpoint", day, found.midpoint_corrected),
        Dated("sleep-midpoint", day, found.social_jet_lag),
        Dated("sleep-duration", day, found.duration),
    ]


def wakings_about(told: Sequence[SleepTold], day: int) -> list[Wake]:
    """Wakings of a local date, hours since the epoch (UTC)."""
    return [
        Wake(one.time_ms / HOUR_MS, one.verified) for one in told if one.awake and one.day == day
    ]


def usual_waking(told: Sequence[SleepTold], day: int) -> UsualWake | str:
    """When the person usually woke up in the four weeks before a local date."""
    return usual_wake(nights_told(told, day - WEEKS_DAYS, day - 1))
