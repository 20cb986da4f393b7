"""What was done, in the words of a methods section, with the numbers of this analysis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from remyelin.protocol import Protocol
from remyelin.tables import MEASURES
from remyelin.trial.endpoint import WEIGHTED, Changes
from remyelin.trial.linear import Ancova
from remyelin.trial.siblings import Slope

PUBLISHED = "Brown et al., Lancet Neurol 2021, doi 10.1016/S1474-4422(21)00179-4"
SOURCES = {
    "expected": "Efron, J Am Stat Assoc 2011, doi 10.1198/jasa.2011.tm11181; Stein, Ann Stat 1981, "
    "doi 10.1214/aos/1176345632",
}


def methods_text(
    protocol: Protocol, analysed: Sequence[tuple[Changes, pd.DataFrame, Ancova]], slope: Slope | None
) -> str:
    """One paragraph an endpoint, then one on everything that was not prespecified.

    Parameters
    ----------
    protocol
        The trial.
    analysed
        For each endpoint its changes, its participants with their arms, and the prespecified fit.
    slope
        The self-calibration, if there is one.
    """
    paragraphs = [
        " ".join(
            [
                *_endpoint(changes),
                *_model(changes, people, fit),
                *_regression(changes, people, protocol.measure.rescan_sd_pu),
            ]
        )
        for changes, people, fit in analysed
    ]
    eyes_only = all(changes.endpoint.site == "eye" for changes, _, _ in analysed)
    selected = any(changes.submedian for changes, _, _ in analysed)
    paragraphs.append(" ".join(_beside(None if eyes_only else slope, selected)))
    return "\n\n".join(paragraphs)


def _endpoint(changes: Changes) -> Iterable[str]:
    endpoint = changes.endpoint
    first, last = endpoint.visits[0], endpoint.visits[-1]
    site = endpoint.site.partition(":")[0]
    selection = {"lesion": "lesions", "eye": "eyes"}.get(site, f"the {endpoint.site}")
    if endpoint.select == "submedian":
        selection = f"lesions whose baseline lay below the participant's own median (as in {PUBLISHED})"
    words = MEASURES[endpoint.measure].words
    title = f"{endpoint.role.capitalize()} endpoint {endpoint.id}"
    if changing := MEASURES[endpoint.measure].change_of:
        yield (
            f"{title}: {words} from {first} to {last} in {selection}, measured as a change and not as the "
            f"difference of two values; the baseline is the {MEASURES[changing].words} at {first}."
        )
    else:
        yield f"{title}: change of the {words} from {first} to {last} in {selection}."
    if endpoint.condition:
        yield f"Values are those under the condition {endpoint.condition}."
    if site in ("lesion", "eye"):
        yield (
            f"A participant's value is the precision-weighted mean over its {site}s (weights 1/se^2)."
            if endpoint.summary == WEIGHTED
            else f"A participant's value is the plain mean over its {site}s, each counting alike."
        )


def _model(changes: Changes, people: pd.DataFrame, fit: Ancova) -> Iterable[str]:
    endpoint = changes.endpoint
    used = people[people["analysed"]]
    per_arm = ", ".join(f"{arm} {n}" for arm, n in used["arm"].value_counts().reindex(list(fit.arms)).items())
    out = len(people) - len(used)
    sites = "eyes" if endpoint.site == "eye" else "sites"
    n_sites = int(used["n_used"].sum())
    yield (
        f"{len(used)} participants ({per_arm}; {n_sites} {sites}) were analysed as completers"
        + (f"; {out} were left out, each listed with its reason." if out else ".")
    )
    failed = int(people["n_failed"].sum())
    if failed:
        yield f"{failed} values of quality fail left this analysis and stand in a sensitivity analysis."
    yield (
        f"Arms were compared with {fit.reference} by analysis of covariance ({endpoint.formula}; least "
        f"squares, {fit.covariance} standard errors, t with {fit.df} degrees of freedom), two-sided, with "
        f"{100 * (1 - endpoint.alpha):g} % confidence intervals; missing values were not imputed."
    )
    if len(fit.arms) > 2:
        yield "The p values are not adjusted for the number of arms."


def _regression(changes: Changes, people: pd.DataFrame, rescan_sd_pu: float | None) -> Iterable[str]:
    found = changes.submedian
    if found is None:
        return
    used = people[people["analysed"]]
    rise = used.groupby("arm")["rtm"].mean().dropna()
    if rise.empty:
        yield "Regression to the mean could not be estimated: the error of the lesions is not known."
        return
    arms = ", ".join(f"{arm} {value:+.3f}" for arm, value in rise.items())
    unit = MEASURES[changes.endpoint.measure].unit
    yield (
        f"Selection by a noisy baseline raises the change in every arm; this regression to the mean was "
        f"estimated at {used['rtm'].mean():+.3f} {unit} ({arms}). In a sibling analysis it is "
        f"removed: {found.assumes}"
        + (f" ({SOURCES[found.correction]})." if found.correction in SOURCES else ".")
    )
    if found.correction == "expected" and found.floor is None:
        yield (
            f"The standard errors hold a scan-rescan SD of {rescan_sd_pu:g} {unit}, taken as exact."
            if rescan_sd_pu is not None
            else "The standard errors hold only what a single image shows; error that all voxels of a "
            "lesion share would add to the regression."
        )
    if found.floor is not None:
        yield f"Allowed for: {found.floor}, whose own error is part of the interval."
    if found.correction == "expected" and found.shape != 1.0:
        yield (
            f"Between-lesion SD {found.between_sd_pu:.2f} {unit}; factor for the shape of the distribution "
            f"{found.shape:.2f} (SE {found.shape_se:.2f}; 1 is normal)."
        )
    left = used["rtm_left"].mean()
    if found.correction == "cross-fit":
        known = (
            f"{left:+.3f} {unit} are estimated to stay" if pd.notna(left) else "how much stays is not known"
        )
        yield f"Of error that all voxels of a lesion share cross-fitting removes nothing; {known}."


def _beside(slope: Slope | None, submedian: bool) -> Iterable[str]:
    yield "Everything that the protocol does not ask for is marked as not prespecified."
    if submedian:
        yield (
            "The plain mean of lesions and their precision-weighted mean are different estimands: in the "
            "second, large lesions count more."
        )
    if slope is not None:
        share = f"{100 * slope.value:.0f} % (SE {100 * slope.se:.0f}, {slope.n} participants)"
        yield (
            f"Self-calibration: of a known change injected into the participants' own lesions {share} was "
            "measured; the calibrated estimate is divided by it, with its error in the interval."
        )
