"""The figures of conduction: what diameter, lesions, heat and repair do to an action potential.

    python benchmarks/conduction/figures.py                  # all; a minute
    python benchmarks/conduction/figures.py delay recovery   # some

Prints the numbers as Markdown and writes the pictures into docs/_static. Nothing is drawn by lot: the same
code gives the same bytes. Axons are those of `conduction.optic_nerve`, at 37 degrees Celsius unless said
otherwise, with steps of 4 us.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from drawing import STATIC, delays, save, table
from short_internodes import internodes

from remyelin import conduction
from remyelin.conduction import Axon, conduct
from remyelin.report.axon_plot import draw_axons, draw_conduction
from remyelin.report.canvas import canvas
from remyelin.report.colour import ARMS, FAINT, INK, LOSS, MUTED, RULE
from remyelin.report.nerve_plot import draw_arrivals

FIRST = 16  # where lesions begin: an internode of 50
LENGTHS = (1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 18)  # of lesions, in internodes
# Published models on the same equations: diameter in um, velocity in m/s.
PUBLISHED = (
    ("Bakiri 2011, callosum", 0.36, 1.70),
    ("Arancibia-Carcamo 2017, cortex", 0.7308, 2.61),
    ("Bakiri 2011, cerebellum", 0.72, 3.52),
    ("Arancibia-Carcamo 2017, optic nerve", 0.8201, 2.95),
)


def velocity() -> str:
    """Velocity against diameter, for four g-ratios; internodes and nodes grow with the axon."""
    diameters = np.round(np.arange(0.3, 2.001, 0.02), 2)
    ratios = (0.70, 0.75, 0.79, 0.85)
    grid = [conduction.optic_nerve(float(d), g_ratio=g) for g in ratios for d in diameters]
    speed = conduct(grid, duration_ms=10).velocity_m_per_s.reshape(len(ratios), -1)
    with canvas(6.6, 3.9) as (figure, ((ax,),)):
        for row, g, colour in zip(speed, ratios, ARMS, strict=True):
            ax.plot(diameters, row, color=colour, lw=1.4)
            ax.text(2.03, row[-1], f"g {g:.2f}", color=colour, va="center", fontsize=9)
        for (name, d, v), mark in zip(PUBLISHED, "sDvo", strict=True):
            ax.plot(d, v, mark, color=INK, ms=6, label=name, lw=0)
        ax.set_xlabel("diameter of the axon, µm")
        ax.set_ylabel("velocity, m/s")
        ax.set_ylim(0)
        ax.set_xlim(0.25, 2.2)
        ax.legend(loc="upper left", fontsize=8, title="published models", title_fontsize=8)
        save(
            figure, "conduction-velocity", "Velocity rises with the diameter of the axon and with its myelin"
        )
    shown = [0.4, 0.6, 0.8, 1.0, 1.5, 2.0]
    places = [int(np.argmin(abs(diameters - d))) for d in shown]
    rows = [
        [
            f"{g:.2f} ({grid[k * len(diameters) + places[-1]].g_ratio[0]:.3f})",
            *(f"{row[p]:.2f}" for p in places),
        ]
        for k, (row, g) in enumerate(zip(speed, ratios, strict=True))
    ]
    return table(["g-ratio asked (realised at 2 µm)", *(f"{d:.1f} µm" for d in shown)], rows)


def delay() -> str:
    """Delay and block against demyelinated length, by channels on the bare axon."""
    intact = conduction.optic_nerve()
    fractions = (0.0, 0.005, 0.01, 0.02)
    lesions = [
        intact.demyelinate(range(FIRST, FIRST + k), bare=True, nav_fraction=f)
        for f in fractions
        for k in LENGTHS
    ]
    extra, blocked = delays(intact, lesions, duration_ms=15)
    extra, blocked = extra.reshape(len(fractions), -1), blocked.reshape(len(fractions), -1)
    length = np.array([lesion.bare_um for lesion in lesions[: len(LENGTHS)]]) / 1e3
    with canvas(6.6, 3.7) as (figure, ((ax,),)):
        for row, stopped, f, colour in zip(
            extra, blocked, fractions, (LOSS, *ARMS[:1], *ARMS[2:]), strict=True
        ):
            ax.plot(length, row, "-o", color=colour, lw=1.8, ms=4)
            if stopped.any():
                first = int(np.argmax(stopped))
                ax.plot(
                    length[first:], np.zeros(len(length) - first) - 0.28, "x", color=colour, ms=6, mew=1.8
                )
                ax.text(length[-1] + 0.06, -0.28, "blocked: 0 %", color=colour, va="center", fontsize=9)
            else:
                ax.text(length[-1] + 0.06, row[-1], f"{100 * f:g} %", color=colour, va="center", fontsize=9)
        ax.axhline(0, color=FAINT, lw=0.8, zorder=0)
        ax.set_xlim(0, 3.05)
        ax.set_xlabel("demyelinated length, mm")
        ax.set_ylabel("extra delay, ms")
        ax.set_title("Sodium channels on the bare axon, % of a node's density")
        save(
            figure,
            "conduction-delay",
            "Extra delay against demyelinated length; without channels on it, block",
        )
    shown = [k for k, n in enumerate(LENGTHS) if n in (1, 2, 3, 6, 12, 18)]
    rows = [
        [f"{100 * f:g} %", *("block" if blocked[j, k] else f"{extra[j, k]:.2f}" for k in shown)]
        for j, f in enumerate(fractions)
    ]
    heads = [f"{LENGTHS[k]} ({length[k]:.2f} mm)" for k in shown]
    return table(["channels on the bare axon", *heads], rows)


def heat() -> str:
    """Highest temperature at which a lesion conducts, against its length."""
    intact = conduction.optic_nerve()
    fractions = (0.0, 0.001, 0.0025, 0.005, 0.01)
    lesions = [
        intact.demyelinate(range(FIRST, FIRST + k), bare=True, nav_fraction=f)
        for f in fractions
        for k in LENGTHS
    ]
    found = conduction.block_temperature_c(lesions, highest_c=46)
    assert set(found.outcome) == {"above"}
    limit = found.temperature_c.reshape(len(fractions), -1)
    length = np.array([lesion.bare_um for lesion in lesions[: len(LENGTHS)]]) / 1e3
    with canvas(6.6, 3.7) as (figure, ((ax,),)):
        ax.axhspan(37, 39, color=RULE, alpha=0.6, lw=0, zorder=0)
        ax.text(3.03, 38.5, "37 to 39 °C", va="center", ha="right", fontsize=8, color=MUTED)
        for row, f, colour in zip(limit, fractions, (LOSS, "#7d8794", *ARMS[:1], *ARMS[2:]), strict=True):
            ax.plot(length, row, "-o", color=colour, lw=1.8, ms=4)
            ax.text(length[-1] + 0.06, row[-1], f"{100 * f:g} %", color=colour, va="center", fontsize=9)
        ax.set_xlim(0, 3.05)
        ax.set_xlabel("demyelinated length, mm")
        ax.set_ylabel("conducts up to, °C")
        ax.set_title("Sodium channels on the bare axon, % of a node's density")
        save(figure, "conduction-heat", "The temperature of block falls with the length of the lesion")
    shown = [k for k, n in enumerate(LENGTHS) if n in (1, 2, 3, 4, 6, 12, 18)]
    rows = [[f"{100 * f:g} %", *(f"{limit[j, k]:.1f}" for k in shown)] for j, f in enumerate(fractions)]
    heads = [f"{LENGTHS[k]} ({length[k]:.2f} mm)" for k in shown]
    return table(["channels on the bare axon", *heads], rows)


def recovery() -> str:
    """What new internodes give back of the delay of a lesion of 12 internodes with 1 % of the channels."""
    intact = conduction.optic_nerve()
    where = range(FIRST, FIRST + 12)
    lesion = intact.demyelinate(where, bare=True, nav_fraction=0.01)
    kinds = [(n, lamellae, nav) for lamellae in (3, 2) for n in (1, 2, 3) for nav in ("density", "number")]
    repairs = [lesion.remyelinate(where, n_short=n, lamellae=w, nodal_nav=nav) for n, w, nav in kinds]
    extra, blocked = delays(intact, [lesion, *repairs], duration_ms=12)
    assert not blocked.any()
    back = 1 - extra[1:] / extra[0]
    with canvas(6.6, 3.3) as (figure, ((ax,),)):
        places = np.array(
            [0.0, *(1.4 + k // 2 + 0.42 * (k % 2) + 0.35 * (k // 6) for k in range(len(kinds)))]
        )
        colours = [LOSS, *(ARMS[0] if nav == "density" else ARMS[2] for _, _, nav in kinds)]
        ax.bar(places, extra, width=0.38, color=colours)
        for x, value in zip(places, extra, strict=True):
            ax.text(x, value + 0.03, f"{value:.2f}", ha="center", fontsize=8)
        ticks = [0.0, *((places[1::2] + places[2::2]) / 2)]
        ax.set_xticks(ticks, ["bare", *(f"{n} for 1" for _ in range(2) for n in (1, 2, 3))])
        ax.tick_params(axis="x", length=0)
        for lamellae, k in ((3, 2), (2, 5)):
            g = repairs[[kind[1] for kind in kinds].index(lamellae)].g_ratio[FIRST]
            ax.text(
                ticks[k], 1.0, f"{lamellae} lamellae (g {g:.2f})", ha="center", fontsize=9, fontweight="bold"
            )
        for y, nav, colour in ((2.3, "density", ARMS[0]), (2.05, "number", ARMS[2])):
            ax.text(ticks[1] - 0.3, y, f"nodal {nav} of channels kept", color=colour, fontsize=9)
        ax.set_ylabel("extra delay, ms")
        ax.set_title("New internodes in the place of each one lost")
        save(figure, "conduction-recovery", "Extra delay of a bare lesion and after repair")
    rows = [["bare", "", "", f"{extra[0]:.2f}", ""]]
    rows += [
        [str(n), f"{w} ({axon.g_ratio[FIRST]:.2f})", nav, f"{ms:.2f}", f"{share:.0%}"]
        for (n, w, nav), axon, ms, share in zip(kinds, repairs, extra[1:], back, strict=True)
        if n > 1 or nav == "density"  # a node for a node shares nothing
    ]
    return table(
        ["new internodes for one", "lamellae (g)", "nodal channels kept", "extra delay, ms", "recovered"],
        rows,
    )


def paranode() -> str:
    """What the segments of paranode and middle and the width of the seal do to velocity, in steps of 1 us."""

    def changed(paranode: bool, **values: float) -> Axon:
        part = intact.parts[0]
        stretches = tuple(replace(s, **values) if s.paranode == paranode else s for s in part.stretches)
        return replace(intact, parts=(replace(part, stretches=stretches),) * len(intact.parts))

    intact = conduction.optic_nerve()
    rows = []
    for what, is_paranode, name, values in (
        ("segments of each paranode", True, "segments", (1, 2, 4, 8)),
        ("segments of the middle", False, "segments", (64, 32, 16, 8)),
        ("width of the seal, nm", True, "periaxonal_nm", (0.0077197, 0.077, 0.77, 7.7)),
    ):
        result = conduct([changed(is_paranode, **{name: value}) for value in values], duration_ms=12, dt_us=1)
        speed, peak = result.velocity_m_per_s, result.peak_mv[:, 25]
        said = [
            f"{v:.3f}" if np.isfinite(v) else f"small spikes, peak {p:.1f} mV"
            for v, p in zip(speed, peak, strict=True)
        ]
        rows.append([what, *(f"{value:g}: {words}" for value, words in zip(values, said, strict=True))])
    return table(["velocity, m/s", "as published", "", "", ""], rows)


def pictures() -> str:
    """Four axons and their action potentials, and four nerves, for the how-to page."""
    intact = conduction.optic_nerve()
    lesion = range(16, 28)
    bare = intact.demyelinate(lesion, bare=True, nav_fraction=0.01)
    silent = intact.demyelinate(lesion, bare=True)
    axons = [intact, silent, bare, bare.remyelinate(lesion, n_short=3, lamellae=3)]
    names = ["intact", "bare", "bare, 1 % of channels", "remyelinated"]
    draw_axons(axons, labels=names, path=STATIC / "howto-axons.svg")
    result = conduct(axons, duration_ms=10, record_us=20)
    draw_conduction(result, labels=names, path=STATIC / "howto-conduction.svg")
    nerves: dict[str, dict[str, float]] = {
        "intact": {},
        "bare, 0.5 % of channels": {"lesion_mm": 10, "nav_fraction": 0.005},
        "bare, 2 % of channels": {"lesion_mm": 10, "nav_fraction": 0.02},
        "remyelinated": {"lesion_mm": 10, "repaired": 1.0, "g_ratio": 0.88},
    }
    bundles = [
        conduction.NerveBundle.optic_nerve(2000, rng=np.random.default_rng(1), length_mm=45, **made)
        for made in nerves.values()
    ]
    draw_arrivals([nerve.arrive() for nerve in bundles], labels=list(nerves), path=STATIC / "howto-nerve.svg")
    rows = [[*each, f"{ms:.2f}"] for *each, ms in zip(names, result.outcome, result.delay_ms, strict=True)]
    return table(["axon", "outcome", "delay, ms"], rows)


FIGURES: dict[str, Callable[[], str]] = {
    "velocity": velocity,
    "delay": delay,
    "heat": heat,
    "recovery": recovery,
    "internodes": internodes,
    "paranode": paranode,
    "pictures": pictures,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="FIGURE", help=", ".join(FIGURES))
    for name in parser.parse_args().names or FIGURES:
        print(f"\n{FIGURES[name].__doc__}\n\n{FIGURES[name]()}", flush=True)


if __name__ == "__main__":
    main()
