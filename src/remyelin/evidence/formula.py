"""Formulas of derived values: arithmetic with numbers, square roots and quantiles of t, and nothing else."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterable, Iterator

from remyelin.errors import InputError

from .arithmetic import critical
from .comparison import Comparison
from .quantity import Parameter
from .rounding import exactly, printed

_OPERATORS: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_ALLOWED = "numbers, + - * /, sqrt(x), t(part, df)"


def comparisons_of_formulas(parameters: Iterable[Parameter]) -> Iterator[Comparison]:
    """Each derived value that says how it was derived, against what its formula gives.

    Raises
    ------
    InputError
        A formula that is none.

    Examples
    --------
    >>> from remyelin.evidence.load import records
    >>> found = list(comparisons_of_formulas(records("parameters")))
    >>> len(found) > 9, all(each.agrees for each in found)
    (True, True)
    """
    for row in parameters:
        if row.formula:
            span = exactly(computed(row.formula, f"{row.id} formula"))
            agrees = span.meets(printed(row.value))
            yield Comparison(f"parameters/{row.id}", "value", row.formula, f"{row.value:g}", span, agrees)


def computed(formula: str, field: str = "formula") -> float:
    """The value of a formula.

    Raises
    ------
    InputError
        Anything in it but numbers, ``+ - * /``, ``sqrt(x)`` and ``t(part, df)``.

    Examples
    --------
    >>> round(computed("1.15 / 1.96 / sqrt(1/33 + 1/34)"), 2)
    2.4
    >>> round(computed("6.155 / t(0.975, 17) * sqrt(18)"), 1)
    12.4
    """
    try:
        return float(_value(ast.parse(formula, mode="eval").body))
    except (SyntaxError, ValueError, TypeError, ZeroDivisionError, RecursionError, OverflowError):
        raise InputError("", field, f"'{formula:.80}'", _ALLOWED, "write the arithmetic only") from None


def _value(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return float(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_value(node.left), _value(node.right))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        values = [_value(each) for each in node.args]
        if node.func.id == "sqrt" and len(values) == 1:
            return math.sqrt(values[0])
        if node.func.id == "t" and len(values) == 2:
            return critical(2 * values[0] - 1, values[1])
    raise ValueError(ast.dump(node))
