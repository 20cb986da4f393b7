"""A section of tissue, cell by cell: progenitors come in, divide, differentiate and ensheath named axons."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from remyelin.biology.course import MOST_AXONS, check_asked, check_level, reached
from remyelin.biology.lattice import RIM, TILE, VISITS, grain
from remyelin.biology.scenarios import Scenario
from remyelin.biology.section_axons import axon_table
from remyelin.biology.section_counts import COUNTS
from remyelin.biology.section_kernel import run
from remyelin.biology.section_law import law, progenitors_per_site
from remyelin.biology.section_start import with_lesion
from remyelin.biology.sheaths import N_SHORT, Axons, Cover, myelin_state
from remyelin.biology.state import MyelinState
from remyelin.errors import InputError, did_you_mean
from remyelin.number import check_number, shown

if TYPE_CHECKING:
    import pandas as pd

FloatArray = npt.NDArray[np.float64]
ByteArray = npt.NDArray[np.uint8]
LONGEST_DAYS, WIDEST_MM = 3650, 16.0
Mask = npt.NDArray[np.bool_]
BORDER_MM = 0.4  # of normal tissue, at least, around the lesion
KEPT = 61  # days whose picture is kept, unless they are named


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """What becomes of a section.

    Attributes
    ----------
    scenario, width_mm
        As they were given.
    time_days
        (day,) from 0.
    counts
        (day, count) in the order of `section_counts.COUNTS`: cells in the lesion, axons in it and within
        reach of it, means of the lesion.
    lesion
        (row, column) whether a site of 20 um lies in the lesion.
    kept_days
        Days whose pictures are kept.
    cells, bare
        (kept day, row, column) kind of the cell on a site (0 none, 1 progenitor, 2 premyelinating, 3 new and
        4 original oligodendrocyte), and how many of its axons have no sheath, dead ones among them.
    axons
        One row for each axon in the lesion or within reach of it, on the last day: its name, place, diameter,
        what covers it ("kept", "new cell", "survivor", "bare" or "dead"), the name of the cell whose sheath
        that is (-1 for none), since which day (nan before the lesion), thickness relative to normal, and
        g-ratio.
    visits
        How often a cell was looked at.

    Examples
    --------
    >>> from remyelin import biology
    >>> section = biology.simulate_section(biology.scenario("rat-young"), days=10, width_mm=2)
    >>> int(section.remyelinated[0]), bool(section.of("progenitors")[10] > 0.5)
    (0, True)
    """

    scenario: Scenario
    width_mm: float
    time_days: FloatArray
    counts: FloatArray
    lesion: Mask
    kept_days: tuple[int, ...]
    cells: ByteArray
    bare: ByteArray
    axons: pd.DataFrame
    visits: int

    @property
    def remyelinated(self) -> FloatArray:
        """(day,) part of the axons without a kept sheath that are covered again; 1 where there are none."""
        again = self.count("new_sheaths") + self.count("survivor_sheaths")
        wanting = again + self.count("bare_axons")
        return np.divide(again, wanting, out=np.ones(len(again)), where=wanting > 0)

    def count(self, what: str) -> FloatArray:
        """(day,) one of the counts."""
        if what not in COUNTS:
            raise InputError("", "count", shown(what), ", ".join(COUNTS), did_you_mean(str(what), COUNTS))
        return np.asarray(self.counts[:, COUNTS.index(what)])

    def of(self, state: str) -> FloatArray:
        """(day,) one of `lineage.STATES`, in its unit, to lay beside the lineage."""
        axons = self.counts[:, [COUNTS.index(each) for each in AXONS]]
        left = axons.sum(axis=1) - self.count("lost_axons")
        if state == "axons":
            return np.asarray(left / axons.sum(axis=1))
        if state in ("new_sheaths", "survivor_sheaths"):
            return np.asarray(self.count(state) / np.maximum(left - self.count("kept_sheaths"), 1))
        normal = self._normal(state)
        return np.asarray(self.count(state) / normal)

    def _normal(self, state: str) -> float:
        sites = int(self.lesion.sum())
        if state in ("progenitors", "premyelinating"):
            return sites * progenitors_per_site(self.scenario.rates)
        if state in ("new_oligodendrocytes", "surviving_oligodendrocytes"):
            return sites * grain().per_site
        return 1.0

    def completion_day(self, level: float = 0.95) -> float:
        """When the covered part reaches `level`; infinite if it never does."""
        check_level(level)
        return reached(self.remyelinated, level)

    def on(self, day: int) -> tuple[ByteArray, ByteArray]:
        """(row, column) cells and bare axons on a day that was kept.

        Raises
        ------
        InputError
            For a day that was not.
        """
        if day not in self.kept_days:
            near = min(self.kept_days, key=lambda kept: abs(kept - day))
            raise InputError(
                "", "day", shown(day), "a day whose picture was kept", f"{near} is the nearest; keep_days=..."
            )
        k = self.kept_days.index(day)
        return self.cells[k], self.bare[k]

    def state(self, day: int, *, n_axons: int = 1000) -> MyelinState:
        """The myelin of axons on one day, as `conduction.NerveBundle.from_state` reads it.

        A section has no lengths: sheaths are spread over axons of the optic nerve as `Course.state` does it,
        from the parts that the section has on that day. Cells are those of the lesion in the section.

        Raises
        ------
        InputError
            For a day that was not simulated, or a number of axons that cannot be.
        """
        last = float(self.time_days[-1])
        check_number("day", day, least=0, most=last, whole=True)
        check_number("n_axons", n_axons, least=1, most=MOST_AXONS, whole=True)
        day = int(day)
        left = sum(self.count(each)[day] for each in AXONS if each != "lost_axons")
        kept = float(self.count("kept_sheaths")[day] / left) if left else 0.0
        now = [float(each[day]) for each in (self.remyelinated, self.of("thickness"), self.of("axons"))]
        cells = [
            float(self.count(each)[day])
            for each in ("new_oligodendrocytes", "surviving_oligodendrocytes", "progenitors")
        ]
        axons = Axons.drawn(int(n_axons), 2e3 * self.scenario.lesion_radius_mm, np.random.default_rng(0))
        return myelin_state(
            axons, Cover(kept, *now), day=day, n_short=N_SHORT, cells=(cells[0], cells[1], cells[2])
        )

    def __repr__(self) -> str:
        day = self.completion_day()
        done = (
            f"95 % covered on day {day:.0f}" if math.isfinite(day) else f"{self.remyelinated[-1]:.0%} covered"
        )
        return (
            f"Section({self.scenario.name}: {self.width_mm:g} mm, {len(self.time_days) - 1} days, "
            f"{len(self.axons)} axons in the lesion, {done})"
        )


AXONS = ("bare_axons", "new_sheaths", "survivor_sheaths", "kept_sheaths", "lost_axons")


def simulate_section(
    scenario: Scenario,
    *,
    days: int,
    width_mm: float = 4.0,
    hours_per_step: float = 1.0,
    rng: np.random.Generator | None = None,
    keep_days: Sequence[int] | None = None,
) -> Section:
    """Follow a round lesion in a square section of 10 um, cell by cell.

    Parameters
    ----------
    scenario
        From `biology.scenario`: its rates are chances of single cells here.
    days
        How long.
    width_mm
        Of the section, in steps of 0.2 mm; the lesion needs 0.4 mm of normal tissue around it. About 640
        cells to a square millimetre.
    hours_per_step
        A part of a day.
    rng
        Draws everything; by default the same every time.
    keep_days
        Whose pictures are kept; by default 61 or fewer, evenly spread, with the first and the last.

    Returns
    -------
    Section
        Counts day by day, pictures, and a table of the axons.

    Raises
    ------
    InputError
        For a width that does not hold the lesion, a step that is too long, or another value that cannot be.

    Examples
    --------
    >>> from remyelin import biology
    >>> section = biology.simulate_section(biology.scenario("rat-young"), days=60)
    >>> 20 < section.completion_day() < 50
    True
    >>> sorted(section.axons.covered_by.unique())
    ['bare', 'dead', 'kept', 'new cell']
    """
    _check(scenario, days, width_mm, hours_per_step, rng)
    days, sites = int(days), round(width_mm * 1e3 / grain().site_um)
    kept = _kept(days, keep_days)
    generator = np.random.default_rng(0) if rng is None else rng
    state = generator.integers(2**64, size=1, dtype=np.uint64)
    rules = law(scenario, sites, hours_per_step)
    tissue = with_lesion(scenario, sites, rules.width, state)
    order = sorted(scenario.attacks, key=lambda attack: attack.day)
    counts = np.zeros((days + 1, len(COUNTS)))
    pictures = np.zeros((2, len(kept), len(tissue.occupant)), np.uint8)
    run(
        tissue,
        rules,
        state,
        round(24 / hours_per_step),
        np.array([*(attack.day for attack in order), math.inf]),
        np.array([*(attack.severity for attack in order), 0.0]),
        np.array(kept),
        counts,
        pictures[0],
        pictures[1],
    )
    square = pictures.reshape(2, len(kept), sites + 2 * RIM, rules.width)[:, :, RIM:-RIM, RIM:-RIM]
    return Section(
        scenario=scenario,
        width_mm=float(width_mm),
        time_days=np.arange(days + 1, dtype=np.float64),
        counts=counts,
        lesion=tissue.lesion.reshape(-1, rules.width)[RIM:-RIM, RIM:-RIM] > 0,
        kept_days=kept,
        cells=square[0].copy(),
        bare=square[1].copy(),
        axons=axon_table(tissue, rules, days, generator),
        visits=int(tissue.tally[VISITS]),
    )


def _check(scenario: Scenario, days: object, width_mm: object, hours: object, rng: object) -> None:
    check_number("days", days, least=1, most=LONGEST_DAYS, whole=True)
    check_asked(scenario, days, None, rng)
    check_number("hours_per_step", hours, above=0, most=24)
    steps = 24 / float(hours)  # type: ignore[arg-type]
    if abs(steps - round(steps)) > 1e-9:
        raise InputError("", "hours_per_step", shown(hours), "a whole part of 24", "take 1, 0.5 or 2")
    unit = TILE * grain().site_um / 1e3
    least = math.ceil((2 * scenario.lesion_radius_mm + 2 * BORDER_MM) / unit - 1e-9) * unit
    expected = (
        f"{least:.1f} to {WIDEST_MM:g}, to hold a lesion of radius {scenario.lesion_radius_mm:g} mm with "
        f"{BORDER_MM} mm around it, in steps of {unit:g}"
    )
    check_number("width_mm", width_mm, least=least - 1e-9, most=WIDEST_MM, expected=expected)
    units = float(width_mm) / unit  # type: ignore[arg-type]
    if abs(units - round(units)) > 1e-6:
        raise InputError("", "width_mm", shown(width_mm), expected, "correct it")


def _kept(days: int, keep_days: Sequence[int] | None) -> tuple[int, ...]:
    if keep_days is None:
        return tuple(np.unique(np.linspace(0, days, min(KEPT, days + 1)).round().astype(int)).tolist())
    for day in keep_days:
        check_number("keep_days", day, least=0, most=days, whole=True)
    return tuple(sorted({int(day) for day in keep_days}))
