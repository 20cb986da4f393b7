"""`[randomisation]`: how participants were allocated, so that the allocation can be drawn again."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from remyelin.protocol.families import Column
from remyelin.protocol.parts import Part

Whole = Annotated[int, Field(ge=1, le=1000)]


class Randomisation(Part):
    """`[randomisation]`: the procedure and its settings.

    `factors` are the columns of participants.tsv that it looked at, `order` the one that says in which order
    participants entered. ``"minimisation"`` (Pocock & Simon 1975, doi 10.2307/2529712) took the arm that
    leaves the smallest imbalance with `probability`. ``"permuted-blocks"`` drew each block's size from
    `block_sizes`. `ratio` is that of the arms in the order of the protocol; equal if absent. A
    re-randomisation test draws `replicates` allocations from `seed`.
    """

    method: Literal["simple", "permuted-blocks", "minimisation"]
    factors: tuple[Column, ...] = ()
    order: Column | None = None
    probability: Annotated[float, Field(gt=0, le=1)] | None = None
    block_sizes: tuple[Whole, ...] = ()
    ratio: tuple[Whole, ...] = ()
    replicates: Annotated[int, Field(ge=99, le=1_000_000)] = 10_000
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 2026
