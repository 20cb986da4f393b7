"""How far the table of the surrogate is from the solver, on random lesions that are not in it; its time.

    python benchmarks/conduction/surrogate.py

Diameters from the distribution of `NerveBundle.optic_nerve`, 0.2 to 4 um. Delay: time through the lesion less
that of an intact axon of its length.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from remyelin.biology.diameters import draw_diameters
from remyelin.conduction import conduct
from remyelin.conduction.patch import Patch, intact_geometry
from remyelin.conduction.patches import Patches
from remyelin.conduction.surrogate import read_surrogate
from remyelin.conduction.transit import Transit, solve_patches

SEED = 20261128


def bare(rng: np.random.Generator, diameter: float) -> Patch:
    pitches = rng.uniform(0.3, 30)
    return Patch(
        diameter,
        bare_um=pitches * intact_geometry(diameter).pitch_um,
        nav_fraction=float(rng.choice([0, rng.uniform(0, 0.03)], p=[0.2, 0.8])),
    )


def short_bare(rng: np.random.Generator, diameter: float) -> Patch:
    pitches = rng.uniform(0.3, 4)
    return Patch(
        diameter,
        bare_um=pitches * intact_geometry(diameter).pitch_um,
        nav_fraction=float(rng.choice([0, rng.uniform(0, 0.01)])),
    )


def myelinated(rng: np.random.Generator, diameter: float, spread: float = 0.0) -> Patch:
    geometry = intact_geometry(diameter)
    count = int(rng.integers(1, 40))
    pitches = rng.uniform(0.22, 1.2) * (1 + spread * rng.standard_normal(count))
    lengths = np.clip(pitches, 0.21, 1.49) * geometry.pitch_um - geometry.node_um
    lamellae = int(rng.integers(1, geometry.lamellae + 1))
    return Patch(diameter, tuple(lengths.tolist()), lamellae)


def unequal(rng: np.random.Generator, diameter: float) -> Patch:
    return myelinated(rng, diameter, 0.25)


def both(rng: np.random.Generator, diameter: float) -> Patch:
    new, old = myelinated(rng, diameter, 0.25), bare(rng, diameter)
    return Patch(diameter, new.internode_um, new.lamellae, old.bare_um, old.nav_fraction)


KINDS: tuple[tuple[str, Callable[[np.random.Generator, float], Patch]], ...] = (
    ("bare, 0.3 to 30 pitches, 0 to 3 % channels", bare),
    ("bare, 0.3 to 4 pitches, 0 to 1 % channels", short_bare),
    ("1 to 39 new internodes of equal length", myelinated),
    ("the same, lengths with an SD of 25 %", unequal),
    ("new internodes of unequal length, then bare", both),
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--axons", type=int, default=400, help="of each kind")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    print(
        "| lesion | median delay, ms | mean error, ms | 95 % below | worst | mean error, % | 95 % | worst |",
        end="",
    )
    print(" blocked | block called conducting | conducting called block |")
    print("| --- |" + " --- |" * 10)
    for seed, (name, make) in enumerate(KINDS):
        rng = np.random.default_rng([SEED, seed])
        patches = [make(rng, float(d)) for d in draw_diameters(options.axons, rng=rng)]
        print(f"| {name} | {_compared(patches, options.threads)} |", flush=True)
    rng = np.random.default_rng([SEED, 9])
    diameters = draw_diameters(options.axons, rng=rng)
    solved = solve_patches([Patch(float(d)) for d in diameters], threads=options.threads)
    told = _told([Patch(float(d)) for d in diameters])
    relative = 100 * np.abs(told.velocity_m_per_s / solved.velocity_m_per_s - 1)
    print(f"\nVelocity of intact axons: mean error {relative.mean():.2f} %, 95 % below ", end="")
    print(f"{np.quantile(relative, 0.95):.2f} %, worst {relative.max():.2f} %.")
    _whole(options.threads)
    _mixture(options.threads)
    _time(10_000)


def _mixture(threads: int) -> None:
    """Unequal internodes against the time that each takes among its like."""
    rng = np.random.default_rng([SEED, 7])
    excess = []
    for diameter in (0.4, 0.6, 0.8, 1.0, 1.5):
        geometry = intact_geometry(diameter)
        for lamellae in {max(1, geometry.lamellae // 3), max(1, geometry.lamellae // 2)}:
            pitches = np.clip(0.5 * (1 + 0.25 * rng.standard_normal(24)), 0.21, 1.49)
            lengths = (pitches * geometry.pitch_um - geometry.node_um).tolist()
            alike = [Patch(diameter, (length,) * 24, lamellae) for length in lengths]
            unequal = Patch(diameter, tuple(lengths), lamellae)
            time_ms = solve_patches([unequal, *alike], threads=threads).patch_ms
            excess.append(100 * (time_ms[0] / time_ms[1:].mean() - 1))
    print(
        f"24 internodes, lengths with an SD of 25 %: {min(excess):+.2f} to {max(excess):+.2f} % from the time"
    )
    print(f"that each takes among its like ({len(excess)} axons).")


def _whole(threads: int) -> None:
    """A whole nerve at once, against its lesion between flanks and constant velocity elsewhere."""
    rng = np.random.default_rng([SEED, 8])
    sizes = [float(d) for d in draw_diameters(16, rng=rng, mean_um=0.9, sd_um=0.3)]
    patches = [both(rng, d) for d in sizes]
    patches = [replace(patch, nav_fraction=0.03) for patch in patches]
    parts = solve_patches(patches, threads=threads)
    axons, more = [], []
    for patch in patches:
        axon, pitch = patch.axon(), intact_geometry(patch.diameter_um).pitch_um
        more.append(int(20e3 / pitch / 2))
        ends, lesion = axon.parts[:1] * more[-1], axon.parts
        axons.append(
            replace(axon, nodes=axon.nodes[:1] * (len(lesion) + 2 * more[-1] + 1), parts=ends + lesion + ends)
        )
    found = conduct(axons, duration_ms=80, threads=threads).arrival_ms
    errors = []
    for k, (axon, patch) in enumerate(zip(axons, patches, strict=True)):
        first, last = 5, axon.n_nodes - 6
        way = (axon.position_um[last] - axon.position_um[first] - patch.length_um) / 1e3
        errors.append(found[k, last] - found[k, first] - way / parts.velocity_m_per_s[k] - parts.patch_ms[k])
    print(f"Whole axons of 20 mm and more, solved at once: {np.nanmax(np.abs(errors)):.4f} ms at most from")
    print("constant velocity and the lesion between flanks of ten internodes (16 axons).")


def _compared(patches: list[Patch], threads: int) -> str:
    solved, told = solve_patches(patches, threads=threads), _told(patches)
    both_pass = ~solved.blocked & ~told.blocked
    way = np.array([patch.length_um for patch in patches]) / 1e3
    delay = (solved.patch_ms - way / solved.velocity_m_per_s)[both_pass]
    error = np.abs((told.patch_ms - way / told.velocity_m_per_s)[both_pass] - delay)
    relative = 100 * error / np.abs(delay)
    missed = np.mean(solved.blocked & ~told.blocked)
    invented = np.mean(~solved.blocked & told.blocked)
    cells = [f"{np.median(delay):.2f}"]
    cells += [f"{value:.3f}" for value in (error.mean(), np.quantile(error, 0.95), error.max())]
    cells += [f"{value:.1f}" for value in (relative.mean(), np.quantile(relative, 0.95), relative.max())]
    cells += [f"{100 * share:.1f} %" for share in (solved.blocked.mean(), missed, invented)]
    return " | ".join(cells)


def _told(patches: list[Patch]) -> Transit:
    return read_surrogate().read(Patches.of(patches))


def _time(count: int) -> None:
    rng = np.random.default_rng([SEED, 10])
    patches = Patches.of([both(rng, float(d)) for d in draw_diameters(count, rng=rng)])
    read_surrogate().read(patches)
    spent = []
    for _ in range(9):
        begin = time.process_time()
        read_surrogate().read(patches)
        spent.append(time.process_time() - begin)
    print(f"{count:,} axons: {1e3 * np.median(spent):.0f} ms of CPU time (median of {len(spent)}).")


if __name__ == "__main__":
    main()
