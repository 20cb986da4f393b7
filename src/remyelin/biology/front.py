"""How fast progenitors recolonise tissue that has none: measured in a model, not what was put in."""

from __future__ import annotations

import math

import numpy as np

from remyelin.biology.course import reached
from remyelin.biology.lineage import STATES, FloatArray
from remyelin.biology.scenarios import Scenario
from remyelin.biology.shells import SHELLS_PER_FOOT, Shells, foot_mm, growth_per_day, march
from remyelin.errors import InputError, did_you_mean
from remyelin.number import check_number, shown

MODELS = ("lesion", "section")
# Depth of the tissue, in lengths of the front's foot: where the front is measured it is within about 3 % of
# the speed it will have in the end.
DEPTH_FEET = 100
# A front passes two of them in one time of growth; it is to take so long, since the shells are read daily.
LEAST_DAYS = 20
# Growth, 1/day, at which a measurement would take a century, or more shells than can be waited for.
SLOWEST, FASTEST = 0.0025, 50.0
# The part of the depth in which the speed is taken, and the density that makes the front.
FROM_PART, TO_PART, DENSITY = 0.7, 0.3, 0.5


def front_speed_mm_per_week(scenario: Scenario, model: str = "lesion") -> float:
    """Measure the speed of the front at the scenario's rates in the tissue of the experiment.

    In the experiment X-rays had taken the progenitors out of a length of spinal cord: its myelin was whole,
    without debris or inflammation (Chari 2003, 10.1093/jnen/62.9.908). Progenitors come in from one side.

    Parameters
    ----------
    scenario
        From `biology.scenario`; what it says of the lesion (size, debris, inflammation) plays no part.
    model
        ``"lesion"``: shells, `biology.simulate_lesion`; ``"section"``: single cells.

    Returns
    -------
    float
        NaN if the front does not come far enough in twice the time it should take.

    Raises
    ------
    InputError
        For an unknown model, what is no scenario, or progenitors that hardly divide.

    Examples
    --------
    >>> from remyelin import biology
    >>> 0.57 <= front_speed_mm_per_week(biology.scenario("rat-young")) <= 0.63
    True
    """
    if not isinstance(scenario, Scenario):
        raise InputError("", "scenario", shown(scenario), "a scenario", "make one with biology.scenario")
    if model not in MODELS:
        raise InputError("", "model", shown(model), " or ".join(MODELS), did_you_mean(str(model), MODELS))
    if model == "section":
        from remyelin.biology.section_front import section_front_mm_per_week

        return section_front_mm_per_week(scenario)
    return lesion_front_mm_per_week(scenario)


def lesion_front_mm_per_week(
    scenario: Scenario, *, depth_feet: float = DEPTH_FEET, shells_per_foot: float = SHELLS_PER_FOOT
) -> float:
    """The same in shells, with the depth of the tissue in lengths of the front's foot, and the shells in one.

    Examples
    --------
    >>> from remyelin import biology
    >>> old = biology.scenario("rat-old")
    >>> lesion_front_mm_per_week(old) < lesion_front_mm_per_week(old, depth_feet=200) < 0.38
    True
    """
    calm = scenario.changed(inhibition=0.0, smouldering=0.0, attacks=())
    parameters = np.array(calm.parameters())
    growth = growth_per_day(parameters)
    check_number("growth of the first progenitors, 1/day,", growth, least=SLOWEST, most=FASTEST)
    feet = max(depth_feet, 2 * LEAST_DAYS * growth)
    depth = feet * foot_mm(parameters)
    grid = Shells.of(depth, round(shells_per_foot * feet), "sheet")
    # Twice the time the front needs, so that a slow one is measured as well.
    days = 2 * depth / (calm.rates.front_mm_per_week / 7)
    every = math.ceil(days / 500)
    start = np.repeat([_intact()], len(grid.volume), axis=0)
    states = march(grid, start, parameters, days=every * math.ceil(days / every), every_days=every)
    return 7 / every * _speed(grid.radius_mm, states[:, :, STATES.index("progenitors")])


def _intact() -> list[float]:
    """The state of tissue that lacks nothing but progenitors."""
    whole = {"surviving_oligodendrocytes", "survivor_sheaths", "thickness", "axons"}
    return [float(state in whole) for state in STATES]


def _speed(radius_mm: FloatArray, density: FloatArray) -> float:
    """Inward, mm a row: the slope of a line through the rows in which density (row, shell) is the front's."""
    edge = radius_mm[-1] + radius_mm[0]
    measured = (radius_mm <= FROM_PART * edge) & (radius_mm >= TO_PART * edge)
    passed = [reached(row, DENSITY) for row in density[:, measured].T]
    if not np.isfinite(passed).all():
        return math.nan
    return float(-np.polyfit(passed, radius_mm[measured], 1)[0])
