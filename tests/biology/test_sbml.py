"""A scenario as SBML: valid, complete, and refused with a reason."""

from __future__ import annotations

import sys

import pytest

from remyelin import biology
from remyelin.biology.formulas import lineage_formulas
from remyelin.biology.lineage import PARAMETERS, STATES
from remyelin.biology.sbml import CONDITIONS, PER_DAY, STATE_WORDS, lineage_document
from remyelin.errors import InputError

TREATMENT = biology.Treatment(
    "mine",
    (biology.Effect("differentiation_per_day", 1.5, 1.2, 2),),
    start_day=10.5,
    stop_day=80,
    onset_days=3,
)
ATTACKS = (biology.Attack(90, 0.6), biology.Attack(40.5, 1))
CASES = [
    (biology.scenario("rat-young"), None),
    (biology.scenario("human", inhibition=0.5, smouldering=0.3, receptive_days=200), None),
    (biology.scenario("rat-old", attacks=ATTACKS), TREATMENT),
]


@pytest.fixture(scope="module")
def libsbml():
    return pytest.importorskip("libsbml", reason="needs the extra remyelin[sbml]")


@pytest.mark.parametrize(("scenario", "treatment"), CASES)
def test_what_is_written_is_valid(libsbml, scenario, treatment):
    document = libsbml.readSBMLFromString(biology.to_sbml(scenario, treatment=treatment))
    document.checkConsistency()
    errors = [document.getError(i) for i in range(document.getNumErrors())]
    assert [each.getMessage() for each in errors if each.getSeverity() >= libsbml.LIBSBML_SEV_ERROR] == []
    # Units agree; that plain numbers carry none is all that is left to warn of.
    assert {each.getErrorId() for each in errors} <= {libsbml.UndeclaredUnits}


def test_names_values_units_and_words_are_those_of_the_model(libsbml):
    scenario = CASES[0][0]
    model = lineage_document(scenario).getModel()
    for name, value in zip(PARAMETERS, scenario.parameters(), strict=True):
        assert model.getParameter(name).getValue() == value
        assert model.getParameter(name).isSetNotes()
        assert model.getParameter(name).isSetUnits()
    for state, value in zip(STATES, scenario.start(), strict=True):
        assert model.getSpecies(state).getInitialAmount() == value
    assert model.getParameter("front_mm_per_week").getUnits() == "mm_per_week"
    assert "10.1093/jnen/62.9.908" in model.getParameter("front_mm_per_week").getNotesString()


def test_a_treatment_changes_what_it_acts_on_and_attacks_are_events(libsbml):
    model = lineage_document(*CASES[2]).getModel()
    plain = model.getParameter("differentiation_per_day_untreated").getValue()
    assert model.getParameter("differentiation_per_day_treated").getValue() == pytest.approx(1.5 * plain)
    ids = {model.getEvent(i).getId() for i in range(model.getNumEvents())}
    assert ids == {"treatment_start", "treatment_stop", "attack_1", "attack_2"}
    assert model.getParameter("attack_1_day").getValue() == 40.5


def test_everything_has_words_and_a_unit():
    assert set(STATE_WORDS) == set(STATES)
    assert set(CONDITIONS) < set(PARAMETERS)
    assert set(lineage_formulas().rules) >= PER_DAY


def test_without_the_library_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "libsbml", None)
    with pytest.raises(InputError, match=r"pip install 'remyelin\[sbml\]'"):
        biology.to_sbml(CASES[0][0])


@pytest.mark.parametrize("wrong", [{"scenario": "rat-young"}, {"treatment": "clemastine"}])
def test_what_is_no_scenario_or_treatment_is_refused(wrong):
    asked = {"scenario": CASES[0][0], "treatment": None, **wrong}
    with pytest.raises(InputError, match=next(iter(wrong))):
        biology.to_sbml(asked["scenario"], treatment=asked["treatment"])
