"""One partition: all state of one partition number, and the way of a frame through it.

decode -> dead letter or readings -> deduplicate -> judge, fold, test (kernel) -> rows, messages.

Everything is a function of the records in offset order. How they were cut into frames, when the
state was saved and where a replay began make no difference; tests hold that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import compress

import msgspec
import numpy as np
from numpy.typing import NDArray

from processors.engine import kernel
from processors.engine.decode import decode_event
from processors.engine.event_rows import stored_event
from processors.engine.findings import apply
from processors.engine.intake import Arrivals, Intake
from processors.engine.kernel.buffers import C_BIN, C_PROFILE, C_REVISION, C_RHYTHM, C_TRANSITION
from processors.engine.parameters import ParameterTable
from processors.engine.people import People
from processors.engine.policy import Policy
from processors.engine.reading_rows import (
    absent_rows,
    closed_half_hours,
    kept_readings,
    mean_rows,
    single_rows,
)
from processors.engine.results import (
    HOUR_MS,
    profile_rows,
    revision_rows,
    rhythm_rows,
)
from processors.engine.series import Rows, Series
from processors.engine.state import (
    CLOCK_KEY,
    dump_clock,
    dump_series,
    load_clock,
    load_series,
    series_key,
)
from processors.engine_port import OutMessage, Outputs, Record
from processors.rhythm.censoring import censored
from processors.rhythm.layout import P_LOG
from schemas.catalogue import Analyte, Catalogue
from schemas.dead_letters import DeadLetter
from schemas.errors import RejectedRecord
from schemas.measurements import EVENT, PROFILE, READING, RHYTHM, Row
from schemas.topics import DEAD_LETTERS, ESTIMATES, EVENTS, READINGS

_RHYTHM_COLUMNS = RHYTHM.columns
# Kafka's timestamp is the producer's to set, 64 bits of it; a calendar holds less.
_EPOCH = datetime.fromtimestamp(0, UTC)
_FIRST_MS, _LAST_MS = -62_135_596_800_000, 253_402_300_799_999


class Partition:
    """See the module's docstring; the interface is `processors.engine_port.PartitionEngine`."""

    def __init__(self, number: int, catalogue: Catalogue, policy: Policy) -> None:
        self.number = number
        self._catalogue = catalogue
        self._policy = policy
        self._parameters = ParameterTable(catalogue, policy)
        self._series: list[Series] = []
        self._by_key: dict[tuple[str, str], Series] = {}
        self._by_subject: dict[str, list[Series]] = {}
        self._people = People(catalogue)
        self._rows = Rows()
        self._buffers = kernel.buffers()
        self._intake = Intake(catalogue, policy, self._find_series, self._refuse)
        self._refused: list[OutMessage] = []
        self._clocks: dict[int, int] = {}  # offset -> clock, where a replay may begin
        self._saved_position = 0
        self._position = {READINGS.name: 0, EVENTS.name: 0}
        self._estimates: dict[Row, Row] = {}  # newest rhythm of each series since the last settle
        self._changed: dict[int, None] = {}  # slots, in order of change
        self._unsettled: dict[int, None] = {}

    # --- recovery -------------------------------------------------------------------------

    def restore(self, key: bytes, value: bytes) -> None:
        """Take over one row of the topic `state`."""
        if key == CLOCK_KEY:
            self._clocks.update(load_clock(value))
            return
        kind, subject, *rest = key.decode().split("|")
        if kind == "subject":
            self._people.restore(subject, value)
            for series in self._by_subject.get(subject, ()):
                self._judge_by_who(series)
            return
        saved = load_series(value)
        analyte = self._catalogue[rest[0]]
        series = self._new_series(saved.site, subject, analyte, saved.began_ms)
        self._rows.load(series.slot, *saved.kernel)
        series.absorbed, series.seen, series.open = saved.absorbed, saved.seen, saved.open
        self._people.restore_diary(subject, analyte.slug, saved.diary)
        self._clocks[saved.absorbed] = saved.clock_ms

    def start(self, committed: Mapping[str, int]) -> None:
        """Begin at these offsets; called once, after the last `restore`."""
        self._position.update(committed)
        self._saved_position = self._position[READINGS.name]
        last = max((o for o in self._clocks if o < self._saved_position), default=None)
        self._intake.clock_ms = 0 if last is None else self._clocks[last]
        self._clocks[self._saved_position - 1] = self._intake.clock_ms

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
            arrivals = self._intake.take(records)
            outputs.messages.extend(self._refused)
            self._refused.clear()
            self._changed.update(dict.fromkeys(arrivals.touched))
            outputs.add(READING, absent_rows(arrivals.absent))
            if arrivals.records:
                self._run(arrivals, outputs)
        self._position[records[0].topic] = records[-1].offset + 1
        return outputs

    def settle(self) -> Outputs:
        """Bring every series up to the partition's clock, and publish what has changed."""
        outputs = Outputs()
        self._watch(outputs, np.arange(len(self._series)))
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
                self._rows.parameters,
                self._parameters.rows,
                self._rows.ring_mean,
                self._rows.ring_n,
                rhythm,
                profile,
                bins,
                counters,
            )
            self._drain(outputs, closed=False)
        outputs.messages.extend(map(_estimate, self._estimates.values()))
        self._estimates.clear()
        self._people.say_markers(self._site, outputs)
        return outputs

    def changes(self) -> list[tuple[bytes, bytes | None]]:
        """State rows that have changed since the last call."""
        readings, events = self._position[READINGS.name], self._position[EVENTS.name]
        rows: list[tuple[bytes, bytes | None]] = []
        for slot in self._changed:
            series = self._series[slot]
            series.absorbed = max(series.absorbed, readings - 1)
            key = series_key(series.subject, series.analyte.slug)
            diary = self._people.diary(series.subject, series.analyte.slug)
            rows.append((key, dump_series(series, self._rows, self._intake.clock_ms, diary)))
        rows += self._people.changes(events - 1)
        if readings != self._saved_position:
            # what the last call gave is committed by now, so older entries have served
            self._clocks = {o: c for o, c in self._clocks.items() if o >= self._saved_position - 1}
            self._clocks[readings - 1] = self._intake.clock_ms
            self._saved_position = readings
            rows.append((CLOCK_KEY, dump_clock(self._clocks)))
        self._changed.clear()
        return rows

    # --- readings -------------------------------------------------------------------------

    def _refuse(self, record: Record, error: RejectedRecord, elements: tuple[int, ...]) -> None:
        self._refused.append(dead_letter(record, error, elements))

    def _find_series(self, site: str, subject: str, analyte: Analyte, at_ms: int) -> Series:
        series = self._by_key.get((subject, analyte.slug))
        return series or self._new_series(site, subject, analyte, at_ms)

    def _new_series(self, site: str, subject: str, analyte: Analyte, began_ms: int) -> Series:
        slot = self._rows.append(began_ms / HOUR_MS)
        series = Series(slot, site, subject, analyte, began_ms)
        self._series.append(series)
        self._by_key[subject, analyte.slug] = series
        self._by_subject.setdefault(subject, []).append(series)
        self._judge_by_who(series)
        return series

    def _judge_by_who(self, series: Series) -> None:
        """Take prior and references from the group that its person belongs to, as far as known."""
        series.know(self._people[series.subject].known)
        self._rows.parameters[series.slot] = self._parameters.place(series.analyte, series.prior)

    def _run(self, arrivals: Arrivals, outputs: Outputs) -> None:
        """Take a frame's readings through the kernel."""
        slots_of, counts, weights_of, offsets_of, clocks_of = zip(*arrivals.records, strict=True)
        self._changed.update(dict.fromkeys(slots_of))
        self._unsettled.update(dict.fromkeys(slots_of))
        n = len(arrivals.times_ms)
        repeats = None if n == len(counts) else np.array(counts)

        def spread(column: Sequence[float], unit: float = 1.0) -> NDArray[np.float64]:
            per_record = np.array(column, dtype=np.float64) / unit
            return per_record if repeats is None else np.repeat(per_record, repeats)

        slots = np.array(slots_of)
        if repeats is not None:
            slots = np.repeat(slots, repeats)
        times = np.array(arrivals.times_ms) / HOUR_MS
        values = np.array(arrivals.values)
        offsets = spread(offsets_of, HOUR_MS)
        is_log = self._parameters.rows[self._rows.parameters[slots], P_LOG] > 0.0
        model_values = np.where(is_log, np.log(np.where(is_log, values, 1.0)), values)
        extra = np.zeros(n)
        is_censored = np.zeros(n, dtype=bool)
        for load in arrivals.censored:
            i, comparator = load.position, load.wire.comparator
            assert comparator is not None
            model_values[i], extra[i] = censored(
                load.source.analyte, float(times[i] + offsets[i]), float(values[i]), comparator
            )
            is_censored[i] = True
        clocks, weights = spread(clocks_of, HOUR_MS), spread(weights_of)
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
                weights,
                clocks,
                is_censored,
                self._rows.rows,
                self._rows.parameters,
                self._parameters.rows,
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
        outputs.add(READING, single_rows(arrivals, offsets, z, lives))
        for series, readings in kept_readings(arrivals, offsets):
            self._people.read(series.subject, series.analyte.slug, readings)

    def _watch(self, outputs: Outputs, slots: NDArray[np.int64]) -> None:
        """Bring these series up to the partition's clock."""
        n = len(slots)
        changed = np.zeros(n, dtype=bool)
        rhythm, profile, _, _, transition, counters = self._buffers
        position = 0
        while position < n:
            counters[:] = 0
            position = kernel.watch(
                position,
                slots,
                self._intake.clock_ms / HOUR_MS,
                self._rows.rows,
                self._rows.parameters,
                self._parameters.rows,
                self._rows.ring_mean,
                self._rows.ring_n,
                changed,
                rhythm,
                profile,
                transition,
                counters,
            )
            self._drain(outputs)
        self._changed.update(dict.fromkeys(compress(slots.tolist(), changed.tolist())))

    def _drain(self, outputs: Outputs, *, closed: bool = True) -> None:
        """Empty the kernel's buffers into rows and findings; closed: half hours are over."""
        rhythm, profile, revision, bins, transition, counters = self._buffers
        rhythms = rhythm_rows(self._series, rhythm[: counters[C_RHYTHM]])
        outputs.add(RHYTHM, rhythms)
        self._estimates.update((row[:3], row) for row in rhythms)
        outputs.add(PROFILE, profile_rows(self._series, profile[: counters[C_PROFILE]]))
        outputs.add(PROFILE, revision_rows(self._series, revision[: counters[C_REVISION]]))
        outputs.add(READING, mean_rows(self._series, bins[: counters[C_BIN]]))
        if closed:
            over = profile[: counters[C_PROFILE]], revision[: counters[C_REVISION]]
            for slot, day, half, mean, n, offset_h in closed_half_hours(*over):
                series = self._series[slot]
                slug = series.analyte.slug
                self._people.half_hour(series.subject, slug, day, half, mean, n, offset_h)
        for change in transition[: counters[C_TRANSITION]]:
            series = self._series[int(change[0])]
            apply(series, change, self._people[series.subject], outputs)

    def _site(self, subject: str) -> str | None:
        """Of a person's readings."""
        theirs = [series.site for series in self._by_subject.get(subject, ())]
        return min(theirs, default=None)

    # --- events ---------------------------------------------------------------------------

    def _take_event(self, record: Record, outputs: Outputs) -> None:
        try:
            event = decode_event(record, self._policy)
        except RejectedRecord as error:
            outputs.messages.append(dead_letter(record, error))
            return
        outputs.add(EVENT, [EVENT.row(stored_event(event))])
        if self._people.take(event, record.offset, self._intake.clock_ms):
            theirs = self._by_subject.get(event.subject, [])
            # What the clock has closed by now was closed by what was known until now.
            self._watch(outputs, np.array([series.slot for series in theirs], dtype=np.int64))
            for series in theirs:
                self._judge_by_who(series)
                self._unsettled[series.slot] = None


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
    """The newest rhythm of a series for the topic `estimates`, as `schemas.results.Rhythm`."""
    rhythm = dict(zip(_RHYTHM_COLUMNS, row, strict=True))
    for name in ("time", "last_reading"):
        rhythm[name] = datetime.fromtimestamp(rhythm[name] / 1000, UTC)
    key = f"{rhythm['subject']}|{rhythm['analyte']}".encode()
    return OutMessage(ESTIMATES.name, key, msgspec.json.encode(rhythm))
