"""What `remyelin analyse` cannot answer: one line with the column and the fix, exit code 1, and no number."""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remyelin import cli
from remyelin.protocol import Protocol
from remyelin.tables import Measurements

Row = dict[str, Any]
DAYS = {"M00": 0.0, "M03": 90.0, "M05": 150.0}
ENDPOINTS: dict[str, dict[str, Any]] = {
    "ancova": {
        "visits": ["M00", "M05"],
        "formula": "change ~ arm + baseline",
        "summary": "participant-mean-change",
    },
    "mixed": {"visits": ["M00", "M05"], "formula": "change ~ arm + baseline", "summary": "site-change"},
    "gee": {"visits": ["M00", "M05"], "formula": "change ~ arm + baseline", "summary": "site-change"},
    "mmrm": {
        "visits": list(DAYS),
        "formula": "change ~ arm * visit + baseline",
        "summary": "participant-mean-change",
    },
    "crossover": {"visits": list(DAYS), "formula": "change ~ treatment + period", "summary": "site-change"},
}
PARALLEL = ("ancova", "mixed", "gee", "mmrm")


def protocol(estimator: str, **changes: Any) -> Protocol:
    name = "rebuild" if estimator == "crossover" else "ccmr-two"
    content = tomllib.loads((resources.files("remyelin") / "protocols" / f"{name}.toml").read_text("utf-8"))
    content = copy.deepcopy(content)
    content.pop("plan", None)
    content["visit"] = [{"id": visit, "day": day} for visit, day in DAYS.items()]
    endpoint = {"id": "latency", "role": "primary", "measure": "p100_latency_ms", "site": "eye"}
    content["endpoint"] = [{**endpoint, "estimator": estimator, **ENDPOINTS[estimator], **changes}]
    return Protocol.from_tables(content)


def measured(n: int = 16, seed: int = 2) -> list[Row]:
    rng = np.random.default_rng(seed)
    return [
        {"participant_id": f"sub-{k:02d}", "visit": visit, "day": day, "site": f"eye:{eye}",
         "measure": "p100_latency_ms", "value": float(125 + k % 7 + rng.normal(0, 3)), "se": 1.0,
         "unit": "ms", "state": "present", "quality": "pass"}
        for k in range(1, n + 1) for eye in ("OD", "OS") for visit, day in DAYS.items()
    ]  # fmt: skip


