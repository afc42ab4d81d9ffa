"""Feedback axes: a pair of results against the person's own earlier pairs, or the population."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from processors.markers.dated import Dated
from processors.markers.diary import HOUR_MS, Kept
from processors.rhythm.axes import AxisName, axis, departure, paired
from processors.rhythm.marker import Marker, withheld
from schemas.catalogue import Catalogue
from schemas.conditions import CyclePhase, Sex

_METHOD = "distance of the pair from the set point, chi-squared of two degrees of freedom"


class AxisOf(NamedTuple):
    """Which analytes make an axis, and how near in time a pair must lie."""

    name: AxisName
    controller: str
    product: str
    within_h: float


AXES: tuple[AxisOf, ...] = (
    AxisOf("LH-testosterone", "serum-lh", "serum-testosterone", 1.0),
    AxisOf("FSH-estradiol", "serum-fsh", "serum-estradiol", 1.0),
    AxisOf("TSH-free T4", "serum-tsh", "serum-free-t4", 1.0),
    AxisOf("ACTH-cortisol", "plasma-acth", "serum-cortisol", 0.25),
    AxisOf("insulin-glucose", "serum-insulin", "interstitial-glucose", 0.5),
)
OWN_DAYS = 3 * 365
"""The set point is that of so many days before a pair."""


class Person(NamedTuple):
    """Whom the references are for, on the day of the pair."""

    sex: Sex | None
    age: float | None
    phase: CyclePhase | None


def axis_marker(
    of: AxisOf,
    catalogue: Catalogue,
    controllers: Sequence[Kept],
    products: Sequence[Kept],
    person: Person,
) -> Dated | None:
    """The last pair of one local date, against the pairs before it; ``None`` if that day has none.

    `controllers`, `products`: in order of time, up to the end of the date of the last product.
    """
    day = products[-1].day
    pairs = [
        (controllers[i], products[k])
        for i, k in paired(
            of.name,
            [one.time_ms / HOUR_MS for one in controllers],
            [one.time_ms / HOUR_MS for one in products],
            within_h=of.within_h,
        )
    ]
    if not pairs or pairs[-1][1].day != day:
        return None
    return Dated(of.product, day, _marker(of, catalogue, pairs, person))


def _marker(
    of: AxisOf,
    catalogue: Catalogue,
    pairs: Sequence[tuple[Kept, Kept]],
    person: Person,
) -> Marker:
    name = f"{of.name.lower().replace(' ', '-')}-axis"
    controller, product = pairs[-1]
    # Of results outside an assay's range only a bound is known.
    past = [pair for pair in pairs[:-1] if not (pair[0].sign or pair[1].sign)]
    intervals = []
    for slug, result in ((of.controller, controller), (of.product, product)):
        hour = (result.time_ms + result.offset_ms) / HOUR_MS % 24.0
        low, high = catalogue[slug].reference(
            hour, person.sex, person.age, cycle_phase=person.phase
        )
        if low is None or high is None or low <= 0.0:
            sentence = (
                f"There is no two-sided reference for {catalogue[slug].short_name} in people like "
                "this (sex, age, phase of the cycle), so nothing says how the two belong together."
            )
            return withheld(name, "1", len(pairs), sentence, _METHOD)
        intervals.append((low, high))
    if controller.sign or product.sign:
        sentence = "A result lies outside the assay's range, so the pair is not known."
        return withheld(name, "1", len(pairs), sentence, _METHOD)
    made, drives = catalogue[of.product], catalogue[of.controller]
    this = axis(
        of.name,
        controller=intervals[0],
        product=intervals[1],
        controller_cv=(drives.cv_within, drives.cv_analytical),
        product_cv=(made.cv_within, made.cv_analytical),
    )
    found = departure(
        this,
        controller.value,
        product.value,
        past_controller=[pair[0].value for pair in past],
        past_product=[pair[1].value for pair in past],
    )
    if found.p is None:
        return withheld(name, "1", len(pairs), found.sentence, _METHOD)
    return Marker(name, "measured", "1", found.n + 1, found.sentence, _METHOD, found.p)
