"""What pydantic found, in the words of the person who wrote the protocol."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from remyelin.errors import did_you_mean
from remyelin.protocol.plan import MAX_SIMULATIONS

_WORDS = {
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "string_too_short": "text",
    "string_too_long": "at most {max_length} characters",
    "string_pattern_mismatch": "letters, digits, - and _",
    "bool_type": "true or false",
    "tuple_type": "a list, or tables in [[ ]]",
    "model_type": "a table",
    "dict_type": "a table",
    "too_short": "at least {min_length} values",
    "too_long": "at most {max_length} values",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "{ge} or more",
    "less_than": "a number below {lt}",
    "less_than_equal": "{le} or less",
}


def first_fault(
    error: ValidationError, model: type[BaseModel], whole: str = "protocol"
) -> tuple[str, str, str, str]:
    """Field, found, expected and fix of the first error; misspelt keys go before what they left missing.

    `whole` is the field of a fault that belongs to no single one.
    """
    details = sorted(error.errors(include_url=False), key=lambda detail: detail["type"] != "extra_forbidden")
    detail = details[0]
    found, expected, fix = _fault(detail, model)
    if len(details) > 1:
        fix += f" ({len(details) - 1} more to correct after this)" if not fix.endswith("?") else ""
    loc = (*detail["loc"], *filter(None, (detail.get("ctx", {}).get("field", ""),)))
    return _field(loc) or whole, found, expected, fix


def _field(loc: tuple[int | str, ...]) -> str:
    """`("endpoint", 0, "alpha")` as `endpoint[1].alpha`, counted as people count."""
    text = ""
    for part in loc:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")


def _fault(detail: ErrorDetails, model: type[BaseModel]) -> tuple[str, str, str]:
    kind, context = detail["type"], detail.get("ctx", {})
    shown = _shown(detail["input"])
    if kind == "fault":
        return context["found"], context["expected"], context["fix"]
    if kind == "extra_forbidden":
        key = str(detail["loc"][-1])
        return (
            f"unknown key '{key}'",
            "a key of this table",
            did_you_mean(key, _keys(detail["loc"][:-1], model)),
        )
    if kind == "missing":
        name = detail["loc"][-1]
        return "missing", "a value", f"add {name}" if isinstance(name, str) else "add it"
    if kind == "literal_error":
        options = [word.strip("'") for word in context["expected"].replace(" or ", ", ").split(", ")]
        named = [option for option in options if option]
        left_out = "" if len(named) == len(options) else ", or nothing"
        expected = f"one of {', '.join(named)}{left_out}"
        return shown, expected, did_you_mean(str(detail["input"]), named)
    return shown, _expected(detail), _fix(detail)


def _expected(detail: ErrorDetails) -> str:
    kind, context, name = detail["type"], detail.get("ctx", {}), detail["loc"][-1]
    if name in ("alpha", "power"):
        return "a number between 0 and 1"
    if name == "n_simulations":
        return f"a whole number, at most {MAX_SIMULATIONS:,}"
    if kind in _WORDS:
        return _WORDS[kind].format(**context)
    return detail["msg"][:1].lower() + detail["msg"][1:]


def _fix(detail: ErrorDetails) -> str:
    name, value = detail["loc"][-1], detail["input"]
    if name in ("alpha", "power") and isinstance(value, int | float) and 1 < value < 100:
        return f"write {name} = {value / 100:g} if {value:g} per cent is meant"
    if name == "n_simulations":
        return "10,000 already give a power to within 0.01"
    if name == "sd":
        return "give a positive SD and its source"
    return "correct it"


def _keys(loc: tuple[int | str, ...], model: type[BaseModel]) -> list[str]:
    """The keys of the table at `loc`."""
    table: Any = model
    for part in loc:
        if isinstance(part, str):
            table = _model_in(table.model_fields[part].annotation)
    return list(table.model_fields)


def _model_in(annotation: Any) -> Any:
    """The model inside an annotation such as `tuple[Arm, ...]` or `Plan | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model_in(inner))), None)


def _shown(value: object) -> str:
    if isinstance(value, dict | list | tuple):
        return "a table" if isinstance(value, dict) else "a list"
    return f"'{value[:60]}'" if isinstance(value, str) else f"{value!r:.60}"
