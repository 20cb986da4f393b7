"""A table in place of the solver: ten thousand lesions in milliseconds, with a measured error."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from remyelin.conduction.membrane import FloatArray
from remyelin.conduction.patches import Patches, intact_arrays
from remyelin.conduction.transit import Transit
from remyelin.errors import InputError
from remyelin.evidence.load import read_arrays

BoolArray = npt.NDArray[np.bool_]
TEMPERATURE_C = 37.0
BEYOND = 1.1


@dataclass(frozen=True, slots=True, eq=False)
class Surrogate:
    """What the solver found for axons of the optic nerve at 37 degrees, and how to read between its rows.

    Linear in the logarithms of diameter, lamellae and time, and in shortening, bare length, channel density
    and 1 / count. Past 16 new internodes or 16 pitches of bare axon the wave is steady: time grows by what
    it grew in the last solved ones. A block is read from its own tables: the least density of channels with
    which a bare stretch conducts, and the longest new internodes that do. A lesion with both takes the sum
    of the times and what their junction adds, and blocks if either does.

    Made by `benchmarks/conduction/make_surrogate.py`; its error is measured by
    `benchmarks/conduction/surrogate.py`.
    """

    diameter_um: FloatArray
    lamellae: FloatArray
    shortening: FloatArray
    count: FloatArray
    myelinated_ms_per_mm: FloatArray
    longest_shortening: FloatArray
    bare_pitches: FloatArray
    nav_fraction: FloatArray
    bare_ms_per_mm: FloatArray
    bare_steady_ms_per_mm: FloatArray
    least_nav: FloatArray
    longest_silent_pitches: FloatArray
    junction_um: FloatArray
    junction_lamellae: FloatArray
    junction_shortening: FloatArray
    junction_nav: FloatArray
    junction_count: FloatArray
    junction_bare: FloatArray
    junction_ms: FloatArray

    def read(self, patches: Patches) -> Transit:
        """Time through each patch, and whether it blocks.

        Raises
        ------
        InputError
            For an axon or a lesion that the table does not hold: parameter, value and range.

        Examples
        --------
        >>> from remyelin.conduction.patch import Patch
        >>> bare = [Patch(0.82, bare_um=length, nav_fraction=0.01) for length in (140.0, 560.0)]
        >>> read_surrogate().read(Patches.of(bare)).patch_ms.round(2)
        array([0.28, 1.01])
        """
        self._check("diameter_um", patches.diameter_um, self.diameter_um)
        pitch_um, _ = intact_arrays(patches.diameter_um)
        velocity = 1 / self._steady(patches.diameter_um, patches.intact_lamellae, np.ones(len(pitch_um)))
        time, blocked = np.zeros(len(pitch_um)), np.zeros(len(pitch_um), dtype=bool)
        for rows, part in (
            (np.flatnonzero(patches.count), self._myelinated),
            (np.flatnonzero(patches.bare_um), self._bare),
        ):
            if len(rows):
                more, stops = part(patches.rows(rows), pitch_um[rows])
                time[rows] += more
                blocked[rows] |= stops
        both = np.flatnonzero((patches.count > 0) & (patches.bare_um > 0))
        if len(both):
            time[both] += self._junction(patches.rows(both), pitch_um[both])
        return Transit(np.where(blocked, np.nan, time), blocked, velocity)

    def _myelinated(self, patches: Patches, pitch_um: FloatArray) -> tuple[FloatArray, BoolArray]:
        for name, length in (("shortest", patches.shortest_um), ("longest", patches.longest_um)):
            self._check(f"{name} new internode over an intact one", length / pitch_um, self.shortening)
        self._check("lamellae", patches.lamellae, self.lamellae)
        fewer = _place(-1 / np.append(self.count, np.inf), -1 / patches.count)
        size = _place(np.log(self.diameter_um), np.log(patches.diameter_um))
        turns = _place(np.log(self.lamellae), np.log(patches.lamellae))
        time = np.zeros(len(pitch_um))
        for length, share in _two_lengths(patches):
            short = _place(self.shortening, length / pitch_um)
            each = np.exp(_between(self.myelinated_ms_per_mm, size, turns, short, fewer))
            time += share * patches.count * each * length / 1e3
        self._check_sheath(time, patches)
        longest = _between(self.longest_shortening, size, turns, _nearest(fewer, len(self.count)))
        return time, patches.mean_um / pitch_um > longest

    def _bare(self, patches: Patches, pitch_um: FloatArray) -> tuple[FloatArray, BoolArray]:
        nav = patches.nav_fraction
        self._check("nav_fraction", nav, self.nav_fraction)
        pitches = patches.bare_um / pitch_um
        inside = np.clip(pitches, self.bare_pitches[0], self.bare_pitches[-1])
        size = _place(np.log(self.diameter_um), np.log(patches.diameter_um))
        length, density = _place(self.bare_pitches, inside), _place(self.nav_fraction, nav)
        each = np.exp(_between(self.bare_ms_per_mm, size, length, density))
        steady = np.exp(_between(self.bare_steady_ms_per_mm, size, density))
        beyond = np.maximum(0.0, pitches - inside)
        time = (each * (pitches - beyond) + steady * beyond) * pitch_um / 1e3
        silent = _between(self.longest_silent_pitches, size)
        return time, (pitches > silent) & (nav < _between(self.least_nav, size, length))

    def _junction(self, patches: Patches, pitch_um: FloatArray) -> FloatArray:
        bare = patches.bare_um / pitch_um
        more = _between(
            self.junction_ms,
            _place(np.log(self.junction_um), np.log(patches.diameter_um)),
            _place(np.log(self.junction_lamellae), np.log(patches.lamellae)),
            _place(self.junction_shortening, patches.mean_um / pitch_um),
            _place(self.junction_nav, patches.nav_fraction),
            _place(-1 / self.junction_count, -1 / patches.count),
            _place(self.junction_bare, bare),
        )
        # From none at all to that of the shortest stretch in the table.
        return np.asarray(more * np.minimum(1.0, bare / self.junction_bare[0]))

    def _steady(self, diameter_um: FloatArray, lamellae: FloatArray, shortening: FloatArray) -> FloatArray:
        size = _place(np.log(self.diameter_um), np.log(diameter_um))
        turns = _place(np.log(self.lamellae), np.log(lamellae))
        table = self.myelinated_ms_per_mm[..., -1]
        return np.exp(_between(table, size, turns, _place(self.shortening, shortening)))

    def _check_sheath(self, each: FloatArray, patches: Patches) -> None:
        if np.isnan(each).any():
            k = int(np.argmax(np.isnan(each)))
            raise InputError(
                "",
                "lamellae",
                f"{patches.lamellae[k]:g} for an axon of {patches.diameter_um[k]:.2f} um",
                "up to about twice those of an intact axon, what the table holds",
                "correct it, or take by='solver'",
            )

    def _check(self, name: str, values: FloatArray, axis: FloatArray) -> None:
        low, high = axis[0], axis[-1]
        outside = ~((values >= low * (1 - 1e-9)) & (values <= high * (1 + 1e-9)))
        if outside.any():
            k = int(np.argmax(outside))
            raise InputError(
                "",
                name,
                f"{values[k]:g}",
                f"{low:g} to {high:g}, what the table holds",
                "correct it, or take by='solver'",
            )


@cache
def read_surrogate() -> Surrogate:
    """The table of the evidence base."""
    table = read_arrays("surrogate.npz")
    for name in ("myelinated_ms_per_mm", "bare_ms_per_mm", "bare_steady_ms_per_mm"):
        table[name] = np.log(table[name])
    # No limit within the table: one beyond its end.
    table["longest_shortening"] = np.nan_to_num(
        table["longest_shortening"], nan=BEYOND * table["shortening"][-1]
    )
    longest = BEYOND * table["bare_pitches"][-1]
    table["longest_silent_pitches"] = np.nan_to_num(table["longest_silent_pitches"], nan=longest)
    table["least_nav"] = np.nan_to_num(table["least_nav"], nan=0.0)
    return Surrogate(**table)


def _two_lengths(patches: Patches) -> tuple[tuple[FloatArray, FloatArray], ...]:
    """Two lengths and their shares with the mean and the SD of the new internodes, inside their range.

    An internode's time bends with its length: unequal internodes take longer than equal ones of the same
    mean.
    """
    mean, spread = patches.mean_um, patches.spread_um
    low = np.maximum(patches.shortest_um, mean - spread)
    high = mean + _over(spread**2, mean - low)
    high = np.minimum(high, patches.longest_um)
    low = mean - _over(spread**2, high - mean)
    share = np.where(high > low, _over(high - mean, high - low), 1.0)
    return (low, share), (high, 1 - share)


def _over(a: FloatArray, b: FloatArray) -> FloatArray:
    """a / b, and 0 where there is nothing to divide."""
    return np.divide(a, b, out=np.zeros_like(a), where=b > 1e-12)


def _nearest(place: Place, last: int) -> Place:
    """The same place on an axis that ends with row `last - 1`."""
    row, part = place
    return np.minimum(row, last - 2), np.where(row > last - 2, 1.0, part)


Place = tuple[npt.NDArray[np.int64], FloatArray]


def _place(axis: FloatArray, values: FloatArray) -> Place:
    """The row before each value, and how far on to the next it lies."""
    row = np.clip(np.searchsorted(axis, values, side="right") - 1, 0, len(axis) - 2)
    return row, np.clip((values - axis[row]) / (axis[row + 1] - axis[row]), 0.0, 1.0)


def _between(table: FloatArray, *places: Place) -> FloatArray:
    """Linear between the rows of each axis of the table."""
    total = np.zeros(len(places[0][0]))
    for corner in np.ndindex((2,) * len(places)):
        weight = np.ones(len(total))
        for side, (_, part) in zip(corner, places, strict=True):
            weight = weight * (part if side else 1 - part)
        at = tuple(row + side for side, (row, _) in zip(corner, places, strict=True))
        total += weight * table[at]
    return total
