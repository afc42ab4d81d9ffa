"""What every store must do, on the stores that need Python alone.

A store's test class takes ``StoreConformance`` and gives the fixture ``store``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.store import Store, open_store
from processors.store.memory import MemoryStore
from schemas.measurements import DEVIATION, EVENT, PROFILE, READING, RHYTHM, Measurement, Row

HOUR = 3_600_000
T0 = 1_700_000_000_000


def row(measurement: Measurement, **values: Any) -> Row:
    """A row of the measurement: the given columns, tags 'default', 'p-01', …, no other fields."""
    plain: dict[str, Any] = dict.fromkeys(measurement.columns)
    plain |= {"site": "default", "subject": "p-01", "time": T0}
    plain |= {tag: "x" for tag in measurement.tags if plain[tag] is None}
    assert values.keys() <= plain.keys()
    return tuple((plain | values).values())


def profile(**values: Any) -> Row:
    return row(PROFILE, **{"analyte": "saliva-cortisol", "clock_hour": 7.25} | values)


def as_dict(measurement: Measurement, values: Row) -> dict[str, Any]:
    return dict(zip(measurement.columns, values, strict=True))


AWKWARD = [
    "two words",
    " leading and trailing ",
    "a,b",
    "a=b",
    r"back\slash",
    r"back\,comma",
    r"back\ space",
    r"double\\backslash",
    'say "no"',
    "${1 + 1} $x",
    "émoji 🌙 漢字",
    '") |> yield() //',
    "'; DROP TABLE profile; --",
    "#datatype,string",
    "a%20b",
]


@dataclass(frozen=True)
class Selection:
    tags: dict[str, str]
    start_ms: int | None
    end_ms: int | None
    latest: bool
    limit: int | None

    def of(self, store: Store, site: str) -> list[dict[str, Any]]:
        return store.select(
            PROFILE,
            tags={"site": site, **self.tags},
            start_ms=self.start_ms,
            end_ms=self.end_ms,
            latest=self.latest,
            limit=self.limit,
        )


_subjects = st.sampled_from(["p-01", "p-02", "a b"])
_analytes = st.sampled_from(["saliva-cortisol", "x,y"])
_times = st.integers(0, 6).map(lambda step: T0 + step * HOUR)
_some_time = st.none() | _times
_floats = st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-5, 5)
_row_strategy = st.builds(
    profile,
    subject=_subjects,
    analyte=_analytes,
    time=_times,
    clock_hour=_floats,
    value=_floats,
    p50=_floats,
    n=st.none() | st.integers(-(2**63), 2**63 - 1),
)
_writes = st.lists(st.lists(_row_strategy, max_size=8), max_size=4)
_selections = st.builds(
    Selection,
    tags=st.fixed_dictionaries({}, optional={"subject": _subjects, "analyte": _analytes}),
    start_ms=_some_time,
    end_ms=_some_time,
    latest=st.booleans(),
    limit=st.none() | st.integers(1, 5),
)


class StoreConformance:
    @pytest.fixture
    def store(self) -> Store:
        raise AssertionError("each store's class gives its own fixture")

    def test_nothing_written_is_nothing_found(self, store: Store) -> None:
        assert store.select(PROFILE) == []
        assert store.select(PROFILE, tags={"subject": "p-01"}, latest=True, limit=3) == []
        store.write(PROFILE, [])
        assert store.select(PROFILE) == []

    def test_every_type_comes_back_exactly(self, store: Store) -> None:
        reading = row(
            READING, value=0.1 + 0.2, low=-1e-300, high=1.7976931348623157e308, n=2**63 - 1,
            clock_hour=0.0, censored="<", original='12 "ug/dL", new\\old', live=False,
        )  # fmt: skip
        rhythm = row(RHYTHM, status="emerging", mesor=5.0, n_readings=-(2**63), last_reading=T0 + 1)
        store.write(READING, [reading])
        store.write(RHYTHM, [rhythm])
        for measurement, written in ((READING, reading), (RHYTHM, rhythm)):
            (found,) = store.select(measurement)
            assert found == as_dict(measurement, written)
            assert list(found) == list(measurement.columns)
            kinds = {"float": float, "int": int, "time": int, "bool": bool, "text": str}
            assert type(found["time"]) is int
            for column in measurement.fields:
                if found[column.name] is not None:
                    assert type(found[column.name]) is kinds[column.type], column.name

    def test_whole_numbers_may_be_given_for_floats(self, store: Store) -> None:
        store.write(PROFILE, [profile(value=5), profile(time=T0 + 1, value=5.5)])
        values = [found["value"] for found in store.select(PROFILE)]
        assert values == [5.0, 5.5]
        assert {type(value) for value in values} == {float}

    @pytest.mark.parametrize("text", AWKWARD)
    def test_tags_and_text_hold_any_text(self, store: Store, text: str) -> None:
        mine = row(EVENT, subject=text, kind="dose", text=text, clock_hour=8.5)
        other = row(EVENT, kind="dose", text="another", clock_hour=9.5)
        store.write(EVENT, [mine, other])
        assert store.select(EVENT, tags={"subject": text}) == [as_dict(EVENT, mine)]
        assert len(store.select(EVENT)) == 2

    def test_control_characters_in_text_become_spaces(self, store: Store) -> None:
        store.write(EVENT, [row(EVENT, text="two\r\nlines\tand\0nul", clock_hour=1.0)])
        assert store.select(EVENT)[0]["text"] == "two  lines and nul"

    def test_fields_merge(self, store: Store) -> None:
        store.write(PROFILE, [profile(value=1.0, p50=2.0)])
        store.write(PROFILE, [profile(clock_hour=None, value=3.0, n=4)])
        assert store.select(PROFILE) == [as_dict(PROFILE, profile(value=3.0, p50=2.0, n=4))]

    def test_empty_text_does_not_erase(self, store: Store) -> None:
        store.write(EVENT, [row(EVENT, text="8 mg", clock_hour=1.0)])
        store.write(EVENT, [row(EVENT, text="", clock_hour=2.0)])
        assert store.select(EVENT) == [as_dict(EVENT, row(EVENT, text="8 mg", clock_hour=2.0))]

    def test_the_last_of_one_write_counts(self, store: Store) -> None:
        store.write(PROFILE, [profile(value=1.0, n=1), profile(value=2.0), profile(p50=9.0)])
        assert store.select(PROFILE) == [as_dict(PROFILE, profile(value=2.0, n=1, p50=9.0))]

    def test_writing_again_changes_nothing(self, store: Store) -> None:
        rows = [profile(time=T0 + step, value=float(step)) for step in range(50)]
        store.write(PROFILE, rows)
        before = store.select(PROFILE)
        store.write(PROFILE, rows)
        store.write(PROFILE, rows[::-1])
        assert store.select(PROFILE) == before == [as_dict(PROFILE, r) for r in rows]

    def test_rows_without_fields_are_not_written(self, store: Store) -> None:
        store.write(PROFILE, [profile(clock_hour=None)])
        assert store.select(PROFILE) == []
        store.write(PROFILE, [profile(clock_hour=None, time=T0 + 1), profile()])
        assert store.select(PROFILE) == [as_dict(PROFILE, profile())]

    def test_start_is_inclusive_and_end_exclusive(self, store: Store) -> None:
        store.write(PROFILE, [profile(time=T0 + step) for step in range(5)])
        found = store.select(PROFILE, start_ms=T0 + 1, end_ms=T0 + 3)
        assert [r["time"] - T0 for r in found] == [1, 2]
        assert store.select(PROFILE, start_ms=T0 + 3, end_ms=T0 + 3) == []
        assert store.select(PROFILE, start_ms=T0 + 3, end_ms=T0 + 1) == []

    def test_far_past_and_future(self, store: Store) -> None:
        times = [-(2**62) // 1_000_000, -1, 0, 7_258_118_400_000, (2**63 - 1) // 1_000_000]
        store.write(PROFILE, [profile(time=time) for time in times])
        assert [r["time"] for r in store.select(PROFILE)] == times
        assert [r["time"] for r in store.select(PROFILE, latest=True)] == times[-1:]

    def test_tags_may_be_any_of_them(self, store: Store) -> None:
        rows = [
            profile(site=site, subject=subject, analyte=analyte)
            for site in ("a", "b")
            for subject in ("p-01", "p-02")
            for analyte in ("x", "y")
        ]
        store.write(PROFILE, rows)
        for tags in ({"subject": "p-02"}, {"analyte": "x", "site": "b"}, {"site": "a"}, {}):
            expected = [d for d in (as_dict(PROFILE, r) for r in rows) if tags.items() <= d.items()]
            assert store.select(PROFILE, tags=tags) == expected
        assert store.select(PROFILE, tags={"subject": "P-02"}) == []

    def test_latest_is_the_newest_row_of_each_tag_set(self, store: Store) -> None:
        rows = [
            profile(value=1.0, p50=1.0),
            profile(time=T0 + 2, value=2.0),  # without p50: the older one must not show through
            profile(subject="p-02", time=T0 + 1),
        ]
        store.write(PROFILE, rows)
        dicts = [as_dict(PROFILE, r) for r in rows]
        assert store.select(PROFILE, latest=True) == [dicts[2], dicts[1]]
        assert store.select(PROFILE, latest=True, end_ms=T0 + 2) == [dicts[0], dicts[2]]
        assert store.select(PROFILE, latest=True, start_ms=T0 + 2) == [dicts[1]]
        assert store.select(PROFILE, latest=True, limit=1) == [dicts[1]]
        assert store.select(PROFILE, latest=True, tags={"subject": "p-02"}) == [dicts[2]]

    def test_limit_is_the_newest_rows_in_ascending_time(self, store: Store) -> None:
        rows = [
            row(DEVIATION, subject=subject, kind="level", direction="higher", time=T0 + step, z=4.0)
            for step in range(4)
            for subject in ("p-01", "p-02")
        ]
        store.write(DEVIATION, rows)
        assert store.select(DEVIATION, limit=3) == [as_dict(DEVIATION, r) for r in rows[-3:]]
        one = store.select(DEVIATION, tags={"subject": "p-01"}, limit=2, end_ms=T0 + 3)
        assert [r["time"] - T0 for r in one] == [1, 2]

    def test_measurements_are_apart(self, store: Store) -> None:
        store.write(PROFILE, [profile()])
        assert store.select(READING) == []

    @pytest.mark.parametrize(
        ("values", "column"),
        [
            ({"value": float("nan")}, "value"),
            ({"value": float("inf")}, "value"),
            ({"p50": "7"}, "p50"),
            ({"value": True}, "value"),
            ({"value": 10**400}, "value"),
            ({"n": 1.0}, "n"),
            ({"n": True}, "n"),
            ({"n": 2**63}, "n"),
            ({"n": -(2**63) - 1}, "n"),
            ({"time": None}, "time"),
            ({"time": 1.5}, "time"),
            ({"time": 2**62}, "time"),
            ({"subject": ""}, "subject"),
            ({"subject": None}, "subject"),
            ({"subject": "ends in \\"}, "subject"),
            ({"analyte": "two\nlines"}, "analyte"),
            ({"analyte": "half \ud83c"}, "analyte"),
        ],
    )
    def test_values_that_do_not_fit_are_named(
        self, store: Store, values: dict[str, Any], column: str
    ) -> None:
        with pytest.raises(ValueError, match=rf"^profile\.{column}: "):
            store.write(PROFILE, [profile(), profile(**{"time": T0 + 1} | values)])
        assert store.select(PROFILE) == []

    def test_wrong_types_of_truth_and_text(self, store: Store) -> None:
        with pytest.raises(ValueError, match=r"^reading\.live: "):
            store.write(READING, [row(READING, value=1.0, live=1)])
        with pytest.raises(ValueError, match=r"^reading\.device: "):
            store.write(READING, [row(READING, value=1.0, device=7)])

    def test_rows_of_the_wrong_length(self, store: Store) -> None:
        with pytest.raises(ValueError, match="profile"):
            store.write(PROFILE, [profile(), profile()[:-1]])
        with pytest.raises(ValueError, match="profile"):
            store.write(PROFILE, [(*profile(), 1.0)])

    def test_floats_whose_sum_overflows_are_fine(self, store: Store) -> None:
        rows = [profile(time=T0 + step, value=1.7e308) for step in range(3)]
        store.write(PROFILE, rows)
        assert store.select(PROFILE) == [as_dict(PROFILE, r) for r in rows]

    def test_selections_that_make_no_sense(self, store: Store) -> None:
        with pytest.raises(ValueError, match="has no tag 'device'"):
            store.select(PROFILE, tags={"device": "x"})
        with pytest.raises(ValueError, match="limit"):
            store.select(PROFILE, limit=0)

    def test_many_rows_in_one_write(self, store: Store) -> None:
        rows = [profile(time=T0 + step, value=step / 7) for step in range(12_001)]
        store.write(PROFILE, rows)
        found = store.select(PROFILE, tags={"subject": "p-01"})
        assert [r["value"] for r in found] == [r[PROFILE.columns.index("value")] for r in rows]

    def test_is_like_the_memory_store(self, store: Store) -> None:
        sites = (f"example-{number}" for number in itertools.count())

        @settings(max_examples=60, deadline=None, derandomize=True, database=None)
        @given(writes=_writes, selections=st.lists(_selections, min_size=1, max_size=4))
        def check(writes: list[list[Row]], selections: list[Selection]) -> None:
            site = next(sites)
            model = MemoryStore()
            for rows in writes:
                here = [(site, *r[1:]) for r in rows]
                store.write(PROFILE, here)
                model.write(PROFILE, here)
            for selection in [Selection({}, None, None, False, None), *selections]:
                assert selection.of(store, site) == selection.of(model, site)

        check()


class TestMemoryStore(StoreConformance):
    @pytest.fixture
    def store(self) -> Iterator[Store]:
        store = open_store("memory:")
        yield store
        store.close()


class TestSqliteStore(StoreConformance):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        store = open_store(f"sqlite:///{tmp_path}/store.db")
        yield store
        store.close()
