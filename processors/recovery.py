"""How state survives: what the topic ``state`` says about one partition.

Every state record carries two headers:

``generation``
    the consumer group's generation in which it was written;
``positions``
    the next offset of each input topic when it was written, as ``readings=120 events=7``. The
    row has absorbed everything before.

A worker takes a partition over by writing an owner's mark on it, and reads the topic up to its
own mark. A record of a lower generation behind one of a higher was written by a worker that had
been paused past its session and did not know yet that it had lost the partition: a zombie.
Where such a record is the last of its key, compaction may have removed the newer row, so the
partition is read again from the positions at which the zombie stood. That is always safe: every
other row skips what it has absorbed.

The marks have a key for each generation, so that compaction cannot remove the boundary before
somebody has acted on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from processors.engine_port import ForeignState

_MARK = b"\x00owner/"

Headers = Sequence[tuple[str, bytes]]


class StateLog:
    """What the records of one partition of ``state``, added in offset order, come to."""

    def __init__(self) -> None:
        self.generation = -1
        self.rows: dict[bytes, bytes] = {}
        self._marks: set[bytes] = set()
        # Keys whose last record is a zombie's, with the positions at which it was written.
        self._zombies: dict[bytes, dict[str, int]] = {}

    def add(self, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        """One record; a value of None is a tombstone. Raises `ForeignState`."""
        generation, positions = _read_headers(headers)
        if key is None:
            raise ForeignState("the topic state holds a record without a key: it is not ours alone")
        late = generation < self.generation
        self.generation = max(self.generation, generation)
        if key.startswith(_MARK):
            if value is None:
                self._marks.discard(key)
            else:
                self._marks.add(key)
            return
        if value is None:
            self.rows.pop(key, None)
        else:
            self.rows[key] = value
        if late:
            self._zombies[key] = positions
        else:
            self._zombies.pop(key, None)

    def start(self, committed: Mapping[str, int]) -> dict[str, int]:
        """Where to begin each input topic: the committed offset, or a zombie's position before."""
        start = dict(committed)
        for positions in self._zombies.values():
            for topic, position in positions.items():
                if topic in start:
                    start[topic] = min(start[topic], position)
        return start

    def repairs(self, own: int) -> list[tuple[bytes, bytes | None]]:
        """Records that close the matter for the owner of generation ``own``.

        The zombies' rows under the owner's generation, then tombstones for older marks. To be
        written once the offsets of `start` are committed, so that a crash in between leaves
        either the zombies' traces or their effect.
        """
        rows = [(key, self.rows.get(key)) for key in self._zombies]
        return rows + [(mark, None) for mark in sorted(self._marks - {mark_key(own)})]


def mark_key(generation: int) -> bytes:
    """Key of the owner's mark of a generation."""
    return b"%s%d" % (_MARK, generation)


def state_headers(generation: int, positions: Mapping[str, int]) -> list[tuple[str, bytes]]:
    """Headers of a state record.

    >>> state_headers(4, {"readings": 120, "events": 7})
    [('generation', b'4'), ('positions', b'readings=120 events=7')]
    """
    where = " ".join(f"{topic}={position}" for topic, position in positions.items())
    return [("generation", b"%d" % generation), ("positions", where.encode())]


def _read_headers(headers: Iterable[tuple[str, bytes]]) -> tuple[int, dict[str, int]]:
    found = dict(headers)
    try:
        generation = int(found["generation"])
        pairs = (pair.rsplit("=", 1) for pair in found["positions"].decode().split())
        return generation, {topic: int(position) for topic, position in pairs}
    except (KeyError, ValueError) as error:
        raise ForeignState(
            "the topic state holds a record without the headers of an Acrophase worker: give "
            "Acrophase a state topic of its own"
        ) from error
