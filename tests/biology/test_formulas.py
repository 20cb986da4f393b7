"""The equations as text say what the compiled ones do."""

from __future__ import annotations

import math

import numpy as np
import pytest

from remyelin.biology.equations import Parameters, State, colonised, receptive, struck, supply, turnover
from remyelin.biology.formulas import lineage_formulas
from remyelin.biology.lineage import PARAMETERS, STATES

FUNCTIONS = {"__builtins__": {}, "ln": math.log, "exp": math.exp, "max": max}


def evaluated(formulas, values):
    known = dict(values)
    for name, text in formulas.items():
        known[name] = eval(text, FUNCTIONS, known)
    return known


@pytest.mark.parametrize("seed", range(100))
def test_text_and_code_have_the_same_slopes(seed):
    rng = np.random.default_rng(seed)
    y = dict(zip(STATES, rng.uniform(0, 0.5, len(STATES)).tolist(), strict=True))
    p = dict(zip(PARAMETERS, rng.uniform(0.05, 2, len(PARAMETERS)).tolist(), strict=True))
    if seed % 2:
        p["receptive_days"] = math.inf
    t = float(rng.uniform(0, 5))
    of = Parameters(**p)
    compiled = turnover(State(**y), of, supply(of), colonised(t, of), receptive(t, of))
    known = evaluated(lineage_formulas().rules, {**y, **p, "days_since_attack": t})
    text = [eval(lineage_formulas().slopes[state], FUNCTIONS, known) for state in STATES]
    np.testing.assert_allclose(text, compiled, rtol=1e-12, atol=1e-12)


def test_text_and_code_agree_on_an_attack():
    y = dict(zip(STATES, np.random.default_rng(1).uniform(0, 1, len(STATES)).tolist(), strict=True))
    text = {state: eval(formula, FUNCTIONS, {**y, "severity": 0.6}) for state, formula in _changed()}
    np.testing.assert_allclose(list({**y, **text}.values()), struck(State(**y), 0.6), rtol=1e-12)


def _changed():
    return lineage_formulas().struck.items()


def test_no_name_means_two_things():
    rules = lineage_formulas().rules
    assert not set(rules) & {*STATES, *PARAMETERS}
    assert set(lineage_formulas().slopes) == set(STATES)
