"""How an endpoint must fit the trial, and its estimator what it is given."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from remyelin.errors import did_you_mean
from remyelin.protocol.endpoint import Endpoint
from remyelin.tables.measures import MEASURES

if TYPE_CHECKING:
    from remyelin.protocol.model import Protocol

Problem = tuple[str, str, str, str]
"""Field, found, expected, fix."""

COVARIANCES = {
    "ancova": ("classical", "HC1", "HC3"),
    "mmrm": (
        *("unstructured", "toeplitz", "ar1", "compound-symmetry"),
        *("heterogeneous-toeplitz", "heterogeneous-ar1", "heterogeneous-compound-symmetry"),
    ),
    "gee": ("robust", "mancl-derouen", "kauermann-carroll", "fay-graubard"),
}
"""What `covariance` may say for each estimator."""

DFS = {
    "mixed": ("kenward-roger", "satterthwaite"),
    "mmrm": ("kenward-roger-linear", "kenward-roger", "satterthwaite"),
    "gee": ("satterthwaite",),
    "crossover": ("kenward-roger", "satterthwaite"),
}
"""What `df` may say for each estimator."""

RESERVED = (
    *("arm", "baseline", "baseline_mean", "change", "value"),
    *("visit", "treatment", "period", "sequence"),
)
"""Names in a formula that are no columns of participants.tsv."""


def endpoints(protocol: Protocol) -> Iterator[Problem]:
    """What is wrong with the endpoints."""
    if sum(endpoint.role == "primary" for endpoint in protocol.endpoint) != 1:
        found = f"{sum(endpoint.role == 'primary' for endpoint in protocol.endpoint)} primary endpoints"
        yield "endpoint.role", found, "exactly 1", "call one primary and the others secondary"
    ids = [visit.id for visit in protocol.visit]
    for endpoint in protocol.endpoint:
        for field, found, expected, fix in _endpoint(endpoint, protocol, ids):
            yield f"endpoint '{endpoint.id}' {field}", found, expected, fix


def _endpoint(endpoint: Endpoint, protocol: Protocol, visits: list[str]) -> Iterator[Problem]:
    for name in endpoint.visits:
        if name not in visits:
            yield "visits", f"'{name}'", "a visit of this trial", did_you_mean(name, visits)
    known = [visits.index(name) for name in endpoint.visits if name in visits]
    if known != sorted(set(known)):
        yield "visits", ", ".join(endpoint.visits), "each visit once, baseline first", "put them in order"
    kind = endpoint.site.partition(":")[0]
    if kind not in MEASURES[endpoint.measure].sites:
        expected = f"where {endpoint.measure} is measured ({', '.join(MEASURES[endpoint.measure].sites)})"
        yield "site", f"'{endpoint.site}'", expected, "correct the site or the measure"
    if endpoint.select == "submedian" and kind != "lesion":
        yield "select", "'submedian'", 'site = "lesion", whose median it takes', 'write select = "all"'
    changing = MEASURES[endpoint.measure].change_of
    if changing and known and known[0] != 0:
        expected = f"'{visits[0]}' first, against which {endpoint.measure} is measured"
        yield "visits", f"'{endpoint.visits[0]}' first", expected, f"begin with it, or measure {changing}"
    yield from _condition(endpoint)
    yield from _estimator(endpoint, protocol.trial.design, kind)
    yield from _options(endpoint)
    if protocol.trial.design == "crossover" and protocol.period:
        yield from _period_ends(endpoint, protocol)
    yield from _terms(endpoint, protocol.trial.design)


def _condition(endpoint: Endpoint) -> Iterator[Problem]:
    keys = [part.partition("=")[0] for part in endpoint.condition.split(";") if part]
    for key in dict.fromkeys(key for key in keys if keys.count(key) > 1):
        yield "condition", f"'{key}' twice", "each key once", "keep one of them"
    if "half" in keys:
        fix = "leave it out; halves enter by themselves where they are needed"
        yield "condition", "half the voxels", "a whole value", fix


def _estimator(endpoint: Endpoint, design: str, kind: str) -> Iterator[Problem]:
    name = endpoint.estimator
    if (name == "crossover") != (design == "crossover") and name in ("crossover", "ancova", "mmrm"):
        fits = "crossover, mixed or gee" if design == "crossover" else "ancova, mixed, mmrm or gee"
        yield (
            "estimator",
            f"'{name}'",
            f"{fits}, in a {design} trial",
            "correct the estimator or trial.design",
        )
    if name in ("ancova", "mmrm") and endpoint.of_sites:
        yield "estimator", f"'{name}'", "mixed or gee for several sites a participant", "correct one of them"
    if endpoint.of_sites and kind not in ("lesion", "eye"):
        yield "summary", "'site-change'", 'site = "lesion" or "eye"', "write participant-mean-change"
    if name == "ancova" and len(endpoint.visits) != 2:
        found = f"'ancova' with {len(endpoint.visits)} visits"
        yield "estimator", found, "a baseline and one follow-up", "name 2 visits, or write mmrm"
    if name == "mmrm" and len(endpoint.visits) < 3:
        yield "estimator", "'mmrm' with 2 visits", "a baseline and 2 or more follow-ups", "write ancova"
    if name in ("mixed", "gee") and not endpoint.of_sites and len(endpoint.visits) == 2:
        fix = 'write summary = "site-change", or estimator = "ancova"'
        yield "estimator", f"'{name}' with one value a participant", "several sites or visits", fix


def _options(endpoint: Endpoint) -> Iterator[Problem]:
    name = endpoint.estimator
    for field, known in (("df", DFS), ("covariance", COVARIANCES)):
        given = getattr(endpoint, field)
        if given is None or given in known.get(name, ()):
            continue
        if name not in known:
            yield field, f"'{given}'", f"nothing: {name} has no such option", "take it out"
        else:
            expected = f"one of {', '.join(known[name])}"
            yield field, f"'{given}'", expected, did_you_mean(given, known[name])
    if endpoint.correlation is not None and name != "gee":
        yield "correlation", f"'{endpoint.correlation}'", f"nothing: {name} has no such option", "take it out"


def _period_ends(endpoint: Endpoint, protocol: Protocol) -> Iterator[Problem]:
    """The visits of a crossover are its baseline and the end of each period."""
    ends = [protocol.period[0].start, *(period.end for period in protocol.period)]
    if list(endpoint.visits) != ends:
        expected = f"the first visit and the end of each period: {', '.join(ends)}"
        yield "visits", ", ".join(endpoint.visits), expected, f"write visits = {ends}".replace("'", '"')


def _terms(endpoint: Endpoint, design: str) -> Iterator[Problem]:
    outcome, _, right = (part.strip() for part in endpoint.formula.partition("~"))
    names = re.findall(r"[A-Za-z_]\w*", right)
    wanted = "treatment" if design == "crossover" else "arm"
    if wanted not in names:
        yield "formula", f"'{endpoint.formula}'", f"a formula with {wanted}", f"add + {wanted}"
    if outcome not in ("change", "value"):
        yield "formula", f"'{outcome}' on the left", "change or value", "write like change ~ arm + baseline"
    if endpoint.estimator == "mmrm" and "visit" not in names:
        fix = "write like change ~ arm * visit + baseline * visit"
        yield "formula", f"'{endpoint.formula}'", "a formula with visit", fix
    for name, why in _impossible(endpoint, design):
        if name in names:
            yield "formula", f"'{name}' on the right", why, f"take {name} out"


def _impossible(endpoint: Endpoint, design: str) -> Sequence[tuple[str, str]]:
    """Names that this endpoint has no column for, though others have."""
    sides = [(name, "the response on the left only") for name in ("change", "value")]
    if not endpoint.of_sites:
        sides.append(("baseline_mean", "baseline, where a participant has one value"))
    if design == "crossover":
        return [*sides, ("arm", "treatment and sequence, in a crossover trial")]
    absent = [*sides, *((n, f"arm, in a {design} trial") for n in ("treatment", "period", "sequence"))]
    if len(endpoint.visits) == 2:
        absent.append(("visit", "no visit where only one is compared with the baseline"))
    return absent
