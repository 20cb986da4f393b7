"""libRoadRunner and COPASI, given the SBML that is written, reproduce every state of `lineage.advance`."""

from __future__ import annotations

import locale

import numpy as np
import pytest

from remyelin import biology
from remyelin.biology.lineage import STATES, advance

DAYS, BAR = 150, 1e-5
TREATMENT = biology.Treatment(
    "mine",
    (biology.Effect("differentiation_per_day", 1.5, 1.2, 2),),
    start_day=10.5,
    stop_day=80,
    onset_days=3,
)
FADING = {"receptive_days": 200, "sheath_loss_per_day": 0.002, "oligodendrocytes_lost": 0.7}
CASES = {
    "rat-young": (biology.scenario("rat-young"), None),
    "rat-old": (biology.scenario("rat-old"), None),
    "rat-aged": (biology.scenario("rat-aged"), None),
    "human": (biology.scenario("human", smouldering=0.3, inhibition=0.5), None),
    "on demand": (biology.scenario("rat-old", demand_driven=True, **FADING), None),
    "attack": (biology.scenario("rat-young", attacks=(biology.Attack(60.5, 1),)), None),
    # What survives an attack opens room with a kink.
    "attacks in part": (
        biology.scenario(
            "rat-young", attacks=(biology.Attack(40.25, 0.6), biology.Attack(90.5, 0.3)), **FADING
        ),
        None,
    ),
    "treated": (biology.scenario("rat-old"), TREATMENT),
    "treated and attacked": (biology.scenario("human", attacks=(biology.Attack(60.5, 0.8),)), TREATMENT),
}


def ours(scenario, treatment):
    parameters = np.array([scenario.parameters()])
    options = {}
    if treatment is not None:
        folds = treatment.folds(1, np.random.default_rng(0), scenario)
        options["treated"] = parameters * folds
        options["exposure"] = (treatment.start_day, treatment.stop_day, 1 / treatment.onset_days)
    return advance(parameters, [scenario.start()], days=DAYS, attacks=scenario.attacks, **options)[0]


def in_roadrunner(text):
    roadrunner = pytest.importorskip("roadrunner", reason="needs the extra remyelin[sbml]")
    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_ERROR)
    model = roadrunner.RoadRunner(text)
    model.integrator.relative_tolerance, model.integrator.absolute_tolerance = 1e-10, 1e-12
    return np.array(model.simulate(0, DAYS, DAYS + 1, selections=list(STATES)))


def in_copasi(text):
    # COPASI sets the locale of the whole process to C, in which no later test could read a page.
    before = locale.setlocale(locale.LC_ALL)
    basico = pytest.importorskip("basico", reason="needs the extra remyelin[sbml]")
    locale.setlocale(locale.LC_ALL, before)
    model = basico.load_model_from_string(text)
    course = basico.run_time_course(
        start_time=0, duration=DAYS, intervals=DAYS, r_tol=1e-10, a_tol=1e-12, use_initial_values=True
    )
    basico.remove_datamodel(model)
    return course[list(STATES)].to_numpy()


@pytest.mark.parametrize("program", [in_roadrunner, in_copasi])
@pytest.mark.parametrize("case", CASES)
def test_another_program_reproduces_every_state(program, case):
    pytest.importorskip("libsbml", reason="needs the extra remyelin[sbml]")
    scenario, treatment = CASES[case]
    theirs = program(biology.to_sbml(scenario, treatment=treatment))
    np.testing.assert_allclose(theirs, ours(scenario, treatment), rtol=0, atol=BAR)
