"""A person's book says the same in the end, whatever came when and whoever asked in between."""

from __future__ import annotations

import random
from functools import cache

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from processors.markers.book import Book
from processors.markers.dated import Dated
from processors.markers.life import Life
from tests.processors.markers.lives import (
    WHO,
    HalfHour,
    Happening,
    Read,
    by_name,
    everything,
    markers_of,
    new_book,
    tell,
)


@cache
def at_once() -> dict[tuple[str, str, int], Dated]:
    return markers_of(everything())


def saved_and_taken_over(book: Book, life: Life) -> tuple[Book, Life]:
    """As when a worker dies and another one goes on from what was saved."""
    kept = Life.load(life.dump())
    other = new_book(kept)
    for slug in {h.slug for h in everything() if isinstance(h, Read | HalfHour)}:
        other.load(slug, book.dump(slug))
    return other, kept


def late(happenings: tuple[Happening, ...], rng: random.Random, share: float) -> list[Happening]:
    """Some readings and events come later than others that were taken after them: by up to some
    days. Half hours close in their order."""
    places = []
    for place, happening in enumerate(happenings):
        slips = not isinstance(happening, HalfHour) and rng.random() < share
        places.append(place + (rng.uniform(0.0, 1500.0) if slips else 0.0))
    order = sorted(range(len(happenings)), key=lambda k: places[k])
    return [happenings[k] for k in order]


@settings(max_examples=4, phases=[Phase.generate], deadline=None)
@given(st.integers(0, 10_000), st.lists(st.integers(0, 20_000), min_size=1, max_size=12))
def test_order_and_cuts_make_no_difference(seed: int, cuts: list[int]) -> None:
    rng = random.Random(seed)
    life = Life()
    book = new_book(life)
    found: dict[tuple[str, str, int], Dated] = {}
    for place, happening in enumerate(late(everything(), rng, 0.2)):
        if place in cuts:
            found |= by_name(book.markers(WHO))
            if rng.random() < 0.5:
                book, life = saved_and_taken_over(book, life)
        tell(book, happening)
    found |= by_name(book.markers(WHO))
    assert found.keys() == at_once().keys()
    different = {key: (found[key], at_once()[key]) for key in found if found[key] != at_once()[key]}
    assert different == {}


def test_twice_is_once() -> None:
    """Events are repeated whole; what readings are new the engine has judged before."""
    book = new_book()
    for happening in everything():
        tell(book, happening)
        if not isinstance(happening, Read | HalfHour):
            tell(book, happening)
    assert by_name(book.markers(WHO)) == at_once()


def test_nothing_new_is_nothing_to_say() -> None:
    book = new_book()
    for happening in everything():
        tell(book, happening)
    assert book.markers(WHO)
    assert book.markers(WHO) == []


def test_what_is_kept_is_bounded() -> None:
    """After a year of a week's pattern the book is no larger than after ten weeks."""
    once = everything()
    book = new_book()
    sizes = []
    for year in range(3):
        for happening in once:
            if isinstance(happening, Read):
                kept = happening.kept
                moved = kept._replace(time_ms=kept.time_ms + year * 366 * 86_400_000)
                book.read(happening.slug, moved)
            elif isinstance(happening, HalfHour):
                start = happening.start_ms + year * 366 * 86_400_000
                tell(book, happening._replace(start_ms=start))
        book.markers(WHO)
        sizes.append(len(book.dump("saliva-cortisol")) + len(book.dump("heart-rate")))
    assert max(sizes[1:]) < 1.1 * sizes[0]
