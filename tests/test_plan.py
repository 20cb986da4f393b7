"""The command `plan` and its page: what is printed, written and refused."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.command import Run, runner

import remyelin
from remyelin.errors import RefuseRun, RemyelinError
from remyelin.protocol import Protocol
from remyelin.report import save_plan
from remyelin.report.plan_panels import headline, panels
from remyelin.trial.power import plan
from remyelin.trial.power.question import updated

PROTOCOL = """
[trial]
id = "lesions"
title = "A trial of lesional MTR"
design = "parallel"

[[arm]]
id = "drug"
n = 40
treatment = "bexarotene"

[[arm]]
id = "placebo"
n = 40

[[visit]]
id = "M00"
day = 0

[[visit]]
id = "M06"
day = 182
window_days = [-14, 14]

[[endpoint]]
id = "lesion-mtr"
role = "primary"
measure = "mtr_pu"
site = "lesion"
summary = "site-change"
visits = ["M00", "M06"]
estimator = "mixed"
formula = "change ~ arm + baseline"

[plan]
effect = 0.3
between_sd = 0.35
site_sd = 1.3
sd_source = "an example"
sites = 30
"""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """The command line in this process."""
    return runner(capsys)


@pytest.fixture
def protocol(tmp_path) -> Callable[..., Path]:
    """The protocol above with other lines in its plan."""

    def write(*lines: str, text: str = PROTOCOL) -> Path:
        path = tmp_path / "protocol.toml"
        path.write_text(text + "\n".join(lines) + "\n")
        return path

    return write


# ---------------------------------------------------------------- packaged protocols


def test_ccmr_two(run):
    done = run("plan", "ccmr-two")
    assert (done.code, done.err) == (0, "")
    assert "80 % power: 64 an arm, 128 in all; recruit 134" in done.out
    assert "90 % power: 86 an arm, 172 in all" in done.out
    assert "derived from the published interval of CCMR Two" in done.out


def test_rebuild_says_what_a_carry_over_would_cost(run):
    done = run("plan", "rebuild")
    assert done.code == 0
    assert "80 % power: 27 a sequence, 54 in all" in done.out
    assert re.search(r"50 %: -1.275 ms left, -0.425 lost: power 0.5\d here", done.out)


def test_ccmr_one_has_no_sd_and_says_what_is_missing_and_on_record(run):
    done = run("plan", "ccmr-one")
    assert (done.code, done.err) == (1, "")
    assert "plan.sd is missing" in done.out
    assert (
        "SD 0.98 of one participant: 590 an arm at 80 %, 790 at 90 % [brown2021, recalled and not read]"
        in done.out
    )
    assert "0.792 with 80 %, 0.917 with 90 % power: times the SD" in done.out
    assert "published 136 participants" in done.out
    assert "published 48 participants" in done.out


@pytest.mark.parametrize(
    ("options", "n80", "n90"),
    [
        ("--effect 1.2 --sd 2.4 --sd-unit participant", 64, 86),
        ("--effect 2.5 --sd 4.33 --sd-unit participant", 49, 65),
        ("--effect 5 --sd 12.4 --sd-unit eye --sites 1", 98, 131),
        ("--effect 1.2 --sd cc2a", 64, 86),
    ],
)
def test_figures_of_published_sd(run, options, n80, n90):
    done = run("plan", "ccmr-two", *options.split(), "--json")
    sizes = json.loads(done.out)["tables"]["sizes"]
    assert done.code == 0
    assert [row["n_first"] for row in sizes] == [n80, n90]


def test_without_an_sd_every_one_on_record_is_listed_with_what_it_needs():
    tables = Protocol.read("ccmr-two").model_dump(exclude_none=True)
    tables["plan"] = {"effect": -1.2}
    planned = plan(Protocol.from_tables(tables))
    assert planned.exit_code == 1
    table = planned.tables["on_record"]
    assert {2.4, 4.33, 12.4} == set(table["sd"])
    ratio = table.loc[table["sd"] == 12.4, "n_80"].max() / table.loc[table["sd"] == 2.4, "n_80"].max()
    assert ratio == pytest.approx(26.5, abs=0.5)
    assert "26.7-fold in participants" in str(planned)
    assert "--sd with one of cc2a, reb2, niklas2009" in str(planned)


def test_published_sizes_stand_beside_ours():
    table = plan("ccmr-one").tables["published"].set_index("recovery_percent")
    assert table["published_total"].to_dict() == {30: 136, 50: 48}
    assert table["implied_d"].to_dict() == pytest.approx({30: 0.48, 50: 0.83}, abs=0.005)
    # Each from the other row: within a tenth, since a normal approximation has no small-sample correction.
    assert (table["our_total"] / table["published_total"] - 1).abs().max() < 0.1
    assert "published" not in plan("ccmr-two").tables


# ---------------------------------------------------------------- a plan of one's own


def test_lesions_in_patients(protocol):
    planned = plan(protocol())
    assert planned.tables["sizes"]["n_first"].tolist() == [33, 43]
    assert planned.tables["sizes"]["naive_total"].tolist()[0] == 22
    assert "lesions taken as independent would give 22 participants" in planned.warnings[0]
    assert "true power is 0.35" in planned.warnings[0]


def test_more_lesions_do_not_get_below_the_floor(protocol):
    planned = plan(protocol())
    sites = planned.tables["sites"]
    assert (sites["n_first"].diff().dropna() <= 0).all()
    assert sites["sites"].iloc[-1] == np.inf
    from scipy.special import ndtri

    floor = 2 * (ndtri(0.975) + ndtri(0.8)) ** 2 * 0.35**2 / 0.3**2
    assert sites["n_first"].iloc[-1] == pytest.approx(floor, abs=2)
    found = re.search(r"beyond (\d+), more lesions save at most one participant an arm", str(planned))
    enough = int(found.group(1))
    lesions = {
        m: plan(protocol(text=PROTOCOL.replace("sites = 30", f"sites = {m}"))) for m in (enough, enough - 1)
    }
    above = {
        m: each.tables["sizes"]["n_first"].iloc[0] - sites["n_first"].iloc[-1] for m, each in lesions.items()
    }
    assert above[enough] <= 1 < above[enough - 1]


def test_lesions_below_the_median_are_half_of_them(protocol):
    text = PROTOCOL.replace('summary = "site-change"', 'select = "submedian"').replace('"mixed"', '"ancova"')
    assert plan(protocol(text=text)).layout.spread.counts == (15,)


def test_real_lesion_counts_need_more_than_as_many_each(protocol):
    real = PROTOCOL.replace("sites = 30", 'sites_from = "open-ms"')
    mean = PROTOCOL.replace("sites = 30", "sites = 66.5")
    text = [
        each.replace('"mixed"', '"ancova"').replace("site-change", "participant-mean-change")
        for each in (real, mean)
    ]
    n = [plan(protocol(text=each)).tables["sizes"]["n_first"].iloc[0] for each in text]
    assert n[0] > n[1]


def test_assurance_lies_between_power_and_the_probability_of_an_effect(protocol):
    planned = plan(protocol("effect_sd = 0.2", "sd_df = 30", "power = 0.95"))
    table = planned.tables["assurance"]
    assert list(table["power"].round(2)) == [0.88, 0.81, 0.9, 0.95]
    assert (table["over_effect"] < table["power"]).all()
    assert (table["over_sd"] < table["power"]).all()
    assert (table["over_both"] <= table["over_effect"]).all()
    assert (table["over_effect"] < 0.9332).all()  # Phi(0.3 / 0.2)
    assert "at most 0.93 with any number" in str(planned)


def test_assurance_by_drawing(protocol):
    from remyelin.trial.power.noncentral import t_power

    planned = plan(protocol("effect_sd = 0.2", "sd_df = 30"))
    rng = np.random.default_rng(8)
    effect = rng.normal(0.3, 0.2, 200_000)
    scale = np.sqrt(30 / rng.chisquare(30, 200_000))
    drawn = t_power(effect / (planned.layout.se(40, 40) * scale), 78).mean()
    assert planned.tables["assurance"]["over_both"].iloc[0] == pytest.approx(drawn, abs=0.004)


def test_measuring_better(protocol):
    table = plan(protocol("measurement_sd = 0.9")).tables["measuring"]
    weighed = table[table["weighted"]]
    assert weighed["total"].iloc[0] < table["total"].iloc[0]
    table = table[~table["weighted"]]
    assert (table["total"].diff().dropna() <= 0).all()
    assert table["sd"].iloc[-1] == pytest.approx(np.sqrt(0.35**2 + (1.3**2 - 0.9**2) / 30))


def test_costs_count_those_who_are_lost(protocol):
    planned = plan(
        protocol("cost_per_participant = 4000", "cost_per_visit = 900", 'currency = "EUR"', "dropout = 0.1")
    )
    row = planned.tables["sizes"].iloc[0]
    assert row["recruit_total"] == 2 * 37
    assert row["cost"] == 74 * (4000 + 2 * 900)
    assert "costs 429,200 EUR" in str(planned)


def test_three_arms_are_counted_and_their_alpha_is_spoken_of(protocol):
    third = '[[arm]]\nid = "high"\nn = 38\ntreatment = "bexarotene"\n\n[[visit]]\nid = "M00"'
    planned = plan(protocol(text=PROTOCOL.replace('[[visit]]\nid = "M00"', third)))
    assert planned.tables["sizes"]["total"].tolist() == [99, 129]
    assert planned.n == (40, 38)
    assert any("alpha is not divided" in words for words in planned.warnings)


def test_an_sd_given_takes_the_place_of_the_protocols(protocol):
    asked = updated(Protocol.read(protocol("measurement_sd = 0.9")), {"sd": 0.5, "sd_unit": "participant"})
    assert (asked.sd, asked.between_sd, asked.sites, asked.measurement_sd) == (0.5, None, None, None)


def test_an_effect_beyond_reach_of_some_sd_on_record_stops_no_plan(run):
    done = run("plan", "ccmr-two", "--effect", "0.01", "--sd", "0.02", "--sd-unit", "participant")
    assert done.code == 0
    assert "over 1,000,000" in done.out


# ---------------------------------------------------------------- simulation


def test_a_plan_is_rehearsed_with_its_own_estimator(protocol):
    text = PROTOCOL.replace("sites = 30", "sites = 5").replace("effect = 0.3", "effect = 0.5")
    planned = plan(protocol(text=text), simulate=300)
    table = planned.tables["simulated"]
    assert table["estimator"].str.contains("mixed model").tolist() == [True, False, True, False]
    own = table.iloc[0]
    assert abs(own["power"] - own["closed_form"]) < 3.5 * own["power_se"]
    wrong = table.iloc[1]
    assert wrong["type_1"] > own["type_1"]
    assert "all sites as independent: wrong" in str(planned)


def test_the_protocol_may_ask_for_the_simulation(run):
    tables = Protocol.read("ccmr-two").model_dump(exclude_none=True)
    tables["plan"] |= {"n_simulations": 250, "seed": 4}
    assert len(plan(Protocol.from_tables(tables)).tables["simulated"]) == 2


@pytest.mark.slow
def test_the_same_bytes_on_any_number_of_workers_and_again(tmp_path):
    folders = [tmp_path / name for name in ("one", "two")]
    for workers, folder in enumerate(folders, start=1):
        save_plan(plan("ccmr-two", simulate=500, workers=workers, out=folder), folder)
    pages = [sorted(folder.glob("plan*")) for folder in folders]
    assert [page.name for page in pages[0]] == [page.name for page in pages[1]]
    for one, two in zip(*pages, strict=True):
        assert one.read_bytes() == two.read_bytes(), one.name


# ---------------------------------------------------------------- the folder


def test_the_folder(run, tmp_path):
    done = run("plan", "ccmr-two", "--out", tmp_path / "out")
    assert done.code == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"plan.html", "plan.json", "plan.txt", "plan_sizes.tsv", "plan_curve.tsv"} <= names
    assert (tmp_path / "out/plan.txt").read_text() == done.out
    page = (tmp_path / "out/plan.html").read_text()
    assert "http://" not in page.replace("http://www.w3.org", "")
    questions = re.findall(r"<h2>(.*?)</h2>", page)
    assert questions[0] == "How many participants are needed?"
    assert "How much hangs on the SD?" in questions
    sizes = pd.read_csv(tmp_path / "out/plan_sizes.tsv", sep="\t")
    assert sizes["total"].tolist() == [128, 172]
    assert json.loads((tmp_path / "out/plan.json").read_text())["tables"]["sizes"][0]["total"] == 128


def test_a_second_plan_leaves_no_table_of_the_first(tmp_path, protocol):
    save_plan(plan(protocol()), tmp_path / "out")
    assert (tmp_path / "out/plan_sites.tsv").exists()
    save_plan(plan("ccmr-two"), tmp_path / "out")
    assert not (tmp_path / "out/plan_sites.tsv").exists()


@pytest.mark.parametrize("name", Protocol.packaged())
def test_every_packaged_protocol_has_a_page(name, tmp_path):
    planned = remyelin.plan(name)
    save_plan(planned, tmp_path)
    page = (tmp_path / "plan.html").read_text()
    assert ("Not to be planned yet" in page) == bool(planned.missing)
    assert "nan" not in re.sub(r"<[^>]+>", " ", page).casefold().split()


def test_a_full_plan_has_every_panel(tmp_path, protocol):
    path = protocol(
        "effect_sd = 0.1",
        "sd_df = 40",
        "measurement_sd = 0.9",
        "dropout = 0.1",
        "cost_per_visit = 10",
        "power = 0.85",
    )
    planned = plan(path, simulate=250)
    save_plan(planned, tmp_path / "out")
    page = (tmp_path / "out/plan.html").read_text()
    panels = re.findall(r'<section id="([a-z-]+)"', page)
    assert panels == [
        "size",
        "said",
        "here",
        "assurance",
        "sites",
        "measuring",
        "simulated",
        "record",
        "published",
    ]
    assert planned._repr_html_().startswith("<pre>")
    assert set(planned.to_frame()["power"]) == {0.8, 0.85, 0.9}


# ---------------------------------------------------------------- any plan

SD = st.sampled_from([1e-6, 0.01, 0.3, 1.0, 12.4, 1e6])
WAYS = st.one_of(
    st.fixed_dictionaries({"sd": SD, "sd_unit": st.just("participant")}),
    st.fixed_dictionaries(
        {"sd": SD, "sd_unit": st.just("eye"), "sites": st.sampled_from([1.0, 2.0]), "icc": st.floats(0, 1)}
    ),
    st.fixed_dictionaries({"between_sd": SD, "site_sd": SD, "sites": st.floats(1, 200)}),
    st.just({}),
)
OTHERS = st.fixed_dictionaries(
    {},
    optional={
        "power": st.floats(0.06, 0.9999),
        "effect_sd": SD,
        "sd_df": st.floats(1, 1e9),
        "correlation": st.floats(-0.999, 0.999),
        "allocation": st.floats(0.05, 20),
        "dropout": st.floats(0, 0.99),
        "measurement_sd": SD,
        "carry_over": st.floats(0, 1),
        "cost_per_visit": st.floats(0, 1e6),
        "sided": st.sampled_from([1, 2]),
    },
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(["ccmr-one", "ccmr-two", "rebuild"]),
    effect=st.sampled_from([-12.0, -1.2, -1e-3, 1e-6, 0.5, 40.0]),
    way=WAYS,
    others=OTHERS,
    n=st.integers(1, 400),
)
def test_any_plan_is_answered_or_refused(name, effect, way, others, n):
    """Never a traceback, a number that is none, or a page that cannot be drawn."""
    tables = Protocol.read(name).model_dump(exclude_none=True)
    tables["plan"] = {"effect": effect, **way, **others} | ({"sd_source": "drawn"} if way else {})
    tables["arm"] = [{**arm, "n": n} for arm in tables["arm"]]
    try:
        planned = plan(Protocol.from_tables(tables))
    except RemyelinError:
        return
    assert "nan" not in re.findall(r"[a-z]+", str(planned))
    json.dumps(planned.to_dict(), allow_nan=False)
    assert all(panel.answer for panel in panels(planned))
    assert headline(planned).number


# ---------------------------------------------------------------- the tutorial

TUTORIAL = Path(__file__).parents[1] / "docs/tutorials/plan-ccmr-two.md"


@pytest.mark.slow
def test_the_tutorial_prints_what_it_says(tmp_path):
    """Every command of it, in order, in one folder; the reader's edit of the protocol is made in between."""
    blocks = re.findall(r"```(console|toml)\n(.*?)```", TUTORIAL.read_text(), re.DOTALL)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    assert len(blocks) > 7
    for kind, block in blocks:
        if kind == "toml":
            own = tmp_path / "next-trial.toml"
            before, _, after = own.read_text().partition("[plan]")
            rest = after[after.index("\n[") :] if "\n[" in after else ""
            own.write_text(before + block + rest)
            continue
        command, _, expected = block.removeprefix("$ ").partition("\n")
        done = subprocess.run(
            command, shell=True, cwd=tmp_path, env={**os.environ, "PATH": path},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.stdout, done.stderr) == (expected, ""), command


