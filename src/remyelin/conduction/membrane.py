"""Channels of an excitable membrane as data: gates, rates, Q10, densities, and the leak that keeps rest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError
from remyelin.number import check_number

FloatArray = npt.NDArray[np.float64]
FORMS = ("linoid", "sigmoid")
# What the kernel computes: channels with the powers of their gates, in this order.
Shape = tuple[tuple[str, tuple[int, ...]], ...]
SHAPES: tuple[Shape, ...] = (
    (("Na", (3, 1)), ("Na", (3,)), ("K", (1,))),
    (("Na", (2, 1)), ("K", (4, 1))),
)


@dataclass(frozen=True, slots=True)
class Rate:
    """The rate at which a gate opens or closes, as a function of the membrane potential V in mV.

    Parameters
    ----------
    form
        ``"linoid"``: ``per_ms * |slope| * x / (1 - exp(-x))`` with ``x = (V - half_mv) / slope_mv``;
        ``"sigmoid"``: ``per_ms / (1 + exp(-x))``.
    per_ms
        Scale at the gate's reference temperature: per ms for a sigmoid, per ms and mV for a linoid.
    half_mv, slope_mv
        Where and how steeply it changes; a negative slope falls with V.
    plus
        A second rate that is added to this one.

    Examples
    --------
    >>> opening = Rate("linoid", per_ms=1.86, half_mv=-25.4, slope_mv=10.3)
    >>> opening(np.array([-82.0, -25.4])).round(3)
    array([ 0.434, 19.158])
    """

    form: str
    per_ms: float
    half_mv: float
    slope_mv: float
    plus: Rate | None = None

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise InputError("", "rate form", repr(self.form), " or ".join(FORMS), "use one of them")
        check_number("rate per_ms", self.per_ms, above=0)
        check_number("rate half_mv", self.half_mv, expected="a finite potential in mV")
        check_number("rate slope_mv", self.slope_mv, expected="a finite number other than 0")
        if self.slope_mv == 0:
            raise InputError("", "rate slope_mv", "0", "a finite number other than 0", "correct it")

    def __call__(self, potential_mv: npt.ArrayLike) -> FloatArray:
        """The rate in 1/ms at the reference temperature, of the shape of `potential_mv`."""
        other = 0.0 if self.plus is None else self.plus(potential_mv)
        x = (np.asarray(potential_mv, dtype=np.float64) - self.half_mv) / self.slope_mv
        with np.errstate(over="ignore"):
            if self.form == "sigmoid":
                return np.asarray(self.per_ms / (1 + np.exp(-x)) + other)
            near = np.abs(x) < 1e-7
            safe = np.where(near, 1.0, x)
            shape = np.where(near, 1 + x / 2, safe / -np.expm1(-safe))
        return np.asarray(self.per_ms * abs(self.slope_mv) * shape + other)


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate of a channel: ``dx/dt = alpha (1 - x) - beta x``.

    Both rates are multiplied by ``q10 ** ((T - reference_c) / 10)``.
    """

    name: str
    power: int
    alpha: Rate
    beta: Rate
    q10: float
    reference_c: float

    def rates(self, potential_mv: npt.ArrayLike, temperature_c: float) -> tuple[FloatArray, FloatArray]:
        """Opening and closing rate in 1/ms at `temperature_c`."""
        factor = self.q10 ** ((temperature_c - self.reference_c) / 10)
        return factor * self.alpha(potential_mv), factor * self.beta(potential_mv)

    def steady(self, potential_mv: npt.ArrayLike, temperature_c: float) -> FloatArray:
        """The part of the gates that is open at rest at that potential, 0 to 1."""
        opening, closing = self.rates(potential_mv, temperature_c)
        return np.asarray(opening / (opening + closing))


@dataclass(frozen=True, slots=True)
class TimedGate:
    """One gate of a channel, given by its steady state and its time constant instead of by two rates.

    The steady state is ``lowest + (1 - lowest) (1 + exp(-(V - half_mv) / slope_mv)) ** -steepness``; the
    time constant is ``shortest_ms + 1 / (rise + fall)``, divided by ``q10 ** ((T - reference_c) / 10)``, with
    ``rise = rise_per_ms exp((V - centre_mv) / rise_mv)`` and ``fall = fall_per_ms exp(-(V - centre_mv) /
    fall_mv)``.

    Examples
    --------
    >>> from remyelin import conduction
    >>> gate = conduction.bushy_cell().membrane.gates[2]
    >>> gate.name, gate.steady([-75.0, -48.0], 37).round(3)
    ('w', array([0.324, 0.841]))
    """

    name: str
    power: int
    q10: float
    reference_c: float
    lowest: float
    half_mv: float
    slope_mv: float
    steepness: float
    shortest_ms: float
    centre_mv: float
    rise_per_ms: float
    rise_mv: float
    fall_per_ms: float
    fall_mv: float

    def rates(self, potential_mv: npt.ArrayLike, temperature_c: float) -> tuple[FloatArray, FloatArray]:
        """Opening and closing rate in 1/ms at `temperature_c`."""
        v = np.asarray(potential_mv, dtype=np.float64) - self.centre_mv
        open_part = self.steady(potential_mv, temperature_c)
        with np.errstate(over="ignore"):
            rise, fall = np.exp(v / self.rise_mv), np.exp(-v / self.fall_mv)
        time_ms = self.shortest_ms + 1 / (self.rise_per_ms * rise + self.fall_per_ms * fall)
        rate = self.q10 ** ((temperature_c - self.reference_c) / 10) / time_ms
        return rate * open_part, rate * (1 - open_part)

    def steady(self, potential_mv: npt.ArrayLike, temperature_c: float) -> FloatArray:
        """The part of the gates that is open at rest at that potential, 0 to 1, at any temperature."""
        x = (np.asarray(potential_mv, dtype=np.float64) - self.half_mv) / self.slope_mv
        with np.errstate(over="ignore"):
            open_part = (1 + np.exp(-x)) ** -self.steepness
        return np.asarray(self.lowest + (1 - self.lowest) * open_part)


