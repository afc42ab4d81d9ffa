"""Everything that one simulated person's devices send about one home civil day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np

from producers import devices
from producers.devices import HomeTest, Wear, Wearable
from producers.living import Body
from producers.notes import Note, Source
from producers.physiology import FloatArray, Trouble
from producers.walking import Walker
from producers.wearer_clock import from_epoch_ms
from schemas.catalogue import Analyte
from schemas.events import Dose, Event, Profile, Sleep
from schemas.readings import Reading, ReadingBatch
from schemas.topics import EVENTS, READINGS

Record = Reading | ReadingBatch | Event

# One random stream a purpose; 0, 1 and from 10 on belong to the body.
_WEAR, _SPELL, _DELIVERY, _SENSOR, _TEST = 2, 3, 4, 30, 40
_SENDING_NOTES, _SENDING_STEPS = 80, 81
_SYNC_S = devices.HEART_RATE.sync_s
_SENDING_S = (1.0, 20.0)  # from the phone to us


class Delivery(NamedTuple):
    """One record on its way in. `value` is what Kafka carries: the record's JSON."""

    received_at: datetime
    subject: str
    topic: str
    record: Record
    value: bytes


class Parcel(NamedTuple):
    """A delivery with what it is sorted by: time of arrival, then order of making."""

    received_ms: int
    order: int
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class Household:
    """One person's body, devices and habits, and what goes wrong with them."""

    body: Body
    wearables: tuple[Wearable, ...]
    home_tests: tuple[HomeTest, ...]
    analytes: Mapping[str, Analyte]
    wear: Wear
    delivery: devices.Delivery
    troubles: tuple[Trouble, ...]
    enrolled: float  # epoch seconds; nothing is measured before
    second: int  # of the minute, at which the band measures
    takes_levothyroxine: bool
    sources: Sequence[Source] = ()
    walker: Walker | None = None  # whose steps the band counts


def day_records(household: Household, day: int) -> list[Parcel]:
    """All parcels of a day in order of arrival, duplicates included."""
    return _Day(household, day).parcels()