# ---------------------------------------------------------------- refused

BAD_OPTIONS = [
    ("--sd 2.4", "sd_unit is missing beside sd"),
    ("--sd 0 --sd-unit participant", "sd is 0"),
    ("--sd -2 --sd-unit participant", "sd is -2"),
    ("--sd nan --sd-unit participant", "sd is nan"),
    ("--sd cc2b", "no source of an SD for this endpoint"),
    ("--effect 0", "effect is 0"),
    ("--effect inf", "effect is inf"),
    ("--power 80", "write power = 0.8 if 80 per cent is meant"),
    ("--power 0.04", "power is 0.04, expected above alpha"),
    ("--icc 0.4", "icc is beside the SD of a participant"),
    ("--sd 4 --sd-unit eye --sites 0", "sites is 0"),
    ("--sd 4 --sd-unit eye --sites 2 --icc 1.5", "icc is 1.5"),
    ("--simulate 0", "n_simulations is 0"),
    ("--simulate 100 --jobs 0", "workers is 0"),
    ("--effect 1e-9", "effect is so small"),
]


@pytest.mark.parametrize(("options", "words"), BAD_OPTIONS, ids=[options for options, _ in BAD_OPTIONS])
def test_what_is_no_plan_is_refused_in_one_line(run, options, words):
    done = run("plan", "ccmr-two", *options.split())
    assert (done.code, done.out) == (1, "")
    assert done.err.count("\n") == 1
    assert words in done.err


