"""How far libRoadRunner and COPASI, given the SBML of a lesion, are from `biology`.

    python benchmarks/biology/sbml_agreement.py

All ten states on 151 days. The programs integrate at tolerances of 1e-10 (relative) and 1e-12 (absolute);
ours takes its default steps, and beside them a fifth of these.
"""

from __future__ import annotations

import basico
import numpy as np
import roadrunner

from remyelin import biology
from remyelin.biology import Attack, Effect, Treatment
from remyelin.biology.lineage import STATES, STEP_DAYS, advance

DAYS, BAR = 150, 1e-5
FASTER = Treatment("mine", (Effect("differentiation_per_day", 1.5, 1.2, 2),), start_day=10.5, stop_day=80)
PART = (Attack(40.25, 0.6), Attack(90.5, 0.3))
CASES = {
    "rat-young": (biology.scenario("rat-young"), None),
    "rat-old": (biology.scenario("rat-old"), None),
    "rat-aged": (biology.scenario("rat-aged"), None),
    "human, smouldering 0.3, inhibition 0.5": (
        biology.scenario("human", smouldering=0.3, inhibition=0.5),
        None,
    ),
    "rat-old on demand, axons receptive for 200 d": (
        biology.scenario("rat-old", demand_driven=True, receptive_days=200),
        None,
    ),
    "rat-young, attack on all on day 60.5": (biology.scenario("rat-young", attacks=(Attack(60.5),)), None),
    "rat-young, two attacks on a part": (biology.scenario("rat-young", attacks=PART), None),
    "rat-old, treated from day 10.5 to 80": (biology.scenario("rat-old"), FASTER),
}


def ours(scenario: biology.Scenario, treatment: Treatment | None, step_days: float) -> np.ndarray:
    parameters = np.array([scenario.parameters()])
    options = {}
    if treatment is not None:
        options["treated"] = parameters * treatment.folds(1, np.random.default_rng(0), scenario)
        options["exposure"] = (treatment.start_day, treatment.stop_day, 1 / treatment.onset_days)
    start = [scenario.start()]
    return advance(parameters, start, days=DAYS, attacks=scenario.attacks, step_days=step_days, **options)[0]


def in_roadrunner(text: str) -> np.ndarray:
    model = roadrunner.RoadRunner(text)
    model.integrator.relative_tolerance, model.integrator.absolute_tolerance = 1e-10, 1e-12
    return np.array(model.simulate(0, DAYS, DAYS + 1, selections=list(STATES)))


def in_copasi(text: str) -> np.ndarray:
    model = basico.load_model_from_string(text)
    course = basico.run_time_course(
        start_time=0, duration=DAYS, intervals=DAYS, r_tol=1e-10, a_tol=1e-12, use_initial_values=True
    )
    basico.remove_datamodel(model)
    return course[list(STATES)].to_numpy()


def main() -> int:
    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_ERROR)
    worst = 0.0
    print("| lesion | libRoadRunner | COPASI | ours, a fifth of the step |")
    print("|---|---|---|---|")
    for name, (scenario, treatment) in CASES.items():
        text = biology.to_sbml(scenario, treatment=treatment)
        mine = ours(scenario, treatment, STEP_DAYS)
        others = (in_roadrunner(text), in_copasi(text), ours(scenario, treatment, STEP_DAYS / 5))
        gaps = [float(np.abs(other - mine).max()) for other in others]
        worst = max(worst, *gaps)
        print(f"| {name} | " + " | ".join(f"{gap:.0e}" for gap in gaps) + " |")
    print(f"\nLargest difference of a state on a day: {worst:.1e}; {BAR:g} was asked for.")
    print(f"libRoadRunner {roadrunner.__version__}, COPASI {basico.COPASI.__version__}.")
    return 0 if worst <= BAR else 1


if __name__ == "__main__":
    raise SystemExit(main())
