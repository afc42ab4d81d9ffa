"""What travels beside a dead letter.

The record's value and key are the refused record's own bytes, so that a replay is exact; all
that was learnt about it stands in headers.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field

from schemas.errors import Reason

_REPLAYED_HEADER = "replayed"


class DeadLetter(BaseModel):
    """The headers of a record on ``dead-letters``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: Reason = Field(description="Why the record was refused.")
    detail: str = Field(description="One plain sentence: what is wrong, and what would be right.")
    topic: str = Field(description="Topic that the record came from.")
    partition: int = Field(ge=0, description="Partition that the record came from.")
    offset: int = Field(ge=0, description="Offset of the record in that partition.")
    time: datetime = Field(description="Kafka's timestamp of the refused record, UTC.")
    elements: tuple[int, ...] = Field(
        default=(),
        description="Positions refused within a columnar batch; empty when all of it was refused.",
    )

    def headers(self) -> list[tuple[str, bytes]]:
        """Kafka headers, one a field, UTF-8 text.

        >>> letter = DeadLetter(reason=Reason.FUTURE, detail="two days ahead", topic="readings",
        ...     partition=1, offset=7, time=datetime(2026, 1, 1, tzinfo=UTC), elements=(3, 4))
        >>> DeadLetter.from_headers(letter.headers()) == letter
        True
        """
        return [
            ("reason", self.reason.value.encode()),
            ("detail", self.detail.encode()),
            ("topic", self.topic.encode()),
            ("partition", str(self.partition).encode()),
            ("offset", str(self.offset).encode()),
            ("time", self.time.astimezone(UTC).isoformat().encode()),
            ("elements", ",".join(map(str, self.elements)).encode()),
        ]

    @classmethod
    def from_headers(cls, headers: list[tuple[str, bytes]]) -> DeadLetter:
        """Read the headers back; raises ``pydantic.ValidationError`` if they are not ours."""
        text = {name: value.decode(errors="replace") for name, value in headers}
        elements = text.pop("elements", "")
        return cls.model_validate({**text, "elements": [e for e in elements.split(",") if e]})

    def replayed_header(self) -> tuple[str, bytes]:
        """The header of the refused record when it is sent again: what of it has not been counted.

        >>> letter = DeadLetter(reason=Reason.FUTURE, detail="two days ahead", topic="readings",
        ...     partition=1, offset=7, time=datetime(2026, 1, 1, tzinfo=UTC), elements=(3, 4))
        >>> replayed_elements([letter.replayed_header()])
        (3, 4)
        """
        return (_REPLAYED_HEADER, ",".join(map(str, self.elements)).encode())


def replayed_elements(headers: Iterable[tuple[str, bytes]]) -> tuple[int, ...] | None:
    """Positions that a batch sent again is about, in order; () all of it, None: not sent again.

    A header that says anything else was set by a stranger, and says nothing.
    """
    for name, value in headers:
        if name == _REPLAYED_HEADER:
            try:
                return tuple(sorted({int(each) for each in value.split(b",") if each}))
            except ValueError:
                return None
    return None
