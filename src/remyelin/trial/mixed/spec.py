"""What a mixed model was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from remyelin.errors import InputError

Df = Literal["kenward-roger", "satterthwaite"]
Method = Literal["REML", "ML"]


@dataclass(frozen=True, slots=True)
class Spec:
    """The arguments of `mixed_model`: ``mixed_model(data=data, **asdict(fit.spec))`` gives the fit again."""

    formula: str
    groups: tuple[str, ...]
    df: Df
    method: Method
    se: Any
    arm: str | None
    reference: str | None
    alpha: float

    @property
    def names(self) -> tuple[str, ...]:
        """The random terms, as ``("patient", "patient:lesion")``."""
        return self.groups[:1] + tuple(f"{self.groups[0]}:{inner}" for inner in self.groups[1:])


def specify(groups: str | Sequence[str], df: str, method: str, alpha: float, **rest: Any) -> Spec:
    """Check the options.

    Raises
    ------
    InputError
        For a name that is not known, or two that do not go together.
    """
    named = (groups,) if isinstance(groups, str) else tuple(str(each) for each in groups or ())
    if not 1 <= len(named) <= 2 or len(set(named)) < len(named):
        raise InputError(
            "", "groups", repr(groups), "one column, or two: the outer and the inner group",
            "give groups='patient', or groups=['patient', 'lesion']",
        )  # fmt: skip
    if df not in get_args(Df):
        raise InputError("", "df", repr(df), f"one of {', '.join(get_args(Df))}", "name one of these")
    if method not in get_args(Method):
        raise InputError("", "method", repr(method), "'REML' or 'ML'", "name one of the two")
    if method == "ML" and df == "kenward-roger":
        raise InputError(
            "", "df", "'kenward-roger' with method 'ML'", "a correction that is derived for REML",
            "use method='REML', or df='satterthwaite'",
        )  # fmt: skip
    if not 0 < alpha < 1:
        raise InputError("", "alpha", repr(alpha), "between 0 and 1", "give 0.05 for 95 % intervals")
    return Spec(groups=named, df=df, method=method, alpha=alpha, **rest)  # type: ignore[arg-type]
