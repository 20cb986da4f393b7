"""What was done, in the words of a methods section, with the numbers of this analysis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from remyelin.tables import MEASURES
from remyelin.trial.case import Study
from remyelin.trial.endpoint import WEIGHTED, Changes
from remyelin.trial.estimand_words import estimand_words
from remyelin.trial.estimate import Estimated
from remyelin.trial.family import family_words
from remyelin.trial.model_words import model_words
from remyelin.trial.regression_words import regression_words
from remyelin.trial.siblings import Slope

PUBLISHED = "Brown et al., Lancet Neurol 2021, doi 10.1016/S1474-4422(21)00179-4"
SETS = {
    "itt": "in the arm to which they were randomised (intention to treat)",
    "completers": "as completers",
    "per-protocol": "per protocol",
}


def methods_text(study: Study, done: Sequence[Estimated], family: pd.DataFrame) -> str:
    """One paragraph an endpoint, then one on everything that was not prespecified.

    Parameters
    ----------
    study
        The trial.
    done
        Its endpoints, estimated.
    family
        Their adjusted p values, if the protocol asks for them.
    """
    paragraphs = [" ".join(_paragraph(study, each)) for each in done]
    if len(family):
        paragraphs.append(" ".join(family_words(study.protocol, family)))
    eyes_only = all(each.endpoint.site == "eye" for each in done)
    selected = any(each.long.changes.submedian for each in done)
    paragraphs.append(" ".join(_beside(None if eyes_only else study.slope, selected)))
    return "\n\n".join(paragraphs)


def _paragraph(study: Study, each: Estimated) -> Iterable[str]:
    yield from _endpoint(each.long.changes)
    yield from estimand_words(each.endpoint)
    yield from _participants(study, each)
    yield from model_words(each, study.protocol)
    yield from each.sentences
    yield from regression_words(each.long.changes, each.people, study.protocol.measure.rescan_sd_pu)


def _endpoint(changes: Changes) -> Iterable[str]:
    endpoint = changes.endpoint
    first, *later = endpoint.visits
    last = " and ".join(filter(None, (", ".join(later[:-1]), later[-1])))
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
    if endpoint.of_sites:
        yield f"Each {site} enters with a value of its own."
    elif site in ("lesion", "eye"):
        yield (
            f"A participant's value is the precision-weighted mean over its {site}s (weights 1/se^2)."
            if endpoint.summary == WEIGHTED
            else f"A participant's value is the plain mean over its {site}s, each counting alike."
        )


def _participants(study: Study, each: Estimated) -> Iterable[str]:
    endpoint, people = each.endpoint, each.people
    used = people[people["analysed"]]
    arms = [arm.id for arm in study.protocol.arm]
    order = sorted(arms, key=lambda arm: arm not in study.protocol.compared[:1])
    counts = used["arm"].value_counts()
    per_arm = ", ".join(f"{arm} {counts[arm]}" for arm in order if arm in counts)
    out = len(people) - len(used)
    sites = "eyes" if endpoint.site == "eye" else "sites"
    yield (
        f"{len(used)} participants ({per_arm}; {each.fitted.n_sites} {sites}) were analysed "
        f"{SETS[endpoint.own_set]}" + (f"; {out} were left out, each listed with its reason." if out else ".")
    )
    for name in each.same:
        yield f"The {name} set holds the same participants."
    failed = int(people["n_failed"].sum())
    if failed:
        yield f"{failed} values of quality fail left this analysis and stand in a sensitivity analysis."


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
