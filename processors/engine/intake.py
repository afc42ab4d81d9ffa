"""From records to fresh readings in columns: decode, check, deduplicate.

    - {"subject": "sim-01", "device": "wrist", "value": 61, "collected_at": "…T10:00:00+01:00", …}
    - the same again
    + Arrivals: slot of sim-01|heart-rate, 10:00, 61 /min, weight 0.5

What a subject, device, code and unit lead to is judged and looked up once and remembered as a
`Source`; of later records only what varies is looked at. What is unusual (a comparator, a new
sampling interval, whatever msgspec cannot read) is judged by the contract every time. Whether a
heading was known makes no difference to the result: msgspec takes nothing that the contract
refuses, and a record's numbers are those that msgspec read, if it could.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo

from processors.engine.decode import (
    OLDEST_MS,
    check_batch_times,
    check_time,
    check_value,
    refused_elements,
    validate,
)
from processors.engine.policy import Policy
from processors.engine.seen import Seen
from processors.engine.series import Series
from processors.engine.wire import Wire, read_wire
from processors.engine_port import Record
from processors.rhythm.parameters import weight
from schemas.catalogue import Analyte, Catalogue
from schemas.errors import Reason, RejectedRecord

_LONGEST_COLUMN = 100_000
_MOST_SOURCES = 1_000_000  # some 300 MB; a partition with more of them forgets and looks up again

FindSeries = Callable[[str, str, Analyte, int], Series]
"""Series of a site, subject and analyte; made at this collection time (epoch ms) if it is new."""
Refuse = Callable[[Record, RejectedRecord, tuple[int, ...]], None]
"""Takes a refused record, its reason and, of a batch, the elements that it is about."""


@dataclass(slots=True)
class Source:
    """One device's readings of one person and analyte in one unit."""

    analyte: Analyte
    scale: float  # canonical value = scale * value + shift
    shift: float
    low: float  # canonical values from low to high need no second look
    high: float
    interval_s: float | None  # sampling interval as sent, that `weight` was made for
    weight: float
    keeps_singles: bool
    series: Series | None = None  # until the first reading that is accepted
    seen: Seen = field(default_factory=Seen)


@dataclass(slots=True)
class Load:
    """The fresh readings of one record, the first of them at `position` of the columns."""

    source: Source
    wire: Wire
    position: int
    n: int


@dataclass(slots=True)
class Arrivals:
    """The fresh readings of a frame in columns, in offset order.

    Per record: slot of the series, count of readings, weight, offset of the wearer's clock from
    UTC, the partition's clock at and before the record (epoch ms). Per reading: time (epoch ms)
    and value (canonical unit). `singles` are to be stored reading by reading, `censored` have a
    comparator, `absent` no value (and stand in no column). `touched` are the slots of series
    whose memory of what was seen has changed.
    """

    records: list[tuple[int, int, float, int, int, int]] = field(default_factory=list)
    times_ms: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    singles: list[Load] = field(default_factory=list)
    censored: list[Load] = field(default_factory=list)
    absent: list[tuple[Series, Wire, int, int]] = field(default_factory=list)
    touched: list[int] = field(default_factory=list)


