"""Every value that was recalled and not read, who reads it, and whether a default rests on one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from remyelin import files

from .kinds import KINDS
from .reading import ANY, ANY_RECORDS, Reading, askings, code_of, readings

RULES = "readers.toml"
_QUOTED = re.compile(r"[\"']([\w.-]+)[\"']")
_PLAN_SD = ("sd", "between_sd", "site_sd", "patient_period_sd", "eye_period_sd", "measurement_sd")


@dataclass(frozen=True, slots=True)
class Unverified:
    """A row, or fields of a row, that were recalled and not read.

    Parameters
    ----------
    file, place
        The data file, and the row in it.
    fields
        Which fields; empty where it is the whole row.
    value
        Its number, where it has one; of a treatment's arrow, the target.
    readers
        The modules that get the row; each has a rule that says how it is kept from being a default.
    named_in
        The modules outside the evidence base in whose code its name stands.
    """

    file: str
    place: str
    fields: tuple[str, ...]
    value: str
    readers: tuple[str, ...]
    named_in: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """How a module that reads unverified rows keeps them from being a default."""

    module: str
    file: str
    keeps: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A default that rests on an unverified value, or that cannot be told not to."""

    where: str
    found: str
    fix: str

    def __str__(self) -> str:
        return f"{self.where}: {self.found}. Fix: {self.fix}."


@dataclass(frozen=True, slots=True)
class Audit:
    """What `audit` found; `rules` are those of the modules that read unverified rows."""

    values: tuple[Unverified, ...]
    rules: tuple[Rule, ...]
    problems: tuple[Problem, ...]

    @property
    def exit_code(self) -> int:
        """1 if a default rests on an unverified value."""
        return 1 if self.problems else 0

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [f"{len(self.values)} rows are unverified or have fields that are."]
        for problem in self.problems:
            lines.append(f"PROBLEM {problem}")
        return "\n".join(lines) if self.problems else f"{lines[0]} No default rests on one."


def audit(package: Path | None = None) -> Audit:
    """Find every unverified value of the data files, and what in the code and the protocols uses it.

    The code is read, not asked: whichever module gets rows as they stand in a data file, under whatever name,
    needs a rule in `readers.toml` that says how it keeps unverified values from being defaults; a module that
    asks for unverified values of its own accord is a problem whatever it says; so is a packaged protocol that
    is planned with one.

    Parameters
    ----------
    package
        The folder of the package; this one without.

    Raises
    ------
    InputError
        A data file or a protocol that cannot be read.

    Examples
    --------
    >>> found = audit()
    >>> found.problems, any(each.place == "rate.recruitment_per_day" for each in found.values)
    ((), True)
    """
    package = Path(__file__).parents[1] if package is None else package
    folder = package / "evidence"
    contents = {
        path.name: files.read_toml(path) for path in sorted(folder.glob("*.toml")) if path.name != RULES
    }
    rows = [row for name, content in contents.items() for row in _unverified(name, content)]
    tainted = frozenset(row.file for row in rows)
    found: list[Reading] = []
    problems: list[Problem] = []
    names: dict[str, set[str]] = {}
    for module, text in code_of(package):
        if not module.startswith("evidence/"):
            names[module] = set(_QUOTED.findall(text))
        found += readings(module, text, tainted)
        for asking in askings(module, text):
            where, words = f"{module}:{asking.line}", f"asks for unverified values itself ({asking.words})"
            problems.append(Problem(where, words, "let its caller say so; a default may rest on none"))
    rules = tuple(Rule(**row) for row in files.read_toml(folder / RULES).get("reader", ()))
    problems += _without_a_rule(found, rules)
    problems += _planned(package / "protocols", contents.get("parameters.toml", {}))
    return Audit(tuple(_with_uses(row, found, names) for row in rows), rules, tuple(problems))


