"""When the action potentials of a nerve arrive at its end, and the potential that they make together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from remyelin.conduction.cable import conduct
from remyelin.conduction.membrane import FloatArray
from remyelin.conduction.presets import optic_nerve
from remyelin.errors import InputError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

WEIGHTS = ("equal", "area")


@dataclass(frozen=True, slots=True, eq=False)
class Arrivals:
    """The answer of `NerveBundle.arrive`, one row for each axon.

    Attributes
    ----------
    diameter_um
        (axon,)
    intact_ms
        (axon,) from one end of the nerve to the other if there were no lesion.
    delay_ms
        (axon,) what the lesion adds; NaN where it blocks.
    blocked
        (axon,)
    temperature_c
        Of the nerve.
    axon_survival
        Part of the nerve's axons that is left. All else here is of these: an axon that is gone is not among
        the blocked.

    Examples
    --------
    >>> import numpy as np
    >>> from remyelin import conduction
    >>> nerve = conduction.NerveBundle.optic_nerve(
    ...     1000, rng=np.random.default_rng(1), length_mm=45, lesion_mm=10, nav_fraction=0.02)
    >>> found = nerve.arrive()
    >>> found.n_axons, round(found.fraction_blocked, 2)
    (1000, 0.0)
    """

    diameter_um: FloatArray
    intact_ms: FloatArray
    delay_ms: FloatArray
    blocked: npt.NDArray[np.bool_]
    temperature_c: float
    axon_survival: float = 1.0

    @property
    def n_axons(self) -> int:
        """How many axons there are."""
        return len(self.diameter_um)

    @property
    def arrival_ms(self) -> FloatArray:
        """(axon,) from the start at one end to the arrival at the other; NaN where it never comes."""
        return self.intact_ms + self.delay_ms

    @property
    def fraction_blocked(self) -> float:
        """Part of the axons whose action potential does not arrive."""
        return float(self.blocked.mean())

    def quantiles_ms(self, probabilities: npt.ArrayLike) -> FloatArray:
        """Arrival times by which these parts of the conducting axons have arrived.

        Raises
        ------
        InputError
            For a probability outside 0 to 1, or if every axon is blocked.
        """
        wanted = np.asarray(probabilities, dtype=np.float64)
        if not ((wanted >= 0) & (wanted <= 1)).all():
            raise InputError("", "probabilities", f"{wanted}", "0 to 1", "correct them")
        return np.asarray(np.quantile(self._arrived(), wanted))

    @property
    def dispersion_ms(self) -> float:
        """SD of the arrival times of the conducting axons."""
        return float(self._arrived().std())

    def compound(
        self,
        *,
        weights: str | npt.ArrayLike,
        step_ms: float = 0.02,
        end_ms: float | None = None,
        waveform: npt.ArrayLike | None = None,
    ) -> tuple[FloatArray, FloatArray]:
        """The sum of what single axons contribute, each when it arrives.

        Parameters
        ----------
        weights
            Of each axon: ``"equal"``, ``"area"`` (the square of its diameter), or (axon,) numbers. What an
            electrode or a cortex makes of an axon is not known here, so there is no default. The sum over all
            axons, the blocked ones too, is 1.
        step_ms
            Of time and of `waveform`.
        end_ms
            Last time; by default that of the last arrival and the waveform after it.
        waveform
            (sample,) what one axon of weight 1 gives from its arrival on, at steps of `step_ms`. By default
            the membrane potential above rest of an intact axon of 0.82 um at 37 degrees, from 0.5 ms before
            the arrival, divided by its peak.

        Returns
        -------
        tuple
            (sample,) times in ms, and the compound potential in units of the waveform.

        Raises
        ------
        InputError
            If weights are not one for each axon and 0 or more, or a step or end is not above 0.
        """
        share = self._weights(weights)
        if not step_ms > 0:
            raise InputError("", "step_ms", f"{step_ms:g}", "above 0", "correct it")
        unit, lead = (
            action_potential(step_ms) if waveform is None else (np.asarray(waveform, dtype=np.float64), 0)
        )
        if unit.ndim != 1 or not len(unit) or not np.isfinite(unit).all():
            raise InputError(
                "", "waveform", f"of shape {unit.shape}", "(sample,) finite numbers", "correct it"
            )
        arrived = ~self.blocked
        latest = float(self.arrival_ms[arrived].max(initial=0.0))
        last = latest + len(unit) * step_ms if end_ms is None else end_ms
        if not last > 0:
            raise InputError("", "end_ms", f"{last:g}", "above 0", "correct it")
        samples = int(np.ceil(last / step_ms - 1e-9)) + 1
        # Each axon is shared between the two samples it arrives between: exact in mass and mean time.
        place = self.arrival_ms[arrived] / step_ms
        row = np.floor(place).astype(np.int64)
        density = np.zeros(max(samples, int(row.max(initial=0)) + 2))
        np.add.at(density, row, share[arrived] * (row + 1 - place))
        np.add.at(density, row + 1, share[arrived] * (place - row))
        total = np.convolve(density, unit)
        total = np.concatenate([total[lead:], np.zeros(samples)])[:samples]
        return np.arange(samples, dtype=np.float64) * step_ms, np.asarray(total, dtype=np.float64)

    def to_frame(self) -> pd.DataFrame:
        """One row an axon."""
        import pandas as pd

        names = ("diameter_um", "intact_ms", "delay_ms", "arrival_ms", "blocked")
        return pd.DataFrame({name: getattr(self, name) for name in names})

    def _arrived(self) -> FloatArray:
        if self.blocked.all():
            raise InputError(
                "", "arrival_ms", "every axon is blocked", "an axon that conducts", "ask for blocks"
            )
        return self.arrival_ms[~self.blocked]

    def _weights(self, weights: str | npt.ArrayLike) -> FloatArray:
        if isinstance(weights, str):
            if weights not in WEIGHTS:
                expected = f"{', '.join(WEIGHTS)}, or a number for each axon"
                raise InputError("", "weights", repr(weights), expected, did_you_mean(weights, WEIGHTS))
            values = np.ones(self.n_axons) if weights == "equal" else self.diameter_um**2
        else:
            values = np.asarray(weights, dtype=np.float64)
        good = values.shape == (self.n_axons,) and np.isfinite(values).all() and (values >= 0).all()
        if not good or not values.sum() > 0:
            expected = f"a number, 0 or more, for each of {self.n_axons} axons, not all 0"
            raise InputError("", "weights", f"of shape {values.shape}", expected, "correct them")
        return np.asarray(values / values.sum())

    def __repr__(self) -> str:
        if self.blocked.all():
            return f"Arrivals({self.n_axons} axons, all blocked{gone(self.axon_survival)})"
        early, middle, late = self.quantiles_ms([0.05, 0.5, 0.95])
        lost = gone(self.axon_survival)
        return (
            f"Arrivals({self.n_axons} axons, {100 * self.fraction_blocked:.1f} % blocked{lost};"
            f" median {middle:.1f} ms, 90 % between {early:.1f} and {late:.1f} ms;"
            f" median delay {np.nanmedian(self.delay_ms):.2f} ms)"
        )


def gone(axon_survival: float) -> str:
    """The words for axons that did not survive; none where all did."""
    percent = 100 * (1 - axon_survival)
    if percent <= 0:
        return ""
    return f", {f'{percent:.0f}' if percent >= 1 else 'less than 1'} % of the axons are gone"


@cache
def action_potential(step_ms: float) -> tuple[FloatArray, int]:
    """(sample,) potential of an intact axon above rest over its peak, and the samples before the arrival."""
    axon, node, lead_ms, tail_ms = optic_nerve(n_nodes=31), 15, 0.5, 2.5
    found = conduct(axon, duration_ms=6.0, record_us=4.0)
    height = found.potential_mv[0, :, node] - axon.membrane.resting_mv
    lead = int(np.floor(lead_ms / step_ms))
    wanted = (np.arange(lead + int(tail_ms / step_ms) + 1) - lead) * step_ms + found.arrival_ms[0, node]
    wave = np.interp(wanted, found.time_ms, height) / height.max()
    wave.flags.writeable = False
    return wave, lead
