"""Primary and secondary results as the table of a paper has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from remyelin.protocol import Protocol
from remyelin.tables import Results

COLUMNS = (
    *("endpoint", "role", "unit", "contrast", "analysis_set", "estimator"),
    *("treated", "control", "difference", "p", "p_adjusted"),
)


def results_table(
    results: Results,
    participants: pd.DataFrame,
    protocol: Protocol,
    multiplicity: pd.DataFrame | None = None,
    *,
    digits: int = 2,
) -> pd.DataFrame:
    """The prespecified contrasts, the primary endpoint first.

    Parameters
    ----------
    results
        Of `remyelin.analyse`.
    participants
        `Analysis.participants`: for what was seen in each arm.
    protocol
        Roles of the endpoints and coverage of their intervals.
    multiplicity
        `Analysis.multiplicity`: adjusted p values, where the protocol adjusts.
    digits
        Decimals of means and differences.

    Returns
    -------
    pandas.DataFrame
        Text, columns `endpoint, role, unit, contrast, analysis_set, estimator`; `treated` and `control`:
        number analysed, mean change (SD) as seen, empty where the contrast is not one of arms (crossover);
        `difference`: adjusted as the protocol says, with its interval; `p`; `p_adjusted`, empty where nothing
        was to be adjusted.

    Examples
    --------
    >>> results = Results.from_rows([{
    ...     "endpoint": "submedian-lesion-mtr", "contrast": "bexarotene - placebo", "estimate": 0.16,
    ...     "se": 0.26, "df": 46, "statistic": 0.62, "p": 0.54, "ci_low": -0.36, "ci_high": 0.68,
    ...     "unit": "pu", "n_participants": 49, "n_sites": 806, "analysis_set": "completers",
    ...     "estimator": "ancova", "prespecified": True}])
    >>> people = pd.DataFrame({"endpoint": "submedian-lesion-mtr", "arm": ["bexarotene", "placebo"] * 2,
    ...                        "analysed": True, "change": [0.2, 0.1, 0.4, 0.0]})
    >>> table = results_table(results, people, Protocol.read("ccmr-one"))
    >>> print(table[["treated", "control", "difference", "p"]].to_string(index=False))
                  treated               control                        difference    p
    n = 2: 0.30 (SD 0.14) n = 2: 0.05 (SD 0.07) 0.16 pu (95 % CI −0.36 to 0.68) 0.54
    """
    frame = results.frame
    own = frame[frame["prespecified"]]
    rows = []
    for endpoint in sorted(protocol.endpoint, key=lambda each: each.role != "primary"):
        seen = participants[(participants["endpoint"] == endpoint.id) & participants["analysed"].astype(bool)]
        for row in own[own["endpoint"] == endpoint.id].to_dict("records"):
            active, _, reference = str(row["contrast"]).partition(" - ")
            level = f"{100 * (1 - endpoint.alpha):g} % CI"
            rows.append(
                {
                    **{name: row[name] for name in COLUMNS if name in row},
                    "role": endpoint.role,
                    "treated": _seen(seen, active, digits),
                    "control": _seen(seen, reference, digits),
                    "difference": f"{_number(row['estimate'], digits)} {row['unit']} ({level} "
                    f"{_number(row['ci_low'], digits)} to {_number(row['ci_high'], digits)})",
                    "p": _p(float(row["p"])),
                    "p_adjusted": _adjusted(row, multiplicity),
                }
            )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _seen(people: pd.DataFrame, arm: str, digits: int) -> str:
    change = people.loc[people["arm"] == arm, "change"].dropna().to_numpy(dtype=np.float64)
    if not len(change):
        return ""
    sd = f" (SD {change.std(ddof=1):.{digits}f})" if len(change) > 1 else ""
    return f"n = {len(change)}: {_number(change.mean(), digits)}{sd}"


def _number(value: float, digits: int) -> str:
    """With a true minus sign: a spreadsheet takes a cell that begins with + or - for a formula."""
    text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")


def _p(p: float) -> str:
    if not np.isfinite(p):
        return "n/a"
    return "< 0.0001" if p < 1e-4 else f"{p:.2g}"


def _adjusted(row: Mapping[Any, Any], family: pd.DataFrame | None) -> str:
    if family is None or not len(family):
        return ""
    same = (family["endpoint"] == row["endpoint"]) & (family["contrast"] == row["contrast"])
    found = family.loc[same, "p_adjusted"]
    return _p(float(found.iloc[0])) if len(found) else ""
