"""What a healthy visual cortex makes of the messages that reach it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from remyelin.errors import InputError, did_you_mean
from remyelin.evidence.load import parameter
from remyelin.number import check_number
from remyelin.signal.grid import ComplexArray, FloatArray, density, shifted, spectrum, times_ms, wave
from remyelin.signal.peaks import find_peaks

DRIVES = ("area", "equal")
SEXES = ("any", "female", "male")

# Four generators: N75, P100, N135 and a late positivity. Each is the impulse response of so many equal
# low-pass stages; the times of their tops count from a common onset. Solved (benchmarks/signal/vep.py) so
# that the response of a healthy nerve has its troughs 25 ms before and 35 ms after P100 (75, 100 and 135 ms:
# the middles of 70 to 80, 90 to 110 and 130 to 140 ms, Duane's Ophthalmology, 8, 105), 0.35 and 0.6 as deep
# as P100 is high. The depths, the numbers of stages and the late generator are choices, not measurements.
# Nothing here is shared with the family of waves that `measure.vep` expects (sums of Gaussians, warped as
# one): a method that is right about its own waves only would be found out.
STAGES = (8, 16, 16, 12)
TOP_MS = (22.9, 45.0, 71.7, 125.4)
SIZE = (-0.370, 1.0, -0.592, 0.12)
# The nerve that the norms are taken to belong to.
_NERVE_MM, _NERVE_AXONS = 45.0, 20_000
_RAW_WINDOW_MS = (25.0, 200.0)


@dataclass(frozen=True, slots=True)
class Cortex:
    """The response of a visual cortex to one volley of its healthy optic nerve, and so to any volley.

    The cortex is taken to be linear: the response to a nerve is the sum of the responses to its axons, each
    when it arrives. Its kernel is placed and scaled such that the healthy nerve gives `p100_ms` and
    `amplitude_uv`.

    Parameters
    ----------
    p100_ms
        Peak time of P100 for a healthy nerve, from the reversal.
    amplitude_uv
        From N75 to P100, for a healthy nerve.
    top_ms, size
        Of the four generators: the times of their tops after the onset, and their heights with their signs.
    drive
        What an axon weighs: ``"area"``, the square of its diameter, or ``"equal"``. What a cortex makes of
        thin and thick axons is not known.

    Raises
    ------
    InputError
        If a number cannot be, or the healthy response has no P100.

    Examples
    --------
    >>> Cortex.norm(sex="female").p100_ms
    96.1
    """

    p100_ms: float
    amplitude_uv: float
    top_ms: tuple[float, float, float, float] = TOP_MS
    size: tuple[float, float, float, float] = SIZE
    drive: str = "area"

    def __post_init__(self) -> None:
        check_number("p100_ms", self.p100_ms, least=50, most=200)
        check_number("amplitude_uv", self.amplitude_uv, above=0, most=200)
        for name, values in (("top_ms", self.top_ms), ("size", self.size)):
            if len(values) != len(STAGES):
                raise InputError("", name, f"{len(values)} numbers", f"{len(STAGES)}", "give one a generator")
            for value in values:
                check_number(name, value, least=5 if name == "top_ms" else -10, most=300)
        if self.drive not in DRIVES:
            raise InputError(
                "", "drive", repr(self.drive), " or ".join(DRIVES), did_you_mean(str(self.drive), DRIVES)
            )

    @classmethod
    def norm(cls, *, sex: str = "any", check_arcmin: int = 60) -> Cortex:
        """The mean of healthy adults (Dotto 2017, 10.1007/s10633-017-9594-x).

        Parameters
        ----------
        sex
            ``"female"``, ``"male"``, or ``"any"``: the mean of all who were measured.
        check_arcmin
            60 or 15. Amplitudes were seen for 15 only and are taken for both.

        Raises
        ------
        InputError
            For another sex or check size.
        """
        return cls(_norm("p100_latency", sex, check_arcmin), _norm("p100_amplitude", sex, 15))

    @classmethod
    def draw(
        cls, rng: np.random.Generator, *, shape_cv: float, sex: str = "any", check_arcmin: int = 60
    ) -> Cortex:
        """The cortex of one healthy adult.

        Latency is normal and amplitude log-normal, with the mean and SD of Dotto 2017.

        Parameters
        ----------
        rng
            Draws it.
        shape_cv
            Coefficient of variation of the generators' sizes; their times vary by a quarter of it. No number
            was seen, so there is no default; 0 gives all the same form.
        sex, check_arcmin
            See `norm`.

        Raises
        ------
        InputError
            As `norm`, or if `shape_cv` is not 0 to 0.5.

        Examples
        --------
        >>> person = Cortex.draw(np.random.default_rng(1), shape_cv=0.15, sex="male")
        >>> round(person.p100_ms, 1), round(person.amplitude_uv, 1)
        (99.2, 10.4)
        """
        check_number("shape_cv", shape_cv, least=0, most=0.5)
        mean, sd = _norm("p100_amplitude", sex, 15), _norm("p100_amplitude_sd", sex, 15)
        spread = math.sqrt(math.log1p((sd / mean) ** 2))
        latency = rng.normal(
            _norm("p100_latency", sex, check_arcmin), _norm("p100_latency_sd", sex, check_arcmin)
        )
        amplitude = mean * math.exp(spread * rng.standard_normal() - spread**2 / 2)
        times = np.array(TOP_MS) * np.exp(0.25 * shape_cv * rng.standard_normal(len(STAGES)))
        sizes = np.array(SIZE) * np.exp(shape_cv * rng.standard_normal(len(STAGES)))
        return cls(latency, amplitude, tuple(times.tolist()), tuple(sizes.tolist()))


@lru_cache(maxsize=256)
def kernel_spectrum(cortex: Cortex) -> ComplexArray:
    """Of the response to one axon that is the whole drive and arrives at time 0."""
    kernel = np.zeros_like(times_ms())
    for size, top, stages in zip(cortex.size, cortex.top_ms, STAGES, strict=True):
        kernel += size * _pulse(top, stages)
    raw = spectrum(kernel)
    found = find_peaks(wave(raw * healthy_spectrum(cortex.drive)), *_RAW_WINDOW_MS)
    if found is None:
        expected = "a healthy response with a P100"
        raise InputError(
            "", "top_ms and size", "without one", expected, "keep them near those of Cortex.norm"
        )
    return np.asarray(
        raw * shifted(cortex.p100_ms - found.p100_ms) * (cortex.amplitude_uv / found.amplitude_uv)
    )


@cache
def healthy_arrivals(drive: str) -> tuple[FloatArray, FloatArray]:
    """(axon,) arrival times in ms and drive of the healthy nerve; the drive adds up to 1."""
    from remyelin.conduction import NerveBundle

    nerve = NerveBundle.optic_nerve(_NERVE_AXONS, rng=np.random.default_rng(0), length_mm=_NERVE_MM)
    found = nerve.arrive()
    return found.arrival_ms, drive_of(found.diameter_um, drive)


def drive_of(diameter_um: FloatArray, drive: str) -> FloatArray:
    """(axon,) part of the drive that each axon has."""
    weight = diameter_um**2 if drive == "area" else np.ones_like(diameter_um)
    return np.asarray(weight / weight.sum())


@cache
def healthy_mean_ms(drive: str) -> float:
    """Mean arrival time of the healthy nerve."""
    at_ms, weight = healthy_arrivals(drive)
    return float(weight @ at_ms)


@cache
def healthy_spectrum(drive: str) -> ComplexArray:
    """Of the arrivals of the healthy nerve."""
    return spectrum(density(*healthy_arrivals(drive)))


def _pulse(top_ms: float, stages: int) -> FloatArray:
    """Impulse response of equal first-order stages in a row, 1 at its top."""
    part = times_ms()[1:] / top_ms
    return np.concatenate([[0.0], np.exp(stages * (np.log(part) + 1 - part))])


@cache
def _norm(name: str, sex: str, check_arcmin: int) -> float:
    if sex not in SEXES:
        raise InputError("", "sex", repr(sex), " or ".join(SEXES), did_you_mean(str(sex), SEXES))
    if sex != "any":
        return parameter(name, sex=sex, check_arcmin=check_arcmin).value
    people = [parameter("p100_norm_people", sex=one).value for one in SEXES[1:]]
    each = [_norm(name, one, check_arcmin) for one in SEXES[1:]]
    return float(np.average(each, weights=people))
