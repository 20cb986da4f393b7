"""The current that starts an action potential at the first node."""

from __future__ import annotations

from dataclasses import dataclass

from remyelin.conduction.axon import Axon
from remyelin.conduction.circuit import bare_compartment, internode_ladder, node_compartment
from remyelin.conduction.parts import Internode
from remyelin.conduction.reduction import intake_ms
from remyelin.errors import InputError
from remyelin.number import check_number, several

# By what the default pulse would raise the first node within this time if the node were passive: as the
# published one does, 3 nA for 10 us into the axon of the optic nerve. It is 5 to 9 times threshold there and
# for all presets.
RISE_MV, WITHIN_MS = 145.0, 0.02
NEAR_COMPARTMENTS = 5


@dataclass(frozen=True, slots=True)
class Stimulus:
    """Rectangular current pulses into the first node.

    Parameters
    ----------
    times_ms
        When each pulse begins.
    current_na
        Height of the pulses; not given, several times threshold: 3 nA for the axon of the optic nerve, and
        for another more or less as its first node and internode take up more charge or less.
    duration_us
        Of each pulse.

    Raises
    ------
    InputError
        For a time before 0, no pulse, or a duration or current that is not above 0.
    """

    times_ms: tuple[float, ...] = (0.0,)
    current_na: float | None = None
    duration_us: float = 10.0

    def __post_init__(self) -> None:
        expected = "one time or more, each 0 or later"
        times = several(self.times_ms)
        if not times:
            raise InputError("", "stimulus times_ms", "none", expected, "correct it")
        for time in times:
            check_number("stimulus times_ms", time, least=0, expected=expected)
        object.__setattr__(self, "times_ms", tuple(float(time) for time in times))
        if self.current_na is not None:
            check_number("stimulus current_na", self.current_na, above=0)
        check_number("stimulus duration_us", self.duration_us, above=0)

    def current_for(self, axon: Axon) -> float:
        """Height of the pulses in nA for that axon."""
        if self.current_na is not None:
            return self.current_na
        first = axon.parts[0]
        node, after = (node_compartment(axon, node) for node in axon.nodes[:2])
        if isinstance(first, Internode):
            axial, space = (node.resistance_kohm, after.resistance_kohm), (node.space_kohm, after.space_kohm)
            beyond = WITHIN_MS * intake_ms(internode_ladder(axon, first), axial, space, WITHIN_MS)
        else:
            piece = bare_compartment(axon, first)
            beyond = piece.capacitance_uf * min(first.compartments, NEAR_COMPARTMENTS)
        return RISE_MV * (node.capacitance_uf + beyond) / (self.duration_us * 1e-3) * 1e3