def test_the_sd_of_an_eye_needs_how_many_and_how_alike(run):
    done = run("plan", "ccmr-two", *["--sd", "12.4", "--sd-unit", "eye"])
    assert done.code == 1
    assert "plan.sites is missing beside the SD of one eye" in done.out
    done = run("plan", "ccmr-two", *["--sd", "12.4", "--sd-unit", "eye", "--sites", "2"])
    assert done.code == 1
    assert "plan.icc is missing beside the SD of one eye" in done.out
    done = run("plan", "ccmr-two", *["--sd", "12.4", "--sd-unit", "eye", "--sites", "2", "--icc", "0.5"])
    assert done.code == 0
    assert "beyond" not in done.out  # nobody has a third eye
    assert "participants an arm by eyes: 1: 1678, 2: 1259" in done.out


def test_an_sd_that_was_recalled_cannot_be_chosen_by_name(run):
    done = run("plan", "ccmr-one", "--sd", "brown2021", "--effect", "0.16")
    assert done.code == 1
    assert "recalled and not read" in done.err


BAD_PLANS = [
    ({"sd": 2.4, "sd_source": "x"}, "plan.sd_unit is missing beside sd"),
    ({"sd": 2.4, "sd_unit": "eye"}, "plan.sd_source is missing beside sd"),
    ({"between_sd": 0.3, "sd_source": "x", "sites": 3}, "plan.site_sd is missing"),
    ({"between_sd": 0.3, "site_sd": 1.0, "sites": 3}, "plan.sd_source is missing beside between_sd"),
    ({"between_sd": 0.3, "site_sd": 1.0, "sd_source": "x"}, "plan.sites is missing"),
    ({"sd": 2.4, "sd_unit": "eye", "sd_source": "x", "between_sd": 1.0}, "plan.sd is beside between_sd"),
    ({"patient_period_sd": 1.0, "eye_period_sd": 2.0, "sd_source": "x"}, "a crossover trial"),
    ({"sd": 2.4, "sd_unit": "participant", "sd_source": "x", "sites": 2}, "plan.sites is beside the SD of a"),
    ({"sites": 3, "sites_from": "open-ms"}, "plan.sites_from is beside sites"),
    ({"sites_cv": 0.4}, "plan.sites_cv is without sites"),
    ({"icc": 0.4}, "plan.icc is without sd"),
    ({"carry_over": 0.5}, "plan.carry_over is 0.5 in a parallel trial"),
    ({"effect_sd": 0.5}, "plan.effect_sd is without effect"),
    ({"dropout_slope": 0.5}, "plan.dropout_slope is without dropout"),
    ({"currency": "EUR"}, "plan.currency is without costs"),
    ({"measurement_sd": 0.4}, "plan.measurement_sd is without an SD"),
    ({"measurement_sd": 3.0, "sd": 2.4, "sd_unit": "eye", "sd_source": "x"}, "plan.measurement_sd is 3"),
    ({"sites": 0.5}, "plan.sites is 0.5"),
    ({"dropout": 1.0}, "plan.dropout is 1.0"),
    ({"allocation": 0.0}, "plan.allocation is 0.0"),
    ({"sided": 3}, "plan.sided is 3"),
    ({"site_ds": 1.0}, "did you mean 'site_sd'?"),
]


