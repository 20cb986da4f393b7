"""Ours and NEURON 9 on the same axons: how long an action potential takes from one node to another.

    python benchmarks/conduction/agreement.py        # half a minute

NEURON by backward Euler at 1 and 0.5 us (0.25 too where conduction all but fails), extrapolated to no step;
ours at 1 us and at the 4 us of the default. Internodes of central axons with 8 middle segments on both sides.
"""

from __future__ import annotations

from itertools import pairwise

import neuron_axon
import numpy as np

from remyelin import conduction
from remyelin.conduction import Axon

STEPS_US = (1.0, 0.5)


def axons() -> dict[str, Axon]:
    """Intact, hurt and repaired; the peripheral ones as they are."""
    nerve, cortex = conduction.optic_nerve(n_nodes=26), conduction.cortex(n_nodes=26)
    bare = nerve.demyelinate(range(10, 14), bare=True)
    central = {
        "optic nerve": nerve,
        "cortex": cortex,
        "optic nerve, 0.4 um thin": conduction.optic_nerve(0.4, n_nodes=26),
        "optic nerve at 41 degC": nerve.at(41),
        "6 internodes with 2 lamellae, seals loosened": nerve.demyelinate(range(9, 15), lamellae=2),
        "4 internodes bare, 1 % of a node's channels": nerve.demyelinate(
            range(10, 14), bare=True, nav_fraction=0.01
        ),
        "4 internodes remyelinated as 12 of g 0.88": bare.remyelinate(range(10, 14), g_ratio=0.88),
        "2 internodes bare, no channels: all but blocked": nerve.demyelinate([11, 12], bare=True),
    }
    fibres = {f"MRG, {d:g} um": conduction.mrg(d, n_nodes=21) for d in (2.0, 5.7, 16.0)}
    return {name: neuron_axon.with_middle(axon, 8) for name, axon in central.items()} | fibres


def extrapolated(spent: list[float]) -> float:
    """To no step, each half of the one before (Richardson)."""
    order = 1
    while len(spent) > 1:
        spent = [(2**order * fine - coarse) / (2**order - 1) for coarse, fine in pairwise(spent)]
        order += 1
    return spent[0]


def main() -> None:
    if why := neuron_axon.missing():
        print(f"skipped: {why}")
        return
    print("| axon | NEURON at 0.5 us, ms | extrapolated, ms | ours at 1 us | ours at 4 us |")
    print("| --- | --- | --- | --- | --- |")
    everything = axons()
    neuron_axon.learn([axon.membrane for axon in everything.values()])
    for name, axon in everything.items():
        first, last = round(0.3 * (axon.n_nodes - 1)), round(0.7 * (axon.n_nodes - 1))
        ours = [conduction.conduct(axon, duration_ms=5, dt_us=dt_us).arrival_ms[0] for dt_us in (1.0, 4.0)]
        duration_ms = float(np.ceil(20 * ours[0][last] + 1) / 20)
        spent = []
        for dt_us in (*STEPS_US, 0.25) if "blocked" in name else STEPS_US:
            run = neuron_axon.simulate(axon, nodes=[first, last], duration_ms=duration_ms, dt_us=dt_us)
            spent.append(float(np.diff(run.arrival_ms)[0]))
        limit = extrapolated(spent)
        gaps = [f"{(row[last] - row[first]) / limit - 1:+.3%}" for row in ours]
        print(f"| {name} | {spent[1]:.5f} | {limit:.5f} | {gaps[0]} | {gaps[1]} |", flush=True)
    second_order(everything["optic nerve"])


def second_order(axon: Axon) -> None:
    """Where NEURON's other scheme goes as the step shrinks."""
    first, last = round(0.3 * (axon.n_nodes - 1)), round(0.7 * (axon.n_nodes - 1))
    ours = conduction.conduct(axon, duration_ms=3, dt_us=0.25).arrival_ms[0]
    words = []
    for dt_us in (4.0, 1.0, 0.5, 0.25):
        run = neuron_axon.simulate(axon, nodes=[first, last], duration_ms=1.2, dt_us=dt_us, second_order=True)
        gap = (ours[last] - ours[first]) / np.diff(run.arrival_ms)[0] - 1
        words.append(f"{gap:+.2%} at {dt_us:g} us")
    print("\nOptic nerve, velocity of NEURON with `secondorder = 2` beside ours at 0.25 us:", end=" ")
    print(f"{', '.join(words)}.")


if __name__ == "__main__":
    main()
