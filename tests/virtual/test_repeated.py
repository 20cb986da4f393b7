"""Trials repeated: the same answers as from tables, one by one; the same bytes for any number of workers."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from remyelin.errors import InputError, RefuseRun
from remyelin.protocol import Protocol
from remyelin.tables import Measurements
from remyelin.trial.analyse import analyse
from remyelin.virtual.answers import answers, from_arrays, is_simple
from remyelin.virtual.asking import simulate_folder
from remyelin.virtual.batches import EYE_BATCH, Order, simulate
from remyelin.virtual.cohort import Cohort, draw_cohort
from remyelin.virtual.premises import Premises
from remyelin.virtual.repeated import run_trials
from remyelin.virtual.response import Response

GIVEN = Response.constant(latency_ms=-3.0, mtr_pu=0.4)
COLUMNS = ["estimate", "se", "df", "p", "ci_low", "ci_high"]


def cohort(protocol: Protocol, n: int = 3, seed: int = 5, **given: float) -> Cohort:
    premises = Premises.read("trial", **given)
    return draw_cohort(protocol, n, rng=np.random.default_rng(seed), response=GIVEN, premises=premises)


def from_tables(made: Cohort, trial: int) -> pd.DataFrame:
    found = analyse(
        made.measurements(trial), made.patients.protocol, made.allocation(trial), made.covariates(trial)
    ).results.frame
    return found[found["prespecified"]]


def with_endpoint(name: str, **update: Any) -> Protocol:
    protocol = Protocol.read(name)
    return protocol.model_copy(update={"endpoint": (protocol.primary.model_copy(update=update),)})


PROTOCOLS = [
    *(pytest.param(Protocol.read(name), id=name) for name in Protocol.packaged()),
    pytest.param(
        with_endpoint("ccmr-two", formula="change ~ arm + baseline + age + sex + duration"), id="covariates"
    ),
    pytest.param(with_endpoint("ccmr-two", summary="participant-precision-weighted-change"), id="weighted"),
    pytest.param(with_endpoint("ccmr-two", formula="change ~ arm * baseline"), id="interaction"),
    pytest.param(with_endpoint("ccmr-two", covariance="HC3"), id="robust"),
    pytest.param(with_endpoint("ccmr-two", weighting="measurement-error"), id="known-errors"),
    pytest.param(
        with_endpoint(
            "ccmr-two", summary="site-change", estimator="mixed", formula="change ~ arm + baseline"
        ),
        id="eyes",
    ),
    pytest.param(
        with_endpoint("ccmr-two", summary="site-change", estimator="gee", formula="change ~ arm + baseline"),
        id="gee",
    ),
]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_answers_are_those_of_the_tables(protocol: Protocol) -> None:
    made = cohort(protocol, 2, unusable_part=0.1, failed_part=0.1)
    expected = from_tables(made, 1)
    for endpoint in protocol.endpoint:
        found = answers(made, endpoint)
        own = expected[expected["endpoint"] == endpoint.id].set_index("contrast")
        assert set(found.contrasts) == set(own.index)
        own = own.loc[list(found.contrasts)]
        for name in ("estimate", "se", "df"):
            assert getattr(found, name)[1] == pytest.approx(own[name].to_numpy(), abs=1e-9, rel=1e-9)
        assert found.participants[1] == own["n_participants"].iloc[0]


def test_which_endpoints_take_which_way() -> None:
    ways = {}
    for param in PROTOCOLS:
        protocol = param.values[0]
        assert isinstance(protocol, Protocol)
        made = cohort(protocol, 1)
        ways[param.id] = (from_arrays(made, protocol.primary), is_simple(made, protocol.primary))
    both = {name for name, way in ways.items() if way == (True, True)}
    simple = {"covariates", "weighted", *Protocol.packaged()} - {"rebuild"}
    assert both == simple
    assert {name for name, way in ways.items() if not way[0]} == {"known-errors"}


def test_a_trial_that_lost_an_arm_has_no_answer_and_the_others_have() -> None:
    protocol = Protocol.read("ccmr-two")
    small = protocol.model_copy(
        update={"arm": tuple(arm.model_copy(update={"n": 3}) for arm in protocol.arm)}
    )
    made = cohort(small, 40, dropout=0.6)
    found = answers(made, small.primary)
    gone = np.isnan(found.estimate[:, 0])
    assert 0 < gone.sum() < 40
    for trial in np.flatnonzero(gone)[:3]:
        with pytest.raises(RefuseRun):
            from_tables(made, int(trial))


def test_a_level_that_one_trial_has_not_costs_nobody_the_answer() -> None:
    protocol = with_endpoint("ccmr-two", formula="change ~ arm + baseline + sex")
    small = protocol.model_copy(
        update={"arm": tuple(arm.model_copy(update={"n": 4}) for arm in protocol.arm)}
    )
    made = cohort(small, 30, dropout=0.0, female_part=0.9)
    women = made.patients.people.female.all(axis=1)
    assert women.any()
    found = answers(made, small.primary)
    for trial in (int(np.flatnonzero(women)[0]), int(np.flatnonzero(~women)[0])):
        try:
            expected = from_tables(made, trial)["estimate"].to_numpy()
        except RefuseRun:
            assert np.isnan(found.estimate[trial]).all()
        else:
            assert found.estimate[trial] == pytest.approx(expected, abs=1e-9)


def test_p_values_and_intervals_are_those_of_the_results() -> None:
    protocol = Protocol.read("ccmr-two")
    options: dict[str, Any] = {"response": GIVEN, "premises": Premises.read("trial")}
    found = run_trials(protocol, 1, rng=np.random.default_rng(9), **options).frame
    batch = Order(protocol, **options).batches(1, np.random.default_rng(9))[0]
    expected = from_tables(batch.draw(), 0)
    assert found[COLUMNS].to_numpy() == pytest.approx(expected[COLUMNS].to_numpy(), rel=1e-9)


def test_two_workers_simulate_the_same_measurements() -> None:
    options: dict[str, Any] = {"response": GIVEN, "premises": Premises.read("trial"), "participants": 3}
    protocol = Protocol.read("ccmr-two")
    one, two = (
        simulate(protocol, n_trials=EYE_BATCH + 2, rng=np.random.default_rng(3), workers=n, **options)
        for n in (1, 2)
    )
    assert one == two
    assert one.frame["trial"].nunique() == EYE_BATCH + 2


def digest(folder: Path) -> str:
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            whole.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return whole.hexdigest()


def test_the_same_seed_gives_the_same_bytes_for_1_2_and_4_workers(tmp_path: Path) -> None:
    digests = set()
    for n in (1, 2, 4):
        out = tmp_path / str(n) / "out"
        simulate_folder("ccmr-one", out, trials=60, participants=2, mtr_pu=0.2, lesions=5, seed=7, workers=n)
        digests.add(digest(out))
    assert len(digests) == 1
    other = tmp_path / "other"
    simulate_folder("ccmr-one", other, trials=60, participants=2, mtr_pu=0.2, lesions=5, seed=8)
    assert digest(other) not in digests


def test_batches_draw_the_same_trials_again() -> None:
    order = Order(Protocol.read("ccmr-two"), GIVEN, Premises.read("trial"), participants=2)
    batch = order.batches(5, np.random.default_rng(1))[0]
    assert batch.draw().measurements() == batch.draw().measurements()


def test_significance_is_counted_with_its_error() -> None:
    found = run_trials(
        Protocol.read("ccmr-two"), 250, rng=np.random.default_rng(1), endpoints=["p100-latency"],
        response=Response.constant(latency_ms=-3.0), premises=Premises.read("trial"),
    )  # fmt: skip
    row = found.significant().to_dict("records")[0]
    assert row["negative"] > 0.9
    assert row["positive"] == 0
    assert row["either_se"] == pytest.approx((row["either"] * (1 - row["either"]) / 250) ** 0.5)
    assert "significant in 9" in str(found)


def test_an_unknown_endpoint_is_refused() -> None:
    with pytest.raises(InputError, match="did you mean 'p100-latency'"):
        run_trials(
            Protocol.read("ccmr-two"), 1, rng=np.random.default_rng(1), endpoints=["p100-latenc"],
            response=GIVEN, premises=Premises.read("trial"),
        )  # fmt: skip


@pytest.mark.parametrize("name", ["ccmr-one", "ccmr-two"])
def test_null_trials_reject_as_often_as_they_may(name: str) -> None:
    # 1,000 trials: 3.3 Monte Carlo standard errors; 10,000 in benchmarks/virtual/null.py.
    found = run_trials(
        Protocol.read(name), 1000, rng=np.random.default_rng(1), response=Response.constant(),
        premises=Premises.read("trial", lesions_scale=0.1), participants=12,
    ).significant()  # fmt: skip
    assert found["either"].to_numpy() == pytest.approx(0.05, abs=3.3 * (0.05 * 0.95 / 1000) ** 0.5)


def test_the_tables_tell_nothing_of_the_allocation() -> None:
    made = cohort(Protocol.read("ccmr-two"), 2)
    table = made.measurements()
    assert isinstance(table, Measurements)
    assert not {"arm", "sequence", "treatment"} & set(table.frame.columns)
    assert "arm" not in made.covariates().columns
    assert made.allocation()["trial"].tolist() == [0] * 70 + [1] * 70


@pytest.mark.parametrize(("given", "words"), [
    ({"response": -1.2}, "response is -1.2, expected a Response"),
    ({"response": None}, "response is not given, expected a Response"),
    ({"response": {"clemastine+metformin": -1.2}}, "response is -1.2, expected a Response"),
    ({"rng": 5}, "rng is 5, expected a generator"),
    ({"endpoints": ()}, "endpoint is not given"),
    ({"endpoints": "p"}, "endpoint is 'p', expected an endpoint of the protocol"),
    ({"n_trials": 2_000_000}, "140,000,000 people, expected at most 100,000,000"),
])  # fmt: skip
def test_arguments_that_cannot_be_are_named(given: dict[str, Any], words: str) -> None:
    options: dict[str, Any] = {
        "n_trials": 1,
        "rng": np.random.default_rng(1),
        "response": GIVEN,
        "premises": Premises.read("trial"),
    }
    with pytest.raises(InputError, match=words):
        run_trials(Protocol.read("ccmr-two"), **(options | given))


def test_one_endpoint_needs_no_list() -> None:
    options: dict[str, Any] = {"response": GIVEN, "premises": Premises.read("trial"), "participants": 4}
    one, same = (
        run_trials(Protocol.read("ccmr-two"), 2, rng=np.random.default_rng(1), endpoints=asked, **options)
        for asked in ("p100-latency", ["p100-latency"])
    )
    assert one.frame.equals(same.frame)


def test_trials_without_an_answer_say_so() -> None:
    found = run_trials(
        Protocol.read("ccmr-two"), 3, rng=np.random.default_rng(1), endpoints="p100-latency", response=GIVEN,
        premises=Premises.read("trial"), participants=1,
    )  # fmt: skip
    assert str(found).endswith("no answer in any of 3 trials")


def test_large_trials_take_fewer_a_batch() -> None:
    order = Order(Protocol.read("ccmr-two"), GIVEN, Premises.read("trial"), participants=10_000)
    assert [batch.trials for batch in order.batches(60, np.random.default_rng(1))] == [25, 25, 10]
