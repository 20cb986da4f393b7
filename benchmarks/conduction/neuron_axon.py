"""The peer: an `Axon` as sections of NEURON, with `extracellular` for its double cable.

Everything is worked out here from what `Axon` shows, not from the circuit that our solver makes of it. The
mechanism of the membrane is written from `Membrane`, compiled by nrnivmodl in a folder of its own, and read
into this process for good. `tests/reference/test_neuron.py` uses it too.
"""

from __future__ import annotations

import importlib.util
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from remyelin.conduction import (
    Axon,
    Bare,
    Gate,
    Internode,
    Membrane,
    Node,
    Rate,
    Stimulus,
    Stretch,
    TimedGate,
)

THRESHOLD_MV = -20.0
# Gates by table, as NEURON's own mechanisms do: finer than ours, and faster than exponentials.
LOWEST_MV, HIGHEST_MV, ROWS = -250, 250, 5000
# Periaxonal space at a node of Ranvier: open to the outside.
OPEN_S_PER_CM2, OPEN_MOHM_PER_CM, SEALED_MOHM_PER_CM = 1e10, 1e-3, 1e15
MECHANISM = """\
NEURON {{
    SUFFIX {name}
    NONSPECIFIC_CURRENT i
    RANGE {conductances}, leak, leak_mv
    GLOBAL {tabled}
}}
UNITS {{ (mV) = (millivolt) (mA) = (milliamp) (S) = (siemens) }}
PARAMETER {{
    {parameters}
    leak = 0 (S/cm2)
    leak_mv = 0 (mV)
}}
ASSIGNED {{
    v (mV)
    celsius (degC)
    i (mA/cm2)
    {assigned}
}}
STATE {{ {states} }}
INITIAL {{
    rates(v)
    {start}
}}
BREAKPOINT {{
    SOLVE states METHOD cnexp
    i = {currents} + leak*(v - leak_mv)
}}
DERIVATIVE states {{
    rates(v)
    {changes}
}}
PROCEDURE rates(v (mV)) {{
    LOCAL opening, closing
    TABLE {tabled} DEPEND celsius FROM {low} TO {high} WITH {rows}
    {gates}
}}
FUNCTION linoid(x) {{
    if (fabs(x) < 1e-6) {{
        linoid = 1 + x/2
    }} else {{
        linoid = x/(1 - exp(-x))
    }}
}}
"""


def missing() -> str:
    """Why NEURON cannot be used here; empty if it can."""
    if importlib.util.find_spec("neuron") is None:
        return "NEURON is not installed"
    tools = [tool for tool in ("g++", "make") if shutil.which(tool) is None]
    return f"nrnivmodl needs {' and '.join(tools)}, not found here" if tools else ""


@cache
def hoc() -> Any:
    """NEURON's interpreter, without windows."""
    os.environ.setdefault("NEURON_MODULE_OPTIONS", "-nogui")
    from neuron import h

    h.nlayer_extracellular(1)
    return h


def learn(membranes: Iterable[Membrane]) -> None:
    """Compile the membranes that this process has not yet learnt, all at once: it takes seconds."""
    new = {_name(membrane): membrane for membrane in membranes if _name(membrane) not in _LEARNT}
    if not new:
        return
    with tempfile.TemporaryDirectory() as folder:
        for name, membrane in new.items():
            Path(folder, f"{name}.mod").write_text(mechanism(membrane))
        tool = Path(sys.executable).with_name("nrnivmodl")
        done = subprocess.run([str(tool)], cwd=folder, capture_output=True, text=True, check=False)
        libraries = list(Path(folder).glob("*/libnrnmech.so")) + list(
            Path(folder).glob("*/.libs/libnrnmech.so")
        )
        if done.returncode or not libraries:
            raise RuntimeError(f"nrnivmodl failed:\n{done.stdout}\n{done.stderr}")
        hoc().nrn_load_dll(str(libraries[0]))
    _LEARNT.update(new)


_LEARNT: dict[str, Membrane] = {}


def mechanism(membrane: Membrane) -> str:
    """The membrane in NEURON's language: a conductance for each channel, a state for each gate."""
    gates, lines, currents = [], [], []
    for k, channel in enumerate(membrane.channels):
        factors = [f"g{k}"]
        for gate in channel.gates:
            state = f"x{len(gates)}"
            gates.append(state)
            factors += [state] * gate.power
            lines += _timed(state, gate) if isinstance(gate, TimedGate) else _rated(state, gate)
        currents.append(f"{'*'.join(factors)}*(v - ({channel.reversal_mv!r}))")
    conductances = [f"g{k}" for k in range(len(membrane.channels))]
    tabled = [f"{state}_{what}" for state in gates for what in ("inf", "tau")]
    between = "\n    "
    return MECHANISM.format(
        name=_name(membrane),
        conductances=", ".join(conductances),
        parameters=between.join(f"{g} = 0 (S/cm2)" for g in conductances),
        tabled=", ".join(tabled),
        assigned=between.join(f"{state}_inf (1) {state}_tau (ms)" for state in gates),
        states=" ".join(gates),
        start=between.join(f"{state} = {state}_inf" for state in gates),
        currents=" + ".join(currents),
        changes=between.join(f"{state}' = ({state}_inf - {state})/{state}_tau" for state in gates),
        low=LOWEST_MV,
        high=HIGHEST_MV,
        rows=ROWS,
        gates=between.join(lines),
    )