class Bench:
    """A folder as `remyelin measure` leaves it, and the command on it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.out, self.capsys = folder, folder / "out", capsys

    def run(self, plan: Protocol, rows: list[Row], arms: list[str] | None = None) -> tuple[int, str, str]:
        self.write(plan, rows, arms)
        return self.call()

    def write(self, plan: Protocol, rows: list[Row], arms: list[str] | None = None) -> None:
        plan.write(self.folder / "protocol.toml")
        Measurements.from_rows(rows).write(self.out / "measurements.tsv")
        ids = sorted({row["participant_id"] for row in rows})
        names = [arm.id for arm in plan.arm]
        arms = arms or [names[k % 2] for k in range(len(ids))]
        lines = "".join(f"{person}\t{arm}\n" for person, arm in zip(ids, arms, strict=True))
        (self.folder / "allocation.tsv").write_text("participant_id\tarm\n" + lines)

    def call(self) -> tuple[int, str, str]:
        allocation = self.folder / "allocation.tsv"
        with pytest.raises(SystemExit) as ended:
            cli.main(
                [
                    "analyse",
                    str(self.folder / "protocol.toml"),
                    str(self.out),
                    "--allocation",
                    str(allocation),
                ]
            )
        said = self.capsys.readouterr()
        return int(ended.value.code), said.out, said.err

    def refused(self, answer: tuple[int, str, str], *words: str) -> None:
        code, said, error = answer
        assert code == 1
        assert said == ""
        assert error.count("\n") == 1, error
        assert "Fix: " in error
        assert [word for word in words if not re.search(word, error)] == [], error
        assert not list(self.out.glob("results.*"))


@pytest.fixture
def bench(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Bench:
    (tmp_path / "out").mkdir()
    return Bench(tmp_path, capsys)


@pytest.mark.parametrize("estimator", ENDPOINTS)
def test_a_sound_trial_is_answered(bench: Bench, estimator: str) -> None:
    code, said, error = bench.run(protocol(estimator), measured(10))
    assert (code, error) == (0, "")
    assert said.startswith("latency, ")
    assert (bench.out / "report.html").is_file()
    assert {path.name for path in bench.out.glob("results.*")} == {
        "results.tsv",
        "results.csv",
        "results.parquet",
    }


@pytest.mark.parametrize("estimator", ENDPOINTS)
def test_one_arm_only(bench: Bench, estimator: str) -> None:
    plan = protocol(estimator)
    answer = bench.run(plan, measured(), [plan.arm[0].id] * 16)
    bench.refused(answer, "arm|treatment|sequence", "two arms|both sequences")


@pytest.mark.parametrize("estimator", ENDPOINTS)
def test_no_follow_up(bench: Bench, estimator: str) -> None:
    rows = [row for row in measured() if row["visit"] == "M00"]
    bench.refused(
        bench.run(protocol(estimator), rows), "latency' visits", "no participant was measured at M0[35]"
    )


@pytest.mark.parametrize("estimator", ENDPOINTS)
def test_a_follow_up_without_any_value(bench: Bench, estimator: str) -> None:
    rows = [
        row | {"value": None, "se": None, "state": "missing"} if row["visit"] != "M00" else row
        for row in measured()
    ]
    bench.refused(bench.run(protocol(estimator), rows), "latency")


@pytest.mark.parametrize("estimator", ENDPOINTS)
@pytest.mark.parametrize("n", [1, 2])
def test_all_eyes_in_one_participant_an_arm(bench: Bench, estimator: str, n: int) -> None:
    bench.refused(bench.run(protocol(estimator), measured(n)), "latency")


@pytest.mark.parametrize("estimator", ENDPOINTS)
def test_a_response_that_the_arm_explains_wholly(bench: Bench, estimator: str) -> None:
    rows = measured()
    start = {(row["participant_id"], row["site"]): row["value"] for row in rows if row["visit"] == "M00"}
    for row in rows:
        treated = int(row["participant_id"][-2:]) % 2
        gain = -4.0 * treated * (row["visit"] != "M00")
        row["value"] = start[row["participant_id"], row["site"]] + gain
    bench.refused(bench.run(protocol(estimator), rows), "latency")


@pytest.mark.parametrize("estimator", PARALLEL)
def test_a_covariate_that_is_the_arm(bench: Bench, estimator: str) -> None:
    formula = ENDPOINTS[estimator]["formula"] + " + centre"
    lines = "".join(f"sub-{k:02d}\t{'AB'[k % 2]}\n" for k in range(1, 17))
    (bench.out / "participants.tsv").write_text("participant_id\tcentre\n" + lines)
    answer = bench.run(protocol(estimator, formula=formula), measured())
    bench.refused(answer, "centre", "told apart", "leave one of the terms out")


@pytest.mark.parametrize("estimator", ENDPOINTS)
def test_a_covariate_that_nobody_recorded(bench: Bench, estimator: str) -> None:
    formula = ENDPOINTS[estimator]["formula"] + " + severity"
    answer = bench.run(protocol(estimator, formula=formula), measured())
    bench.refused(answer, "participants.tsv", "severity", "add severity to participants.tsv")


def _written(bench: Bench, change: Callable[[list[list[str]]], None]) -> tuple[int, str, str]:
    """A sound trial whose measurements.tsv was edited by hand."""
    bench.write(protocol("ancova"), measured())
    path = bench.out / "measurements.tsv"
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    change(lines)
    path.write_text("".join("\t".join(line) + "\n" for line in lines))
    return bench.call()


def test_a_value_that_is_no_number(bench: Bench) -> None:
    def change(lines: list[list[str]]) -> None:
        lines[5][lines[0].index("value")] = "NaN?"

    bench.refused(_written(bench, change), r"measurements\.tsv: .*value", "a number")


def test_a_present_value_that_is_missing(bench: Bench) -> None:
    def change(lines: list[list[str]]) -> None:
        lines[5][lines[0].index("value")] = "n/a"

    bench.refused(_written(bench, change), r"measurements\.tsv", "value|state")


def test_a_key_that_is_there_twice(bench: Bench) -> None:
    bench.refused(_written(bench, lambda lines: lines.append(lines[5])), r"measurements\.tsv", "duplicate")


def test_a_unit_that_is_another(bench: Bench) -> None:
    def change(lines: list[list[str]]) -> None:
        lines[5][lines[0].index("unit")] = "s"

    bench.refused(_written(bench, change), r"measurements\.tsv", "unit", "ms")


def test_a_value_that_can_only_be_of_another_unit(bench: Bench) -> None:
    def change(lines: list[list[str]]) -> None:
        lines[5][lines[0].index("value")] = "0.118"

    bench.refused(_written(bench, change), r"measurements\.tsv", "value")


def test_a_participant_allocated_twice(bench: Bench) -> None:
    bench.write(protocol("ancova"), measured())
    with (bench.folder / "allocation.tsv").open("a") as file:
        file.write("sub-01\tplacebo\n")
    bench.refused(bench.call(), r"allocation\.tsv", "duplicate sub-01", "keep one row")
