"""What is expected of a person before the first reading: the rhythm of the population."""

from __future__ import annotations

import math

from pydantic import Field, model_validator

from schemas.conditions import Conditions, Entry

OMEGA = 2 * math.pi / 24  # radians an hour
Coefficients = tuple[float, float, float, float, float]


class Prior(Entry):
    """The rhythm of the population, on the model scale.

    The model scale is the natural logarithm of the analyte's unit for log analytes and the unit
    itself for linear ones: y(t) = mesor + amplitude·cos(ω(t − acrophase_h))
    + amplitude_2·cos(2ω(t − acrophase_2_h)), t in local clock hours, ω = 2π/24 h.
    """

    mesor: float = Field(description="Midline, model scale.")
    mesor_sd: float = Field(gt=0, description="SD of the midline between people, model scale.")
    amplitude: float = Field(ge=0, description="Amplitude of the 24-h harmonic, model scale.")
    acrophase_h: float = Field(
        ge=0, lt=24, description="Peak clock time of the 24-h harmonic, local hours."
    )
    amplitude_2: float = Field(ge=0, description="Amplitude of the 12-h harmonic, model scale.")
    acrophase_2_h: float = Field(
        ge=0, lt=12, description="First peak clock time of the 12-h harmonic, local hours."
    )
    coefficient_sd: float = Field(
        gt=0, description="SD between people of each cosine and sine coefficient, 24-h harmonic."
    )
    coefficient_2_sd: float = Field(
        gt=0, description="SD between people of each cosine and sine coefficient, 12-h harmonic."
    )
    residual_sd: float = Field(
        gt=0, description="SD of one person's readings about the own curve, assay included."
    )
    residual_strength: float = Field(
        gt=0, description="Number of readings that the residual SD is worth."
    )

    def mean(self) -> Coefficients:
        """Prior mean (mesor, β1, γ1, β2, γ2).

        y(t) = mesor + β1·cos ωt + γ1·sin ωt + β2·cos 2ωt + γ2·sin 2ωt, model scale.
        """
        phase, phase_2 = OMEGA * self.acrophase_h, 2 * OMEGA * self.acrophase_2_h
        return (
            self.mesor,
            self.amplitude * math.cos(phase),
            self.amplitude * math.sin(phase),
            self.amplitude_2 * math.cos(phase_2),
            self.amplitude_2 * math.sin(phase_2),
        )

    def sd(self) -> Coefficients:
        """Prior SDs between people of (mesor, β1, γ1, β2, γ2), model scale."""
        return (
            self.mesor_sd,
            self.coefficient_sd,
            self.coefficient_sd,
            self.coefficient_2_sd,
            self.coefficient_2_sd,
        )

    def value(self, clock_hour: float) -> float:
        """Population curve at a local clock hour, model scale."""
        return (
            self.mesor
            + self.amplitude * math.cos(OMEGA * (clock_hour - self.acrophase_h))
            + self.amplitude_2 * math.cos(2 * OMEGA * (clock_hour - self.acrophase_2_h))
        )


class GroupPrior(Conditions):
    """What differs from the prior of all for people of a sex, an age or in a cycle phase.

    The numbers that it gives, on the model scale, take the place of those of `Prior`.
    """

    mesor: float | None = Field(default=None, description="See Prior.")
    mesor_sd: float | None = Field(default=None, gt=0, description="See Prior.")
    amplitude: float | None = Field(default=None, ge=0, description="See Prior.")
    acrophase_h: float | None = Field(default=None, ge=0, lt=24, description="See Prior.")
    residual_sd: float | None = Field(default=None, gt=0, description="See Prior.")

    @model_validator(mode="after")
    def _says_something(self) -> GroupPrior:
        if self.specificity == 0:
            raise ValueError("a prior of a group needs a sex, an age or a cycle phase")
        if not self.numbers:
            raise ValueError("a prior of a group gives at least one number")
        return self

    @property
    def numbers(self) -> dict[str, float]:
        """The numbers given, by field of `Prior`."""
        given = self.model_dump(exclude=set(Conditions.model_fields), exclude_none=True)
        return {name: float(value) for name, value in given.items()}

    def applied_to(self, prior: Prior) -> Prior:
        """`prior` with the numbers of the group in place."""
        return prior.model_copy(update=self.numbers)
