"""What travels beside a dead letter.

The record's value and key are the refused record's own bytes, so that a replay is exact; all
that was learnt about it stands in headers.
"""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field

from schemas.errors import Reason

REPLAYED_HEADER = "replayed"
"""A record that is sent again from the dead letters carries this header."""


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
