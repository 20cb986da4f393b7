"""Which modules read which data files of the evidence base: found in their code, not in what they say."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ANY = "*"
"""The file is not named in the call: it may be any."""
ANY_RECORDS = "records"
"""The kind is not named in the call: it may be the file of any kind of record."""
# What gives rows as they stand in a data file, unverified ones too; and its file, if it is always one.
_RAW = {
    "read_data": "",
    "read_arrays": "",
    "records": "",
    "find": "",
    "parameter_rows": "parameters.toml",
    "requirements": "iscev.toml",
}
_HOMES = ("load", "lookup", "standard")
"""The modules of the evidence base in which these stand."""
_LIKELY = re.compile(
    r"\b(?:read_data|read_arrays|parameter_rows)\b|evidence\S* import|import \S*evidence"
    r"|\.(?:load|lookup|standard|evidence)\b"
)
_ASKING = ("allow_unverified", "unverified")
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True, slots=True)
class Reading:
    """A place in the code that gets a data file with all its rows."""

    module: str
    line: int
    file: str


@dataclass(frozen=True, slots=True)
class Asking:
    """A place in the code that asks for unverified values itself, and does not leave it to its caller."""

    module: str
    line: int
    words: str


def code_of(package: Path) -> Iterator[tuple[str, str]]:
    """Each module of a package with its text, by its path in the package."""
    for path in sorted(package.rglob("*.py")):
        yield path.relative_to(package).as_posix(), path.read_text(encoding="utf-8")


def readings(module: str, text: str, files: frozenset[str]) -> Iterator[Reading]:
    """What a module reads of these data files.

    Found is every use of what gives raw rows, under whatever name it was imported, and every text that names
    a data file, whoever opens it then; not what documentation says.

    Examples
    --------
    >>> code = "from remyelin.evidence import records as r" + chr(10) + "r('trials'); open('a/biology.toml')"
    >>> [each.file for each in readings("m.py", code, frozenset({"biology.toml", "trials.toml"}))]
    ['trials.toml', 'biology.toml']
    """
    if not (_LIKELY.search(text) or any(name in text for name in files)):
        return
    tree = ast.parse(text)
    known = _imported(tree, module.startswith("evidence/"))
    documented = _documentation(tree)
    called = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    found: dict[str, int] = {}
    for node in ast.walk(tree):
        named = ""
        if isinstance(node, ast.Name) and node.id in known:
            named = _read_by(called.get(id(node)), known[node.id])
        elif isinstance(node, ast.Attribute) and node.attr == "evidence":
            named = ANY
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
            named = node.value.rpartition("/")[2]
            named = named if named in files else ""
        if named in (ANY, ANY_RECORDS) or named in files:
            found.setdefault(named, getattr(node, "lineno", 1))
    yield from (Reading(module, line, file) for file, line in sorted(found.items(), key=lambda each: each[1]))


def askings(module: str, text: str) -> Iterator[Asking]:
    """Where a module asks for unverified values of its own accord.

    To pass on what the caller said is not to ask, as long as the caller must say it: the parameter that is
    passed on has the default False.

    Examples
    --------
    >>> [each.words for each in askings("m.py", "sd = parameter('sd', allow_unverified=True)")]
    ['allow_unverified=True']
    >>> list(askings("m.py", "def f(*, unverified=False): return trials(unverified=unverified)"))
    []
    """
    if not any(word in text for word in _ASKING):
        return
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, _Function):
            yield from _defaults(module, node)
        elif isinstance(node, ast.Call) and any(keyword.arg in _ASKING for keyword in node.keywords):
            yield from _arguments(module, node, _enclosing(tree, node))
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value in _ASKING and _is(value, True):
                    yield Asking(module, node.lineno, f"{{'{key.value}': True}}")


def _imported(tree: ast.AST, within: bool) -> dict[str, str]:
    """What of the raw rows a module imports, by the name that it has there; a whole module under its own."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            of = [each for each in node.names if each.name.startswith("remyelin.evidence")]
            found |= {each.asname or each.name: "" for each in of}
        elif isinstance(node, ast.ImportFrom):
            home = (node.module or "").rpartition(".")[2]
            inside = within and node.level > 0
            if inside or "evidence" in (node.module or ""):
                of = [
                    each
                    for each in node.names
                    if each.name in (_RAW if home in (*_HOMES, "evidence") else ())
                ]
                modules = [each for each in node.names if each.name in _HOMES and home in ("", "evidence")]
                found |= {each.asname or each.name: each.name for each in of}
                found |= {each.asname or each.name: "" for each in modules}
            elif node.module == "remyelin":
                found |= {each.asname or each.name: "" for each in node.names if each.name == "evidence"}
    return found


def _read_by(call: ast.Call | None, function: str) -> str:
    """The data file that a call reads; any, where the function is not called but handed on."""
    if _RAW.get(function):
        return _RAW[function]
    first = call.args[0] if call is not None and call.args else None
    if not (isinstance(first, ast.Constant) and isinstance(first.value, str)):
        return ANY_RECORDS if function in ("records", "find") else ANY
    if function == "find":
        return f"{kind}.toml" if (kind := first.value.rpartition("/")[0]) else ANY_RECORDS
    return first.value if "." in first.value else f"{first.value}.toml"


def _documentation(tree: ast.AST) -> set[int]:
    """The texts that stand alone as a statement."""
    return {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def _defaults(module: str, node: _Function) -> Iterator[Asking]:
    for name, default in _parameters(node.args).items():
        if name in _ASKING and default is not None and not _is(default, False):
            yield Asking(module, node.lineno, f"{name}={ast.unparse(default)} by default")


def _arguments(module: str, call: ast.Call, around: list[_Function]) -> Iterator[Asking]:
    for keyword in call.keywords:
        if keyword.arg in _ASKING and not _is(keyword.value, False) and not _passed_on(keyword.value, around):
            yield Asking(module, call.lineno, f"{keyword.arg}={ast.unparse(keyword.value)}")


def _passed_on(value: ast.expr, around: list[_Function]) -> bool:
    """Whether a value is a parameter of a function around it that has no default, or False."""
    if not isinstance(value, ast.Name):
        return False
    for node in reversed(around):
        known = _parameters(node.args)
        if value.id in known:
            return value.id in _ASKING and (known[value.id] is None or _is(known[value.id], False))
    return False


def _parameters(args: ast.arguments) -> dict[str, ast.expr | None]:
    placed = [*args.posonlyargs, *args.args]
    padded: list[ast.expr | None] = [None] * (len(placed) - len(args.defaults))
    found = {arg.arg: value for arg, value in zip(placed, [*padded, *args.defaults], strict=True)}
    return found | {arg.arg: value for arg, value in zip(args.kwonlyargs, args.kw_defaults, strict=True)}


def _enclosing(tree: ast.AST, wanted: ast.AST) -> list[_Function]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, _Function) and any(inner is wanted for inner in ast.walk(node)):
            found.append(node)
    return found


def _is(node: ast.expr | None, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value