def _rated(state: str, gate: Gate) -> list[str]:
    return [
        f"opening = {_warmth(gate)}*{_rate(gate.alpha)}",
        f"closing = {_warmth(gate)}*{_rate(gate.beta)}",
        f"{state}_inf = opening/(opening + closing)",
        f"{state}_tau = 1/(opening + closing)",
    ]


def _timed(state: str, gate: TimedGate) -> list[str]:
    rise = f"{gate.rise_per_ms!r}*exp((v - ({gate.centre_mv!r}))/{gate.rise_mv!r})"
    fall = f"{gate.fall_per_ms!r}*exp(-(v - ({gate.centre_mv!r}))/{gate.fall_mv!r})"
    open_part = f"(1 + exp(-(v - ({gate.half_mv!r}))/({gate.slope_mv!r})))^({-gate.steepness!r})"
    return [
        f"{state}_inf = {gate.lowest!r} + {1 - gate.lowest!r}*{open_part}",
        f"{state}_tau = ({gate.shortest_ms!r} + 1/({rise} + {fall}))/({_warmth(gate)})",
    ]


def _warmth(gate: Gate | TimedGate) -> str:
    return f"{gate.q10!r}^((celsius - {gate.reference_c!r})/10)"


def _rate(rate: Rate) -> str:
    x = f"(v - ({rate.half_mv!r}))/({rate.slope_mv!r})"
    if rate.form == "sigmoid":
        return f"{rate.per_ms!r}/(1 + exp(-({x})))"
    return f"{rate.per_ms * abs(rate.slope_mv)!r}*linoid({x})"


def _name(membrane: Membrane) -> str:
    return "axon_" + re.sub(r"\W", "_", membrane.name)


def with_middle(axon: Axon, segments: int) -> Axon:
    """The same axon with the longest stretch of each internode in so many segments."""
    made: dict[Internode, Internode] = {}
    for part in axon.parts:
        if isinstance(part, Internode) and part not in made:
            stretches = [
                replace(stretch, segments=segments) if stretch is part.middle else stretch
                for stretch in part.stretches
            ]
            made[part] = replace(part, stretches=tuple(stretches))
    parts = tuple(made[part] if isinstance(part, Internode) else part for part in axon.parts)
    return replace(axon, parts=parts)


def build(axon: Axon) -> tuple[list[Any], list[Any]]:
    """Sections of the whole axon, first to last; those of its nodes among them."""
    sections, nodes = [], []
    for k, node in enumerate(axon.nodes):
        if k > 0:
            part = axon.parts[k - 1]
            pieces = [_bare(axon, part)] if isinstance(part, Bare) else _internode(axon, part)
            sections += pieces
        nodes.append(_node(axon, node))
        sections.append(nodes[-1])
    for before, after in pairwise(sections):
        after.connect(before(1), 0)
    return sections, nodes


def _section(axon: Axon, diameter_um: float, length_um: float, capacitance_uf_per_cm2: float) -> Any:
    section = hoc().Section()
    section.L, section.diam = length_um, diameter_um
    section.Ra, section.cm = axon.axial_ohm_m * 100, capacitance_uf_per_cm2
    return section


def _node(axon: Axon, node: Node) -> Any:
    membrane = axon.membrane
    section = _section(axon, node.diameter_um, node.length_um, membrane.capacitance_uf_per_cm2)
    leak = membrane.leak_ms_per_mm2(axon.temperature_c, node.sodium, node.potassium)
    _channels(axon, section, node, leak, membrane.leak_mv)
    ring = OPEN_MOHM_PER_CM
    if node.periaxonal_nm:
        ring = _ring_mohm_per_cm(axon, node.diameter_um, node.periaxonal_nm)
    _around(section, ring, OPEN_S_PER_CM2, 0.0)
    return section


def _bare(axon: Axon, bare: Bare) -> Any:
    lemma, membrane = bare.former.middle, axon.membrane
    section = _section(axon, bare.diameter_um, bare.length_um, lemma.axolemma_uf_per_cm2)
    leak = lemma.axolemma_ms_per_cm2 / 100
    carried = membrane.resting_current_ua_per_mm2(axon.temperature_c, bare.sodium, bare.potassium)
    _channels(axon, section, bare, leak, membrane.resting_mv + carried / leak)
    section.nseg = bare.compartments
    return section


