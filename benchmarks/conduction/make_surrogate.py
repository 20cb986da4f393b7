"""Make the table of the surrogate, `src/remyelin/evidence/surrogate.npz`, by the solver. Minutes on 2 cores.

    python benchmarks/conduction/make_surrogate.py

Axons of the optic nerve at 37 degrees, time step 4 us, as `patch.py` lays a lesion out.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

import remyelin
from remyelin.conduction.patch import Patch, intact_geometry
from remyelin.conduction.transit import solve_patches

DIAMETERS_UM = np.round(np.geomspace(0.2, 4.0, 27), 4)
LAMELLAE = np.array([1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 16, 20, 25, 30, 35])
# Pitch of the new internodes relative to the intact ones; how many of them.
SHORTENING = np.array([0.2, 0.25, 0.33, 0.42, 0.5, 0.6, 0.7, 0.85, 1.0, 1.2, 1.5])
COUNTS = np.array([1, 2, 3, 5, 8, 16])
# Length of the bare stretch in pitches of intact internodes; channels of it.
BARE = np.array([0.1, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.25, 2.5, 2.75, 3, 3.5, 4, 5, 6, 8, 12, 16])
NAV = np.array(
    [0, 0.001, 0.002, 0.003, 0.004, 0.005, 0.0065, 0.008, 0.01, 0.0125, 0.016, 0.02, 0.03, 0.05, 0.1]
)
# Where a bare stretch follows new internodes: a coarser grid of the same.
JUNCTION_UM, JUNCTION_LAMELLAE = DIAMETERS_UM[::2], np.array([1, 2, 4, 9, 20, 35])
JUNCTION_SHORTENING, JUNCTION_NAV = (
    np.array([0.2, 0.33, 0.5, 0.75, 1.1, 1.5]),
    np.array([0, 0.004, 0.01, 0.02, 0.05, 0.1]),
)
JUNCTION_COUNT, JUNCTION_BARE = np.array([1, 6]), np.array([0.5, 2])
ROUNDS = 6  # halvings of the interval in which conduction stops


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = Path(remyelin.__file__).parent / "evidence" / "surrogate.npz"
    parser.add_argument("--to", type=Path, default=default)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    begin, cpu = time.perf_counter(), time.process_time()
    tables = {**myelinated(options.threads), **bare(options.threads), **junction(options.threads)}
    np.savez_compressed(options.to, **tables)
    print(f"{options.to.stat().st_size / 1024:.0f} KB, {time.perf_counter() - begin:.0f} s, ", end="")
    print(f"{time.process_time() - cpu:.0f} CPU s")


def myelinated(threads: int) -> dict[str, np.ndarray]:
    """ms per mm of new myelin by (diameter, lamellae, shortening, count; the last: steady), and limits."""
    shape = len(DIAMETERS_UM), len(LAMELLAE), len(SHORTENING), len(COUNTS)
    cells = [(i, j, k, n) for i, j, k, n in np.ndindex(shape) if LAMELLAE[j] <= max(3, 2.4 * _thickest(i))]

    def patch(i: int, j: int, shortening: float, n: int) -> Patch:
        geometry = intact_geometry(float(DIAMETERS_UM[i]))
        length = shortening * geometry.pitch_um - geometry.node_um
        return Patch(float(DIAMETERS_UM[i]), (length,) * int(COUNTS[n]), int(LAMELLAE[j]))

    passed = np.full(shape, np.nan)
    answer = solve_patches([patch(i, j, SHORTENING[k], n) for i, j, k, n in cells], threads=threads)
    for cell, value in zip(cells, answer.patch_ms, strict=True):
        passed[cell] = value
    held = np.zeros(shape, dtype=bool)
    held[tuple(np.array(cells).T)] = True
    limit = _limits(passed, held, SHORTENING, patch, axis=2, threads=threads)
    pitch_mm = np.array([intact_geometry(float(d)).pitch_um / 1e3 for d in DIAMETERS_UM])
    way = pitch_mm[:, None, None, None] * SHORTENING[None, None, :, None] * COUNTS
    steady = (passed[..., -1] - passed[..., -2]) / (way[..., -1] - way[..., -2])
    each_mm = np.concatenate([passed / way, steady[..., None]], axis=-1)
    return {
        "diameter_um": DIAMETERS_UM,
        "lamellae": LAMELLAE,
        "shortening": SHORTENING,
        "count": COUNTS,
        "myelinated_ms_per_mm": _filled(each_mm, axis=2).astype(np.float32),
        "longest_shortening": limit.astype(np.float32),
    }


def bare(threads: int) -> dict[str, np.ndarray]:
    """ms per mm of bare axon by (diameter, length, nav), and beyond the longest; limits of conduction.

    The limits: the least channels that conduct by (diameter, length), and the longest stretch without any.
    """
    shape = len(DIAMETERS_UM), len(BARE), len(NAV)

    def patch(i: int, pitches: float, nav: float) -> Patch:
        diameter = float(DIAMETERS_UM[i])
        length = float(pitches) * intact_geometry(diameter).pitch_um
        return Patch(diameter, bare_um=length, nav_fraction=float(nav))

    def dense(i: int, j: int, nav: float) -> Patch:
        return patch(i, BARE[j], nav)

    answer = solve_patches([dense(i, j, NAV[k]) for i, j, k in np.ndindex(shape)], threads=threads)
    passed = answer.patch_ms.reshape(shape)
    held = np.ones(shape, dtype=bool)
    limit = _limits(passed, held, NAV, dense, axis=2, threads=threads)
    pitch_mm = np.array([intact_geometry(float(d)).pitch_um / 1e3 for d in DIAMETERS_UM])
    silent = _limits(
        passed[..., 0], held[..., 0], BARE, lambda i, length: patch(i, length, 0.0), axis=1, threads=threads
    )
    way = pitch_mm[:, None, None] * BARE[None, :, None]
    steady = (passed[:, -1] - passed[:, -2]) / (way[:, -1] - way[:, -2])
    return {
        "bare_pitches": BARE,
        "nav_fraction": NAV,
        "bare_ms_per_mm": _filled((passed / way)[..., ::-1], axis=2)[..., ::-1].astype(np.float32),
        "bare_steady_ms_per_mm": _filled(steady[..., ::-1], axis=1)[..., ::-1].astype(np.float32),
        "least_nav": limit.astype(np.float32),
        "longest_silent_pitches": silent.astype(np.float32),
    }


def junction(threads: int) -> dict[str, np.ndarray]:
    """ms that new internodes and the bare stretch after them take beyond what each takes alone."""
    axes = (
        *(JUNCTION_UM, JUNCTION_LAMELLAE, JUNCTION_SHORTENING),
        *(JUNCTION_NAV, JUNCTION_COUNT, JUNCTION_BARE),
    )
    cells, patches = [], []
    for cell in np.ndindex(tuple(len(axis) for axis in axes)):
        diameter, lamellae, shortening, nav, count, pitches = (
            float(axis[k]) for axis, k in zip(axes, cell, strict=True)
        )
        geometry = intact_geometry(diameter)
        if lamellae > max(4, 2.4 * geometry.lamellae):
            continue
        new = (shortening * geometry.pitch_um - geometry.node_um,) * int(count)
        cells.append(cell)
        patches.append(Patch(diameter, new, int(lamellae), pitches * geometry.pitch_um, nav))
    first = [replace(patch, bare_um=0.0, nav_fraction=0.0) for patch in patches]
    second = [replace(patch, internode_um=(), lamellae=1) for patch in patches]
    alone = list(dict.fromkeys([*first, *second]))
    known = dict(zip(alone, solve_patches(alone, threads=threads).patch_ms, strict=True))
    together = solve_patches(patches, threads=threads).patch_ms
    more = np.full(tuple(len(axis) for axis in axes), np.nan)
    for cell, time_ms, one, other in zip(cells, together, first, second, strict=True):
        more[cell] = time_ms - known[one] - known[other]
    # Where one of the three is blocked, as with the next more channels; it matters only beside the limit.
    for k in range(len(JUNCTION_NAV) - 2, -1, -1):
        more[:, :, :, k] = np.where(np.isnan(more[:, :, :, k]), more[:, :, :, k + 1], more[:, :, :, k])
    names = ("um", "lamellae", "shortening", "nav", "count", "bare")
    grid = {f"junction_{name}": axis for name, axis in zip(names, axes, strict=True)}
    return {**grid, "junction_ms": np.nan_to_num(more).astype(np.float32)}


def _limits(passed, held, values, patch, *, axis, threads):  # type: ignore[no-untyped-def]
    """Where along `axis` conduction stops, by halving: NaN if it nowhere does, 0 if there is none."""
    passes = np.moveaxis(np.isfinite(passed) | ~held, axis, -1)
    limit = np.full(passes.shape[:-1], np.nan)
    edges = {}
    for cell in np.ndindex(passes.shape[:-1]):
        row = passes[cell]
        if row.all():
            continue
        if not row.any():
            limit[cell] = 0.0
            continue
        change = np.flatnonzero(row[1:] != row[:-1])
        if len(change) != 1:
            print(f"conduction stops more than once at {cell}: {row.astype(int)}")
        at = change[0]
        # [passes, blocks]
        edges[cell] = [values[at], values[at + 1]] if row[at] else [values[at + 1], values[at]]
    for _ in range(ROUNDS):
        middle = {cell: (edge[0] + edge[1]) / 2 for cell, edge in edges.items()}
        made = [patch(*cell[:axis], middle[cell], *cell[axis:]) for cell in middle]
        blocked = solve_patches(made, threads=threads).blocked
        for cell, stops in zip(middle, blocked, strict=True):
            edges[cell][int(stops)] = middle[cell]
    for cell, edge in edges.items():
        limit[cell] = np.mean(edge)
    return limit


def _filled(each_mm: np.ndarray, axis: int) -> np.ndarray:
    """ms per mm continued into what is blocked along `axis`, so that its neighbours can be interpolated."""
    rows = np.moveaxis(each_mm.copy(), axis, 0)
    for k in range(1, len(rows)):
        step = np.maximum(0.0, np.nan_to_num(rows[k - 1] - rows[k - 2])) if k > 1 else 0.0
        rows[k] = np.where(np.isfinite(rows[k]), rows[k], rows[k - 1] + step)
    return np.moveaxis(rows, 0, axis)


def _thickest(i: int) -> int:
    """Lamellae of an intact axon of this diameter; a table of up to about twice as many."""
    return intact_geometry(float(DIAMETERS_UM[i])).lamellae


if __name__ == "__main__":
    main()
