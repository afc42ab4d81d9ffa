"""The people of a partition: what events told of each, and the book that markers are made from."""

from __future__ import annotations

from collections.abc import Callable

from processors.engine.marker_rows import say
from processors.engine.state import Person, subject_key
from processors.engine_port import Outputs
from processors.markers.book import Book, keeps_half_hours
from processors.markers.diary import Kept
from processors.markers.shelf import Who
from schemas.catalogue import Catalogue
from schemas.events import Event


class People:
    """Everybody of whom a reading or an event has come."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._people: dict[str, Person] = {}
        self._books: dict[str, Book] = {}
        self._unread: dict[str, None] = {}  # subjects, in whose books something is new
        self._changed: dict[str, None] = {}

    def __getitem__(self, subject: str) -> Person:
        """Somebody; of whom nothing is known yet, if no event has come."""
        person = self._people.get(subject)
        if person is None:
            person = self._people[subject] = Person()
        return person

    def restore(self, subject: str, value: bytes) -> None:
        """Take over a person's row."""
        self._people[subject] = Person.load(value)
        if subject in self._books:
            self._books[subject].begin(self._people[subject].life)

    def restore_diary(self, subject: str, slug: str, diary: bytes) -> None:
        """Take over what of a series markers are made of."""
        if diary:
            self._book(subject).load(slug, diary)

    def diary(self, subject: str, slug: str) -> bytes:
        """What `restore_diary` takes."""
        book = self._books.get(subject)
        return b"" if book is None else book.dump(slug)

    def take(self, event: Event, offset: int, clock_ms: int) -> bool:
        """Take in an event; True if the person turned out to be somebody else than was thought.

        offset: in its topic, for an event that was absorbed before changes nothing; clock_ms: the
        partition's clock.
        """
        person = self[event.subject]
        if offset <= person.absorbed:
            return False
        self._changed[event.subject] = None
        self._unread[event.subject] = None
        book = self._book(event.subject)
        book.told(event)
        if not person.take(event, clock_ms):
            return False
        book.known_anew()
        return True

    def read(self, subject: str, slug: str, readings: list[Kept]) -> None:
        """Write single readings into a person's book."""
        book = self._book(subject)
        for reading in readings:
            book.read(slug, reading)
        self._unread[subject] = None

    def half_hour(
        self, subject: str, slug: str, day: int, half: int, mean: float, n: int, offset_h: float
    ) -> None:
        """Write a half hour into a person's book, if markers are made of it; see `Book`."""
        if keeps_half_hours(slug) and self._book(subject).half_hour(
            slug, day, half, mean, n, offset_h
        ):
            self._unread[subject] = None

    def say_markers(self, site_of: Callable[[str], str | None], outputs: Outputs) -> None:
        """Publish every marker that may have changed.

        site_of: the site of a person's readings; None: there are none, and that of events counts.
        """
        for subject in self._unread:
            person = self._people[subject]
            found = self._books[subject].markers(Who(person.sex, person.birth_year))
            say(site_of(subject) or person.site, subject, found, outputs)
        self._unread.clear()

    def changes(self, absorbed: int) -> list[tuple[bytes, bytes | None]]:
        """Rows of the people who have changed since the last call; absorbed: last event offset."""
        rows: list[tuple[bytes, bytes | None]] = []
        for subject in self._changed:
            person = self._people[subject]
            person.absorbed = max(person.absorbed, absorbed)
            rows.append((subject_key(subject), person.dump()))
        self._changed.clear()
        return rows

    def _book(self, subject: str) -> Book:
        book = self._books.get(subject)
        if book is None:
            book = self._books[subject] = Book(self._catalogue, self[subject].life)
        return book
