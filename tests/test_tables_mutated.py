"""Whatever happens to the bytes of a table or a protocol: it is read, or refused with five facts."""

from __future__ import annotations

import random
from importlib import resources

import pytest

from remyelin.errors import InputError, RefuseRun
from remyelin.protocol import Protocol
from remyelin.tables import Measurements, Results

EFFECT = {
    "endpoint": "lesion-mtr",
    "contrast": "drug - placebo",
    "estimate": 0.5,
    "se": 0.25,
    "df": 46,
    "statistic": 2.0,
    "p": 0.051,
    "ci_low": -0.003,
    "ci_high": 1.003,
    "unit": "pu",
    "n_participants": 49,
    "n_sites": 806,
    "analysis_set": "completers",
    "estimator": "ancova",
    "prespecified": True,
}
TOKENS = [
    *(b"\t", b"\n", b"\0", b"\xff", b'"', b"'", b"[", b"]", b"{", b"}", b"=", b",", b".", b"-", b"''"),
    *(
        b"nan",
        b"inf",
        b"-999",
        b"1e999",
        b"0x10",
        b"9" * 30,
        b"true",
        b"1979-05-27",
        b"07:32:00",
        b"a.b.c=1\n",
    ),
    *(b"n/a", b"sub-", b"M00", b"[[arm]]\n", b"\xe2\x80\xa8", b"\xef\xbb\xbf"),
]


def _measurements(path):
    rows = [
        {"participant_id": person, "visit": visit, "site": "eye:OD", "measure": "p100_latency_ms"}
        | {"value": 112.5, "se": 1.5, "unit": "ms", "condition": "check=60"}
        for person in ("sub-01", "sub-02")
        for visit in ("M00", "M06")
    ]
    Measurements.from_rows(rows).write(path)


SEEDS = {
    "measurements.tsv": (_measurements, Measurements.read, InputError),
    "measurements.parquet": (_measurements, Measurements.read, InputError),
    "results.tsv": (lambda path: Results.from_rows([EFFECT]).write(path), Results.read, InputError),
    "protocol.toml": (
        lambda path: path.write_bytes(
            (resources.files("remyelin") / "protocols" / "rebuild.toml").read_bytes()
        ),
        Protocol.read,
        RefuseRun,
    ),
}


def mutated(data: bytes, rng: random.Random) -> bytes:
    content = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        start = rng.randrange(len(content) + 1)
        end = start + rng.choice((0, 1, 1, 2, 5, 20, 80))
        piece = content[start:end] if rng.random() < 0.2 else rng.choice([b"", *TOKENS])
        content[start:end] = piece * rng.choice((1, 1, 1, 2))
    return bytes(content)


@pytest.mark.parametrize("name", SEEDS)
def test_mutated_bytes_are_read_or_refused(name, tmp_path):
    write, read, refusal = SEEDS[name]
    path = tmp_path / name
    write(path)
    whole, rng, refusals = path.read_bytes(), random.Random(2026), []
    for _ in range(60 if name.endswith(".parquet") else 400):
        path.write_bytes(mutated(whole, rng))
        try:
            read(path)
        except refusal as error:
            refusals.append(error)
    assert len(refusals) > 20
    assert {error.file for error in refusals} == {name}
    assert all(all(error.facts().values()) for error in refusals)
    assert not any("\n" in str(error) for error in refusals)
