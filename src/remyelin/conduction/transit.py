"""How long an action potential takes through a lesion, by the solver."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from remyelin.conduction.axon import Axon
from remyelin.conduction.cable import conduct
from remyelin.conduction.membrane import FloatArray
from remyelin.conduction.patch import CLEAR, FLANK, Patch
from remyelin.conduction.presets import optic_nerve
from remyelin.errors import InputError

BATCH = 64
LONGEST_MS = 2000.0


@dataclass(frozen=True, slots=True, eq=False)
class Transit:
    """The way through each patch.

    Attributes
    ----------
    patch_ms
        (patch,) time that the patch takes; NaN where it blocks.
    blocked
        (patch,) whether the action potential dies.
    velocity_m_per_s
        (patch,) of the intact axon.
    """

    patch_ms: FloatArray
    blocked: npt.NDArray[np.bool_]
    velocity_m_per_s: FloatArray


def solve_patches(
    patches: Sequence[Patch], *, temperature_c: float | None = None, dt_us: float = 4.0, threads: int = 1
) -> Transit:
    """Solve each patch between intact flanks, and the flanks alone: the difference is the patch.

    Raises
    ------
    InputError
        If an axon of that size does not conduct even where it is intact, or an action potential is still
        under way after 2 s.

    Examples
    --------
    >>> bare = [Patch(0.82, bare_um=length, nav_fraction=0.01) for length in (140.0, 560.0)]
    >>> solve_patches(bare).patch_ms.round(2)
    array([0.28, 1.01])
    """
    kinds = list(dict.fromkeys((patch.diameter_um, patch.intact_lamellae) for patch in patches))
    intact = [
        optic_nerve(diameter, lamellae=lamellae, n_nodes=3 * FLANK + 1, temperature_c=temperature_c)
        for diameter, lamellae in kinds
    ]
    # The flanks alone: as many intact internodes on either side of a lesion of no length.
    bridges = [
        replace(axon, nodes=axon.nodes[: 2 * FLANK + 1], parts=axon.parts[: 2 * FLANK]) for axon in intact
    ]
    short = [_guess_ms(diameter, 0.0, 0.0) for diameter, _ in kinds]
    known = _conducted([*intact, *bridges], [*short, *short], dt_us, threads)
    velocity, flanks = {}, {}
    for k, (kind, axon) in enumerate(zip(kinds, intact, strict=True)):
        whole, bridge = known[k], known[k + len(kinds)]
        if whole is None or bridge is None:
            expected = "an axon that conducts where it is intact"
            raise InputError("", "diameter_um", f"{kind[0]:g}, which does not", expected, "leave it out")
        way = axon.position_um[2 * FLANK] - axon.position_um[FLANK]
        velocity[kind] = way / 1e3 / (whole[2 * FLANK] - whole[FLANK])
        flanks[kind] = _across(bridge)
    guesses = [_guess_ms(patch.diameter_um, patch.myelinated_um, patch.bare_um) for patch in patches]
    passed = _conducted([patch.axon(temperature_c) for patch in patches], guesses, dt_us, threads)
    return Transit(
        np.array(
            [
                np.nan if times is None else _across(times) - flanks[patch.diameter_um, patch.intact_lamellae]
                for patch, times in zip(patches, passed, strict=True)
            ]
        ),
        np.array([times is None for times in passed]),
        np.array([velocity[patch.diameter_um, patch.intact_lamellae] for patch in patches]),
    )


def _across(times: FloatArray) -> float:
    """From the last undisturbed node before the patch to the first one after it."""
    after, before = float(times[len(times) - 1 - FLANK + CLEAR]), float(times[FLANK - CLEAR])
    return after - before


def _guess_ms(diameter_um: float, myelinated_um: float, bare_um: float) -> float:
    flanks = 3 * FLANK * 170 / 3.0 / 1e3
    return 1.5 + flanks + (myelinated_um / 1.5 + bare_um / 0.4) / 1e3 / float(diameter_um**0.7)


def _conducted(
    axons: Sequence[Axon], guess_ms: Sequence[float], dt_us: float, threads: int
) -> list[FloatArray | None]:
    """When each node of each axon fired, None if the last never did; more time where that is open."""
    found: list[FloatArray | None] = [None] * len(axons)
    left, stretch = sorted(range(len(axons)), key=lambda k: (guess_ms[k], k)), 1.0
    while left:
        again = []
        for start in range(0, len(left), BATCH):
            rows = left[start : start + BATCH]
            duration = stretch * max(guess_ms[k] for k in rows)
            if duration > LONGEST_MS:
                expected = "an action potential that passes or dies"
                found_ms = f"still conducting after {LONGEST_MS:g} ms"
                raise InputError("", "lesion", found_ms, expected, "make the lesion shorter")
            result = conduct([axons[k] for k in rows], duration_ms=duration, dt_us=dt_us, threads=threads)
            for row, k in enumerate(rows):
                if result.outcome[row] == "conducted":
                    found[k] = result.arrival_ms[row, : axons[k].n_nodes]
                elif result.outcome[row] != "blocked":
                    again.append(k)
        left, stretch = again, 2 * stretch
    return found
