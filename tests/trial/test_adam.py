"""ADaM-shaped datasets: what a regulator's reviewer would look at first."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from remyelin.protocol import Protocol
from remyelin.protocol.families import Sets
from remyelin.tables import Measurements
from remyelin.trial.adam import adeff, adsl
from remyelin.trial.adam.dataset import short_names
from remyelin.trial.analyse import analyse


def measured(person: str, visit: str, day: float, site: str, value: float, measure: str, unit: str) -> dict:
    return {"participant_id": person, "visit": visit, "day": day, "site": site, "measure": measure,
            "value": value, "se": 0.5, "unit": unit}  # fmt: skip


@pytest.fixture(scope="module")
def parallel():
    rng = np.random.default_rng(3)
    protocol = Protocol.read("ccmr-one").model_copy(update={"sets": Sets(per_protocol="kept")})
    people = [f"sub-{k:02d}" for k in range(1, 17)]
    arms = [("placebo", "bexarotene")[k % 2] for k in range(16)]
    rows = [
        measured(person, visit, day, f"lesion:{k}", 25 + k + rng.normal(0, 0.5), "mtr_pu", "pu")
        for n, person in enumerate(people)
        for visit, day in (("M00", 0), ("M06", 181))
        for k in range(6)
        if not (n == 0 or (n == 1 and visit == "M06"))
    ]
    covariates = pd.DataFrame(
        {
            "participant_id": people, "age": np.arange(30.0, 46.0), "sex": ["female", "M"] * 8,
            "edss_at_baseline": 2.0, "edss_at_screening": 1.5, "site": "Cambridge",
            "kept": ["no", "no", "no", *["yes"] * 13], "discontinued": [None, "relapse", *[None] * 14],
        }
    )  # fmt: skip
    allocation = pd.DataFrame({"participant_id": people, "arm": arms})
    table = Measurements.from_rows(rows)
    return analyse(table, protocol, allocation, covariates), protocol, table, covariates


@pytest.fixture(scope="module")
def crossover():
    rng = np.random.default_rng(4)
    protocol = Protocol.read("rebuild")
    people = [f"sub-{k:02d}" for k in range(1, 17)]
    sequences = [arm.id for arm in protocol.arm]
    rows = [
        measured(person, visit, day, f"eye:{eye}", 128 + rng.normal(0, 2), "p100_latency_ms", "ms")
        for person in people
        for visit, day in (("M00", 0), ("M03", 91), ("M05", 152))
        for eye in ("OD", "OS")
    ]
    table = Measurements.from_rows(rows)
    allocation = pd.DataFrame({"participant_id": people, "arm": [sequences[k % 2] for k in range(16)]})
    return analyse(table, protocol, allocation), protocol, table


def of(dataset, subject: str) -> pd.DataFrame:
    return dataset.frame[dataset.frame["USUBJID"].str.endswith(f"-{subject}")]


def test_subjects(parallel):
    analysis, protocol, _, covariates = parallel
    found = adsl(analysis, protocol, covariates)
    assert len(found.frame) == 16
    assert found.frame["USUBJID"].is_unique
    assert (found.frame["ITTFL"] == "Y").all()
    first = of(found, "02").iloc[0]
    assert (first["ARM"], first["TRT01P"], first["FASFL"], first["PPROTFL"]) == (
        "bexarotene", "bexarotene", "N", "N",
    )  # fmt: skip
    assert (first["AGE"], first["AGEU"], first["SEX"], first["SITEID"]) == (31.0, "YEARS", "M", "Cambridge")
    assert first["DCTREAS"] == "relapse"
    assert of(found, "03").iloc[0]["PPROTFL"] == "N"  # analysed, but did not keep to the protocol
    assert (found.frame["PPROTFL"] == "Y").sum() == 13
    assert {"EDSSATBA", "EDSSATSC"} <= set(found.frame)
    assert found.labels["EDSSATBA"] == "edss_at_baseline"
    assert set(found.frame["SEX"]) == {"F", "M"}
    assert "16 records" in str(found)
    assert "<table" in found._repr_html_()
    assert found.to_frame().equals(found.frame)


def test_values(parallel):
    analysis, protocol, table, _ = parallel
    found = adeff(analysis, protocol, table)
    own = of(found, "03")
    assert list(own["AVISIT"]) == ["M00", "M06"]
    assert list(own["ABLFL"]) == ["Y", ""]
    assert list(own["ANL01FL"]) == ["", "Y"]
    assert list(own["ADY"]) == [1.0, 182.0]  # there is no day 0
    assert own["AVAL"].iloc[0] == own["BASE"].iloc[0] == own["BASE"].iloc[1]
    assert own["CHG"].iloc[1] == pytest.approx(own["AVAL"].iloc[1] - own["BASE"].iloc[1], abs=1e-12)
    fitted = analysis.rows[protocol.primary.id].set_index("participant_id")["change"]
    assert own["CHG"].iloc[1] == fitted["sub-03"]
    lost = of(found, "02")
    assert list(lost["ABLFL"]) == ["Y"]
    assert of(found, "01").empty
    assert (found.frame.groupby("USUBJID")["ABLFL"].agg(lambda flags: (flags == "Y").sum()) == 1).all()
    assert (found.frame["ANL01FL"] == "Y").sum() == len(fitted)


def test_crossover(crossover):
    analysis, protocol, table = crossover
    subjects, values = adsl(analysis, protocol), adeff(analysis, protocol, table)
    first = subjects.frame.iloc[0]
    arm = next(each for each in protocol.arm if each.id == first["TRTSEQP"])
    assert (first["TRT01P"], first["TRT02P"]) == arm.sequence
    primary = values.frame[values.frame["PARAMCD"] == values.frame["PARAMCD"].iloc[0]]
    own = primary[primary["USUBJID"] == first["USUBJID"]]
    follow_up = own[own["ABLFL"] == ""]
    assert list(follow_up.drop_duplicates("APERIOD")["TRTP"]) == list(arm.sequence)
    assert (own.loc[own["ABLFL"] == "Y", "TRTP"] == "").all()
    if protocol.primary.of_sites:
        assert set(own["FOCID"]) == {"OD", "OS"}


def test_format(parallel, crossover):
    datasets = [
        adsl(parallel[0], parallel[1], parallel[3]), adeff(*parallel[:3]),
        adsl(*crossover[:2]), adeff(*crossover),
    ]  # fmt: skip
    for found in datasets:
        assert set(found.labels) == set(found.frame)
        for name, label in found.labels.items():
            assert name.isupper()
            assert len(name) <= 8
            assert 0 < len(label) <= 40
            assert found.frame[name].dtype in (np.float64, object)
            if found.frame[name].dtype == object:
                assert found.frame[name].map(type).eq(str).all()


def test_short_names_never_meet():
    names = [f"measurement {k}" for k in range(30)]
    short = short_names(names, {"MEASUREM"})
    assert len(set(short.values()) | {"MEASUREM"}) == 31
    assert all(len(each) <= 8 for each in short.values())
    assert short_names(["髄鞘", "7"]) == {"髄鞘": "X", "7": "X7"}
