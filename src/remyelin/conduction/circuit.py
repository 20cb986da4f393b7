"""The electrical elements of a node, a piece of bare axon and an internode.

Units throughout: ms, mm, mV, uA, mS, uF, kOhm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from remyelin.conduction.axon import Axon
from remyelin.conduction.membrane import FloatArray
from remyelin.conduction.parts import Bare, Internode, Myelin, Node, Stretch

PER_CM2 = 1e-2  # one per cm2 is this many per mm2


@dataclass(frozen=True, slots=True)
class Compartment:
    """An active piece of membrane: a node, or a piece of bare axon.

    Attributes
    ----------
    capacitance_uf, leak_ms, leak_mv
        Of the whole piece; the leak reverses at `leak_mv`.
    conductance_ms
        (3,) of its transient sodium, persistent sodium and potassium channels, all open.
    resistance_kohm
        Of its axoplasm from end to end.
    space_kohm
        Of the space around it from end to end; 0 if it lies open.
    """

    capacitance_uf: float
    leak_ms: float
    leak_mv: float
    conductance_ms: tuple[float, float, float]
    resistance_kohm: float
    space_kohm: float = 0.0


def node_compartment(axon: Axon, node: Node) -> Compartment:
    """The elements of a node; its leak conductance is solved so that it rests."""
    membrane = axon.membrane
    area, width = node.area_um2 * 1e-6, node.periaxonal_nm
    leak = membrane.leak_ms_per_mm2(axon.temperature_c, node.sodium, node.potassium)
    return Compartment(
        capacitance_uf=membrane.capacitance_uf_per_cm2 * PER_CM2 * area,
        leak_ms=leak * area,
        leak_mv=membrane.leak_mv,
        conductance_ms=_conductances(axon, area, node.sodium, node.potassium),
        resistance_kohm=_axial(axon, node.diameter_um, node.length_um),
        space_kohm=_space(axon, node.diameter_um, node.length_um, width) if width else 0.0,
    )


def bare_compartment(axon: Axon, bare: Bare) -> Compartment:
    """The elements of one piece of a bare stretch: the axolemma's leak, its reversal solved for rest."""
    membrane, lemma = axon.membrane, bare.former.middle
    length_um = bare.length_um / bare.compartments
    area = math.pi * bare.diameter_um * length_um * 1e-6
    leak = lemma.axolemma_ms_per_cm2 * PER_CM2
    current = membrane.resting_current_ua_per_mm2(axon.temperature_c, bare.sodium, bare.potassium)
    return Compartment(
        capacitance_uf=lemma.axolemma_uf_per_cm2 * PER_CM2 * area,
        leak_ms=leak * area,
        leak_mv=membrane.resting_mv + current / leak,
        conductance_ms=_conductances(axon, area, bare.sodium, bare.potassium),
        resistance_kohm=_axial(axon, bare.diameter_um, length_um),
    )


def internode_ladder(axon: Axon, internode: Internode) -> FloatArray:
    """The double cable under a sheath as a ladder of segments, in deviations from rest, without its two ends.

    Returns
    -------
    ndarray
        (6, segment): capacitance (uF) and conductance (mS) of the axolemma; the same of the myelin, its
        membranes in series; resistance (kOhm) of axoplasm and of the periaxonal space along the segment,
        infinite where that space has no width.
    """
    rows = np.array([_segment(axon, internode, part) for part in internode.stretches])
    return rows.T.repeat([part.segments for part in internode.stretches], axis=1)


def _segment(axon: Axon, internode: Internode, part: Stretch) -> tuple[float, ...]:
    """The elements of one segment, in the order of `internode_ladder`."""
    length = part.length_um / part.segments
    area = math.pi * part.diameter_um * length * 1e-6
    return (
        part.axolemma_uf_per_cm2 * PER_CM2 * area,
        part.axolemma_ms_per_cm2 * PER_CM2 * area,
        *_sheath(internode.myelin, part),
        _axial(axon, part.diameter_um, length),
        _space(axon, part.diameter_um, length, part.periaxonal_nm),
    )


def _sheath(myelin: Myelin, part: Stretch) -> tuple[float, float]:
    """Capacitance and conductance of all membranes of the sheath over one segment, in series."""
    membranes = 2 * myelin.lamellae
    if myelin.outer_um is None:
        inner, apart = part.diameter_um / 2e3 + part.periaxonal_nm * 1e-6, myelin.period_nm * 1e-6 / 2
        inverse = sum([1 / (inner + k * apart) for k in range(membranes)])
    else:
        inverse = membranes / (myelin.outer_um / 2e3)
    series = 2 * math.pi * (part.length_um / part.segments * 1e-3) / inverse
    return (
        myelin.membrane_uf_per_cm2 * PER_CM2 * series,
        myelin.membrane_ms_per_cm2 * PER_CM2 * series,
    )


def _conductances(axon: Axon, area_mm2: float, sodium: float, potassium: float) -> tuple[float, float, float]:
    fast, *persistent, slow = (channel.density_ms_per_mm2 * area_mm2 for channel in axon.membrane.channels)
    return fast * sodium, sum(persistent) * sodium, slow * potassium


def _axial(axon: Axon, diameter_um: float, length_um: float) -> float:
    # 1 Ohm m is 1 kOhm mm.
    return axon.axial_ohm_m * (length_um * 1e-3) / (math.pi * (diameter_um / 2 * 1e-3) ** 2)


def _space(axon: Axon, diameter_um: float, length_um: float, width_nm: float) -> float:
    radius, width = diameter_um / 2 * 1e-3, width_nm * 1e-6
    ring = math.pi * width * (2 * radius + width)
    return axon.periaxonal_ohm_m * (length_um * 1e-3) / ring if ring else math.inf