class Intake:
    """Takes the records of the topic ``readings`` of one partition."""

    def __init__(
        self, catalogue: Catalogue, policy: Policy, find_series: FindSeries, refuse: Refuse
    ) -> None:
        self.clock_ms = 0
        """The partition's clock: the newest `received_at` (epoch ms)."""
        self._catalogue = catalogue
        self._policy = policy
        self._tolerance_ms = round(policy.future_tolerance_s * 1000)
        self._find_series = find_series
        self._refuse = refuse
        self._sources: dict[Hashable, Source] = {}
        self._offsets_ms: dict[tzinfo | None, int] = {}

    def take(self, records: Sequence[Record]) -> Arrivals:
        """Work through records in offset order."""
        arrivals = Arrivals()
        sources = self._sources
        longest = self._policy.max_record_bytes
        for record in records:
            value = record.value
            wire = None if value is None or len(value) > longest else read_wire(value)
            try:
                source = None
                if wire is not None and _is_plain(wire):
                    source = sources.get(_heading(record, wire))
                if source is None or wire is None or source.interval_s != wire.interval_s:
                    wire = validate(record, wire, self._policy)
                    source = self._source(record, wire)
                self._accept(record, wire, source, arrivals)
            except RejectedRecord as error:
                self._refuse(record, error, ())
        return arrivals

    def _source(self, record: Record, wire: Wire) -> Source:
        """The source of a record that the contract has accepted."""
        heading = _heading(record, wire)
        analyte = self._catalogue.by_code(wire.code)
        source = self._sources.get(heading)
        if source is None:
            scale, shift = analyte.conversion(wire.unit)
            screen = analyte.screen
            if len(self._sources) >= _MOST_SOURCES:
                self._sources.clear()
            source = self._sources[heading] = Source(
                analyte, scale, shift, screen.low, screen.high, None, 1.0, analyte.keep == "all"
            )
        source.interval_s = wire.interval_s
        source.weight = weight(analyte, wire.interval_s or analyte.cadence_s)
        return source

    def _accept(self, record: Record, wire: Wire, source: Source, arrivals: Arrivals) -> None:
        received_ms = record.timestamp_ms
        latest_ms = received_ms + self._tolerance_ms
        if wire.received_at is not None:
            received_ms = round(wire.received_at.timestamp() * 1000)
            if received_ms > latest_ms:
                raise RejectedRecord(
                    Reason.FUTURE, "received_at lies in the future: check the clock"
                )
            latest_ms = min(latest_ms, received_ms + self._tolerance_ms)
        collected = wire.collected_at
        time_ms = round(collected.timestamp() * 1000)
        offset_ms = self._offsets_ms.get(collected.tzinfo)
        if offset_ms is None:
            offset = collected.utcoffset()
            assert offset is not None
            offset_ms = (offset.days * 86_400 + offset.seconds) * 1000
            self._offsets_ms[collected.tzinfo] = offset_ms
        if wire.is_batch:
            self._accept_batch(
                record, wire, source, arrivals, time_ms, offset_ms, received_ms, latest_ms
            )
            return
        if not OLDEST_MS <= time_ms <= latest_ms:
            check_time(time_ms, latest_ms)
        value = 0.0
        if wire.value is not None:
            value = wire.value * source.scale + source.shift
            if not source.low <= value <= source.high:  # false for NaN, too
                check_value(source.analyte, value, wire.unit)
        before_ms = self.clock_ms
        if received_ms > before_ms:
            self.clock_ms = received_ms
        series = source.series or self._attach(source, wire, time_ms)
        if record.offset <= series.absorbed:
            return
        if not source.seen.add(time_ms, received_ms, record.replayed):
            arrivals.touched.append(series.slot)
            return
        if wire.value is None:
            arrivals.absent.append((series, wire, time_ms, offset_ms))
            arrivals.touched.append(series.slot)
            return
        if source.keeps_singles or wire.comparator is not None:
            load = Load(source, wire, len(arrivals.times_ms), 1)
            if source.keeps_singles:
                arrivals.singles.append(load)
            if wire.comparator is not None:
                arrivals.censored.append(load)
        arrivals.records.append(
            (series.slot, 1, source.weight, offset_ms, self.clock_ms, before_ms)
        )
        arrivals.times_ms.append(time_ms)
        arrivals.values.append(value)

    def _accept_batch(
        self,
        record: Record,
        wire: Wire,
        source: Source,
        arrivals: Arrivals,
        first_ms: int,
        offset_ms: int,
        received_ms: int,
        latest_ms: int,
    ) -> None:
        offsets, sent = wire.offsets_ms, wire.values
        assert isinstance(offsets, list)
        assert isinstance(sent, list)
        n = len(sent)
        step = _step(offsets)
        low, high = (offsets[0], offsets[-1]) if step else (min(offsets), max(offsets))
        check_batch_times(low, high)
        times: Sequence[int]
        if step:
            times = range(first_ms + low, first_ms + high + 1, step)
        else:
            times = [first_ms + each for each in offsets]
        values = sent
        if source.scale != 1.0 or source.shift != 0.0:
            values = [each * source.scale + source.shift for each in sent]
        share = source.weight
        if wire.interval_s is None and n > 1:
            share = weight(source.analyte, max(0.001, (high - low) / 1000.0 / (n - 1)))
        if not (
            source.low <= min(values)
            and max(values) <= source.high
            and math.isfinite(sum(values))  # extremes say nothing where one is NaN
            and first_ms + low >= OLDEST_MS
            and first_ms + high <= latest_ms
        ):
            refused = refused_elements(source.analyte, times, values, latest_ms, wire.unit)
            if len(refused) == n:
                raise refused[0][1]
            if refused:
                self._refuse(record, refused[0][1], tuple(i for i, _ in refused))
                step = 0
                gone = {i for i, _ in refused}
                times = [each for i, each in enumerate(times) if i not in gone]
                values = [each for i, each in enumerate(values) if i not in gone]
        before_ms = self.clock_ms
        self.clock_ms = max(before_ms, received_ms)
        series = source.series or self._attach(source, wire, times[0])
        if record.offset <= series.absorbed:
            return
        fresh = source.seen.add_all(times, received_ms, step, record.replayed)
        if len(fresh) < len(times):
            arrivals.touched.append(series.slot)
            times = [times[i] for i in fresh]
            values = [values[i] for i in fresh]
            if not fresh:
                return
        if source.keeps_singles:
            arrivals.singles.append(Load(source, wire, len(arrivals.times_ms), len(times)))
        arrivals.records.append(
            (series.slot, len(times), share, offset_ms, self.clock_ms, before_ms)
        )
        arrivals.times_ms.extend(times)
        arrivals.values.extend(values)

    def _attach(self, source: Source, wire: Wire, time_ms: int) -> Series:
        series = self._find_series(wire.site, wire.subject, source.analyte, time_ms)
        source.series = series
        source.seen = series.seen.setdefault(wire.device, source.seen)
        return series


def _is_plain(wire: Wire) -> bool:
    """Whether all that the contract could still refuse of a known heading is its sampling interval.

    A value must be there and no comparator or reason of absence; columns must be of one length.
    """
    if wire.comparator is not None or wire.absent_reason is not None or wire.assayed_at is not None:
        return False
    values, offsets = wire.values, wire.offsets_ms
    if isinstance(values, list):
        return isinstance(offsets, list) and 0 < len(values) == len(offsets) <= _LONGEST_COLUMN
    return wire.value is not None


def _heading(record: Record, wire: Wire) -> Hashable:
    """What is judged once: the key and everything in words."""
    return (
        record.key,
        wire.subject,
        wire.device,
        wire.code,
        wire.unit,
        wire.site,
        wire.timing,
        wire.zone,
        wire.schema_,
    )


def _step(offsets: list[int]) -> int:
    """Spacing of a regular, ascending column of times; 0 if it is not regular."""
    if len(offsets) == 1:
        return 1
    first, last, step = offsets[0], offsets[-1], offsets[1] - offsets[0]
    if step <= 0 or last - first != step * (len(offsets) - 1):
        return 0
    return step if offsets == list(range(first, last + 1, step)) else 0
