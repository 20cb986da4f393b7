"""The family of tests that a protocol names: their adjusted p values, endpoint by endpoint and arm by arm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from remyelin.protocol import Multiplicity, Protocol
from remyelin.trial.case import ResultRow
from remyelin.trial.gatekeeping import Graph
from remyelin.trial.multiplicity import adjust_p

COLUMNS = ("hypothesis", "endpoint", "contrast", "p", "p_adjusted", "alpha", "rejected", "method")
SOURCES = {
    "holm": "Holm, Scand J Stat 1979;6:65",
    "hochberg": "Hochberg, Biometrika 1988, doi 10.1093/biomet/75.4.800",
    "fixed-sequence": "Maurer et al. 1995",
    "dunnett": "Dunnett, J Am Stat Assoc 1955, doi 10.1080/01621459.1955.10501294",
    "graph": "Bretz et al., Stat Med 2009, doi 10.1002/sim.3495",
}
WORDS = {
    "holm": "Holm's procedure",
    "hochberg": "Hochberg's procedure",
    "fixed-sequence": "tests in a fixed sequence, each at the whole level if all before it were rejected",
    "dunnett": "Dunnett's comparison of each arm with the reference",
    "graph": "a graph that passes the level of a rejected hypothesis on",
}


def family_table(
    protocol: Protocol, rows: Sequence[ResultRow], fits: Mapping[str, Any] | None = None
) -> pd.DataFrame:
    """The hypotheses of `[multiplicity]` in their order, with adjusted p values.

    Parameters
    ----------
    protocol
        Without `[multiplicity]` the table is empty: nothing is adjusted unless it was planned.
    rows
        Of the results; the prespecified ones are tested.
    fits
        The models behind them by endpoint, which Dunnett's comparison needs.

    Returns
    -------
    pandas.DataFrame
        Columns ``hypothesis, endpoint, contrast, p, p_adjusted, alpha, rejected, method``. A hypothesis that
        could not be tested has no p value, counts as one that was not rejected, and lets none after it pass.

    Examples
    --------
    >>> protocol = Protocol.read("demo").model_copy(update={"multiplicity": Multiplicity(method="holm")})
    >>> rows = [{"endpoint": endpoint.id, "contrast": "treated - placebo", "p": p, "prespecified": True}
    ...         for endpoint, p in zip(protocol.endpoint, (0.03, 0.02, 0.4))]
    >>> family = family_table(protocol, rows)
    >>> print(family[["hypothesis", "p", "p_adjusted", "rejected"]].to_string(index=False))
              hypothesis    p  p_adjusted  rejected
    submedian-lesion-mtr 0.03        0.06     False
     lesion-mtr-weighted 0.02        0.06     False
               vep-shift 0.40        0.40     False
    """
    family = protocol.multiplicity
    if family is None:
        return pd.DataFrame(columns=list(COLUMNS))
    found = {_hypothesis(row, protocol): row for row in rows if row["prespecified"]}
    names = protocol.hypotheses
    p = pd.Series({name: found[name]["p"] if name in found else np.nan for name in names}, dtype=np.float64)
    adjusted = _dunnett(p, fits or {}) if family.method == "dunnett" else _adjusted(family, p)
    return pd.DataFrame(
        {
            "hypothesis": names,
            "endpoint": [name.partition(":")[0] for name in names],
            "contrast": [found[name]["contrast"] if name in found else "" for name in names],
            "p": p.to_numpy(),
            "p_adjusted": adjusted.to_numpy(),
            "alpha": family.alpha,
            "rejected": (adjusted <= family.alpha).to_numpy(),
            "method": family.method,
        }
    )


def family_words(protocol: Protocol, table: pd.DataFrame) -> Iterator[str]:
    """What was adjusted and how, for the methods section."""
    family = protocol.multiplicity
    if family is None:
        return
    listed = "; ".join(
        f"{row['hypothesis']} {row['p_adjusted']:.2g}" for _, row in table.iterrows() if pd.notna(row["p"])
    )
    missing = table.loc[table["p"].isna(), "hypothesis"]
    yield (
        f"The family-wise error of {len(table)} hypotheses was kept at {family.alpha:g} by "
        f"{WORDS[family.method]} ({SOURCES[family.method]}). Adjusted p values: {listed or 'none'}."
    )
    if len(missing):
        yield f"Not tested, and counted as not rejected: {', '.join(missing)}."
    yield "Intervals are not adjusted."


def _hypothesis(row: ResultRow, protocol: Protocol) -> str:
    arm = str(row["contrast"]).partition(" - ")[0]
    return f"{row['endpoint']}:{arm}" if len(protocol.compared) > 2 else str(row["endpoint"])


def _dunnett(p: pd.Series[float], fits: Mapping[str, Any]) -> pd.Series[float]:
    """From the joint distribution of the contrasts of one endpoint."""
    endpoint = str(p.index[0]).partition(":")[0]
    if endpoint not in fits:
        return pd.Series(1.0, index=p.index)
    found = fits[endpoint].contrasts(adjust="dunnett")["p_adjusted"]
    named = {f"{endpoint}:{str(name).partition(' - ')[0]}": value for name, value in found.items()}
    return pd.Series({name: named.get(str(name), 1.0) for name in p.index}, dtype=np.float64)


def _adjusted(family: Multiplicity, p: pd.Series[float]) -> pd.Series[float]:
    known = p.fillna(1.0)
    if family.method in ("holm", "hochberg"):
        return adjust_p(known, "holm" if family.method == "holm" else "hochberg")
    names = list(p.index)
    if family.method == "fixed-sequence":
        graph = Graph.fixed_sequence(names)
    else:
        graph = Graph({name: family.weights.get(name, 0.0) for name in names}, family.transitions)
    return graph.test(dict(known), family.alpha)["p_adjusted"]
