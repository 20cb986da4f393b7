"""What a trial is planned from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from remyelin.protocol.parts import Finite, Part, Positive, Probability, Text

MAX_SIMULATIONS = 10_000_000


class Plan(Part):
    """`[plan]`: what sample size is computed from.

    `sd` is that of one change; `sd_unit` says whose, for the SD of an eye is not that of a participant, and
    `sd_source` where it was found.
    """

    power: Probability | None = None
    sd: Positive | None = None
    sd_unit: Literal["participant", "eye", "lesion"] | None = None
    sd_source: Text | None = None
    effect: Finite | None = None
    correlation: Annotated[float, Field(gt=-1, lt=1, allow_inf_nan=False)] | None = None
    n_simulations: Annotated[int, Field(ge=1, le=MAX_SIMULATIONS)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None
