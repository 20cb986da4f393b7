"""How fast progenitors recolonise a band without any, measured in the section itself."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from remyelin.biology.glia import thin_out
from remyelin.biology.lattice import RIM, grain, normal_tissue
from remyelin.biology.scenarios import Scenario
from remyelin.biology.section_kernel import run_front
from remyelin.biology.section_law import law, progenitors_per_site

FloatArray = npt.NDArray[np.float64]
# Sites across the band, of the normal tissue beside it, and along it; marks between which it is timed.
ACROSS, BEHIND, AHEAD = 600, 60, 240
FROM_MM, TO_MM = 0.8, 3.4
BANDS = 4  # one of 12 mm is within about 6 %: few cells lead a front


def section_front_mm_per_week(
    scenario: Scenario,
    *,
    hours_per_step: float = 1.0,
    rng: np.random.Generator | None = None,
    hops: float | None = None,
) -> float:
    """Measure the front of progenitors in a section, as Chari 2003 did in X-irradiated cord.

    A band of 4.8 mm has oligodendrocytes and sheaths but no progenitors, the tissue beside it has all. The
    front stands where the progenitors of the band would reach if they were as dense as those beside it. Its
    speed is the slope of a line from 0.8 to 3.4 mm, the mean of four bands of 12 mm.

    Parameters
    ----------
    scenario
        Whose rates; its lesion plays no part.
    hours_per_step
        Length of a step.
    rng
        Draws everything; by default the same every time.
    hops
        Tries to hop in a day, instead of those of the evidence base.

    Returns
    -------
    float
        In mm a week; nan if the front did not come as far as 3.4 mm in twice the time it should take.

    Examples
    --------
    >>> from remyelin import biology
    >>> 0.54 < section_front_mm_per_week(biology.scenario("rat-young")) < 0.66
    True
    """
    generator = np.random.default_rng(0) if rng is None else rng
    each = [front_mm(scenario, generator, hours_per_step=hours_per_step, hops=hops) for _ in range(BANDS)]
    return float(np.mean([speed(front) for front in each]))


def front_mm(
    scenario: Scenario,
    generator: np.random.Generator,
    *,
    hours_per_step: float = 1.0,
    hops: float | None = None,
) -> FloatArray:
    """(day,) how far the front has come into the band; stops after twice the time it should take."""
    rates, columns = scenario.rates, BEHIND + AHEAD
    density = progenitors_per_site(rates)
    rules = law(scenario, columns, hours_per_step, hops)
    state = generator.integers(2**64, size=1, dtype=np.uint64)
    tissue = normal_tissue(ACROSS, columns, density, state)
    column = np.arange(len(tissue.occupant)) % rules.width - RIM
    thin_out(tissue, column >= BEHIND, 0.0, state)
    days = int(2 * 7 * TO_MM / rates.front_mm_per_week) + 1
    counts = np.zeros((days + 1, 2))
    steps, enough = round(24 / hours_per_step), 1.05 * TO_MM / (BEHIND * grain().site_um / 1e3)
    counts = counts[: run_front(tissue, rules, state, steps, column < BEHIND, enough, counts)]
    dense = counts[:, 0].mean() / (ACROSS * BEHIND)
    return np.asarray(counts[:, 1] / (ACROSS * dense) * grain().site_um / 1e3)


def speed(front: FloatArray) -> float:
    """In mm a week, of a front in mm day by day; nan where it did not arrive."""
    if front.max() < TO_MM:
        return float("nan")
    first, last = (int(np.argmax(front >= mark)) for mark in (FROM_MM, TO_MM))
    days = np.arange(first, last + 1)
    return 7 * float(np.polyfit(days, front[first : last + 1], 1)[0])