@pytest.mark.parametrize(("values", "words"), BAD_PLANS, ids=[words for _, words in BAD_PLANS])
def test_a_plan_that_contradicts_itself_is_refused_when_read(values, words):
    tables = Protocol.read("ccmr-two").model_dump(exclude_none=True)
    tables["plan"] = values
    with pytest.raises(RefuseRun) as caught:
        Protocol.from_tables(tables)
    assert words in str(caught.value)


def test_an_unknown_group_of_people_is_told_the_known_ones(protocol):
    planned = plan(protocol(text=PROTOCOL.replace("sites = 30", 'sites_from = "open_ms"')))
    assert "did you mean 'open-ms'" in str(planned.missing[0])


def test_arms_of_one_participant_are_too_few(protocol):
    with pytest.raises(RefuseRun, match="enough participants for a variance"):
        plan(protocol(text=PROTOCOL.replace("n = 40", "n = 1")))


def test_an_mmrm_is_rehearsed_only_with_the_correlation_of_its_visits(protocol):
    visit = '[[visit]]\nid = "M12"\nday = 364\n\n[[endpoint]]'
    text = PROTOCOL.replace("[[endpoint]]", visit).replace('["M00", "M06"]', '["M00", "M06", "M12"]')
    text = text.replace('"mixed"', '"mmrm"').replace('summary = "site-change"\n', "")
    text = text.replace("change ~ arm + baseline", "change ~ arm * visit + baseline")
    with pytest.raises(RefuseRun, match=r"plan\.visit_correlation is missing"):
        plan(protocol(text=text), simulate=250)
    planned = plan(protocol("visit_correlation = 0.5", "dropout = 0.2", text=text), simulate=250)
    assert planned.tables["simulated"]["estimator"].str.startswith("MMRM").all()
    assert "an MMRM gains from the others" in str(planned)
