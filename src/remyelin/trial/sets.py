"""Analysis sets: everyone randomised, those who have a value, those who kept to the protocol."""

from __future__ import annotations

import pandas as pd

from remyelin.errors import Flag, RefuseRun, did_you_mean
from remyelin.protocol import Endpoint, Protocol
from remyelin.trial.formula import parse
from remyelin.trial.long import Long

ALL = "all measured"
SETS = ("itt", "completers", "per-protocol")
YES, NO = ("yes", "y", "true", "1", "1.0"), ("no", "n", "false", "0", "0.0")


def members(
    long: Long, rows: pd.DataFrame, people: pd.DataFrame, protocol: Protocol, covariates: pd.DataFrame | None
) -> tuple[pd.DataFrame, tuple[Flag, ...]]:
    """Who belongs to which set: index `participant_id`, columns `itt`, `completers`, `per-protocol`.

    Parameters
    ----------
    long
        The endpoint.
    rows
        Those of its rows that a model can use.
    people
        Everyone measured or allocated, as `remyelin.trial.people.join` gives them.
    protocol
        Says who is in the set per protocol.
    covariates
        participants.tsv, which may have the column that says so.

    Returns
    -------
    members, flags
        Without a definition in the protocol nobody is in the set per protocol. Everyone randomised who has a
        value in `rows`, or whose missing values the endpoint imputes from a baseline, is in `itt`.

    Raises
    ------
    RefuseRun
        For a column that is not there or says neither yes nor no.
    """
    endpoint = long.changes.endpoint
    index = pd.Index(people["participant_id"], name="participant_id")
    has_rows = pd.Series(index.isin(rows["participant_id"]), index=index)
    whole = pd.Series(index.isin(_complete(long, rows, endpoint, protocol)), index=index)
    entered = has_rows
    if endpoint.missing != "none":
        entered = people.set_index("participant_id")["usable"]
        if "baseline" in parse(endpoint.formula)[2]:
            based = pd.Series(index.isin(long.baselines.dropna().index), index=index)
            entered = has_rows | (entered & based)
    frame = pd.DataFrame({"itt": entered, "completers": whole & has_rows, "per-protocol": False})
    if not protocol.sets.defined:
        return frame, ()
    kept, flags = _kept(long, index, protocol, covariates)
    frame["per-protocol"] = kept & entered
    return frame, flags


def defined_sets(endpoint: Endpoint, protocol: Protocol) -> tuple[str, ...]:
    """The sets in which the endpoint can be estimated, its own first."""
    possible = ["completers"]
    if endpoint.by_likelihood or endpoint.missing != "none" or endpoint.own_set == "itt":
        possible.append("itt")
    if protocol.sets.defined:
        possible.append("per-protocol")
    return tuple(sorted(possible, key=lambda name: name != endpoint.own_set))


def _complete(long: Long, rows: pd.DataFrame, endpoint: Endpoint, protocol: Protocol) -> list[str]:
    """Participants with a value at the last visit, in a crossover in every period."""
    if long.layout == "period":
        n = rows.groupby("participant_id")["period"].nunique()
        return list(n.index[n == len(protocol.period)])
    last = rows if "visit" not in rows else rows[rows["visit"] == endpoint.visits[-1]]
    return list(last["participant_id"].unique())


def _kept(
    long: Long, index: pd.Index, protocol: Protocol, covariates: pd.DataFrame | None
) -> tuple[pd.Series, tuple[Flag, ...]]:
    """Whether each participant kept to the protocol."""
    kept = pd.Series(True, index=index)
    flags: list[Flag] = []
    name = protocol.sets.per_protocol
    if name is not None:
        said = _column(name, covariates)
        unknown = sorted(set(index) - set(said.index))
        if unknown:
            flags.append(
                Flag(
                    "participants.tsv", name, f"not given for {', '.join(unknown)}", "yes or no",
                    "fill it in; until then they are not in the set per protocol",
                )
            )  # fmt: skip
        kept &= said.reindex(index, fill_value=False)
    if protocol.sets.windows:
        outside = {flag.file.partition("/")[0] for flag in long.flags if flag.field.endswith(" day")}
        kept &= ~pd.Series(index.isin(list(outside)), index=index)
    return kept, tuple(flags)


def _column(name: str, covariates: pd.DataFrame | None) -> pd.Series:
    """(participant,) True for yes; without those who have no answer."""
    known = (
        [] if covariates is None else [str(each) for each in covariates.columns if each != "participant_id"]
    )
    if covariates is None or name not in covariates:
        raise RefuseRun(
            "participants.tsv", name, "not a column", "the column that sets.per_protocol names",
            did_you_mean(name, known) if known else "add it to participants.tsv",
        )  # fmt: skip
    cells = covariates.set_index("participant_id")[name]
    words = cells.dropna().astype(str).str.strip().str.casefold()
    words = words[~words.isin(["", "n/a"])]
    wrong = words[~words.isin([*YES, *NO])]
    if len(wrong):
        raise RefuseRun(
            "participants.tsv",
            name,
            f"'{wrong.iloc[0]}' for {wrong.index[0]}",
            "yes or no",
            "write one of them",
        )
    return words.isin(YES)
