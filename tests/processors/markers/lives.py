"""A made-up person about whom everything is known: readings, half hours and events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import NamedTuple

import numpy as np

from processors.markers.book import Book
from processors.markers.dated import Dated
from processors.markers.diary import DAY_MS, HOUR_MS, Kept
from processors.markers.life import Life
from processors.markers.shelf import Who
from schemas.catalogue import load_catalogue
from schemas.events import Event, parse_event

CATALOGUE = load_catalogue()
START = 20_500
"""First local date, days from 1 January 1970."""
OFFSET_H = 1.0
DAYS = 70
WHO = Who("female", 1990)


class Read(NamedTuple):
    """A reading of a sparse analyte."""

    slug: str
    kept: Kept


class HalfHour(NamedTuple):
    """A closed half hour of a dense one."""

    slug: str
    start_ms: int
    mean: float


Happening = Read | HalfHour | Event


def utc_ms(day: int, hour: float) -> int:
    """Epoch ms of a local time."""
    return day * DAY_MS + round((hour - OFFSET_H) * HOUR_MS)


def read(
    slug: str, day: int, hour: float, value: float, *, sign: int = 0, verified: bool = True
) -> Read:
    """A reading at a local time."""
    return Read(slug, Kept(utc_ms(day, hour), round(OFFSET_H * HOUR_MS), value, sign, verified))


def event(kind: str, day: int, hour: float, **more: object) -> Event:
    """An event at a local time."""
    at = datetime.fromtimestamp(utc_ms(day, hour) / 1000, timezone(timedelta(hours=OFFSET_H)))
    fields = ", ".join(f'"{k}": {_json(v)}' for k, v in more.items())
    head = f'{{"kind": "{kind}", "subject": "p-1", "at": "{at.isoformat()}"'
    return parse_event(f"{head}{', ' + fields if fields else ''}}}".encode())


def _json(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else f"{value}"


def tell(book: Book, happening: Happening) -> None:
    """Let a book take something in."""
    if isinstance(happening, Read):
        book.read(*happening)
    elif isinstance(happening, HalfHour):
        local = happening.start_ms + round(OFFSET_H * HOUR_MS)
        day, of_day = divmod(local, DAY_MS)
        book.half_hour(happening.slug, day, of_day * 48 // DAY_MS, happening.mean, 30, OFFSET_H)
    else:
        book.told(happening)


def new_book(life: Life | None = None) -> Book:
    """A book about nobody yet."""
    return Book(CATALOGUE, life or Life())


def markers_of(
    happenings: Sequence[Happening], who: Who = WHO
) -> dict[tuple[str, str, int], Dated]:
    """What a book says that has taken in all of it at once."""
    book = new_book()
    for happening in happenings:
        tell(book, happening)
    return by_name(book.markers(who))


def by_name(found: Sequence[Dated]) -> dict[tuple[str, str, int], Dated]:
    """By analyte, marker and date; the last one said of each."""
    return {(each.analyte, each.marker.name, each.day): each for each in found}


@cache
def everything() -> tuple[Happening, ...]:
    """Ten weeks of a woman's life: two and a half cycles with tests of every kind, sleep with a
    nap and lost events, cortisol with and without a waking told, melatonin with and without a dose,
    heart rate, steps and temperature, the laboratory's results. In order of time."""
    rng = np.random.default_rng(4)
    found: list[tuple[int, Happening]] = []

    def add(day: int, hour: float, happening: Happening) -> None:
        found.append((utc_ms(day, hour), happening))

    def reading(
        slug: str, day: int, hour: float, value: float, *, sign: int = 0, verified: bool = True
    ) -> None:
        add(day, hour, read(slug, day, hour, value, sign=sign, verified=verified))

    def happens(kind: str, day: int, hour: float, **more: object) -> None:
        add(day, hour, event(kind, day, hour, **more))

    menses = (START + 3, START + 31, START + 60)
    for begin in menses:
        happens("menses", begin, 8.0)
    happens("menses", menses[0] + 1, 8.0)
    for begin, peak in zip(menses, (13.0, 14.0, 13.0), strict=True):
        happens("lh-surge", begin + int(peak), 9.0)
        for cycle_day in range(28):
            day = begin + cycle_day
            if day >= START + DAYS:
                break
            luteal = 1.0 / (1.0 + np.exp(-2.0 * (cycle_day - peak - 1.0)))
            noise = np.exp(0.1 * rng.standard_normal(3))
            temperature = 36.4 + 0.35 * luteal + 0.05 * rng.standard_normal()
            reading("basal-temperature", day, 6.6, round(float(temperature), 2))
            surge = np.exp(-0.5 * ((cycle_day - peak) / 0.6) ** 2)
            reading("urine-lh", day, 7.0, float((5.0 + 40.0 * surge) * noise[0]))
            if cycle_day % 4 == 1:
                reading("urine-pdg", day, 7.0, float((1.5 + 8.0 * luteal) * noise[1]))
            if cycle_day in (2, 13, 21):
                reading(
                    "serum-estradiol", day, 9.0, float((50 + 150 * surge + 60 * luteal) * noise[2])
                )
                reading("serum-fsh", day, 9.0, float((6.0 + 5.0 * surge - 2.0 * luteal) * noise[0]))
                reading("serum-progesterone", day, 9.0, float(0.3 + 10.0 * luteal * noise[1]))
    for day in range(START, START + DAYS):
        wake = 7.0 + 0.3 * rng.standard_normal() + (1.2 if (day + 3) % 7 >= 5 else 0.0)
        if day % 9:
            happens("sleep", day - 1, float(23.2 + 0.3 * rng.standard_normal()))
            happens("wake", day, float(wake), verified=bool(day % 2))
        if day % 11 == 4:
            happens("sleep", day, 14.0)
            happens("wake", day, 14.7)
        if day % 3 == 0:
            level = np.exp(0.15 * rng.standard_normal(7))
            for k, since in enumerate((0.03, 0.5, 0.75, 4.0, 9.0, 15.8)):
                value = (0.3, 0.42, 0.38, 0.15, 0.08, 0.03)[k] * level[k]
                reading("saliva-cortisol", day, float(wake + since), float(value))
        if day % 10 == 2:
            for k in range(7):
                value = 1.0 + 9.0 * max(0.0, k - 2.5) * np.exp(0.05 * rng.standard_normal())
                below = value < 1.2
                reading(
                    "saliva-melatonin",
                    day,
                    19.0 + k,
                    1.2 if below else float(value),
                    sign=-1 if below else 0,
                )
            if day % 20 == 2:
                happens(
                    "dose", day, 21.5, substance="Melatonin", amount=1.0, unit="mg", route="oral"
                )
        for half in range(48):
            start = utc_ms(day, half / 2)
            move = float(max(0.0, rng.normal(30.0 if 15 <= half < 46 else 1.0, 8.0)))
            rate = 60.0 + 6.0 * np.cos(2 * np.pi * (half / 2 - 16.0) / 24) + 0.3 * move
            found.append((start, HalfHour("steps", start, move)))
            found.append(
                (start, HalfHour("heart-rate", start, float(rate + rng.standard_normal())))
            )
            wrist = 33.5 + 0.8 * np.cos(2 * np.pi * (half / 2 - 3.0) / 24)
            found.append(
                (
                    start,
                    HalfHour(
                        "wrist-temperature", start, float(wrist + 0.3 * rng.standard_normal())
                    ),
                )
            )
    happens(
        "dose", START + 30, 6.0, substance="hydrocortisone", amount=10.0, unit="mg", route="oral"
    )
    happens("illness", START + 44, 8.0)
    for k, day in enumerate(range(START + 1, START + DAYS, 14)):
        for slug, value in (
            ("serum-tsh", 1.6),
            ("serum-free-t4", 1.2),
            ("serum-igf-1", 190.0 + 15 * k),
            ("serum-dheas", 160.0),
            ("serum-insulin", 6.0),
        ):
            reading(slug, day, 8.5, float(value * np.exp(0.05 * rng.standard_normal())))
        start = utc_ms(day, 8.5)
        found.append((start, HalfHour("interstitial-glucose", start, 92.0)))
    found.sort(key=lambda one: one[0])
    return tuple(happening for _, happening in found)


def iso(day: int) -> str:
    """A local date as people write it."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)).date().isoformat()