def _unverified(file: str, content: Mapping[str, Any]) -> Iterator[Unverified]:
    """The rows of a data file, of whatever kind it is, with a status or fields that are unverified."""
    for place, row in _tables("", content):
        fields = (
            [str(name) for name in row.get("unverified", ())]
            if isinstance(row.get("unverified"), list)
            else []
        )
        fields += [key for key, value in row.items() if key.endswith("_status") and value == "unverified"]
        if row.get("status") == "unverified" or fields:
            whole = row.get("status") == "unverified"
            value = next(
                (f"{row[key]:g}" for key in ("value", "estimate", "fold") if _is_number(row.get(key))), ""
            )
            value = value or str(row.get("target", ""))
            yield Unverified(file, place, () if whole else tuple(fields), value, (), ())


def _tables(place: str, content: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(content, Mapping):
        yield place, content
        for key, value in content.items():
            yield from _tables(f"{place}.{key}".lstrip("."), value)
    elif isinstance(content, list):
        for number, value in enumerate(content, start=1):
            yield from _tables(_named(place, number, value), value)


def _named(place: str, number: int, row: object) -> str:
    """The place of a row of a list: its name and what qualifies it, or its number."""
    if isinstance(row, Mapping) and "name" in row:
        own = (
            "name", "endpoint", "value", "low", "high", "unit", "source", "status", "note", "published",
            "words",
        )  # fmt: skip
        words = [
            str(value)
            for key, value in row.items()
            if key not in own and isinstance(value, str | int | float)
        ]
        return " ".join([f"{row['name']}", *words])
    return f"{place}[{number}]"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _with_uses(row: Unverified, found: list[Reading], names: Mapping[str, set[str]]) -> Unverified:
    """The readers of its file, those that may read it as one of several, and where its name stands."""
    kind = row.file.removesuffix(".toml")
    files = {row.file, ANY, ANY_RECORDS} if kind in KINDS else {row.file, ANY}
    readers = dict.fromkeys(each.module for each in found if each.file in files)
    name = row.place.partition(" ")[0].rpartition(".")[2]
    near = {module.partition("/")[0] for module in readers}  # elsewhere the word means something else
    named = [
        module
        for module, quoted in names.items()
        if name in quoted and (kind == "parameters" or module.partition("/")[0] in near)
    ]
    return replace(row, readers=tuple(readers), named_in=tuple(named))


def _without_a_rule(found: list[Reading], rules: tuple[Rule, ...]) -> Iterator[Problem]:
    known = {(rule.module, rule.file) for rule in rules}
    seen = {(each.module, each.file) for each in found}
    for each in found:
        if (each.module, each.file) not in known:
            what = (
                "data files that are not named" if each.file == ANY else f"{each.file}, with unverified rows"
            )
            fix = f"say in evidence/{RULES} how it keeps these from being defaults"
            yield Problem(f"{each.module}:{each.line}", f"reads {what}, and no rule", fix)
    for rule in rules:
        if not rule.keeps.strip() or (rule.module, rule.file) not in seen:
            what = "says nothing" if not rule.keeps.strip() else "is about what the module does not read"
            yield Problem(
                f"evidence/{RULES}", f"the rule of {rule.module} for {rule.file} {what}", "correct it"
            )


def _planned(folder: Path, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Packaged protocols whose plan takes its SD or effect from a row that is unverified."""
    rows = [row for row in parameters.get("parameter", ()) if row.get("status") == "unverified"]
    for path in sorted(folder.glob("*.toml")):
        plan = files.read_toml(path).get("plan", {})
        words = set(re.findall(r"[\w.-]+", str(plan.get("sd_source", "")).casefold()))
        for row in rows:
            sources = row.get("source", ())
            named = words & {each.casefold() for each in ([sources] if isinstance(sources, str) else sources)}
            kind = _PLAN_SD if "_sd" in row["name"] else ("effect",)
            same = [key for key in kind if key in plan and abs(plan[key]) == abs(row["value"])]
            if same or named:
                what = f"{same[0]} = {plan[same[0]]:g}" if same else f"sd_source {', '.join(sorted(named))}"
                found = f"[plan] {what} is the unverified {row['name']} of {row['value']:g} {row['unit']}"
                yield Problem(
                    f"protocols/{path.name}", found, "plan with a value that was read, or with none"
                )
