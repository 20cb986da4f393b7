"""What came of a stimulus: when each node fired, whether the action potential passed, what it cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from remyelin.conduction.axon import Axon
from remyelin.conduction.membrane import FloatArray
from remyelin.errors import InputError

OUTCOMES = ("conducted", "blocked", "unfinished", "not started")
# Charge of a mole and of an ion: three sodium ions leave for each ATP.
ELEMENTARY_CHARGE_PC = 1.602176634e-7
SODIUM_PER_ATP = 3


@dataclass(frozen=True, slots=True, eq=False)
class Conduction:
    """The answer of `conduct`, one row for each axon.

    Attributes
    ----------
    axons
        As they were given.
    spikes_ms
        (spike, axon, node) when the membrane rose through the threshold, interpolated within the step; NaN
        where it did not, and beyond an axon's last node.
    outcome
        (axon,) ``"conducted"``: the last node fired; ``"blocked"``: it did not and nothing is under way;
        ``"unfinished"``: the time was up first; ``"not started"``: the second node never fired.
    settled
        (axon,) whether nothing was under way any more at the end: of a train too, no more will arrive.
    n_spikes
        (axon,) how often the last node fired.
    peak_mv
        (axon, node) highest membrane potential.
    sodium_pc
        (axon,) sodium charge that entered beyond what enters at rest, pC.
    time_ms, potential_mv
        (time,) and (axon, time, node) if recorded, else empty.

    Examples
    --------
    >>> from remyelin import conduction
    >>> axon = conduction.optic_nerve()
    >>> lesion = axon.demyelinate(range(20, 24), bare=True)
    >>> result = conduction.conduct([axon, lesion], duration_ms=5)
    >>> result.outcome, result.velocity_m_per_s.round(2)
    (('conducted', 'blocked'), array([2.95,  nan]))
    """

    axons: tuple[Axon, ...]
    spikes_ms: FloatArray
    outcome: tuple[str, ...]
    settled: npt.NDArray[np.bool_]
    n_spikes: npt.NDArray[np.int64]
    peak_mv: FloatArray
    sodium_pc: FloatArray
    time_ms: FloatArray
    potential_mv: FloatArray
    dt_us: float
    duration_ms: float

    @property
    def arrival_ms(self) -> FloatArray:
        """(axon, node) when the first action potential arrived."""
        return np.asarray(self.spikes_ms[0])

    @property
    def blocked(self) -> npt.NDArray[np.bool_]:
        """(axon,) whether the action potential died on its way.

        Raises
        ------
        InputError
            If that is not known of an axon: the simulation was too short, or the stimulus too weak.
        """
        for k, word in enumerate(self.outcome):
            if word == "unfinished":
                raise InputError(
                    "",
                    "duration_ms",
                    f"{self.duration_ms:g}: axon {k} was still conducting",
                    "time enough for every axon to finish",
                    "make it longer",
                )
            if word == "not started":
                raise not_started(k)
        return np.array([word == "blocked" for word in self.outcome])

    @property
    def delay_ms(self) -> FloatArray:
        """(axon,) from the first node to the last; NaN if the last never fired."""
        return self._at(self._last()) - self.arrival_ms[:, 0]

    @property
    def velocity_m_per_s(self) -> FloatArray:
        """(axon,) over the middle fifth of the nodes, away from the stimulus and from the sealed end.

        NaN where one end of it never rose through the threshold, even if the last node did.
        """
        last = self._last()
        return self.velocity_between(np.round(0.4 * last).astype(int), np.round(0.6 * last).astype(int))

    def velocity_between(self, first: npt.ArrayLike, last: npt.ArrayLike) -> FloatArray:
        """(axon,) velocity in m/s from one node to another, counted from 0; NaN if either did not fire."""
        begin, end = np.broadcast_to(first, len(self.axons)), np.broadcast_to(last, len(self.axons))
        places = [axon.position_um for axon in self.axons]
        way = np.array([place[b] - place[a] for place, a, b in zip(places, begin, end, strict=True)])
        return np.asarray(way / 1e3 / (self._at(end) - self._at(begin)))

    @property
    def energy(self) -> FloatArray:
        """(axon,) ATP molecules that pump the sodium out again, three ions each.

        Attwell & Laughlin 2001, 10.1097/00004647-200110000-00001.
        """
        return self.sodium_pc / ELEMENTARY_CHARGE_PC / SODIUM_PER_ATP

    def _last(self) -> npt.NDArray[np.int64]:
        return np.array([axon.n_nodes - 1 for axon in self.axons])

    def _at(self, node: npt.NDArray[np.int64]) -> FloatArray:
        return np.asarray(self.arrival_ms[np.arange(len(self.axons)), node])

    def __repr__(self) -> str:
        words = ", ".join(f"{self.outcome.count(word)} {word}" for word in OUTCOMES if word in self.outcome)
        return f"Conduction({len(self.axons)} axons: {words}; {self.duration_ms:g} ms at {self.dt_us:g} us)"


def not_started(axon: int) -> InputError:
    """Of an axon in which no action potential was started."""
    return InputError(
        "",
        "stimulus",
        f"too weak: the second node of axon {axon} never fired",
        "an action potential",
        "give a larger current_na, or begin the lesion further from the first node",
    )
