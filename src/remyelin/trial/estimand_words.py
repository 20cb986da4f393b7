"""The estimand of an endpoint in words, and where its strategies and its analysis contradict each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from remyelin.errors import Flag
from remyelin.protocol import Endpoint

STRATEGIES = {
    "treatment-policy": "whatever happened then counts (treatment policy)",
    "hypothetical": "as if it had not happened (hypothetical)",
    "composite": "part of the outcome (composite)",
    "while-on-treatment": "until it happened (while on treatment)",
    "principal-stratum": "among those in whom it would not happen (principal stratum)",
}
ICH = "ICH E9(R1), 2019"
CROSSOVER = {
    "crossover": "crossover",
    "baseline-adjusted": "adjusted for baseline",
    "first-period": "first period",
    "delayed-treatment": "delayed treatment",
    "delayed-treatment, period-adjusted": "delayed treatment, adjusted for period",
}
"""How the questions of a crossover are called in the results."""


def estimand_words(endpoint: Endpoint) -> Iterable[str]:
    """The five attributes that the protocol gives."""
    estimand = endpoint.estimand
    if estimand is None:
        return
    events = "; ".join(
        f"{event}: {STRATEGIES[strategy]}" for event, strategy in estimand.intercurrent.items()
    )
    yield (
        f"Estimand ({ICH}): population, {estimand.population}; treatments, {estimand.treatment}; variable, "
        f"{estimand.variable}; intercurrent events, {events or 'none foreseen'}; summary, {estimand.summary}."
    )


def event_words(after: Mapping[str, int]) -> Iterator[str]:
    """In how many participants values after an event were set to missing."""
    for event, n in after.items():
        whom = f"in {n} participants"
        yield f"Values measured after {event} were taken as missing (hypothetical strategy), {whom}."


def estimand_flags(endpoint: Endpoint) -> Iterator[Flag]:
    """Strategies for intercurrent events that the analysis set or the missing data contradict.

    Examples
    --------
    >>> from remyelin.protocol import Estimand, Protocol
    >>> estimand = Estimand(population="p", treatment="t", variable="v", summary="s",
    ...                     intercurrent={"stopped the drug": "treatment-policy"})
    >>> endpoint = Protocol.read("ccmr-one").primary.model_copy(update={"estimand": estimand})
    >>> print(next(estimand_flags(endpoint)))
    endpoint 'submedian-lesion-mtr' estimand is 'stopped the drug' as treatment-policy, but ...
    """
    events = endpoint.estimand.intercurrent if endpoint.estimand else {}
    for event, strategy in events.items():
        for beside, expected, fix in _contradictions(endpoint, strategy):
            yield Flag(
                "",
                f"endpoint '{endpoint.id}' estimand",
                f"'{event}' as {strategy}, but {beside}",
                expected,
                fix,
            )


def _contradictions(endpoint: Endpoint, strategy: str) -> Iterator[tuple[str, str, str]]:
    own, missing = endpoint.own_set, endpoint.missing
    if strategy == "treatment-policy" and own != "itt":
        beside = f"the analysis set is {own}"
        yield beside, "everyone randomised", 'write analysis_set = "itt" with missing, or another strategy'
    if strategy == "hypothetical" and missing in ("j2r", "cr", "cir"):
        beside = f"missing values are imputed by {missing}, as of people whom the treatment no longer helps"
        yield beside, "values as if treatment had gone on", 'write missing = "mar", or treatment-policy'
    if strategy == "while-on-treatment" and missing != "none":
        beside = f"missing values are imputed by {missing}"
        yield beside, "values until the event only", 'write missing = "none", or another strategy'
    if strategy == "principal-stratum" and own != "per-protocol":
        beside = f"the analysis set is {own}"
        yield beside, "an analysis of that stratum", "name how the stratum is found, or another strategy"
    if strategy == "composite":
        beside = f"{endpoint.measure} holds no value for the event"
        yield beside, "the event as an outcome", "define such a value, or write another strategy"