def _channels(axon: Axon, section: Any, thing: Node | Bare, leak_ms_per_mm2: float, leak_mv: float) -> None:
    name = _name(axon.membrane)
    section.insert(name)
    values = {"leak": leak_ms_per_mm2 * 0.1, "leak_mv": leak_mv}
    for k, channel in enumerate(axon.membrane.channels):
        relative = thing.sodium if channel.ion == "Na" else thing.potassium
        values[f"g{k}"] = channel.density_ms_per_mm2 * 0.1 * relative
    for key, value in values.items():
        setattr(section(0.5), f"{key}_{name}", value)


def _internode(axon: Axon, internode: Internode) -> list[Any]:
    sections = []
    for stretch in internode.stretches:
        section = _section(axon, stretch.diameter_um, stretch.length_um, stretch.axolemma_uf_per_cm2)
        section.insert("pas")
        section(0.5).g_pas = stretch.axolemma_ms_per_cm2 * 1e-3
        section(0.5).e_pas = axon.membrane.resting_mv
        share = _sheath(internode, stretch)
        ring = _ring_mohm_per_cm(axon, stretch.diameter_um, stretch.periaxonal_nm)
        myelin = internode.myelin
        _around(section, ring, share * myelin.membrane_ms_per_cm2 * 1e-3, share * myelin.membrane_uf_per_cm2)
        # More segments take the values of the one.
        section.nseg = stretch.segments
        sections.append(section)
    return sections


def _sheath(internode: Internode, stretch: Stretch) -> float:
    """All membranes of the sheath in series, as a multiple of one membrane with the area of the axon."""
    myelin, radius = internode.myelin, stretch.diameter_um / 2
    first = radius + stretch.periaxonal_nm * 1e-3
    series = 0.0
    for turn in range(2 * myelin.lamellae):
        at = myelin.outer_um / 2 if myelin.outer_um else first + turn * myelin.period_nm * 1e-3 / 2
        series += radius / at
    return 1 / series


def _ring_mohm_per_cm(axon: Axon, diameter_um: float, width_nm: float) -> float:
    """Resistance of the periaxonal space; `width_nm` may be a thousandth of an atom, an effective seal."""
    if width_nm == 0:
        return SEALED_MOHM_PER_CM
    width_cm = width_nm * 1e-7
    area_cm2 = math.pi * width_cm * (diameter_um * 1e-4 + width_cm)
    return axon.periaxonal_ohm_m * 100 / area_cm2 * 1e-6


def _around(section: Any, mohm_per_cm: float, s_per_cm2: float, uf_per_cm2: float) -> None:
    section.insert("extracellular")
    middle = section(0.5)
    middle.xraxial[0], middle.xg[0], middle.xc[0] = mohm_per_cm, s_per_cm2, uf_per_cm2


def simulate(
    axon: Axon,
    *,
    nodes: Sequence[int],
    duration_ms: float,
    dt_us: float,
    second_order: bool = False,
    stimulus: Stimulus | None = None,
) -> SimpleNamespace:
    """Build the axon, stimulate its first node, and forget it again.

    Returns
    -------
    SimpleNamespace
        ``arrival_ms`` (node,) first rise of the chosen nodes through -20 mV, interpolated, NaN if never;
        ``peak_mv`` (node,).
    """
    h = hoc()
    learn([axon.membrane])
    stimulus = stimulus or Stimulus()
    _sections, at = build(axon)
    clamps = []
    for time_ms in stimulus.times_ms:
        clamp = h.IClamp(at[0](0.5))
        clamp.delay, clamp.dur = time_ms, stimulus.duration_us * 1e-3
        clamp.amp = stimulus.current_for(axon)
        clamps.append(clamp)
    traces = [h.Vector().record(at[node](0.5)._ref_v) for node in nodes]
    h.secondorder = 2 if second_order else 0
    h.celsius, h.dt = axon.temperature_c, dt_us * 1e-3
    parallel = h.ParallelContext()
    parallel.set_maxstep(10)
    h.finitialize(axon.membrane.resting_mv)
    parallel.psolve(duration_ms)
    potential = [np.array(trace) for trace in traces]
    return SimpleNamespace(
        arrival_ms=np.array([_rise(v, dt_us * 1e-3) for v in potential]),
        peak_mv=np.array([v.max() for v in potential]),
        potential_mv=potential,
    )


def _rise(potential_mv: np.ndarray, dt_ms: float) -> float:
    above = np.flatnonzero((potential_mv[1:] > THRESHOLD_MV) & (potential_mv[:-1] <= THRESHOLD_MV))
    if not len(above):
        return math.nan
    k = above[0]
    return (k + (THRESHOLD_MV - potential_mv[k]) / (potential_mv[k + 1] - potential_mv[k])) * dt_ms
