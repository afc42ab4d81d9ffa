"""What is not ruled by the hour (flat, pulsatile, a cycle's) has a level and no 24-hour rhythm."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from schemas.analytes import Analyte
from schemas.measurements import PROFILE, RHYTHM
from tests.processors.engine.feeding import CATALOGUE, Run, natural, numbered, sampled, singles

LEVEL_ONLY = [analyte for analyte in CATALOGUE if not analyte.is_daily]
OF_THE_CURVE = ("amplitude", "acrophase", "peak", "trough", "phase_shift", "amplitude_ratio")


def fed(analyte: Analyte, y: np.ndarray[Any, np.dtype[np.float64]], hours: Any) -> Run:
    run = Run()
    values = np.clip(natural(analyte, y), analyte.limits.low, analyte.limits.high)
    run.feed(numbered(singles(analyte.slug, hours, values)))
    run.settle()
    return run


def test_each_kind_is_among_them() -> None:
    assert {analyte.rhythm for analyte in LEVEL_ONLY} == {"flat", "pulsatile", "cycle"}
    assert "serum-lh" in {analyte.slug for analyte in LEVEL_ONLY}


@pytest.mark.parametrize("analyte", LEVEL_ONLY, ids=lambda analyte: analyte.slug)
def test_no_swing_no_phase_and_no_finding_of_them(analyte: Analyte) -> None:
    """Even of data that swing with the hour, swing less one day, and later: a cosine would fit."""
    hours = sampled((2.0, 8.0, 14.0, 20.0), 40)
    swing = 0.25 * (analyte.to_model(analyte.usual.high) - analyte.prior.mesor)
    late = np.where(hours > 24.0 * 30, 6.0, 0.0)
    smaller = np.where(hours > 24.0 * 36, 0.1, 1.0)
    y = analyte.prior.mesor + swing * smaller * np.cos(2 * math.pi * (hours - 8.0 - late) / 24.0)
    run = fed(analyte, y, hours)
    rows = run.store.select(RHYTHM)
    assert {row["status"] for row in rows} <= {"insufficient", "level-only"}
    assert rows[-1]["status"] == "level-only"
    for name in OF_THE_CURVE:
        bounds = [name, f"{name}_low", f"{name}_high"]
        assert {row.get(bound) for row in rows for bound in bounds} == {None}, name
    assert {row[name] for row in rows for name in ("peak_value", "trough_value")} == {None}
    kinds = {deviation["kind"] for deviation in run.deviations()}
    assert kinds <= {"level", "outlier", "missing"}
    band = [row for row in run.store.select(PROFILE) if row["p50"] is not None]
    for row in band[-48:]:
        assert row["p50"] == pytest.approx(band[-1]["p50"], rel=0.02)


def test_the_level_is_the_persons_own_whatever_hour_is_sampled() -> None:
    """Free T4 at 8 h alone: a curve would put half of what is measured into a swing."""
    analyte = CATALOGUE["serum-free-t4"]
    y = analyte.prior.mesor + 0.3
    hours = sampled((8.0,), 10)
    run = fed(analyte, np.full(len(hours), y), hours)
    prior = analyte.prior
    weight = (prior.residual_sd / prior.mesor_sd) ** 2
    for row in run.store.select(RHYTHM):
        n = row["n_effective"]
        expected = analyte.from_model((n * y + weight * prior.mesor) / (n + weight))
        assert row["mesor"] == pytest.approx(expected, rel=1e-6)


def test_a_level_is_the_populations_until_readings_outweigh_it() -> None:
    analyte = CATALOGUE["serum-progesterone"]
    hours = sampled((8.0,), 6)
    run = fed(analyte, np.full(len(hours), analyte.prior.mesor), hours)
    weight = (analyte.prior.residual_sd / analyte.prior.mesor_sd) ** 2
    rows = run.store.select(RHYTHM)
    for row in rows:
        own = row["n_effective"] >= weight
        assert row["status"] == ("level-only" if own else "insufficient")
    assert {row["status"] for row in rows} == {"level-only", "insufficient"}


def test_a_lost_level_is_still_found() -> None:
    analyte = CATALOGUE["resting-heart-rate"]
    hours = sampled((7.0,), 40)
    rng = np.random.default_rng(3)
    y = analyte.prior.mesor + 2.0 * rng.standard_normal(len(hours))
    y += np.where(hours > 24.0 * 32, 20.0, 0.0)
    found = {(d["kind"], d["direction"]) for d in fed(analyte, y, hours).deviations()}
    assert ("level", "higher") in found


CYCLE = [analyte for analyte in CATALOGUE if analyte.rhythm == "cycle"]


@pytest.mark.parametrize("analyte", CYCLE, ids=lambda analyte: analyte.slug)
def test_what_a_cycle_does_opens_nothing_until_the_cycle_judges_it(analyte: Analyte) -> None:
    """Three cycles of as much swing as is possible, each morning: a fortnight high, one low."""
    hours = sampled((7.0,), 84)
    high, low = analyte.to_model(analyte.usual.high), analyte.to_model(analyte.usual.low)
    y = np.where(hours // 24 % 28 < 14, low, high)
    y += 0.05 * analyte.prior.residual_sd * np.random.default_rng(4).standard_normal(len(hours))
    run = fed(analyte, y, hours)
    assert run.deviations() == []
    # silence is silence
    later = hours[-1] + analyte.missing_after_h + 200.0
    other = singles("saliva-cortisol", [later], [0.1], subject="syn-02")
    run.feed([each._replace(offset=1_000) for each in other])
    run.settle()
    assert {d["kind"] for d in run.deviations()} <= {"missing"}
    assert [d["kind"] for d in run.deviations()] == ["missing"]
