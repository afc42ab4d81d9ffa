"""Events: what happened to a person that readings alone do not tell.

They travel on the topic ``events`` as JSON with the subject as key: doses, sleep and wake times,
menses, positive LH tests, travel, illness, and the person's profile.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from schemas.readings import Moment, Subject


class EventHeading(BaseModel):
    """What all events have in common."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    schema_: int = Field(default=1, alias="schema", description="Version of this record's shape.")
    subject: Subject
    site: str = Field(
        default="default",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
        description="Tenant or study site.",
    )
    at: Moment = Field(
        description="When it happened, RFC 3339 with the wearer's own offset from UTC."
    )
    received_at: Moment | None = Field(
        default=None, description="When the event reached us; set by the publisher."
    )


class Dose(EventHeading):
    """A substance was taken. Acrophase records doses and never recommends one."""

    kind: Literal["dose"]
    substance: str = Field(
        min_length=1, max_length=64, description="What was taken, e.g. 'hydrocortisone'."
    )
    amount: float = Field(gt=0, allow_inf_nan=False, description="How much, in `unit`.")
    unit: str = Field(max_length=64, description="UCUM unit of the amount, e.g. 'mg'.")
    route: str = Field(
        min_length=1, max_length=32, description="How it was taken, e.g. 'oral', 'transdermal'."
    )


class Sleep(EventHeading):
    """The person fell asleep or woke up at `at`."""

    kind: Literal["sleep", "wake"]
    verified: bool = Field(
        default=False, description="True if a device measured it, false if it was reported."
    )


class Menses(EventHeading):
    """The first day of menses, which is cycle day 1; of `at` only the local date counts."""

    kind: Literal["menses"]


class LhSurge(EventHeading):
    """A test of urine was read as positive for the LH surge."""

    kind: Literal["lh-surge"]


class Travel(EventHeading):
    """The wearer's clock was set to another zone: `at` is the arrival, with the new offset.

    Readings carry their own offset and show a journey by themselves; the event tells of it before
    the first of them.
    """

    kind: Literal["travel"]
    from_offset_min: int = Field(
        ge=-1080,
        le=1080,
        description="Offset from UTC before, minutes; that after is the offset of `at`.",
    )


class Illness(EventHeading):
    """The person was ill, from `at` on."""

    kind: Literal["illness"]
    until: Moment | None = Field(
        default=None, description="Until when, RFC 3339; without it two days after `at`."
    )


class Profile(EventHeading):
    """Who the person is, as far as priors and references need it; the newest one counts.

    It counts from when it is taken in, for whatever time: send it before the first reading.
    """

    kind: Literal["profile"]
    birth_year: int | None = Field(default=None, ge=1900, le=2100, description="Year of birth.")
    sex: Literal["female", "male"] | None = Field(
        default=None, description="Sex that reference intervals are chosen by."
    )
    reference_group: str | None = Field(
        default=None,
        max_length=64,
        description="Group that the person is compared with: 'young-adult' for healthy young "
        "adults whatever the age. Nothing, or a group that the catalogue does not know: people of "
        "the same sex and age.",
    )


Event = Dose | Sleep | Menses | LhSurge | Travel | Illness | Profile
"""Any of them; ``kind`` tells which."""
EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="kind")])


def parse_event(value: bytes) -> Event:
    """Validate the JSON bytes of one record of the topic ``events``.

    Raises ``pydantic.ValidationError``.
    """
    return EVENT.validate_json(value)
