"""The records of each kind as a table for a person: one row each, nothing in it that was only recalled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from .kinds import KINDS
from .load import check_kind, records

if TYPE_CHECKING:
    import pandas as pd


@cache
def shown(kind: str, unverified: bool = False) -> tuple[Any, ...]:
    """The records of a kind that may be shown, without the fields that were recalled; all if asked for.

    Examples
    --------
    >>> len(shown("trials")), len(shown("trials", unverified=True))
    (39, 45)
    """
    check_kind(kind)
    every = records(kind)
    return every if unverified else tuple(one for record in every if (one := record.verified()) is not None)


def table(kind: str, *, unverified: bool = False) -> pd.DataFrame:
    """The records of a kind as a table, a row each.

    Raises
    ------
    InputError
        A kind that is not one.

    Examples
    --------
    >>> table("steps").id.tolist()[:4]
    ['clearance', 'activation', 'migration', 'proliferation']
    """
    return frame(kind, shown(kind, unverified))


def frame(kind: str, rows: tuple[Any, ...]) -> pd.DataFrame:
    """These records of a kind as a table, a row each."""
    import pandas as pd

    made = pd.DataFrame(
        [{name: _cell(getattr(record, name)) for name in KINDS[kind].model_fields} for record in rows],
        columns=list(KINDS[kind].model_fields),
    )
    # A count that is missing must not turn the others into fractions.
    counts = [name for name in KINDS[kind].model_fields if _counts([getattr(row, name) for row in rows])]
    return made.astype(dict.fromkeys(counts, "Int64"))


def steps(*, unverified: bool = False) -> pd.DataFrame:
    """The steps of remyelination, in their order."""
    return table("steps", unverified=unverified)


def barriers(*, unverified: bool = False) -> pd.DataFrame:
    """What keeps remyelination back, or helps it, and at which steps.

    Examples
    --------
    >>> found = barriers()
    >>> found[found.acts_on.str.contains("migration")].id.tolist()
    ['cspg', 'ecm', 'sema3a', 'sema3f']
    """
    return table("barriers", unverified=unverified)


def targets(*, unverified: bool = False) -> pd.DataFrame:
    """What treatments take hold of, and at which steps."""
    return table("targets", unverified=unverified)


def treatments(*, unverified: bool = False) -> pd.DataFrame:
    """Treatments and the targets they act on; a target that was only recalled stands there if asked for.

    Examples
    --------
    >>> found = treatments().set_index("id")
    >>> found.targets["clemastine"]
    'M1_muscarinic (contested); P2RX7_harm'
    >>> treatments(unverified=True).set_index("id").targets["clemastine"]
    'M1_muscarinic (contested); EBP_sterol (contested); P2RX7_harm'
    """
    return table("treatments", unverified=unverified)


def trials(*, unverified: bool = False) -> pd.DataFrame:
    """Trials, what their headers say; a field that was only recalled is empty unless asked for.

    Examples
    --------
    >>> found = trials().set_index("id")
    >>> int(found.n["ccmr-two"]), found.doi["renew"], trials(unverified=True).set_index("id").doi["renew"]
    (70, '', '10.1016/S1474-4422(16)30377-5')
    """
    return table("trials", unverified=unverified)


def results(*, unverified: bool = False) -> pd.DataFrame:
    """Results of trials: active less control in the unit of the endpoint, a faster latency negative.

    Examples
    --------
    >>> found = results().set_index("id")
    >>> print(found.loc["ccmr-two-p100", ["estimate", "low", "high", "unit", "per", "p"]].to_string())
    estimate           -1.2
    low                -2.4
    high               -0.1
    unit                 ms
    per         participant
    p                 0.042
    """
    return table("results", unverified=unverified)


def parameters(*, unverified: bool = False) -> pd.DataFrame:
    """Numbers for planning and modelling, with their qualifiers; `parameter` gives one of them."""
    return table("parameters", unverified=unverified)


def sample_sizes(*, unverified: bool = False) -> pd.DataFrame:
    """Published sample-size statements."""
    return table("sample_sizes", unverified=unverified)


def conflicts(*, unverified: bool = False) -> pd.DataFrame:
    """Values and meanings that do not agree, side by side."""
    return table("conflicts", unverified=unverified)


def standards(*, unverified: bool = False) -> pd.DataFrame:
    """Standards and registers: what each carries, and what of it the package may hold."""
    return table("standards", unverified=unverified)


def endpoints() -> pd.DataFrame:
    """What trials compare, with its unit and the better way.

    Examples
    --------
    >>> endpoints().set_index("id").loc["p100_latency_ms", ["unit", "better"]].tolist()
    ['ms', 'lower']
    """
    return table("endpoints")


def questions() -> pd.DataFrame:
    """What users ask of the evidence base."""
    return table("questions")


def gaps() -> pd.DataFrame:
    """What was looked for and not found, and where a person should look."""
    return table("gaps")


def sources() -> pd.DataFrame:
    """Where the numbers were read, and how much of each work."""
    return table("sources")


def _counts(values: Iterable[object]) -> bool:
    given = [value for value in values if value is not None]
    return bool(given) and all(type(value) is int for value in given)


def _cell(value: object) -> object:
    if isinstance(value, tuple):
        return "; ".join(str(item) for item in value)
    if isinstance(value, Mapping):
        return "; ".join(f"{key} {item}" for key, item in value.items())
    return value
