"""`[multiplicity]` and `[sets]`: which tests share an error rate, and who kept to the protocol."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from remyelin.protocol.parts import Id, Part, Probability

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Hypothesis = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z_:-]*$", max_length=130)]
Column = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]\w*$", max_length=64)]


class Multiplicity(Part):
    """`[multiplicity]`: the family of tests whose error rate `alpha` holds together.

    A hypothesis is called like its endpoint, and with several contrasts ``endpoint:arm``. `endpoints` says
    which enter and in which order; without it the primary, then the secondary ones. ``"fixed-sequence"``
    tests one after another. ``"graph"`` gives each hypothesis its share of `alpha` in `weights`, which a
    rejected one passes on as `transitions` say (Bretz et al. 2009, doi 10.1002/sim.3495). ``"dunnett"``
    compares the arms of one endpoint, the primary if none is named, with the reference.
    """

    method: Literal["holm", "hochberg", "fixed-sequence", "graph", "dunnett"]
    endpoints: tuple[Id, ...] = ()
    alpha: Probability = 0.05
    weights: dict[Hypothesis, Share] = Field(default_factory=dict)
    transitions: dict[Hypothesis, dict[Hypothesis, Share]] = Field(default_factory=dict)


class Sets(Part):
    """`[sets]`: who is analysed per protocol.

    `per_protocol` is the column of participants.tsv that says ``yes`` or ``no``; `windows` also leaves out
    whoever has a visit outside its window.
    """

    per_protocol: Column | None = None
    windows: bool = False

    @property
    def defined(self) -> bool:
        """Whether there is a set per protocol at all."""
        return self.per_protocol is not None or self.windows
