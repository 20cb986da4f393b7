"""What may stand in the formula of an analysis.

A protocol is data that may come from anyone, and a formula library evaluates parts of a formula as Python. So
only columns, the operators of formulas, numbers and the functions `FUNCTIONS` are let through.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from keyword import iskeyword
from typing import Any

from remyelin.errors import InputError

FUNCTIONS = ("C", "I", "log", "log10", "exp", "sqrt", "center", "scale", "poly", "bs", "cr")
_SAFE = (
    *(ast.Expression, ast.Name, ast.Load, ast.Constant, ast.keyword, ast.BinOp, ast.UnaryOp),
    *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.USub, ast.UAdd),
)


def parse(formula: str) -> tuple[str, Any, list[str], set[str]]:
    """Response, terms, columns on the right in order of appearance, and those of them inside `C()`.

    Raises
    ------
    InputError
        For a formula that cannot be read, without one column on the left, or with what could run code.

    Examples
    --------
    >>> response, _, columns, forced = parse("change ~ arm + log(baseline) + C(centre)")
    >>> response, columns, forced
    ('change', ['arm', 'baseline', 'centre'], {'centre'})
    """
    from formulaic import Formula
    from formulaic.errors import FormulaParsingError

    if len(formula) > 1000 or re.search(r"(\*\*|\^)\s*\d\d", formula):
        raise formula_error(formula[:60], "too long or with too high a power", "a formula of a few terms")
    try:
        parsed = Formula(formula)
        left, right = list(parsed.lhs), parsed.rhs
        factors = [factor for term in right for factor in term.factors]
    except (AttributeError, TypeError, SyntaxError, FormulaParsingError) as error:
        raise formula_error(formula, "not a formula that can be read", "change ~ arm + baseline") from error
    if len(left) != 1 or not str(left[0]).isidentifier():
        raise formula_error(formula, "without one plain column on the left", "change ~ arm + baseline")
    columns: list[str] = []
    forced: set[str] = set()
    for factor in factors:
        for name, inside_c in _names(formula, factor.expr):
            if name not in columns:
                columns.append(name)
            if inside_c:
                forced.add(name)
    if str(left[0]) in columns:
        raise formula_error(
            formula, f"with the response {left[0]} on both sides", "the response on the left only"
        )
    return str(left[0]), right, columns, forced


def _names(formula: str, expression: str) -> Iterator[tuple[str, bool]]:
    """The columns in one factor, and whether `C()` makes them categories."""
    if (expression.isidentifier() and not iskeyword(expression)) or expression in ("1", "0"):
        if expression.isidentifier():
            yield expression, False
        return
    try:
        tree = ast.parse(expression, mode="eval")
    except SyntaxError as error:
        raise formula_error(
            formula, f"with the part {expression!r}, which cannot be read", "plain columns"
        ) from error
    functions: set[ast.AST] = set()
    forced: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
            functions.add(node.func)
            if node.func.id == "C":
                forced.update(node.args)
        elif not isinstance(node, _SAFE):
            raise formula_error(
                formula,
                f"with the part {expression!r}",
                f"columns, numbers and the functions {', '.join(FUNCTIONS)}",
            )
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node not in functions:
            yield node.id, node in forced


def formula_error(formula: str, found: str, expected: str) -> InputError:
    """The error of a formula that cannot be used."""
    return InputError("", "formula", f"{formula!r}, {found}", expected, "correct the formula of the endpoint")
