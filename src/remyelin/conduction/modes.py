"""A passive internode as its two nodes see it: a few decoupled modes."""

from __future__ import annotations

from dataclasses import dataclass

from remyelin.conduction.membrane import FloatArray


@dataclass(frozen=True, slots=True)
class Modes:
    """A passive internode seen from its two nodes, ``dz/dt = -rate z + left u_left + right u_right``.

    The current into it at the left node is ``port[0] u_left - sum(left z)``, and likewise at the right.

    Attributes
    ----------
    rate
        (mode,) decay rates in 1/ms, all above 0: the reduced internode is passive like the full one.
    left, right
        (mode,) how each mode is tied to the two nodes.
    port
        (2,) conductance in mS from each node's centre into the first and the last segment.
    error
        Largest difference of its admittance from that of the full internode, relative to it (Frobenius
        norms), at `reduction.FREQUENCIES_KHZ`.
    mirrored
        Whether left and right may be exchanged: modes are then even and odd by turns, ``right`` being
        ``left`` and ``-left``.
    """

    rate: FloatArray
    left: FloatArray
    right: FloatArray
    port: FloatArray
    error: float
    mirrored: bool = False
