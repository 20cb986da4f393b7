"""The effects that are pooled, checked: one effect a study, in one unit, for one estimand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.errors import InputError, did_you_mean
from remyelin.trial.design import Design, FloatArray, build

RESPONSE = "pooled_effect"  # the response column of a meta-regression; no moderator is called like it


@dataclass(frozen=True, slots=True)
class Studies:
    """Effects (study,), their variances (study,) and the design matrix `X` (study, coefficient).

    `unit` and `estimand` are "" where nothing was said. `design` codes new values of the moderators.
    """

    effects: FloatArray
    variances: FloatArray
    labels: tuple[str, ...]
    unit: str
    estimand: str
    X: FloatArray
    names: tuple[str, ...]
    design: Design | None = field(repr=False, default=None)

    def __len__(self) -> int:
        return len(self.effects)

    @property
    def plain(self) -> bool:
        """Whether there is nothing but a mean."""
        return self.names == ("Intercept",)

    def only(self, kept: npt.NDArray[np.bool_]) -> Studies:
        """Some of the studies, with the same design."""
        labels = tuple(label for label, keep in zip(self.labels, kept, strict=True) if keep)
        return replace(
            self, effects=self.effects[kept], variances=self.variances[kept], labels=labels, X=self.X[kept]
        )


def read_studies(
    effects: str | npt.ArrayLike,
    variances: str | npt.ArrayLike,
    data: pd.DataFrame | None,
    labels: Any,
    units: Any,
    estimands: Any,
    mixed: bool,
    moderators: str | pd.DataFrame | None,
) -> Studies:
    """Check what `meta_analysis` was given; its documentation says what the arguments are.

    Raises
    ------
    InputError
        As `meta_analysis` does.
    """
    y = _numbers("effects", effects, data)
    v = _numbers("variances", variances, data)
    k = len(y)
    if len(v) != k:
        raise InputError(
            "", "variances", f"{len(v)} values for {k} effects", "one variance an effect",
            "give each study its effect and its variance (se squared)",
        )  # fmt: skip
    if not (v > 0).all():
        at = int(np.flatnonzero(~(v > 0))[0]) + 1
        raise InputError(
            "", "variances", f"{v[at - 1]:g} in study {at}", "positive variances",
            "give the squared standard error of each effect",
        )  # fmt: skip
    if k < 2:
        raise InputError("", "effects", f"{k} study", "at least 2 studies", "there is nothing to pool")
    names = _labels(labels, data, k)
    unit = _alike("units", units, data, names, mixed)
    estimand = _alike("estimands", estimands, data, names, mixed)
    found = Studies(y, v, names, unit, estimand, np.ones((k, 1)), ("Intercept",))
    return found if moderators is None else _moderated(found, moderators, data)


def _numbers(name: str, values: str | npt.ArrayLike, data: pd.DataFrame | None) -> FloatArray:
    given = _column(name, values, data)
    try:
        found = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("", name, "text or categories", "numbers", "give decimal numbers") from None
    if found.ndim != 1 or not np.isfinite(found).all():
        wrong = (
            "" if found.ndim != 1 else f" (first: study {int(np.flatnonzero(~np.isfinite(found))[0]) + 1})"
        )
        raise InputError(
            "", name, f"not one finite number a study{wrong}", "a finite number for each study",
            "leave out the studies that do not report one, and say so",
        )  # fmt: skip
    return found


def _column(name: str, values: Any, data: pd.DataFrame | None) -> Any:
    if not isinstance(values, str):
        return values
    if data is None:
        raise InputError(
            "", name, f"the name {values!r}", "numbers", "give `data`, or the numbers themselves"
        )
    if values not in data.columns:
        known = [str(each) for each in data.columns]
        raise InputError(
            "", values, "not a column of the data", f"one of {', '.join(known)}", did_you_mean(values, known)
        )
    return data[values]


def _labels(labels: Any, data: pd.DataFrame | None, k: int) -> tuple[str, ...]:
    if labels is None:
        return tuple(f"study {i + 1}" for i in range(k))
    names = tuple(str(each) for each in _column("labels", labels, data))
    if len(names) != k:
        raise InputError("", "labels", f"{len(names)} labels for {k} effects", "one each", "name every study")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            "", "labels", f"{twice[0]!r} more than once", "one effect a study, under its own name",
            "add the year if they are different studies; for several effects of one study use `three_level`",
        )  # fmt: skip
    return names


def _alike(field: str, values: Any, data: pd.DataFrame | None, labels: tuple[str, ...], mixed: bool) -> str:
    """The one unit or estimand of all studies."""
    if values is None:
        return ""
    if isinstance(values, str):
        if data is None or values not in data.columns:
            return values
        values = data[values]
    said = ["" if pd.isna(each) else str(each) for each in values]
    if len(said) != len(labels):
        raise InputError(
            "",
            field,
            f"{len(said)} values for {len(labels)} studies",
            "one each",
            f"say the {field} of every study",
        )
    kinds = list(dict.fromkeys(said))
    if len(kinds) == 1:
        return kinds[0]
    if mixed:
        return " and ".join(kind or "not said" for kind in kinds)
    first = {kind: labels[said.index(kind)] for kind in kinds}
    found = ", ".join(f"{kind or 'not said'} ({label})" for kind, label in first.items())
    raise InputError(
        "", field, f"mixed: {found}", f"the same {field} in every study",
        "convert the effects, pool each kind apart, or say mixed=True and why a mean of them has a meaning",
    )  # fmt: skip


def _moderated(found: Studies, moderators: str | pd.DataFrame, data: pd.DataFrame | None) -> Studies:
    if isinstance(moderators, str):
        if data is None:
            raise InputError(
                "", "moderators", f"the formula {moderators!r}", "a formula and its `data`", "give `data` too"
            )
        frame, terms = data, moderators.strip().removeprefix("~")
    else:
        frame, terms = moderators, " + ".join(str(each) for each in moderators.columns)
    if len(frame) != len(found):
        raise InputError(
            "", "moderators", f"{len(frame)} rows for {len(found)} studies", "one row a study",
            "give the moderators in the order of the effects",
        )  # fmt: skip
    table = frame.reset_index(drop=True).assign(**{RESPONSE: found.effects})
    design = build(f"{RESPONSE} ~ {terms}", table, None, unit="studies")
    return replace(found, X=design.X, names=design.names, design=design)
