"""The equations of the lineage as text, read from the very functions that are compiled."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from remyelin.biology import equations

# In the order in which one needs the other.
RULES = ("supply", "colonised", "receptive", "activation", "demand", "differentiation", "turnover")
# How functions and arguments of the code are called in the text.
SPELLINGS = {"log": "ln", "t": "days_since_attack"}


@dataclass(frozen=True, slots=True)
class Formulas:
    """The right-hand side as text, in the infix notation of SBML Level 3.

    Attributes
    ----------
    rules
        Name and formula of each quantity between states and slopes, each after those that it reads.
    words
        What some of them are.
    slopes
        State and its change in a day.
    struck
        State and what an attack of ``severity`` leaves of it, for the states that it changes.

    Examples
    --------
    >>> lineage_formulas().slopes["premyelinating"]
    'differentiating - integrating - premyelinating_death_per_day * premyelinating'
    >>> lineage_formulas().rules["supply"]
    '2.0 * front_mm_per_week / 7.0 / lesion_radius_mm'
    """

    rules: Mapping[str, str]
    words: Mapping[str, str]
    slopes: Mapping[str, str]
    struck: Mapping[str, str]


@cache
def lineage_formulas() -> Formulas:
    """The equations of `remyelin.biology.equations` as text."""
    rules: dict[str, str] = {}
    words = {}
    slopes: dict[str, str] = {}
    for name in RULES:
        function = getattr(equations, name)
        words[name] = inspect.getdoc(function.py_func) or ""
        for target, value in _body(function.py_func):
            if isinstance(value, dict):
                slopes = value
            else:
                key = target or name
                assert key not in rules, f"two quantities are called {key}"
                rules[key] = value
    ((_, after),) = _body(equations.struck.py_func)
    changed = {state: text for state, text in after.items() if text != state}
    return Formulas(rules, words, slopes, changed)


def _body(function: Callable[..., Any]) -> list[tuple[str, Any]]:
    """Each assignment of a function and its result, the latter without a name."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    found: list[tuple[str, Any]] = []
    for line in tree.body[1:]:
        assert isinstance(line, ast.Assign | ast.Return), "an equation is an assignment or a result"
        assert line.value is not None
        name = line.targets[0].id if isinstance(line, ast.Assign) else ""  # type: ignore[attr-defined]
        record = isinstance(line.value, ast.Call) and _called(line.value) == "State"
        found.append((name, _record(line.value) if record else _text(line.value)))
    return found


def _record(call: ast.expr) -> dict[str, str]:
    assert isinstance(call, ast.Call)
    return {str(each.arg): _text(each.value) for each in call.keywords}


def _text(node: ast.expr) -> str:
    return ast.unparse(_Plain().visit(node))


class _Plain(ast.NodeTransformer):
    """Take fields for their names, and the result of another equation for its name."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return ast.Name(node.attr)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(SPELLINGS.get(node.id, node.id))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name = _called(node)
        if name in RULES:
            return ast.Name(name)
        return ast.Call(ast.Name(SPELLINGS.get(name, name)), [self.visit(each) for each in node.args], [])


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id  # type: ignore[attr-defined]
