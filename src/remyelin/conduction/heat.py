"""Uhthoff's phenomenon: the temperature above which an axon no longer conducts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from remyelin.conduction.axon import HIGHEST_C, LOWEST_C, Axon
from remyelin.conduction.boundary import IntArray, find_boundaries
from remyelin.conduction.cable import listed
from remyelin.conduction.membrane import FloatArray
from remyelin.conduction.settled import guess_ms, pulses, require_start, until_settled
from remyelin.conduction.stimulus import Stimulus
from remyelin.errors import InputError
from remyelin.number import check_number

FIRST_C = 1.0  # spacing of the first temperatures tried
COLD_MS = 2.0  # times the guess for a warm axon


@dataclass(frozen=True, slots=True, eq=False)
class BlockTemperature:
    """The answer of `block_temperature_c`.

    Attributes
    ----------
    temperature_c
        (axon,) the highest temperature at which it conducts; every one above it that was tried is blocked.
        NaN where it never or always conducts between the bounds.
    outcome
        (axon,) ``"above"``: blocked above `temperature_c`; ``"never"``: conducts at the highest temperature;
        ``"always"``: conducts at none.
    broken
        (axon,) whether it was blocked at some lower temperature too, or, where it is never blocked by heat,
        at any: cold blocks as well.
    lowest_c, highest_c, resolution_c
        What was searched.
    """

    temperature_c: FloatArray
    outcome: tuple[str, ...]
    broken: npt.NDArray[np.bool_]
    lowest_c: float
    highest_c: float
    resolution_c: float

    def __repr__(self) -> str:
        words = {
            "never": f"never up to {self.highest_c:g}",
            "always": f"always from {self.lowest_c:g}",
        }
        told = ", ".join(
            words.get(word, f"above {temperature:.1f}")
            for temperature, word in zip(self.temperature_c, self.outcome, strict=True)
        )
        return f"BlockTemperature(blocked {told} degC)"


def block_temperature_c(
    axons: Axon | Sequence[Axon],
    *,
    lowest_c: float = 30.0,
    highest_c: float = 45.0,
    resolution_c: float = 0.1,
    stimulus: Stimulus | None = None,
    dt_us: float = 4.0,
    threads: int = 1,
) -> BlockTemperature:
    """The temperature above which conduction fails: Uhthoff's phenomenon.

    Only the gates of the channels feel the temperature, through their Q10: heat shortens the sodium current,
    so that less charge reaches the next excitable membrane. Conductances, capacitances, resistances and
    reversal potentials stay as they are, and rest is kept by the leak. (In the model of Schauf & Davis 1974,
    10.1136/jnnp.37.2.152, too, this temperature falls steeply as demyelination grows.) The temperature that
    an axon has is not used.

    Parameters
    ----------
    axons
        One or many.
    lowest_c, highest_c, resolution_c
        Temperatures tried: from lowest to highest by the resolution at the end of the search; at first 1
        degree apart.
    stimulus
        A single pulse; as in `conduct` if not given.
    dt_us, threads
        As in `conduct`.

    Returns
    -------
    BlockTemperature
        Temperatures, and a word for each axon.

    Raises
    ------
    InputError
        If no action potential starts, an axon does not fall silent, or a number cannot be used.

    Examples
    --------
    >>> from remyelin import conduction
    >>> axon = conduction.optic_nerve()
    >>> lesions = [axon.demyelinate(range(20, 20 + n), bare=True) for n in (1, 2, 4)]
    >>> conduction.block_temperature_c(lesions)
    BlockTemperature(blocked above 42.5, above 37.0, above 34.7 degC)
    """
    rows = listed(axons)
    given = {"lowest_c": lowest_c, "highest_c": highest_c, "resolution_c": resolution_c}
    for name, value in given.items():
        check_number(name, value)
    if not LOWEST_C <= lowest_c < highest_c <= HIGHEST_C:
        span = f"{lowest_c:g} to {highest_c:g}"
        expected = f"the lower first, between {LOWEST_C:g} and {HIGHEST_C:g}"
        raise InputError("", "lowest_c to highest_c", span, expected, "correct it")
    if not 0.01 <= resolution_c <= highest_c - lowest_c:
        expected = f"0.01 to {highest_c - lowest_c:g}, the range that is searched"
        raise InputError("", "resolution_c", f"{resolution_c:g}", expected, "leave it at 0.1")
    # Candidate p is p steps below the highest temperature, and "succeeds" if it blocks.
    count = int((highest_c - lowest_c) / resolution_c + 1e-6) + 1
    guess = COLD_MS * np.array([guess_ms(axon) for axon in rows])

    def trial(which: IntArray, place: IntArray) -> npt.NDArray[np.bool_]:
        run = until_settled(
            [rows[k].at(highest_c - p * resolution_c) for k, p in zip(which, place, strict=True)],
            [pulses(stimulus, (0.0,))] * len(which),
            guess[which],
            dt_us=dt_us,
            threads=threads,
        )
        require_start(run.outcome)
        return ~run.conducted

    spacing = max(1, round(FIRST_C / resolution_c))
    found = find_boundaries(
        trial, [count] * len(rows), first=np.unique([*range(0, count, spacing), count - 1])
    )
    temperature = np.full(len(rows), np.nan)
    words = []
    for k, edge in enumerate(found):
        if edge.first_failure == count:
            words.append("always")
        elif edge.first_failure == 0:
            words.append("never")
        else:
            words.append("above")
            temperature[k] = highest_c - edge.first_failure * resolution_c
    broken = np.array([edge.broken for edge in found])
    return BlockTemperature(temperature, tuple(words), broken, lowest_c, highest_c, resolution_c)
