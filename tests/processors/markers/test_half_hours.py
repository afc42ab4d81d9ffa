"""Half hours of a journey and of the end of summer time: what comes twice stays two."""

from __future__ import annotations

import itertools

import numpy as np

from processors.markers.half_hours import HalfHours
from processors.rhythm.clock_bins import clock_bins

DAY = 20_000


def test_hours_that_come_twice_are_two_whatever_came_last() -> None:
    """From UTC+1 to UTC-5 at 14:00: it is 08:00 again."""
    put = [(DAY, half, float(half), 30, 1.0) for half in range(28)]
    put += [(DAY, half, 100.0 + half, 30, -5.0) for half in range(16, 48)]
    seen = []
    for order in (put, put[::-1], [*put[28:], *put[:28]]):
        dense = HalfHours(7)
        for each in order:
            dense.put(*each)
        bins = dense.hourly(DAY, DAY)
        seen.append((bins.start_ms.tolist(), bins.clock_bin.tolist(), bins.means.tolist()))
    assert all(a == b for a, b in itertools.pairwise(seen))
    start_ms, hours, means = seen[0]
    assert hours == [*range(14), *range(8, 24)]
    assert means == [2 * h + 0.5 for h in range(14)] + [100.5 + 2 * h for h in range(8, 24)]
    assert np.diff(start_ms).tolist() == [3_600_000] * 29
    assert not dense.same_clock(DAY, DAY)


def test_hourly_means_are_those_of_the_readings() -> None:
    """As `clock_bins` has them of the readings themselves, over the end of summer time."""
    rng = np.random.default_rng(2)
    hours = np.sort(rng.uniform(DAY * 24, DAY * 24 + 48, 800))
    offsets = np.where(hours < DAY * 24 + 25, 2.0, 1.0)
    values = rng.normal(60.0, 5.0, hours.size)
    wanted = clock_bins(hours, values, offset_h=offsets)
    dense = HalfHours(7)
    half = np.floor((hours + offsets) * 2).astype(int)
    for key, offset in sorted(set(zip(half.tolist(), offsets.tolist(), strict=True))):
        of_half = values[(half == key) & (offsets == offset)]
        dense.put(key // 48, key % 48, float(of_half.mean()), of_half.size, offset)
    found = dense.hourly(DAY, DAY + 2)
    assert found.start_ms.tolist() == wanted.start_ms.tolist()
    assert found.clock_bin.tolist() == wanted.clock_bin.tolist()
    np.testing.assert_allclose(found.means, wanted.means, rtol=1e-6)
    np.testing.assert_allclose(found.clock_h, wanted.clock_h, atol=0.26)
    again = HalfHours(7)
    again.load(dense.dump())
    assert again.hourly(DAY, DAY + 2).means.tolist() == found.means.tolist()
    assert again.newest == dense.newest
    assert dense.same_clock(DAY, DAY + 2)
