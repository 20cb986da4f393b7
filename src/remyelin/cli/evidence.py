"""`remyelin evidence ...`: what is known of remyelinating treatments, with every number traceable."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from .application import Json, app
from .page import tell

evidence = App(
    name="evidence",
    help="What is known of remyelinating treatments: every number with its source and status.\n\n"
    "Examples: `remyelin evidence list`, then `remyelin evidence show rebuild`. What was recalled and not "
    "read (`unverified`) is hidden unless `--unverified` asks for it.\n\n"
    "A research tool, not a medical device.",
    help_format="plaintext",
)
app.command(evidence)

Unverified = Annotated[bool, Parameter(name="--unverified", negative=())]
Several = Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())]
Flag = Annotated[bool, Parameter(negative=())]
Of = Annotated[str | None, Parameter(name="--of")]
Csv = Annotated[bool, Parameter(name="--csv", negative=())]


@evidence.command(name="list")
def list_records(
    kind: str | None = None,
    *,
    of: Of = None,
    unverified: Unverified = False,
    csv: Csv = False,
    json: Json = False,
) -> int:
    """List the records of a kind; without a kind, the kinds.

    Examples: `remyelin evidence list trials --of differentiation`, which agents on a step were tested in
    people; `remyelin evidence list results --of rebuild --csv > results.csv`.

    Parameters
    ----------
    kind
        Trials, results, treatments, targets, barriers, parameters, sources ...
    of
        Only what belongs to this record: of a step its targets, their treatments, their trials and results,
        of a result its trial. `--of LINGO1`, `--of p100_latency_ms`.
    unverified
        Also what was recalled and not read.
    csv
        Print the records of the kind with all their fields as CSV, for a spreadsheet.
    json
        Print the records as JSON.
    """
    from .evidence_records import kinds_page, list_page

    if kind is None:
        return tell(kinds_page(of, unverified=unverified), json)
    return tell(list_page(kind, of, unverified=unverified, csv=csv), json)


@evidence.command
def show(record: str, *, unverified: Unverified = False, json: Json = False) -> int:
    """Show one record: all of it, its sources and what comes of it, as the trials and results of a treatment.

    Examples: `remyelin evidence show rebuild`, `remyelin evidence show renew-p100-pp-w32`.

    Parameters
    ----------
    record
        Its id, as `list` and `search` give it; `trials/rebuild` where two kinds have the id.
    unverified
        Also what was recalled and not read.
    json
        Print it as JSON.
    """
    from .evidence_records import show_page

    return tell(show_page(record, unverified=unverified), json)


@evidence.command
def search(word: str, /, *words: str, unverified: Unverified = False, json: Json = False) -> int:
    """Find the records in which all these words stand.

    Example: `remyelin evidence search optic neuritis`

    Parameters
    ----------
    word, words
        In any case and order.
    unverified
        Also what was recalled and not read.
    json
        Print them as JSON.
    """
    from .evidence_records import search_page

    return tell(search_page(" ".join((word, *words)), unverified=unverified), json)


@evidence.command
def check(file: Path | None = None, *, every: Flag = False, csv: Csv = False, json: Json = False) -> int:
    """Recompute published numbers from those beside them, and show every conflict between sources.

    Nothing is flagged for rounding alone. Exit code 1: a number disagrees and no conflict on record
    explains it.

    Examples: `remyelin evidence check`, `remyelin evidence check my-results.toml`.

    Parameters
    ----------
    file
        Records of your own, in tables `[results.ID]`, as `remyelin evidence add` writes them.
    every
        Show also the numbers that agree, and those that cannot be recomputed.
    csv
        Print every number that was recomputed as CSV, for a spreadsheet.
    json
        Print all of it as JSON.
    """
    from .evidence_findings import check_page

    return tell(check_page(file, every=every, csv=csv), json)


@evidence.command
def audit(kind: str | None = None, *, of: Of = None, json: Json = False) -> int:
    """Which numbers not to trust: every unverified value, who reads it, whether a default rests on one.

    Exit code 1: a default of the package rests on an unverified value, or cannot be told not to.

    Examples: `remyelin evidence audit parameters`, `remyelin evidence audit --of clemastine`.

    Parameters
    ----------
    kind
        Only this kind: trials, results, parameters ... or biology, virtual ..., from which models start.
    of
        Only what belongs to this record, as for `list`.
    json
        Print all of it as JSON.
    """
    from .evidence_audit import audit_page

    return tell(audit_page(kind, of), json)


@evidence.command
def meta(
    *,
    endpoint: str,
    results: Several = None,
    trials: Several = None,
    estimand: str | None = None,
    analysis_set: str | None = None,
    timepoint: str | None = None,
    per: str | None = None,
    scale: str | None = None,
    method: Literal["REML", "DL", "PM", "ML", "HE", "HS", "SJ", "EB", "FE"] = "REML",
    test: Literal["knapp-hartung", "z"] | None = None,
    pool_anyway: Flag = False,
    unverified: Unverified = False,
    from_file: Annotated[Path | None, Parameter(name="--from")] = None,
    out: Path | None = None,
    json: Json = False,
) -> int:
    """Pool the results of an endpoint: one row a trial, of one unit, scale, estimand and unit of analysis.

    Where these or the subgroups differ, or a trial has several rows, you are asked which; times and analysis
    sets that differ are named. What is pooled is no clinical claim.

    Example: `remyelin evidence meta --endpoint p100_latency_ms --results ccmr-two-p100
    rebuild-p100-crossover --pool-anyway`

    Parameters
    ----------
    endpoint
        Its id: `remyelin evidence list endpoints`.
    results
        Only these results, by id.
    trials
        Only these trials, by id.
    estimand
        Only results of this estimand.
    analysis_set
        Only results of this analysis set.
    timepoint
        Only results of this time.
    per
        Only results per `participant`, `eye` or `lesion`.
    scale
        Only results on this scale.
    method
        How the variance between trials is estimated; `FE` supposes there is none.
    test
        Default `knapp-hartung`, which says how little a few trials know; for `FE`, `z`.
    pool_anyway
        Pool estimands, units of analysis and subgroups that differ; the output and the picture say so.
    unverified
        Also results that were recalled and not read.
    from_file
        Results of your own in place of those of the evidence base, as for `check`.
    out
        Write the forest plot to this file (SVG).
    json
        Print the result as JSON.
    """
    from .evidence_meta import meta_page

    asked = {
        "estimand": estimand,
        "analysis_set": analysis_set,
        "timepoint": timepoint,
        "per": per,
        "scale": scale,
    }
    page = meta_page(
        endpoint,
        results=results or (),
        trials=trials or (),
        only={name: word for name, word in asked.items() if word is not None},
        anyway=pool_anyway,
        unverified=unverified,
        path=from_file,
        method=method,
        test=test,
        out=out,
    )
    return tell(page, json)