class _Day:
    def __init__(self, household: Household, day: int) -> None:
        body = household.body
        self._household = household
        self._body = body
        self._clock = body.clock
        self._subject = body.person.subject
        self._day = day
        self._span = body.clock.day_span(day)
        self._spell = devices.offline_spell(
            body.stream(_SPELL, day), household.delivery, self._span
        )
        self._rng = body.stream(_DELIVERY, day)
        self._parcels: list[Parcel] = []

    def parcels(self) -> list[Parcel]:
        self._events()
        for number, wearable in enumerate(self._household.wearables):
            self._wearable(number, wearable)
        for number, test in enumerate(self._household.home_tests):
            self._home_test(number, test)
        # What comes on top has streams of its own, and leaves all the others as they are.
        if self._household.walker is not None:
            self._steps(self._household.walker)
        self._notes()
        self._parcels.sort(key=lambda parcel: parcel[:2])
        return self._parcels

    def _events(self) -> None:
        household, person = self._household, self._body.person
        enrolled = household.enrolled
        if self._holds(enrolled):
            profile = Profile(
                kind="profile",
                subject=self._subject,
                at=self._clock.local_time(enrolled),
                birth_year=person.birth_year,
                sex=person.sex,
                received_at=from_epoch_ms(round(enrolled * 1000)),
            )
            self._send(profile, enrolled)
        band_on = not self._silent("heart-rate", np.array([self._span[1]]))[0]
        # A date's night and morning may lie in a neighbouring day of the home zone.
        for date in (self._day - 1, self._day, self._day + 1):
            sleep = self._body.sleep(date)
            if sleep is None:
                continue
            if band_on:
                for kind, instant in zip(("sleep", "wake"), sleep, strict=True):
                    if self._holds(instant):
                        self._sleep(kind, instant)
            dose_at = sleep[1] + 1200.0
            if household.takes_levothyroxine and self._holds(dose_at):
                ready = dose_at + devices.between(self._rng, _SENDING_S)
                at = devices.arrival(ready, 0.0, self._spell)
                dose = Dose(
                    kind="dose",
                    subject=self._subject,
                    at=self._clock.local_time(dose_at),
                    substance="levothyroxine",
                    amount=75.0,
                    unit="ug",
                    route="oral",
                    received_at=from_epoch_ms(round(at * 1000)),
                )
                self._send(dose, at)

    def _sleep(self, kind: str, instant: float) -> None:
        at = self._phone(instant, _SYNC_S)
        event = Sleep(
            kind="wake" if kind == "wake" else "sleep",
            subject=self._subject,
            at=self._clock.local_time(instant),
            verified=True,
            received_at=from_epoch_ms(round(at * 1000)),
        )
        self._send(event, at)

    def _wearable(self, number: int, wearable: Wearable) -> None:
        household, analyte = self._household, self._household.analytes[wearable.analyte]
        instants = self._worn(wearable)
        true = self._body.values(analyte.slug, self._day, instants)
        if household.walker is not None and analyte.slug == "heart-rate":
            true = true + household.walker.beats(self._day, instants)
        measured = devices.assayed(self._body.stream(_SENSOR + number, self._day), analyte, true)
        measured = self._with_outliers(analyte, instants, measured)
        self._batches(wearable, instants, measured)

    def _steps(self, walker: Walker) -> None:
        self._rng = self._body.stream(_SENDING_STEPS, self._day)
        instants = self._worn(devices.STEPS)
        instants = instants[~self._silent("heart-rate", instants)]
        self._batches(devices.STEPS, instants, walker.counts(self._day, instants))

    def _worn(self, wearable: Wearable) -> FloatArray:
        """When a sensor of the band measures."""
        household = self._household
        instants = devices.sampling(wearable, self._span, household.second)
        # The band is one thing: all its sensors miss the same minutes.
        wear = devices.worn(
            self._body.stream(_WEAR, self._day), household.wear, instants, self._span
        )
        wear &= ~self._silent(wearable.analyte, instants) & (instants >= household.enrolled)
        return instants[wear]

    def _batches(self, wearable: Wearable, instants: FloatArray, measured: FloatArray) -> None:
        analyte = self._household.analytes[wearable.analyte]
        values = devices.shown(analyte, measured, wearable.resolution)
        instants_ms, shown = (instants * 1000).astype(np.int64).tolist(), values.tolist()
        jumps = self._clock.offset_changes(*self._span)
        for first, last in devices.batches(instants, wearable, jumps):
            begin = instants_ms[first] / 1000
            at = self._phone(instants_ms[last - 1] / 1000, wearable.sync_s)
            batch = ReadingBatch(
                subject=self._subject,
                device=f"band-{self._subject}",
                code=analyte.codes[0].code,
                unit=analyte.unit,
                collected_at=self._clock.local_time(begin),
                zone=self._clock.zone_at(begin),
                received_at=from_epoch_ms(round(at * 1000)),
                timing="device",
                interval_s=float(wearable.cadence_s),
                offsets_ms=[ms - instants_ms[first] for ms in instants_ms[first:last]],
                values=shown[first:last],
            )
            self._send(batch, at)

    def _home_test(self, number: int, test: HomeTest) -> None:
        analyte = self._household.analytes[test.analyte]
        samples: dict[float, tuple[float, float]] = {}
        for date in (self._day - 1, self._day, self._day + 1):
            sleep = self._body.sleep(date)
            waking = sleep[1] if sleep is not None else None
            rng = self._body.stream(_TEST + number, date)
            planned_at = [self._clock.instant(date, hour) for hour in test.clock_hours]
            for planned, after, minutes in devices.appointments(rng, test, planned_at, waking):
                taken = planned + after
                if self._holds(taken):
                    noted = taken if test.verified else round(planned / 60.0) * 60.0
                    samples.setdefault(taken, (noted, minutes))
        instants = np.array(sorted(samples))
        instants = instants[~self._silent(analyte.slug, instants)]
        true = self._body.values(analyte.slug, self._day, instants)
        rng = self._body.stream(_SENSOR + 5 + number, self._day)
        measured = self._with_outliers(analyte, instants, devices.assayed(rng, analyte, true))
        values = devices.shown(analyte, measured, 10.0**-test.decimals)
        noted_before = 0.0
        for taken, value in zip(instants.tolist(), values.tolist(), strict=True):
            noted, minutes = samples[taken]
            if noted <= noted_before:
                continue  # Two samples under one noted time would be one reading.
            noted_before = noted
            limit = test.detection_limit or analyte.detection_limit
            below = limit is not None and value < limit
            ready = max(taken, noted) + 60.0 * minutes
            at = devices.arrival(ready, devices.between(self._rng, _SENDING_S), self._spell)
            reading = Reading(
                subject=self._subject,
                device=f"saliva-{self._subject}",
                code=analyte.codes[0].code,
                unit=analyte.unit,
                collected_at=self._clock.local_time(noted),
                zone=self._clock.zone_at(noted),
                assayed_at=self._clock.local_time(ready),
                received_at=from_epoch_ms(round(at * 1000)),
                timing="verified" if test.verified else "reported",
                value=limit if below else value,
                comparator="<" if below else None,
            )
            self._send(reading, at)

    def _notes(self) -> None:
        self._rng = self._body.stream(_SENDING_NOTES, self._day)
        for source in self._household.sources:
            for date in (self._day - 1, self._day, self._day + 1):
                for note in source(date):
                    if self._holds(note.taken) and not self._unmeasured(note):
                        sending = devices.between(self._rng, _SENDING_S)
                        at = devices.arrival(note.ready, sending, self._spell)
                        received_at = from_epoch_ms(round(at * 1000))
                        self._send(note.record.model_copy(update={"received_at": received_at}), at)

    def _unmeasured(self, note: Note) -> bool:
        if note.analyte is None:
            return False
        return bool(self._silent(note.analyte, np.array([note.taken]))[0])

    def _holds(self, instant: float) -> bool:
        begin, end = self._span
        return max(begin, self._household.enrolled) <= instant < end

    def _silent(self, slug: str, instants: FloatArray) -> devices.BoolArray:
        silent = np.zeros(instants.shape, dtype=np.bool_)
        for trouble in self._household.troubles:
            if trouble.kind == "silent" and trouble.concerns(slug):
                silent |= trouble.active(instants)
        return silent

    def _with_outliers(
        self, analyte: Analyte, instants: FloatArray, values: FloatArray
    ) -> FloatArray:
        """The first reading of the day at or after an outlier's onset is off by its size."""
        for trouble in self._household.troubles:
            if trouble.kind != "outlier" or not trouble.concerns(analyte.slug):
                continue
            at = int(np.searchsorted(instants, trouble.onset))
            if self._span[0] <= trouble.onset < self._span[1] and at < instants.size:
                if analyte.scale == "log":
                    values[at] *= trouble.size
                else:
                    values[at] += trouble.size
        return values

    def _phone(self, instant: float, sync_s: int) -> float:
        """When the phone delivers what the band measured at an instant."""
        ready = (instant // sync_s + 1.0) * sync_s
        return devices.arrival(ready, devices.between(self._rng, _SENDING_S), self._spell)

    def _send(self, record: Record, at: float) -> None:
        """Hand a record, whose ``received_at`` is `at`, to the post; now and then twice."""
        self._parcel(record, round(at * 1000))
        delivery = self._household.delivery
        if self._rng.random() < delivery.duplicate_share:
            again = round((at + devices.between(self._rng, delivery.duplicate_after_s)) * 1000)
            self._parcel(record.model_copy(update={"received_at": from_epoch_ms(again)}), again)

    def _parcel(self, record: Record, received_ms: int) -> None:
        # The publisher's encoding: files and Kafka carry the same bytes.
        value = record.model_dump_json(by_alias=True, exclude_none=True).encode()
        topic = READINGS if isinstance(record, Reading | ReadingBatch) else EVENTS
        received_at = from_epoch_ms(received_ms)
        self._parcels.append(
            Parcel(
                received_ms,
                len(self._parcels),
                Delivery(received_at, self._subject, topic.name, record, value),
            )
        )
