"""What is known about a person before it is sent: single results and events, with their times.

A source of notes is asked for one date of the wearer's at a time and is a function of the seed and
that date.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

import numpy as np

from producers import devices
from producers.living import Body
from schemas.catalogue import Analyte
from schemas.events import Event
from schemas.readings import Reading

# No note is ready to be sent later than this after what it tells of.
LONGEST_READY_S = 5 * 86_400.0


class Note(NamedTuple):
    """A record without ``received_at``; instants are epoch seconds."""

    taken: float
    ready: float
    """From when on it can be sent."""
    analyte: str | None
    """Of a reading."""
    record: Reading | Event


Source = Callable[[int], Iterable[Note]]
"""The notes about one date (a day number of the clinic)."""


def result(
    body: Body,
    analyte: Analyte,
    device: str,
    taken: float,
    true: float,
    rng: np.random.Generator,
    *,
    ready_s: float,
    decimals: int,
    timing: Literal["device", "verified", "reported"],
) -> Note:
    """One result with its assay error; below the detection limit it is '<' that.

    `true`: in the analyte's unit; `ready_s`: how long the result takes.
    """
    measured = devices.assayed(rng, analyte, np.array([true]))
    value = float(devices.shown(analyte, measured, 10.0**-decimals)[0])
    limit = analyte.detection_limit
    below = limit is not None and value < limit
    ready = taken + ready_s
    reading = Reading(
        subject=body.person.subject,
        device=f"{device}-{body.person.subject}",
        code=analyte.codes[0].code,
        unit=analyte.unit,
        collected_at=body.clock.local_time(taken),
        zone=body.clock.zone_at(taken),
        assayed_at=body.clock.local_time(ready) if ready_s > 0.0 else None,
        timing=timing,
        value=limit if below else value,
        comparator="<" if below else None,
    )
    return Note(taken, ready, analyte.slug, reading)
