"""What an MMRM was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from remyelin.errors import InputError
from remyelin.trial.repeated.structures import Covariance, canonical
from remyelin.trial.repeated.wald import DF_METHODS, Df

Method = Literal["REML", "ML"]
Information = Literal["expected", "observed"]


@dataclass(frozen=True, slots=True)
class Spec:
    """The arguments of `mmrm`, names in full: ``mmrm(data=data, **asdict(fit.spec))`` gives the fit again."""

    formula: str
    subject: str
    visit: str
    covariance: Covariance
    df: Df
    method: Method
    se: Any
    arm: str | None
    reference: str | None
    alpha: float
    robust: bool
    information: Information


def specify(
    covariance: str, df: str, method: str, robust: bool, information: str = "expected", **rest: Any
) -> Spec:
    """Check the options.

    Raises
    ------
    InputError
        For a name that is not known, or two that do not go together.
    """
    if df not in DF_METHODS:
        raise InputError("", "df", repr(df), f"one of {', '.join(DF_METHODS)}", "name one of these")
    if method not in ("REML", "ML"):
        raise InputError("", "method", repr(method), "'REML' or 'ML'", "name one of the two")
    if method == "ML" and df.startswith("kenward"):
        raise InputError(
            "", "df", f"{df!r} with method 'ML'", "a correction that is derived for REML",
            "use method='REML', or df='satterthwaite'",
        )  # fmt: skip
    if robust and df != "between-within":
        raise InputError(
            "", "df", f"{df!r} with robust=True", "'between-within': the others rest on the model",
            "give df='between-within', or leave robust out",
        )  # fmt: skip
    check_information(information)
    if robust and information == "observed":
        raise InputError(
            "", "information", "'observed' with robust=True", "one of the two: empirical errors use none",
            "leave robust or information out",
        )  # fmt: skip
    if not 0 < rest["alpha"] < 1:
        raise InputError("", "alpha", repr(rest["alpha"]), "between 0 and 1", "give 0.05 for 95 % intervals")
    return Spec(
        covariance=canonical(covariance),
        df=df,
        method=method,  # type: ignore[arg-type]
        robust=robust,
        information=information,  # type: ignore[arg-type]
        **rest,
    )


def check_information(information: str) -> None:
    """Refuse a name that is not known.

    Raises
    ------
    InputError
        Naming those that are.
    """
    known = get_args(Information)
    if information not in known:
        raise InputError(
            "", "information", repr(information), f"one of {', '.join(known)}", "name one of these"
        )