@dataclass(frozen=True, slots=True)
class Channel:
    """A population of channels: ion, gates, conductance with all of them open, reversal potential."""

    name: str
    ion: str
    gates: tuple[Gate | TimedGate, ...]
    density_ms_per_mm2: float
    reversal_mv: float

    def open_part(self, potential_mv: float, temperature_c: float) -> float:
        """The part that conducts at rest at that potential, 0 to 1."""
        return _open_part(self.gates, potential_mv, temperature_c)


@lru_cache(maxsize=1024)
def _open_part(gates: tuple[Gate | TimedGate, ...], potential_mv: float, temperature_c: float) -> float:
    part = 1.0
    for gate in gates:
        part *= float(gate.steady(potential_mv, temperature_c)) ** gate.power
    return part


@dataclass(frozen=True, slots=True)
class Membrane:
    """An excitable membrane: its channels, a capacitance and a resting potential that the leak must keep.

    The channels are a transient and a persistent sodium channel (``m^3 h`` and ``p^3``) and a slow potassium
    channel (``s``), in that order: the form of the central axon of Arancibia-Carcamo 2017
    (10.7554/eLife.23329) and of the peripheral one of McIntyre 2002 (10.1152/jn.00353.2001). Or they are a
    sodium channel (``m^2 h``) and a potassium channel of low threshold (``w^4 z``), as in the auditory
    brainstem (Ford 2015, 10.1038/ncomms9073).

    Parameters
    ----------
    channels
        Of one of the two kinds, in that order; densities are those of the node.
    capacitance_uf_per_cm2
        Of the node.
    resting_mv
        Where the axon rests, at every temperature and density: the leak is solved for it.
    leak_mv
        Reversal potential of the node's leak.
    source, status
        Where the numbers were read (id in `evidence`) and whether they were seen.

    Raises
    ------
    InputError
        For another set of channels, or a density below 0.

    Examples
    --------
    >>> from remyelin import conduction
    >>> membrane = conduction.optic_nerve().membrane
    >>> round(membrane.leak_ms_per_mm2(37), 6)
    0.8
    """

    name: str
    channels: tuple[Channel, ...]
    capacitance_uf_per_cm2: float
    resting_mv: float
    leak_mv: float
    source: str = ""
    status: str = "seen"

    def __post_init__(self) -> None:
        if self._shape() not in SHAPES:
            found, *expected = (
                "; ".join(f"{ion} {list(powers)}" for ion, powers in shape)
                for shape in (self._shape(), *SHAPES)
            )
            fix = "give the powers of the gates, and the order, so"
            raise InputError("", "membrane channels", found, " or ".join(expected), fix)
        for channel in self.channels:
            check_number(
                f"density of {channel.name}", channel.density_ms_per_mm2, least=0, fix="give it in mS/mm2"
            )

    @property
    def kind(self) -> int:
        """Which of the two kinds of channels it has, 0 or 1 in the order above."""
        return SHAPES.index(self._shape())

    def _shape(self) -> Shape:
        return tuple((channel.ion, tuple(gate.power for gate in channel.gates)) for channel in self.channels)

    @property
    def gates(self) -> tuple[Gate | TimedGate, ...]:
        """Four, in the order of the channels."""
        return tuple(gate for channel in self.channels for gate in channel.gates)

    def scaled(self, *, sodium: float = 1.0, potassium: float = 1.0) -> Membrane:
        """The same membrane with its sodium and potassium densities multiplied."""
        factor = {"Na": sodium, "K": potassium}
        return replace(
            self,
            channels=tuple(
                replace(channel, density_ms_per_mm2=channel.density_ms_per_mm2 * factor[channel.ion])
                for channel in self.channels
            ),
        )

    def resting_current_ua_per_mm2(
        self, temperature_c: float, sodium: float = 1.0, potassium: float = 1.0
    ) -> float:
        """What the channels carry at rest, positive outwards; the leak carries as much the other way."""
        factor = {"Na": sodium, "K": potassium}
        return sum(
            factor[channel.ion]
            * channel.density_ms_per_mm2
            * channel.open_part(self.resting_mv, temperature_c)
            * (self.resting_mv - channel.reversal_mv)
            for channel in self.channels
        )

    def leak_ms_per_mm2(self, temperature_c: float, sodium: float = 1.0, potassium: float = 1.0) -> float:
        """The leak conductance with which the node rests at `resting_mv`, at this temperature and density.

        Raises
        ------
        InputError
            If no leak can do so: then the current at rest and the leak reversal are on the same side.
        """
        current = self.resting_current_ua_per_mm2(temperature_c, sodium, potassium)
        leak = -current / (self.resting_mv - self.leak_mv)
        if leak < 0:
            raise InputError(
                "",
                "leak of the node",
                f"{leak:g} mS/mm2 at sodium x {sodium:g}, potassium x {potassium:g}, {temperature_c:g} degC",
                "0 or more",
                f"change potassium with sodium, or a leak_mv on the other side of {self.resting_mv:g} mV",
            )
        return leak
