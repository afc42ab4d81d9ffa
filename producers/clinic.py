"""A clinic of simulated people: who they are, what goes wrong, and every record in delivery order.

``Clinic.records(since, until)`` is a function of the seed and the plan only. A day of a person is
made as a whole from its own random streams, so it does not matter into which calls a period is
cut, nor whether the time before it was ever asked for.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from producers import devices, panels
from producers.day_records import Delivery, Household, Parcel, day_records
from producers.living import Body, stream
from producers.notes import LONGEST_READY_S
from producers.panels import Panel
from producers.physiology import Curve, Trouble, draw_person
from producers.wearer_clock import DAY_S, Journey, WearerClock, from_epoch_ms
from schemas.catalogue import Analyte, load_catalogue

WEARABLES = (devices.HEART_RATE, devices.WRIST_TEMPERATURE)
HOME_TESTS = (devices.CORTISOL, devices.MELATONIN)

# Every seventh person takes a tablet in the morning: an event without effect on what is measured.
_DOSE_EVERY = 7
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clinic:
    """`people` simulated people (`sim-01`, ...) in a zone, from the local date of `start` on.

    `troubles` and `journeys` are planned by subject; `panel`: what is measured on top, by everybody
    whom it concerns, or by subject. Raises ``KeyError`` for an unknown subject.
    """

    def __init__(
        self,
        seed: int,
        people: int,
        start: datetime,
        zone: str = "Europe/Berlin",
        *,
        troubles: Mapping[str, Sequence[Trouble]] | None = None,
        journeys: Mapping[str, Sequence[Journey]] | None = None,
        wear: devices.Wear | None = None,
        delivery: devices.Delivery | None = None,
        panel: Collection[Panel] | Mapping[str, Collection[Panel]] = (),
    ) -> None:
        catalogue = load_catalogue()
        self.seed = seed
        self.start = start
        self.zone = zone
        self._analytes = {d.analyte: catalogue[d.analyte] for d in (*WEARABLES, *HOME_TESTS)}
        self._measurable = {
            **self._analytes,
            **{slug: catalogue[slug] for slugs in panels.ANALYTES.values() for slug in slugs},
        }
        self._wear = wear or devices.Wear()
        self._delivery = delivery or devices.Delivery()
        self.subjects = tuple(f"sim-{number + 1:02d}" for number in range(people))
        troubles, journeys = troubles or {}, journeys or {}
        if not isinstance(panel, Mapping):
            panel = {subject: panel for subject in self.subjects if panel}
        self._panel = panel
        self._extras: dict[str, panels.Extras] = {}
        for subject in (*troubles, *journeys, *panel):
            if subject not in self.subjects:
                raise KeyError(f"no person {subject}: there are {people}, from sim-01 on")
        self._households = [
            self._enrol(number, subject, troubles.get(subject, ()), journeys.get(subject, ()))
            for number, subject in enumerate(self.subjects)
        ]
        self._made: dict[tuple[int, int], list[Parcel]] = {}

    def records(self, since: datetime, until: datetime | None = None) -> Iterator[Delivery]:
        """All records that arrive in [since, until), in order of arrival; ``None``: for ever."""
        end = math.inf if until is None else _epoch_ms(until)
        begin = max(_epoch_ms(since), _epoch_ms(self.start))
        while begin < end:
            stop = int(min(begin + DAY_S * 1000, end))
            yield from self._arrivals(begin, stop)
            begin = stop

    def body(self, subject: str) -> Body:
        """The person behind a subject, for the truth; raises ``ValueError`` if there is none."""
        return self._households[self.subjects.index(subject)].body

    def truth(self, until: datetime | None = None) -> dict[str, Any]:
        """What an estimator should find, as JSON values; cycles that begin before `until`.

        Per person and analyte the cosinor (amplitudes and mesor on the catalogue's scale, the
        mesor also in the canonical unit, peaks in local clock hours), the SD of readings about it
        with their assay error, and the planned troubles and journeys. With panels also `markers`,
        see `panels.truth`; the heart rate is then that at rest. Without `until`: cycles of a year.
        """
        last = self.start + timedelta(days=365) if until is None else until
        return {
            "seed": self.seed,
            "start": self.start.isoformat(),
            "zone": self.zone,
            "people": [self._truth_of(household, last) for household in self._households],
        }

    def _truth_of(self, household: Household, until: datetime) -> dict[str, Any]:
        person = household.body.person
        markers = {}
        if person.subject in self._panel:
            last = household.body.clock.day_number(until.timestamp() - 1.0)
            chosen = self._panel[person.subject]
            found = panels.truth(household.body, self._extras[person.subject], chosen, last)
            markers = {"markers": found}
        return {
            "subject": person.subject,
            "birth_year": person.birth_year,
            "sex": person.sex,
            "chronotype": person.chronotype,
            "wake_hour": person.wake_hour,
            "sleep_h": person.sleep_h,
            "awakening_rise": math.expm1(person.awakening_rise),
            "analytes": {
                curve.analyte: _curve_truth(curve, self._analytes[curve.analyte])
                for curve in person.curves
            },
            "troubles": [
                {
                    "kind": trouble.kind,
                    "analytes": list(trouble.analytes) or list(self._analytes),
                    "onset": _iso(trouble.onset),
                    "size": trouble.size,
                    "end": None if math.isinf(trouble.end) else _iso(trouble.end),
                }
                for trouble in household.troubles
            ],
            "journeys": [
                {"at": journey.at.isoformat(), "zone": journey.zone}
                for journey in household.body.clock.journeys
            ],
            **markers,
        }

    def _enrol(
        self, number: int, subject: str, troubles: Sequence[Trouble], journeys: Sequence[Journey]
    ) -> Household:
        rng = stream(self.seed, number)
        person = draw_person(rng, subject, self.start.year, tuple(self._analytes.values()))
        chosen = self._panel.get(subject, ())
        pace = panels.pace_of(self.seed, number, chosen)
        body = Body(
            panels.at_rest(person, chosen),
            WearerClock(self.start, self.zone, journeys, pace),
            self.seed,
            number,
            troubles,
            sleeps_by_body=Panel.TRAVEL in chosen,
        )
        age = self.start.year - person.birth_year
        extras = panels.enrol(body, number, age, chosen, self._measurable, troubles)
        self._extras[subject] = extras
        return Household(
            body=body,
            wearables=WEARABLES,
            home_tests=panels.home_tests(extras, HOME_TESTS),
            analytes=self._measurable,
            wear=self._wear,
            delivery=self._delivery,
            troubles=tuple(troubles),
            enrolled=self.start.timestamp(),
            second=int(rng.integers(0, 60)),
            takes_levothyroxine=number % _DOSE_EVERY == _DOSE_EVERY - 1,
            sources=extras.sources,
            walker=extras.walker,
        )

    def _arrivals(self, begin_ms: int, end_ms: int) -> list[Delivery]:
        """Deliveries of at most a day; `begin_ms` and `end_ms` are epoch milliseconds."""
        found: list[tuple[int, int, int, int, Delivery]] = []
        for number, household in enumerate(self._households):
            clock = household.body.clock
            longest_s = self._delivery.longest_s + LONGEST_READY_S * bool(household.sources)
            first = max(clock.day_number(begin_ms / 1000.0 - longest_s), 0)
            for day in range(first, clock.day_number(end_ms / 1000.0) + 1):
                parcels = self._made.get((number, day))
                if parcels is None:
                    parcels = self._made[number, day] = day_records(household, day)
                at = bisect_left(parcels, begin_ms, key=_received_ms)
                while at < len(parcels) and parcels[at].received_ms < end_ms:
                    parcel = parcels[at]
                    found.append((parcel.received_ms, number, day, parcel.order, parcel.delivery))
                    at += 1
            for forgotten in [key for key in self._made if key[0] == number and key[1] < first]:
                del self._made[forgotten]
        found.sort(key=lambda item: item[:4])
        return [item[4] for item in found]


def demo_clinic(
    seed: int,
    start: datetime,
    live_from: datetime,
    people: int = 20,
    zone: str = "Europe/Berlin",
    *,
    journeys: Mapping[str, Sequence[Journey]] | None = None,
    panel: Collection[Panel] | Mapping[str, Collection[Panel]] = (),
) -> Clinic:
    """A clinic in which six people fall ill around `live_from`; the others stay well.

    Four are ill already (phase 4 h later and level x2.2 for three days, cortisol flattened to a
    fifth for six, a band silent for eight hours); one falls out of phase by 4 h a day later and
    one gains 15 bpm two days later. Raises ``ValueError`` for fewer than six people.
    """
    if people < 6:
        raise ValueError(f"the demo needs at least 6 people, not {people}")

    def onset(**before: float) -> float:
        return (live_from - timedelta(**before)).timestamp()

    band = tuple(wearable.analyte for wearable in WEARABLES)
    plan = (
        Trouble("phase", onset(days=3), 4.0),
        Trouble("amplitude", onset(days=6), 0.2, ("saliva-cortisol",)),
        Trouble("level", onset(days=3), 2.2, ("saliva-cortisol",)),
        Trouble("silent", onset(hours=8), analytes=band),
        Trouble("phase", onset(days=-1), 4.0),
        Trouble("level", onset(days=-2), 15.0, ("heart-rate",)),
    )
    troubles = {
        f"sim-{1 + (2 * i + 1) * people // (2 * len(plan)):02d}": (trouble,)
        for i, trouble in enumerate(plan)
    }
    return Clinic(seed, people, start, zone, troubles=troubles, journeys=journeys, panel=panel)


def _curve_truth(curve: Curve, analyte: Analyte) -> dict[str, Any]:
    (amplitude, second), (peak, second_peak) = curve.amplitudes, curve.peaks
    return {
        "scale": analyte.scale,
        "unit": analyte.unit,
        "mesor": analyte.from_model(float(curve.coefficients[0])),
        "model_mesor": float(curve.coefficients[0]),
        "amplitude": amplitude,
        "acrophase": peak,
        "second_harmonic": {"amplitude": second, "peak": second_peak},
        "residual_sd": curve.residual_sd,
    }


def _received_ms(parcel: Parcel) -> int:
    return parcel.received_ms


def _iso(instant: float) -> str:
    return from_epoch_ms(round(instant * 1000)).isoformat()


def _epoch_ms(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(milliseconds=1)
