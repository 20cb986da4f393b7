"""Do short internodes slow conduction? By axon, by channels kept, and where short and long ones are mixed."""

from __future__ import annotations

import numpy as np
from drawing import delays, save, table

from remyelin import conduction
from remyelin.conduction import conduct
from remyelin.report.canvas import canvas
from remyelin.report.colour import ARMS, FAINT


def internodes() -> str:
    """Velocity of an axon with shorter internodes, and the delay where short ones are mixed with long."""
    ratios, kept = (0.79, 0.83, 0.86, 0.90), ("density", "number")
    counts = (1, 2, 3, 4)
    wholes = [conduction.optic_nerve(g_ratio=g) for g in ratios]
    axons = [
        whole.remyelinate(range(50), n_short=n, lamellae=whole.parts[0].myelin.lamellae, nodal_nav=nav)
        for whole in wholes
        for nav in kept
        for n in counts
    ]
    speed = conduct(axons, duration_ms=15).velocity_m_per_s.reshape(len(ratios), len(kept), -1)
    length = np.array([axon.part_um[0] for axon in axons[: len(counts)]])
    with canvas(7.6, 3.4, 1, 2, sharey=True) as (figure, (axes,)):
        for ax, k, nav in zip(axes, (0, 1), kept, strict=True):
            ax.plot([150, length[-1]], [speed[0, 0, 0]] * 2, color=FAINT, lw=0.8, zorder=0)
            for row, g, colour in zip(speed[:, k], ratios, ARMS, strict=True):
                ax.plot(length, row, "-o", color=colour, lw=1.8, ms=4)
                ax.text(length[-1] - 4, row[-1], f"g {g:.2f}", color=colour, va="center", fontsize=9)
            ax.set_xlabel("length of the internodes, µm")
            ax.set_title(f"{nav} of nodal channels kept")
            ax.set_xlim(150, 8)
            ax.set_ylim(0)
            ax.set_xticks([140, 120, 100, 80, 60, 40])
        axes[0].set_ylabel("velocity, m/s")
        save(figure, "conduction-internodes", "Velocity against the length of internodes for four g-ratios")
    rows = [
        [
            f"{g:.2f} ({wholes[k].g_ratio[0]:.3f}, {wholes[k].parts[0].myelin.lamellae})",
            nav,
            f"{speed[k, j, 0]:.2f}",
            *(f"{v:.2f} (× {v / speed[k, j, 0]:.2f})" for v in speed[k, j, 1:]),
            f"× {speed[k, j, 2] / speed[0, 0, 0]:.2f}",
        ]
        for k, g in enumerate(ratios)
        for j, nav in enumerate(kept)
    ]
    heads = [f"{um:.0f} µm, m/s" for um in length]
    heads = ["g-ratio asked (realised, lamellae)", "kept at nodes", *heads, "46 µm against the intact axon"]
    first = table(heads, rows)
    return f"{first}\n\n{other_axons()}\n\n{mixtures()}"


def other_axons() -> str:
    """The same shortening in the other published axons, thickness and everything else kept."""
    wholes = [
        conduction.optic_nerve(),
        conduction.cortex(),
        conduction.corpus_callosum(),
        conduction.cerebellum(),
        conduction.bushy_cell(),
        conduction.mrg(5.7),
        conduction.mrg(10),
        conduction.mrg(16),
        conduction.richardson(),
    ]
    rows = []
    for whole in wholes:
        every = range(len(whole.parts))
        lamellae = whole.parts[0].myelin.lamellae
        axons = [
            whole.remyelinate(every, n_short=n, lamellae=lamellae, nodal_nav=nav)
            for nav in ("density", "number")
            for n in (2, 3)
        ]
        first, *rest = conduct([whole, *axons], duration_ms=15).velocity_m_per_s
        said = [f"× {v / first:.2f}" if np.isfinite(v) else "fails" for v in rest]
        rows.append(
            [whole.name, f"{whole.diameter_um:.2g}", f"{whole.part_um[0]:.0f}", f"{first:.2f}", *said]
        )
    kinds = [f"{n} for 1, {nav} kept" for nav in ("density", "number") for n in (2, 3)]
    return table(["axon", "diameter, µm", "internode, µm", "m/s", *kinds], rows)


def mixtures() -> str:
    """Half of 32 internodes made anew, side by side or every second, against half of what all 32 take."""
    intact = conduction.optic_nerve()
    rows = []
    for n, lamellae in ((3, 3), (3, 2), (1, 2)):
        mixed = [
            intact.remyelinate(where, n_short=n, lamellae=lamellae)
            for where in (range(10, 42), range(10, 26), range(10, 42, 2))
        ]
        extra, _ = delays(intact, mixed, duration_ms=8)
        rows.append(
            [f"{n} of {lamellae} lamellae", *(f"{ms:.3f}" for ms in (extra[0] / 2, extra[1], extra[2]))]
        )
    return table(
        ["new internodes for one", "half of 32, ms", "16 side by side, ms", "every second, ms"], rows
    )
