"""How analysis sets, missing data, sensitivity analyses and families of tests must fit the endpoints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from remyelin.errors import did_you_mean
from remyelin.protocol.consistency_endpoint import Problem
from remyelin.protocol.endpoint import Endpoint
from remyelin.protocol.families import Multiplicity
from remyelin.protocol.randomisation import Randomisation

if TYPE_CHECKING:
    from remyelin.protocol.model import Protocol


def families(protocol: Protocol) -> Iterator[Problem]:
    """What is wrong with the sets and the families."""
    for endpoint in protocol.endpoint:
        for field, found, expected, fix in (
            *_set(endpoint, protocol),
            *_missing(endpoint),
            *_events(endpoint),
        ):
            yield f"endpoint '{endpoint.id}' {field}", found, expected, fix
    if protocol.randomisation is not None:
        for field, found, expected, fix in _randomisation(protocol.randomisation, protocol):
            yield f"randomisation.{field}", found, expected, fix
    elif any("re-randomisation" in endpoint.sensitivity for endpoint in protocol.endpoint):
        expected = "a table that says how participants were allocated"
        yield "randomisation", "missing beside re-randomisation", expected, "add [randomisation] with method"
    if protocol.multiplicity is not None:
        for field, found, expected, fix in _multiplicity(protocol.multiplicity, protocol):
            yield f"multiplicity.{field}", found, expected, fix


def _set(endpoint: Endpoint, protocol: Protocol) -> Iterator[Problem]:
    own = endpoint.own_set
    if own == "per-protocol" and not protocol.sets.defined:
        expected = "a table that says who kept to the protocol"
        yield (
            "analysis_set",
            "'per-protocol'",
            expected,
            'add [sets] with per_protocol = "COLUMN" or windows = true',
        )
    if own == "itt" and endpoint.missing == "none" and endpoint.estimator in ("ancova", "gee"):
        expected = f"'completers': {endpoint.estimator} leaves out whoever has no value"
        yield (
            "analysis_set",
            "'itt' with nothing imputed",
            expected,
            'add missing = "mar", or write completers',
        )
    if own == "completers" and endpoint.missing != "none":
        fix = 'write analysis_set = "itt", or take missing out'
        yield (
            "analysis_set",
            f"'completers' beside missing = '{endpoint.missing}'",
            "everyone randomised",
            fix,
        )


def _missing(endpoint: Endpoint) -> Iterator[Problem]:
    imputes = endpoint.estimator in ("ancova", "mmrm")
    if endpoint.missing != "none" and not imputes:
        expected = "none: what is imputed is one value a participant and visit"
        yield "missing", f"'{endpoint.missing}' with {endpoint.estimator}", expected, "write ancova or mmrm"
    if endpoint.missing != "none" and endpoint.weighting != "none":
        expected = "none: an imputed value has no measurement error"
        yield (
            "weighting",
            f"'{endpoint.weighting}' beside missing = '{endpoint.missing}'",
            expected,
            "take it out",
        )
    if endpoint.delta != 0 and endpoint.missing == "none":
        yield "delta", f"{endpoint.delta:g} with nothing imputed", "0", 'add missing = "mar"'
    for name in dict.fromkeys(endpoint.sensitivity):
        if endpoint.sensitivity.count(name) > 1:
            yield "sensitivity", f"'{name}' twice", "each once", "keep one of them"
        if name == endpoint.missing:
            yield "sensitivity", f"'{name}', which is the main analysis", "another assumption", "take it out"
        if name == "re-randomisation" and endpoint.estimator != "ancova":
            expected = "an ancova, whose arms are exchanged"
            yield "sensitivity", f"'{name}' with {endpoint.estimator}", expected, "take it out"
        if name != "re-randomisation" and not imputes:
            expected = "ancova or mmrm: what is imputed is one value a participant and visit"
            yield "sensitivity", f"'{name}' with {endpoint.estimator}", expected, "take it out"


def _events(endpoint: Endpoint) -> Iterator[Problem]:
    if endpoint.estimand is None:
        return
    strategies = endpoint.estimand.intercurrent
    for event in endpoint.estimand.event_days:
        field = "estimand.event_days"
        if event not in strategies:
            yield field, f"'{event}'", "an event of intercurrent", did_you_mean(event, strategies)
        elif strategies[event] not in ("hypothetical", "treatment-policy"):
            expected = "hypothetical or treatment-policy: the others need more than a day"
            yield (
                field,
                f"'{event}' as {strategies[event]}",
                expected,
                "take it out, and define the outcome so",
            )


def _randomisation(given: Randomisation, protocol: Protocol) -> Iterator[Problem]:
    needed = {
        "minimisation": ("factors", "probability", "order"),
        "permuted-blocks": ("block_sizes", "order"),
    }
    for field in needed.get(given.method, ()):
        if not getattr(given, field):
            yield field, f"missing beside {given.method}", "the setting that the trial used", f"add {field}"
    if given.ratio and len(given.ratio) != len(protocol.arm):
        found = f"{len(given.ratio)} numbers"
        yield "ratio", found, f"one for each of {len(protocol.arm)} arms", "give one an arm"
    if given.ratio and given.method == "minimisation":
        yield "ratio", "given with minimisation", "equal allocation", "take it out"


def _multiplicity(family: Multiplicity, protocol: Protocol) -> Iterator[Problem]:
    ids = [endpoint.id for endpoint in protocol.endpoint]
    for name in family.endpoints:
        if name not in ids:
            yield "endpoints", f"'{name}'", "an endpoint of this trial", did_you_mean(name, ids)
    for name in dict.fromkeys(family.endpoints):
        if family.endpoints.count(name) > 1:
            yield "endpoints", f"'{name}' twice", "each once", "keep one of them"
    if family.method == "dunnett":
        yield from _dunnett(family, protocol)
    if family.method == "graph":
        yield from _graph(family, protocol.hypotheses)
        return
    for field in ("weights", "transitions"):
        if getattr(family, field):
            yield field, f"given with {family.method}", "only with graph", "take it out, or write graph"


def _dunnett(family: Multiplicity, protocol: Protocol) -> Iterator[Problem]:
    tested = [each for each in protocol.endpoint if each.id in (family.endpoints or (protocol.primary.id,))]
    if len(family.endpoints) > 1:
        found = f"{len(family.endpoints)} beside dunnett"
        yield "endpoints", found, "one, whose arms are compared", "name one, or write holm"
    if len(protocol.compared) < 3:
        yield "method", "'dunnett' with two arms", "three arms or more", "write holm, or take it out"
    for each in tested:
        if each.estimator != "ancova" or each.missing != "none":
            found = f"'dunnett' for '{each.id}'"
            yield "method", found, "an ancova without imputation", "write holm"


def _graph(family: Multiplicity, known: Sequence[str]) -> Iterator[Problem]:
    named = {*family.weights, *family.transitions, *(to for row in family.transitions.values() for to in row)}
    for name in sorted(named - set(known)):
        yield "weights", f"'{name}'", f"a hypothesis: {', '.join(known)}", did_you_mean(name, known)
    if not family.weights:
        yield "weights", "missing", "the share of alpha of each hypothesis", "add weights = {...}"
    yield from _shares("weights", family.weights)
    for name, row in family.transitions.items():
        yield from _shares(f"transitions.{name}", row)
        if name in row:
            yield f"transitions.{name}", "a part for itself", "other hypotheses", f"take {name} out"


def _shares(field: str, shares: Mapping[str, float]) -> Iterator[Problem]:
    if sum(shares.values()) > 1 + 1e-9:
        yield field, f"a sum of {sum(shares.values()):g}", "at most 1 in all", "correct them"
