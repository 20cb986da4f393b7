"""The calibration as PEtab tables: valid, and the same days as ours in another program."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from remyelin import biology
from remyelin.biology.calibrate import prior
from remyelin.biology.draws import posterior
from remyelin.biology.experiments import control_days, controls
from remyelin.biology.petab import MODEL, PROBLEM, identifier

pytest.importorskip("libsbml", reason="needs the extra remyelin[sbml]")


@pytest.fixture(scope="module")
def files():
    return biology.to_petab()


def table(text):
    return list(csv.DictReader(io.StringIO(text), delimiter="\t"))


def test_the_model_is_valid(files):
    libsbml = pytest.importorskip("libsbml")
    document = libsbml.readSBMLFromString(files[MODEL])
    document.checkConsistency()
    assert document.getNumErrors(libsbml.LIBSBML_SEV_ERROR) == 0


# What petab asks of pandas is its own affair.
@pytest.mark.filterwarnings("ignore")
def test_the_linter_of_petab_has_nothing_to_say(files, tmp_path):
    petab = pytest.importorskip("petab.v1", reason="petab is not installed: pip install petab")
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    problem = petab.Problem.from_yaml(tmp_path / PROBLEM)
    assert not petab.lint_problem(problem)


def test_priors_and_data_are_those_of_the_calibration(files):
    rows = table(files["parameters.tsv"])
    assert [row["parameterName"] for row in rows] == list(prior().names)
    centre = [float(row["objectivePriorParameters"].split(";")[0]) for row in rows]
    np.testing.assert_allclose(centre, prior().centre, rtol=1e-8, atol=1e-12)
    measured = {row["simulationConditionId"]: row for row in table(files["measurements.tsv"])}
    for name, control in controls().items():
        assert float(measured[name]["measurement"]) == control.completion_day
        assert float(measured[name]["noiseParameters"]) == control.sd


def test_another_program_finds_the_same_days(files):
    roadrunner = pytest.importorskip("roadrunner", reason="needs the extra remyelin[sbml]")
    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_ERROR)
    model = roadrunner.RoadRunner(files[MODEL])
    formula = compile(table(files["observables.tsv"])[0]["observableFormula"], "observable", "eval")
    known = posterior()
    days = control_days(known.known())
    read = ["completed", "completion_day", "horizon_day", "remyelinated"]
    for draw in range(0, 60, 10):
        for condition in table(files["conditions.tsv"]):
            model.resetAll()
            for name, value in zip(known.names, known.draws[draw], strict=True):
                model[identifier(name)] = value
            for name in ("age_index", "horizon_day"):
                model[name] = float(condition[name])
            end = model.simulate(0, float(condition["horizon_day"]), 2, selections=read)[-1]
            found = eval(formula, {}, dict(zip(read, end, strict=True)))
            # Ours draws a line between days.
            assert found == pytest.approx(days[condition["conditionId"]][draw], abs=0.1)
