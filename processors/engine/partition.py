"""One partition: all state of one partition number, and the way of a frame through it.

decode -> dead letter or readings -> deduplicate -> judge, fold, test (kernel) -> rows, messages.

Everything is a function of the records in offset order. How they were cut into frames, when the
state was saved and where a replay began make no difference; tests hold that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, compress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.deviations.budget import (
    outlier_threshold,
    reference_change,
    sustained_threshold,
)
from processors.engine import kernel
from processors.engine.decode import Columns, Decoder, decode_event
from processors.engine.findings import apply
from processors.engine.policy import Policy
from processors.engine.results import (
    HOUR_MS,
    mean_rows,
    profile_rows,
    revision_rows,
    rhythm_rows,
)
from processors.engine.seen import Seen
from processors.engine.series import Rows, Series, reference_limits
from processors.engine.state import (
    CLOCK_KEY,
    Person,
    dump_clock,
    dump_series,
    load_clock,
    load_series,
    series_key,
    subject_key,
)
from processors.engine_port import OutMessage, Outputs, Record
from processors.rhythm.censoring import censored
from processors.rhythm.layout import NEWEST, P_OUTLIER_GATE, P_Z_OUTLIER, P_Z_SUSTAINED
from processors.rhythm.parameters import estimator_parameters, weight
from schemas.catalogue import Analyte, Catalogue
from schemas.dead_letters import DeadLetter
from schemas.errors import RejectedRecord
from schemas.events import Dose, Profile, Sleep
from schemas.measurements import EVENT, PROFILE, READING, RHYTHM, Row
from schemas.readings import Reading, ReadingBatch
from schemas.results import Rhythm, Status, StoredEvent
from schemas.topics import DEAD_LETTERS, ESTIMATES, EVENTS, READINGS

# Kafka's timestamp is the producer's to set, 64 bits of it; a calendar holds less.
_EPOCH = datetime.fromtimestamp(0, UTC)
_FIRST_MS, _LAST_MS = -62_135_596_800_000, 253_402_300_799_999


def parameter_table(catalogue: Catalogue, policy: Policy) -> NDArray[np.float64]:
    """The kernel's numbers of every analyte, in the catalogue's order, thresholds included."""
    table = []
    for analyte in catalogue:
        p = estimator_parameters(analyte)
        p[P_Z_SUSTAINED] = sustained_threshold(
            policy.alerts_per_person_month, policy.series_per_person
        )
        p[P_Z_OUTLIER] = outlier_threshold(
            policy.alerts_per_person_month, policy.series_per_person, analyte.cadence_s / 3600.0
        )
        gate = reference_change(analyte.cv_analytical, analyte.cv_within)
        # on the linear scale the same relative change, at the population's midline
        p[P_OUTLIER_GATE] = gate if analyte.scale == "log" else gate * abs(analyte.prior.mesor)
        table.append(p)
    return np.array(table)


class Load(NamedTuple):
    """The fresh readings of one record on their way to the kernel."""

    series: Series
    times_ms: list[int]
    values: list[float]
    offset_ms: int
    weight: float
    clock_ms: int  # the partition's clock at and before the record
    clock_before_ms: int
    heading: Reading | ReadingBatch


class Partition:
    """See the module's docstring; the interface is `processors.engine_port.PartitionEngine`."""

    def __init__(self, number: int, catalogue: Catalogue, policy: Policy) -> None:
        self.number = number
        self._catalogue = catalogue
        self._policy = policy
        self._decoder = Decoder(catalogue, policy)
        self._parameters = parameter_table(catalogue, policy)
        self._analyte_index = {analyte.slug: i for i, analyte in enumerate(catalogue)}
        self._series: list[Series] = []
        self._by_key: dict[tuple[str, str], Series] = {}
        self._by_subject: dict[str, list[Series]] = {}
        self._people: dict[str, Person] = {}
        self._rows = Rows()
        self._buffers = kernel.buffers()
        self._clock_ms = 0
        self._clocks: dict[int, int] = {}  # offset -> clock, where a replay may begin
        self._saved_position = 0
        self._position = {READINGS.name: 0, EVENTS.name: 0}
        self._estimates: dict[Row, Row] = {}  # newest rhythm of each series since the last settle
        self._changed: dict[int, None] = {}  # slots, in order of change
        self._unsettled: dict[int, None] = {}
        self._changed_people: dict[str, None] = {}

    # --- recovery -------------------------------------------------------------------------

    def restore(self, key: bytes, value: bytes) -> None:
        """Take over one row of the topic `state`."""
        if key == CLOCK_KEY:
            self._clocks.update(load_clock(value))
            return
        kind, subject, *rest = key.decode().split("|")
        if kind == "subject":
            self._people[subject] = Person.load(value)
            for series in self._by_subject.get(subject, ()):
                series.limits = self._limits(series.analyte, subject, 0.0)
            return
        saved = load_series(value)
        analyte = self._catalogue[rest[0]]
        series = self._new_series(saved.site, subject, analyte, 0.0)
        self._rows.load(series.slot, *saved.kernel)
        series.absorbed, series.seen, series.open = saved.absorbed, saved.seen, saved.open
        series.limits = self._limits(analyte, subject, self._rows.rows[series.slot, NEWEST])
        self._clocks[saved.absorbed] = saved.clock_ms

    def start(self, committed: Mapping[str, int]) -> None:
        """Begin at these offsets; called once, after the last `restore`."""
        self._position.update(committed)
        self._saved_position = self._position[READINGS.name]
        last = max((o for o in self._clocks if o < self._saved_position), default=None)
        self._clock_ms = 0 if last is None else self._clocks[last]
        self._clocks[self._saved_position - 1] = self._clock_ms

    def position(self, topic: str) -> int:
        """Next offset to read of a topic."""
        return self._position[topic]

    # --- a frame --------------------------------------------------------------------------

    def process(self, records: Sequence[Record]) -> Outputs:
        """Work through records of one topic, in offset order."""
        outputs = Outputs()
        if not records:
            return outputs
        if records[0].topic == EVENTS.name:
            for record in records:
                self._take_event(record, outputs)
        else:
            pending: list[Load] = []
            for record in records:
                self._take_reading(record, pending, outputs)
            self._run(pending, outputs)
        self._position[records[0].topic] = records[-1].offset + 1
        return outputs

    def settle(self) -> Outputs:
        """Bring every series up to the partition's clock, and publish what has changed."""
        outputs = Outputs()
        self._watch(outputs)
        slots = np.array(list(self._unsettled), dtype=np.int64)
        self._unsettled.clear()
        rhythm, profile, _, bins, _, counters = self._buffers
        position = 0
        while position < len(slots):
            counters[:] = 0
            position = kernel.settle(
                position,
                slots,
                self._rows.rows,
                self._rows.analytes,
                self._parameters,
                self._rows.ring_mean,
                self._rows.ring_n,
                rhythm,
                profile,
                bins,
                counters,
            )
            self._drain(outputs)
        outputs.messages.extend(map(_estimate, self._estimates.values()))
        self._estimates.clear()
        return outputs

    def changes(self) -> list[tuple[bytes, bytes | None]]:
        """State rows that have changed since the last call."""
        readings, events = self._position[READINGS.name], self._position[EVENTS.name]
        rows: list[tuple[bytes, bytes | None]] = []
        for slot in self._changed:
            series = self._series[slot]
            series.absorbed = max(series.absorbed, readings - 1)
            key = series_key(series.subject, series.analyte.slug)
            rows.append((key, dump_series(series, self._rows, self._clock_ms)))
        for subject in self._changed_people:
            person = self._people[subject]
            person.absorbed = max(person.absorbed, events - 1)
            rows.append((subject_key(subject), person.dump()))
        if readings != self._saved_position:
            # what the last call gave is committed by now, so older entries have served
            self._clocks = {o: c for o, c in self._clocks.items() if o >= self._saved_position - 1}
            self._clocks[readings - 1] = self._clock_ms
            self._saved_position = readings
            rows.append((CLOCK_KEY, dump_clock(self._clocks)))
        self._changed.clear()
        self._changed_people.clear()
        return rows

    # --- readings -------------------------------------------------------------------------

    def _take_reading(self, record: Record, pending: list[Load], outputs: Outputs) -> None:
        try:
            columns = self._decoder.decode(record)
        except RejectedRecord as error:
            outputs.messages.append(dead_letter(record, error))
            return
        if columns.refused:
            elements = tuple(i for i, _ in columns.refused)
            outputs.messages.append(dead_letter(record, columns.refused[0][1], elements))
        before = self._clock_ms
        self._clock_ms = max(before, columns.received_ms)
        heading, analyte = columns.heading, columns.analyte
        key = (heading.subject, analyte.slug)
        series = self._by_key.get(key)
        if series is None:
            at = columns.times_ms[0] / HOUR_MS
            series = self._new_series(heading.site, heading.subject, analyte, at)
        elif record.offset <= series.absorbed:
            return
        seen = series.seen.get(heading.device)
        if seen is None:
            seen = series.seen[heading.device] = Seen()
        times = columns.times_ms
        fresh = seen.add_all(times, columns.received_ms)
        if not fresh:
            return
        self._changed[series.slot] = None
        if not columns.values:
            outputs.add(READING, [_absent_row(series, columns)])
            return
        self._unsettled[series.slot] = None
        values = columns.values
        if len(fresh) < len(times):
            times, values = [times[i] for i in fresh], [values[i] for i in fresh]
        pending.append(
            Load(
                series,
                times,
                values,
                columns.offset_ms,
                weight(analyte, columns.interval_s),
                self._clock_ms,
                before,
                heading,
            )
        )

    def _new_series(self, site: str, subject: str, analyte: Analyte, at_h: float) -> Series:
        slot = self._rows.append(self._analyte_index[analyte.slug], at_h)
        series = Series(
            slot=slot,
            site=site,
            subject=subject,
            analyte=analyte,
            limits=self._limits(analyte, subject, at_h),
            is_log=analyte.scale == "log",
        )
        self._series.append(series)
        self._by_key[subject, analyte.slug] = series
        self._by_subject.setdefault(subject, []).append(series)
        return series

    def _limits(self, analyte: Analyte, subject: str, at_h: float) -> Any:
        person = self._people.get(subject)
        if person is None:
            return reference_limits(analyte, None, None)
        age = None
        if person.birth_year is not None:
            year = datetime.fromtimestamp(at_h * 3600.0, UTC).year
            age = float(year - person.birth_year)
        return reference_limits(analyte, person.sex, age)

    def _run(self, loads: list[Load], outputs: Outputs) -> None:
        if not loads:
            return
        series, times_ms, values_of, offsets_ms, weights, clocks_ms, before_ms, _ = zip(
            *loads, strict=True
        )
        counts = [len(each) for each in times_ms]

        def spread(column: Sequence[float]) -> NDArray[np.float64]:
            return np.repeat(np.array(column, dtype=np.float64), counts)

        slots = np.repeat(np.array([each.slot for each in series]), counts)
        times = np.array(list(chain.from_iterable(times_ms))) / HOUR_MS
        values = np.array(list(chain.from_iterable(values_of)))
        is_log = np.repeat(np.array([each.is_log for each in series]), counts)
        model_values = np.where(is_log, np.log(np.where(is_log, values, 1.0)), values)
        n = len(slots)
        extra = np.zeros(n)
        is_censored = np.zeros(n, dtype=bool)
        offsets = spread(offsets_ms) / HOUR_MS
        for i, load in zip(np.cumsum([0, *counts]).tolist(), loads, strict=False):
            if isinstance(load.heading, Reading) and load.heading.comparator is not None:
                model_values[i], extra[i] = censored(
                    load.series.analyte,
                    float(times[i] + offsets[i]),
                    float(values[i]),
                    load.heading.comparator,
                )
                is_censored[i] = True
        clocks = spread(clocks_ms) / HOUR_MS
        clocks_before = spread(before_ms) / HOUR_MS
        weights_of = spread(weights)
        z = np.zeros(n)
        lives = np.zeros(n, dtype=bool)
        rhythm, profile, revision, bins, transition, counters = self._buffers
        position = 0
        while position < n:
            counters[:] = 0
            position = kernel.run(
                position,
                slots,
                times,
                offsets,
                values,
                model_values,
                extra,
                weights_of,
                clocks,
                clocks_before,
                is_censored,
                self._rows.rows,
                self._rows.analytes,
                self._parameters,
                self._rows.ring_mean,
                self._rows.ring_n,
                z,
                lives,
                rhythm,
                profile,
                revision,
                bins,
                transition,
                counters,
            )
            self._drain(outputs)
        outputs.add(READING, _single_rows(loads, z, lives))

    def _watch(self, outputs: Outputs) -> None:
        n = len(self._series)
        slots = np.arange(n)
        changed = np.zeros(n, dtype=bool)
        rhythm, profile, _, _, transition, counters = self._buffers
        position = 0
        while position < n:
            counters[:] = 0
            position = kernel.watch(
                position,
                slots,
                self._clock_ms / HOUR_MS,
                self._rows.rows,
                self._rows.analytes,
                self._parameters,
                self._rows.ring_mean,
                self._rows.ring_n,
                changed,
                rhythm,
                profile,
                transition,
                counters,
            )
            self._drain(outputs)
        self._changed.update(dict.fromkeys(compress(range(n), changed.tolist())))

    def _drain(self, outputs: Outputs) -> None:
        """Empty the kernel's buffers into rows and findings."""
        rhythm, profile, revision, bins, transition, counters = self._buffers
        rhythms = rhythm_rows(self._series, rhythm[: counters[kernel.C_RHYTHM]])
        outputs.add(RHYTHM, rhythms)
        self._estimates.update((row[:3], row) for row in rhythms)
        outputs.add(PROFILE, profile_rows(self._series, profile[: counters[kernel.C_PROFILE]]))
        outputs.add(PROFILE, revision_rows(self._series, revision[: counters[kernel.C_REVISION]]))
        outputs.add(READING, mean_rows(self._series, bins[: counters[kernel.C_BIN]]))
        for change in transition[: counters[kernel.C_TRANSITION]]:
            series = self._series[int(change[0])]
            person = self._people.get(series.subject)
            apply(series, change, person.doses if person else [], outputs)

    # --- events ---------------------------------------------------------------------------

    def _take_event(self, record: Record, outputs: Outputs) -> None:
        try:
            event = decode_event(record, self._policy)
        except RejectedRecord as error:
            outputs.messages.append(dead_letter(record, error))
            return
        outputs.add(EVENT, [EVENT.row(_stored_event(event))])
        person = self._people.setdefault(event.subject, Person())
        if record.offset <= person.absorbed:
            return
        self._changed_people[event.subject] = None
        if person.take(event):
            for series in self._by_subject.get(event.subject, ()):
                newest = self._rows.rows[series.slot, NEWEST]
                series.limits = self._limits(series.analyte, event.subject, newest)


