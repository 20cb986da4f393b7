"""The records and other data files of the evidence base, read once each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remyelin import files
from remyelin.errors import InputError, did_you_mean

from .checked import check_units, checked, row_ids
from .claim import STATUSES as STATUSES
from .claim import Source as Source
from .kinds import KINDS
from .quantity import Parameter as Parameter
from .quantity import Qualifier

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


LIMIT_BYTES = 2**26


@cache
def records(kind: str) -> tuple[Any, ...]:
    """Every record of a kind in the order of its file, those that are unverified too.

    Parameters
    ----------
    kind
        One of `KINDS`: ``"trials"``, ``"results"``, ``"parameters"`` ...

    Raises
    ------
    InputError
        A kind that is not one, or a record that is not sound, by file and field.

    Examples
    --------
    >>> renew = next(trial for trial in records("trials") if trial.id == "renew")
    >>> renew.n, renew.treatments, renew.doi, renew.unverified
    (82, ('opicinumab',), '10.1016/S1474-4422(16)30377-5', ('doi',))
    """
    check_kind(kind)
    file = f"evidence/{kind}.toml"
    made = checked(kind, read_data(f"{kind}.toml"), file, ids)
    if kind == "results":
        check_units(made, {each.id: each for each in records("endpoints")}, file)
    return made


@cache
def ids(kind: str) -> frozenset[str]:
    """The ids of the records of a kind."""
    return frozenset(record.id for record in records(kind))


def read_file(path: Path | str) -> dict[str, tuple[Any, ...]]:
    """The records of a file of your own by kind, checked as those of the package are.

    Its tables are named ``[kind.id]``, ``[results.my-trial-p100]`` say; parameters may also stand in a list
    ``[[parameter]]``, as those of the package do. They may name records of the package and one another. A
    table ``[draft]`` is about the file, and is passed over.

    Raises
    ------
    InputError
        As `records`, and as for any file that cannot be read; an id that the package has already.
    """
    path = Path(path)
    file = files.relative(path, None)
    content = _kinds(files.read_toml(path, limit=LIMIT_BYTES), file)

    def known(kind: str) -> frozenset[str]:
        own = row_ids(kind, content.get(kind, {}))
        return ids(kind) | frozenset(own)

    for kind, rows in content.items():
        if taken := sorted(ids(kind) & {*row_ids(kind, rows)}):
            fix = "choose another id, or correct the record of the package"
            raise InputError(file, f"{kind}.{taken[0]}", "an id of the package", "an id that is free", fix)
    made = {kind: checked(kind, rows, file, known) for kind, rows in content.items()}
    endpoints = (*records("endpoints"), *made.get("endpoints", ()))
    check_units(made.get("results", ()), {each.id: each for each in endpoints}, file)
    return made


def _kinds(content: dict[str, Any], file: str) -> dict[str, Mapping[str, Any]]:
    """The tables of a file by kind of record; parameters in a list, under their kind."""
    found: dict[str, Mapping[str, Any]] = {}
    for name, rows in content.items():
        kind = "parameters" if name == "parameter" and isinstance(rows, list) else name
        if kind == "draft":
            continue
        if kind not in KINDS:
            raise InputError(file, kind, "no kind of record", "tables [kind.id]", did_you_mean(kind, KINDS))
        if kind != name:
            rows = {name: rows}
        elif not isinstance(rows, Mapping):
            what = "a list" if isinstance(rows, list) else f"{rows!r:.40}"
            lists = " (or [[parameter]])" if kind == "parameters" else ""
            fix = f"name each table by the id of its record: [{kind}.my-id]{lists}"
            raise InputError(file, kind, what, f"tables [{kind}.id]", fix)
        found[kind] = {**found.get(kind, {}), **rows}
    return found


def check_kind(kind: str) -> None:
    """Refuse what is no kind of record."""
    if kind not in KINDS:
        raise InputError("", "kind", f"'{kind}'", "a kind of record", did_you_mean(kind, KINDS))


def source(name: str) -> Source:
    """The source with the id `name`; InputError if there is none."""
    if not isinstance(name, str):
        raise InputError("", "name", repr(name), "the id of a source", "give it as text")
    for made in records("sources"):
        if made.id == name:
            found: Source = made
            return found
    fix = did_you_mean(name, sorted(ids("sources")))
    raise InputError("evidence/sources.toml", name, "unknown", "the id of a source", fix)


def parameter(name: str, *, allow_unverified: bool = False, **qualifiers: Qualifier) -> Parameter:
    """The one parameter of that name to which all `qualifiers` apply.

    Raises
    ------
    InputError
        If there is none, if there are several (they are listed), or if the only one is unverified and
        `allow_unverified` is not set.

    Examples
    --------
    >>> sd = parameter("p100_change_sd", of="participant")
    >>> sd.value, sd.unit, sd.status, sd.source
    (2.4, 'ms', 'derived', ('cc2a',))
    """
    named = [row for row in parameter_rows() if row.name == name]
    if not isinstance(name, str):
        raise InputError("", "name", repr(name), "the name of a parameter", "give it as text")
    if not named:
        names = dict.fromkeys(row.name for row in parameter_rows())
        raise _problem(name, "unknown", "a parameter of the evidence base", did_you_mean(name, names))
    fitting = [row for row in named if qualifiers.items() <= row.qualifiers.items()]
    if not fitting:
        asked = ", ".join(f"{key}={value!r}" for key, value in qualifiers.items())
        raise _problem(
            name, f"not known for {asked}", "qualifiers that fit a row", f"use one of {_listed(named)}"
        )
    usable = [row for row in fitting if allow_unverified or row.status != "unverified"]
    if not usable:
        fix = "give the value yourself, or set allow_unverified=True and say so in the report"
        raise _problem(name, f"unverified ({_listed(fitting)})", "a value that was read in a source", fix)
    if len(usable) > 1:
        raise _problem(
            name,
            f"ambiguous: {len(usable)} rows",
            "qualifiers that leave one",
            f"use one of {_listed(usable)}",
        )
    return usable[0]


def parameter_rows() -> tuple[Parameter, ...]:
    """Every parameter, those that are unverified too."""
    return records("parameters")


@cache
def read_data(name: str) -> dict[str, Any]:
    """The content of a data file of the evidence base, read once: not to be changed."""
    return files.read_toml(Path(str(resources.files("remyelin") / "evidence" / name)))


def read_arrays(name: str) -> dict[str, npt.NDArray[np.float64]]:
    """The arrays of a data file of the evidence base, by name."""
    import numpy

    with numpy.load(str(resources.files("remyelin") / "evidence" / name)) as data:
        return {key: numpy.asarray(data[key], dtype=numpy.float64) for key in data.files}


def _listed(rows: list[Parameter]) -> str:
    return "; ".join(row.named for row in rows)


def _problem(field: str, found: str, expected: str, fix: str) -> InputError:
    return InputError("evidence/parameters.toml", field, found, expected, fix)
