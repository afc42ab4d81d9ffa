"""Frames: one event per partition and poll, and Faust takes it for a record."""

from __future__ import annotations

from aiokafka.structs import ConsumerRecord, TopicPartition
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from processors.engine_port import Record
from processors.frames import Frame, FrameScheduler


def fetched(topic: str, partition: int, offset: int, value: bytes | None = b"{}") -> ConsumerRecord:
    return ConsumerRecord(
        topic, partition, offset, 1_700_000_000_000 + offset, 0, b"ann-1", value, None, 5, 2, ()
    )


def test_a_frame_carries_all_records_and_the_last_offset() -> None:
    records = [fetched("readings", 3, offset) for offset in (17, 18, 21)]
    ((where, frame),) = FrameScheduler().iterate({TopicPartition("readings", 3): records})
    assert where == TP("readings", 3)
    assert frame.offset == 21
    assert frame.timestamp == 1_700_000_000_021
    assert frame.value == tuple(
        Record("readings", 3, offset, 1_700_000_000_000 + offset, b"ann-1", b"{}")
        for offset in (17, 18, 21)
    )


def test_a_record_from_the_dead_letters_is_known_by_its_header() -> None:
    records = [fetched("readings", 0, offset) for offset in range(3)]
    records[1].headers = (("traceparent", b"00"), ("replayed", b"1"))
    records[2].headers = (("traceparent", b"00"),)
    ((_, frame),) = FrameScheduler().iterate({TopicPartition("readings", 0): records})
    assert [record.replayed for record in frame.value] == [False, True, False]


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(["readings", "events"]), st.integers(0, 5)),
        st.lists(st.integers(0, 10_000), max_size=20, unique=True).map(sorted),
    )
)
def test_nothing_is_lost_or_mixed(poll: dict[tuple[str, int], list[int]]) -> None:
    records = {
        TopicPartition(*where): [fetched(*where, offset) for offset in offsets]
        for where, offsets in poll.items()
    }
    frames = list(FrameScheduler().iterate(records))
    assert {tuple(where): [r.offset for r in frame.value] for where, frame in frames} == {
        where: offsets for where, offsets in poll.items() if offsets
    }


def test_faust_finds_what_it_reads_off_a_record() -> None:
    """The attributes that Faust's `_to_message` takes, and which would fail only at run time."""
    frame = Frame("events", 0, [fetched("events", 0, 4, value=None)])
    told = (frame.topic, frame.partition, frame.offset, frame.timestamp_type, frame.key)
    assert told == ("events", 0, 4, 0, None)
    assert (frame.headers, frame.checksum) == ((), None)
    assert (frame.serialized_key_size, frame.serialized_value_size) == (0, 0)
    assert frame.value[0].value is None