def dead_letter(
    record: Record, error: RejectedRecord, elements: tuple[int, ...] = ()
) -> OutMessage:
    """The refused record for the topic `dead-letters`, byte for byte, with its reason."""
    since = timedelta(milliseconds=min(max(record.timestamp_ms, _FIRST_MS), _LAST_MS))
    letter = DeadLetter(
        reason=error.reason,
        detail=error.detail,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        time=_EPOCH + since,
        elements=elements,
    )
    return OutMessage(DEAD_LETTERS.name, record.key, record.value, letter.headers())


def _estimate(row: Row) -> OutMessage:
    """The newest rhythm of a series for the topic `estimates`."""
    _, subject, analyte = row[:3]
    rhythm = dict(zip(RHYTHM.columns, row, strict=True))
    rhythm["status"] = Status(rhythm["status"])
    for name in ("time", "last_reading"):
        rhythm[name] = datetime.fromtimestamp(rhythm[name] / 1000, UTC)
    value = Rhythm.model_construct(**rhythm).model_dump_json().encode()
    return OutMessage(ESTIMATES.name, f"{subject}|{analyte}".encode(), value)


def _absent_row(series: Series, columns: Columns) -> Row:
    heading = columns.heading
    assert isinstance(heading, Reading)
    hour = (columns.times_ms[0] + columns.offset_ms) / HOUR_MS % 24.0
    return (
        series.site,
        series.subject,
        series.analyte.slug,
        columns.times_ms[0],
        *(None, None, None, 0, hour, None),
        f"absent: {heading.absent_reason}",
        heading.device,
        None,
        None,
    )


