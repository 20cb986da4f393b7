"""The audit: no default rests on what nobody read, and one that is planted is found, however it is hidden."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import remyelin
from remyelin.evidence.load import records
from remyelin.evidence.unread import Audit, audit
from remyelin.files import read_toml

PACKAGE = Path(remyelin.__file__).parent
UNREAD = ("__pycache__", "*.npz", "biology_posterior.toml")  # large, and without a status
Plant = Callable[..., Audit]


@pytest.fixture(scope="module")
def packaged() -> Audit:
    return audit()


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """The audit of a copy of the evidence, the protocols and one module, with something planted in it."""

    def plant(name: str, text: str, *, keep: str = "trial/power/spread.py") -> Audit:
        package = tmp_path / "remyelin"
        shutil.copytree(PACKAGE / "evidence", package / "evidence", ignore=shutil.ignore_patterns(*UNREAD))
        shutil.copytree(PACKAGE / "protocols", package / "protocols")
        rules = read_toml(PACKAGE / "evidence/readers.toml")["reader"]
        for module in dict.fromkeys((*(rule["module"] for rule in rules), keep)):
            (package / module).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PACKAGE / module, package / module)
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text() if path.exists() else ""
        path.write_text(before + text if path.suffix == ".py" else text or before)
        return audit(package)

    return plant


def test_no_default_rests_on_an_unverified_value(packaged):
    assert [str(each) for each in packaged.problems] == []
    assert packaged.exit_code == 0
    assert "No default rests on one." in str(packaged)


def test_every_unverified_value_is_there_with_its_readers(packaged):
    there = {(each.file, each.place) for each in packaged.values}
    for kind in (
        "steps",
        "barriers",
        "targets",
        "treatments",
        "trials",
        "results",
        "sample_sizes",
        "standards",
    ):
        for record in records(kind):
            if record.status == "unverified" or record.unverified:
                assert (f"{kind}.toml", record.id) in there
    rows = [row for row in records("parameters") if row.status == "unverified"]
    assert len([each for each in packaged.values if each.file == "parameters.toml"]) == len(rows) > 0
    assert ("biology.toml", "rate.recruitment_per_day") in there
    assert ("iscev.toml", "requirement[1]") not in there
    assert all(each.readers for each in packaged.values)


def test_fields_that_were_recalled_are_named(packaged):
    (renew,) = [each for each in packaged.values if each.file == "trials.toml" and each.place == "renew"]
    assert renew.fields == ("doi",)


def test_a_copy_as_it_is_has_no_problem(plant):
    assert plant("trial/power/spread.py", "").problems == ()


PLANTED = {
    "a call": "SD = parameter('submedian_mtr_change_sd', arm='placebo', allow_unverified=True)\n",
    "a default of a parameter": "def sd(*, allow_unverified=True):\n    return allow_unverified\n",
    "a default that is not False": "def sd(*, allow_unverified=1):\n    return allow_unverified\n",
    "a value passed on from such a default": (
        "def sd(x=True):\n    return parameter('lesion_mtr', tissue='remyelinated', allow_unverified=x)\n"
    ),
    "a variable": "YES = True\nSD = parameter('lesion_mtr', allow_unverified=YES)\n",
    "keywords in a dictionary": "SD = parameter('lesion_mtr', **{'allow_unverified': True})\n",
    "keywords made by dict": "SD = parameter('lesion_mtr', **dict(allow_unverified=True))\n",
    "a table that shows them": "from remyelin.evidence import results\nROWS = results(unverified=True)\n",
    "raw rows": "from remyelin.evidence.load import parameter_rows\nSD = parameter_rows()[3].value\n",
    "raw rows under another name": "from remyelin.evidence.load import records as r\nSD = r('parameters')\n",
    "raw rows given away": "from remyelin.evidence import records\nSD = [f('trials') for f in [records]]\n",
    "a module of the evidence": "from remyelin.evidence import load\nSD = load.parameter_rows()[3].value\n",
    "the evidence itself": "import remyelin.evidence.load as e\nSD = e.parameter_rows()[3].value\n",
    "the package": "import remyelin\nSD = remyelin.evidence.records('parameters')[3].value\n",
    "a record by its id": "from remyelin.evidence import find\nSD = find('lesion_mtr').value\n",
    "its data file": "import tomllib\nROWS = tomllib.load(open('evidence/parameters.toml', 'rb'))\n",
    "a file that is not named": (
        "from remyelin.evidence.load import read_data\nROWS = [read_data(n) for n in ('a', 'b')]\n"
    ),
}


@pytest.mark.parametrize("text", PLANTED.values(), ids=PLANTED)
def test_a_default_that_is_planted_is_found(plant, text):
    found = plant("trial/power/planted.py", text)
    assert found.exit_code == 1
    (problem, *_) = found.problems
    assert problem.where.startswith("trial/power/planted.py:")
    assert problem.fix


@pytest.mark.parametrize(
    "text",
    [
        "def sd(*, unverified=False):\n    return results(unverified=unverified)\n",
        "SD = parameter('lesion_mtr', allow_unverified=False)\n",
        "def rows(unverified):\n    return results(unverified=unverified)\n",
        '"""It is not planned with evidence/parameters.toml."""\n',
        "SD = parameter('p100_change_sd', of='participant')\n",
    ],
)
def test_what_the_caller_must_ask_for_is_no_default(plant, text):
    assert plant("trial/power/planted.py", text).problems == ()


def test_a_plan_on_an_unverified_sd_is_found(plant):
    text = (PACKAGE / "protocols/ccmr-one.toml").read_text()
    assert "[plan]" not in text
    planned = '\n[plan]\nsd = 0.98\nsd_unit = "participant"\nsd_source = "the paper"\n'
    (problem,) = plant("protocols/ccmr-one.toml", text + planned).problems
    assert problem.where == "protocols/ccmr-one.toml"
    assert "sd = 0.98 is the unverified submedian_mtr_change_sd" in problem.found


def test_a_reader_without_a_rule_and_a_rule_without_a_reader_are_found(plant):
    text = (PACKAGE / "evidence/readers.toml").read_text()
    changed = text.replace('module = "measure/norms.py"', 'module = "measure/gone.py"')
    assert changed != text
    found = plant("evidence/readers.toml", changed, keep="measure/norms.py").problems
    assert sorted(problem.where.partition(":")[0] for problem in found) == [
        "evidence/readers.toml",
        "measure/norms.py",
    ]
    assert any("measure/gone.py" in problem.found for problem in found)


# The same from outside: if every unverified number were another one, no default would be.

_PROBE = """
import sys
from pathlib import Path
from remyelin import files

