"""Protocols as people really write them: what each fault must lead to, before anything is analysed."""

from __future__ import annotations

import time

import pytest

from remyelin.errors import RefuseRun
from remyelin.protocol import Protocol

PROTOCOL = """
[trial]
id = "phantom-1"
design = "parallel"
output = "derivatives/results"

[[arm]]
id = "A"
n = 2
treatment = "clemastine"

[[arm]]
id = "B"
n = 2

[[visit]]
id = "M00"
day = 0
window_days = [-14, 0]

[[visit]]
id = "M06"
day = 182
window_days = [-14, 14]

[[endpoint]]
id = "p100"
role = "primary"
measure = "p100_latency_ms"
site = "eye"
visits = ["M00", "M06"]
estimator = "ancova"
formula = "change ~ arm + baseline"
alpha = 0.05

[plan]
power = 0.8
sd = 9.0
sd_unit = "eye"
sd_source = "pilot"
effect = -4.0
correlation = 0.7
n_simulations = 1000
seed = 20240101
"""

# name: what to replace, by what, words of which each must stand in the message.
FAULTS = {
    "alpha_percent": (
        "alpha = 0.05",
        "alpha = 5",
        ["endpoint[1].alpha", "is 5", "between 0 and 1", "0.05"],
    ),
    "unknown_key": ("power = 0.8", "powr = 0.8", ["plan", "powr", "did you mean 'power'?"]),
    "nan_sd": ("sd = 9.0", "sd = nan", ["plan.sd", "nan", "finite number", "positive SD"]),
    "absurd_simulations": (
        "n_simulations = 1000",
        "n_simulations = 1000000000000",
        ["plan.n_simulations", "1000000000000", "at most 10,000,000"],
    ),
    "output_escapes": (
        'output = "derivatives/results"',
        'output = "../../../../../../tmp/pwned_by_protocol"',
        ["trial.output", "outside", "inside the dataset"],
    ),
    "endpoint_not_in_data": (
        'measure = "p100_latency_ms"',
        'measure = "p100_latency"',
        ["endpoint[1].measure", "p100_latency", "did you mean 'p100_latency_ms'?"],
    ),
}


@pytest.fixture
def write(tmp_path):
    def write(text: str):
        path = tmp_path / "protocol.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_the_protocol_is_sound_before_it_is_broken(write):
    assert Protocol.read(write(PROTOCOL)).primary.id == "p100"


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_refuses_the_run(name, write):
    old, new, words = FAULTS[name]
    assert PROTOCOL.count(old) == 1
    with pytest.raises(RefuseRun) as caught:
        Protocol.read(write(PROTOCOL.replace(old, new)))
    assert caught.value.file == "protocol.toml"
    assert [word for word in words if word not in str(caught.value)] == [], str(caught.value)


DEEP = 100_000
BOMBS = {
    "arrays": "a = " + "[" * DEEP + "]" * DEEP,
    "inline tables": "a = " + "{a = " * DEEP + "1" + "}" * DEEP,
    "dotted key": ".".join("a" * DEEP) + " = 1",
    "table header": f"[{'.'.join('a' * DEEP)}]\nb = 1",
    "not closed": "a = " + "[" * DEEP,
    "just too deep": PROTOCOL + "\n[extra]\na = " + "[" * 70 + "]" * 70,
}


@pytest.mark.parametrize("name", BOMBS)
def test_deep_nesting_is_refused_at_once(name, write):
    path = write(BOMBS[name])
    start = time.process_time()
    with pytest.raises(RefuseRun) as caught:
        Protocol.read(path)
    assert time.process_time() - start < 2
    assert "nest" in str(caught.value)
    assert caught.value.file == "protocol.toml"


@pytest.mark.parametrize(
    "output",
    ["/tmp/out", "..", "a/../../b", "~/out", "C:\\out", "\\\\server\\share", "..\\out", "C:out", "", "  "],
)
def test_no_output_outside_the_dataset(output, write):
    literal = output.replace("\\", "\\\\")
    with pytest.raises(RefuseRun, match="outside the dataset"):
        Protocol.read(write(PROTOCOL.replace("derivatives/results", literal)))


@pytest.mark.parametrize(
    "formula",
    [
        "change ~ arm + __import__('os').system('x')",
        "change ~ arm + open('x')",
        "change ~ arm + baseline.__class__",
        "change ~ arm + [baseline]",
        "change ~ arm; baseline",
        "change ~ arm + lambda x: x!",
        "change ~ arm ~ baseline",
        "arm",
        "change ~ " + "arm + " * 1000 + "arm",
    ],
)
def test_no_formula_that_could_run_code(formula, write):
    with pytest.raises(RefuseRun) as caught:
        Protocol.read(write(PROTOCOL.replace("change ~ arm + baseline", formula)))
    assert caught.value.field == "endpoint[1].formula"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"[trial\nid = 1", ["line 1", "TOML"]),
        (PROTOCOL.replace("phantom", "besançon").encode("latin-1"), ["UTF-8", "0xE7"]),
        (b"", ["0 bytes"]),
        (b"a = 1\n" * 2, ["TOML", "line 2"]),
        (b'{"trial": {"id": "x"}}', ["TOML"]),
        (b"\0" * 100, ["NUL"]),
    ],
    ids=["unclosed", "latin1", "empty", "twice", "json", "nul"],
)
def test_what_is_not_toml_refuses_the_run_with_its_line(data, words, tmp_path):
    (tmp_path / "protocol.toml").write_bytes(data)
    with pytest.raises(RefuseRun) as caught:
        Protocol.read(tmp_path / "protocol.toml")
    assert [word for word in words if word not in str(caught.value)] == [], str(caught.value)


def test_a_missing_file_refuses_the_run(tmp_path):
    with pytest.raises(RefuseRun, match=r"nowhere\.toml"):
        Protocol.read(tmp_path / "nowhere.toml")
