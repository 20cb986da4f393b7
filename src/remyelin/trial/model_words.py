"""Each estimator in the words of a methods section, with its source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from remyelin.protocol import Endpoint, Protocol
from remyelin.trial.estimate import Estimated
from remyelin.trial.fits import without

KR = "Kenward & Roger, Biometrics 1997, doi 10.2307/2533558"
SOURCES = {
    "kenward-roger": KR,
    "kenward-roger-linear": f"{KR}, in the linear parameters that SAS uses",
    "satterthwaite": "Satterthwaite, Biometrics Bulletin 1946, doi 10.2307/3002019",
    "reml": "Patterson & Thompson, Biometrika 1971, doi 10.1093/biomet/58.3.545",
    "gee": "Liang & Zeger, Biometrika 1986, doi 10.1093/biomet/73.1.13",
    "robust": "Liang & Zeger 1986",
    "mancl-derouen": "Mancl & DeRouen, Biometrics 2001, doi 10.1111/j.0006-341X.2001.00126.x",
    "kauermann-carroll": "Kauermann & Carroll, J Am Stat Assoc 2001, doi 10.1198/016214501753382309",
    "fay-graubard": "Fay & Graubard, Biometrics 2001, doi 10.1111/j.0006-341X.2001.01198.x",
    "HC1": "MacKinnon & White, J Econometrics 1985, doi 10.1016/0304-4076(85)90158-7",
    "HC3": "MacKinnon & White, J Econometrics 1985, doi 10.1016/0304-4076(85)90158-7",
    "rubin": "Rubin 1987, doi 10.1002/9780470316696; Barnard & Rubin, Biometrika 1999, "
    "doi 10.1093/biomet/86.4.948",
    "crossover": "Grizzle, Biometrics 1965, doi 10.2307/2528104",
}
"""Where each method was published."""


CARPENTER = "Carpenter, Roger & Kenward, J Biopharm Stat 2013, doi 10.1080/10543406.2013.834911"
IMPUTED = {
    "mar": "missing at random: as if they had gone on in their arm",
    "j2r": f"jump to reference: from then on as in the reference arm, {CARPENTER}",
    "cr": f"copy reference: as if in the reference arm from the beginning, {CARPENTER}",
    "cir": f"copy increments: from then on the changes of the reference arm, {CARPENTER}",
}
"""What each way to impute assumes."""


def model_words(each: Estimated, protocol: Protocol) -> Iterable[str]:
    """How the arms were compared, and what of it is not usual."""
    endpoint = each.endpoint
    first = protocol.compared[0]
    compared = "Treatments" if protocol.trial.design == "crossover" else "Arms"
    words = _WORDS["ancova" if endpoint.missing != "none" else endpoint.estimator]
    yield f"{compared} were compared with {first} by {''.join(words(each))}"
    imputed = endpoint.missing != "none"
    yield (
        f"Tests are two-sided, intervals {100 * (1 - endpoint.alpha):g} % confidence intervals"
        + ("." if imputed else "; missing values were not imputed.")
    )
    if imputed:
        yield from _imputation(endpoint)
    if endpoint.weighting == "measurement-error":
        yield (
            "Each value's own standard error stands in the likelihood as a known part of its variance, so "
            "that a value counts for what it is worth."
        )
    if endpoint.by_likelihood and not imputed:
        yield "Participants without a last value enter with those they have, taken as missing at random."
    if len(protocol.compared) > 2 and protocol.multiplicity is None:
        yield "The p values are not adjusted for the number of arms."


def _imputation(endpoint: Endpoint) -> Iterable[str]:
    shift = f", and {endpoint.delta:+g} added in the other arms" if endpoint.delta else ""
    yield (
        f"Values missing after a participant's last visit were imputed {endpoint.imputations} times (seed "
        f"{endpoint.seed}; {IMPUTED[endpoint.missing]}{shift}), the answers at {endpoint.visits[-1]} pooled "
        f"by Rubin's rules ({SOURCES['rubin']})."
    )


def _freedom(each: Estimated) -> str:
    found = sorted({round(float(df), 1) for df in each.fitted.contrasts["df"]})
    return f"t with {' and '.join(f'{df:g}' for df in found)} degrees of freedom"


def _ancova(each: Estimated) -> Iterable[str]:
    covariance = getattr(each.fitted.model, "covariance", each.endpoint.covariance or "classical")
    source = f", {SOURCES[covariance]}" if covariance in SOURCES else ""
    how = "least squares" if each.endpoint.weighting == "none" else "weighted by precision"
    yield (
        f"analysis of covariance ({without(each.endpoint.formula, 'visit')}; {how}, {covariance} standard "
        f"errors{source}; {_freedom(each)})."
    )


def _mixed(each: Estimated) -> Iterable[str]:
    site = each.endpoint.site.partition(":")[0]
    own = (
        f" and {site} within participant" if each.endpoint.of_sites and len(each.endpoint.visits) > 2 else ""
    )
    yield (
        f"a linear mixed model ({each.endpoint.formula}, with a random intercept of participant{own}; REML, "
        f"{SOURCES['reml']}; {_df(each.endpoint, 'kenward-roger')}; {_freedom(each)})."
    )


def _mmrm(each: Estimated) -> Iterable[str]:
    endpoint = each.endpoint
    covariance = endpoint.covariance or "unstructured"
    visits = ", ".join(endpoint.visits[1:])
    yield (
        f"a mixed model for repeated measures ({endpoint.formula}; visits {visits}, {covariance} covariance "
        f"within participants; REML, {SOURCES['reml']}; {_df(endpoint, 'kenward-roger-linear')}; "
        f"{_freedom(each)}), at {endpoint.visits[-1]}."
    )


def _gee(each: Estimated) -> Iterable[str]:
    endpoint = each.endpoint
    covariance = endpoint.covariance or "mancl-derouen"
    yield (
        f"generalised estimating equations ({endpoint.formula}; participants as clusters, "
        f"{endpoint.correlation or 'exchangeable'} working correlation; {SOURCES['gee']}; {covariance} "
        f"standard errors, {SOURCES[covariance]}; {_freedom(each)})."
    )


def _crossover(each: Estimated) -> Iterable[str]:
    endpoint = each.endpoint
    eyes = (
        "both eyes of a participant, and what they share in a period, as random"
        if endpoint.of_sites
        else ("participants as random")
    )
    yield (
        f"a crossover model ({each.fitted.model.formula}; {eyes}; REML, {SOURCES['reml']}; "
        f"{_df(endpoint, 'kenward-roger')}; {_freedom(each)}; {SOURCES['crossover']}). It holds if nothing "
        "of the first treatment is left at the end of the second period; the estimates under delayed "
        "treatment and of the first period alone stand beside it, not prespecified."
    )


def _df(endpoint: Endpoint, default: str) -> str:
    name = endpoint.df or default
    return f"degrees of freedom after {SOURCES[name]}"


_WORDS: Mapping[str, Callable[[Estimated], Iterable[str]]] = {
    "ancova": _ancova,
    "mixed": _mixed,
    "mmrm": _mmrm,
    "gee": _gee,
    "crossover": _crossover,
}