whole = files.read_toml

def changed(value):
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return type(value)(0.9 * value) if number else value

def perturbed(content):
    if isinstance(content, list):
        return [perturbed(each) for each in content]
    if not isinstance(content, dict):
        return content
    if content.get("status") == "unverified":
        return {key: changed(value) for key, value in content.items()}
    return {key: perturbed(value) for key, value in content.items()}

def read(path, **kwargs):
    content = whole(path, **kwargs)
    return perturbed(content) if Path(path).parent.name == "evidence" else content

if sys.argv[1] == "perturbed":
    files.read_toml = read

import numpy as np
from remyelin.biology import scenario
from remyelin.biology.draws import posterior
from remyelin.evidence import load, results, trials
from remyelin.evidence.selection import select
from remyelin.measure.norms import published_norms
from remyelin.protocol import Protocol
from remyelin.trial.power import plan

recalled = [row.value for row in load.parameter_rows() if row.status == "unverified"]
print(recalled, file=sys.stderr)
for row in load.parameter_rows():
    if row.status != "unverified":
        print(row)
for name in Protocol.packaged():
    made = plan(name).to_dict()
    # What is on record is listed with its status; nothing is computed with it that does not say so.
    rows = [row for table in made["tables"].values() for row in table if row.get("status") != "unverified"]
    print(made["plan"], rows, made["warnings"])
print(results().to_csv(), trials().to_csv(), published_norms())
found = select("p100_latency_ms", results=["rebuild-p100-crossover", "ccmr-two-p100"], anyway=True)
print([(each.effect, each.se) for each in found.studies])
print(np.asarray(posterior().draws).sum(), posterior().fixed)
print(scenario("rat-young"), scenario("human"))
"""


def test_no_default_changes_with_the_unverified_values(tmp_path):
    probe = tmp_path / "probe.py"
    probe.write_text(_PROBE)
    said = {}
    for how in ("whole", "perturbed"):
        done = subprocess.run(
            [sys.executable, str(probe), how],
            capture_output=True,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            check=False,
        )
        assert done.returncode == 0, done.stderr
        said[how] = done.stdout, done.stderr
    assert said["whole"][1] != said["perturbed"][1], "nothing was perturbed"
    assert len(said["whole"][0]) > 10_000
    assert said["whole"][0] == said["perturbed"][0]