def _single_rows(loads: list[Load], z: NDArray[np.float64], lives: NDArray[np.bool_]) -> list[Row]:
    """Rows of the measurement `reading` for analytes that keep every reading."""
    rows = []
    i = 0
    for load in loads:
        series, heading = load.series, load.heading
        if series.analyte.keep != "all":
            i += len(load.values)
            continue
        comparator = original = None
        if isinstance(heading, Reading):
            comparator = heading.comparator
            original = f"{comparator or ''}{heading.value:g} {heading.unit}"
        for time_ms, value in zip(load.times_ms, load.values, strict=True):
            hour = (time_ms + load.offset_ms) / HOUR_MS % 24.0
            rows.append(
                (
                    series.site,
                    series.subject,
                    series.analyte.slug,
                    time_ms,
                    *(value, value, value, 1, hour, comparator, original, heading.device),
                    None if comparator else float(z[i]),
                    bool(lives[i]),
                )
            )
            i += 1
    return rows


def _stored_event(event: Dose | Sleep | Profile) -> StoredEvent:
    local = event.at
    if isinstance(event, Dose):
        text = f"{event.substance} {event.amount:g} {event.unit} {event.route}"
    elif isinstance(event, Profile):
        text = "profile given"
    else:
        text = f"{event.kind} ({'measured' if event.verified else 'reported'})"
    return StoredEvent(
        site=event.site,
        subject=event.subject,
        kind=event.kind,
        time=event.at,
        text=text,
        clock_hour=local.hour + local.minute / 60.0 + local.second / 3600.0,
    )
