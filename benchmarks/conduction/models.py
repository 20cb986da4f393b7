"""Every axon of the evidence base: what it is made of, and its velocity beside that of its own program.

    python benchmarks/conduction/models.py           # seconds

Theirs: the Attwell laboratory's program under Octave, by the time between two peaks at steps of 0.1 or 1 us;
for the fibres of McIntyre, NEURON 9.0.2 with PyFibers' geometry, steps taken to zero. Ours: between crossings
of -20 mV at the same nodes, at the default step of 4 us and at 1 us.
"""

from __future__ import annotations

import numpy as np

from remyelin import conduction
from remyelin.conduction import Axon, Internode, conduct

# Preset, nodes from 1, velocity by its own program (m/s), where that is from.
THEIRS = (
    ("optic_nerve()", conduction.optic_nerve(), (20, 30), 2.95016, "Octave, 0.1 us"),
    ("cortex()", conduction.cortex(), (20, 30), 2.61142, "Octave, 0.1 us"),
    ("corpus_callosum()", conduction.corpus_callosum(), (6, 13), 1.70127, "Octave, 0.1 us"),
    ("cerebellum()", conduction.cerebellum(), (6, 13), 3.51938, "Octave, 0.1 us"),
    ("bushy_cell()", conduction.bushy_cell(), (70, 90), 11.29186, "Octave, 1 us"),
    ("richardson()", conduction.richardson(), (6, 13), 43.75, "Octave, 1 us"),
    ("mrg(2)", conduction.mrg(2), (11, 31), 9.3999, "NEURON"),
    ("mrg(5.7)", conduction.mrg(5.7), (11, 31), 25.8070, "NEURON"),
    ("mrg(7.3)", conduction.mrg(7.3), (11, 31), 36.8845, "NEURON"),
    ("mrg(10)", conduction.mrg(10), (11, 31), 56.2659, "NEURON"),
    ("mrg(16)", conduction.mrg(16), (11, 31), 94.0509, "NEURON"),
)


def seal_nm(internode: Internode) -> str:
    """Width of the space under the paranode, beside that of the rest."""
    inner = internode.middle.periaxonal_nm
    ends = [stretch.periaxonal_nm for stretch in internode.stretches if stretch.paranode]
    return f"{inner:g}, {ends[0]:.2g} at the paranode" if ends else f"{inner:g}"


def parameters(axon: Axon) -> list[str]:
    internode, node, membrane = axon.parts[0], axon.nodes[0], axon.membrane
    assert isinstance(internode, Internode)
    sodium, potassium = membrane.channels[0], membrane.channels[-1]
    return [
        f"{axon.diameter_um:.3g}",
        f"{internode.length_um:.4g}",
        f"{node.diameter_um:.3g} x {node.length_um:.3g}",
        f"{internode.myelin.lamellae}",
        f"{internode.g_ratio:.3f}",
        seal_nm(internode),
        f"{sodium.density_ms_per_mm2:g}, {potassium.density_ms_per_mm2:g}",
        f"{membrane.resting_mv:g}",
    ]


def row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    titles = ["model", "axon um", "internode um", "node um", "lamellae", "g-ratio", "periaxonal nm"]
    titles += ["sodium, potassium mS/mm2", "rest mV"]
    print(row(titles), row(["---"] * len(titles)), sep="\n")
    for name, axon, *_ in THEIRS:
        print(row([f"`{name}`", *parameters(axon)]))
    axons = [axon for _, axon, *_ in THEIRS]
    first, last = (np.array([nodes[k] - 1 for _, _, nodes, *_ in THEIRS]) for k in (0, 1))
    runs = [conduct(axons, duration_ms=6, dt_us=dt_us) for dt_us in (4, 1)]
    ours = np.array([result.velocity_between(first, last) for result in runs])
    peak = runs[1].peak_mv[np.arange(len(axons)), first]
    titles = ["model", "its program, m/s", "by", "ours at 4 us", "ours at 1 us", "1 us off by", "peak mV"]
    print("", row(titles), row(["---"] * len(titles)), sep="\n")
    for k, (name, _, _, velocity, by) in enumerate(THEIRS):
        digits = f"{velocity:.4f}", by, f"{ours[0, k]:.4f}", f"{ours[1, k]:.4f}"
        print(row([f"`{name}`", *digits, f"{ours[1, k] / velocity - 1:+.2%}", f"{peak[k]:.2f}"]))


if __name__ == "__main__":
    main()
