"""The header of a registered study as records: the trial, its treatments, its source."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from .draft_row import DraftRow
from .load import ids, records
from .outcome import Trial
from .posted import Study

_CONTROL = re.compile(r"placebo|sham|standard of care|no treatment|no intervention|usual care", re.IGNORECASE)
_DOSE = re.compile(r"\s+[\d.,]+\s*(?:mg|g|ug|mcg|µg|iu|ml|%)\b.*", re.IGNORECASE)


def slug(text: str) -> str:
    """Text as an id.

    Examples
    --------
    >>> slug("Change in P100 latency (ms), à 6 mois")
    'change-in-p100-latency-ms-a-6-mois'
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().casefold()
    return "-".join(re.findall(r"[a-z0-9]+", plain))


def trial_rows(study: Study, known: Trial | None, source: str) -> Iterator[DraftRow]:
    """The source; then the trial and its treatments, or how the known trial differs from what is posted."""
    version = study.version or "of unknown date"
    title = study.acronym or study.title or study.nct_id
    made = DraftRow(
        "sources",
        source,
        {
            "work": f"{title}, registry record {study.nct_id}",
            "url": f"https://clinicaltrials.gov/study/{study.nct_id}",
            "read": f"the record in its version of {version}, as downloaded ({study.file})",
        },
    )
    if source in ids("sources"):
        made.ask("id", "the package has a source of this id: choose another, or keep that")
    yield made
    taken, new = _treatments(study)
    for name, posted in new.items():
        treatment = DraftRow("treatments", name, {"name": posted, "status": "seen", "source": source})
        treatment.ask("targets", "what does it act on? A registry does not say")
        yield treatment
    values = _header(study, (*taken, *new), source)
    if known is None:
        yield _new(study, values)
    else:
        _ask_differences(made, known, values)


def _new(study: Study, values: dict[str, Any]) -> DraftRow:
    name = slug(study.acronym) or study.nct_id.lower()
    if name in ids("trials"):
        name = f"{name}-{study.nct_id.lower()}"
    made = DraftRow("trials", name, values)
    made.ask("outcome", "primary endpoint met or missed? A registry does not say")
    if values.get("n_kind") == "enrolled":
        made.ask("n_kind", "were those enrolled randomised, too?")
    return made


def _ask_differences(source: DraftRow, known: Trial, values: dict[str, Any]) -> None:
    """No second header for a trial that the package has: what differs is for the reviewer to record."""
    for name in ("n", "sites", "phase"):
        ours, theirs = getattr(known, name), values.get(name)
        if theirs and ours and ours != theirs:
            words = f"the package has {ours}, the registry {theirs}: which, or a conflict?"
            source.ask(name, words, of=f"trials/{known.id}")
        elif theirs and not ours:
            words = f"the registry gives {theirs}, the package nothing"
            source.ask(name, words, of=f"trials/{known.id}")


def _header(study: Study, treatments: tuple[str, ...], source: str) -> dict[str, Any]:
    measures = [f"{measure}, {frame}" if frame else measure for measure, frame in study.primary]
    ages = " to ".join(filter(None, study.ages))
    sex = "" if study.sex.upper() in ("", "ALL") else study.sex.lower()
    stopped = f"; stopped: {study.why_stopped}" if study.why_stopped else ""
    values: dict[str, Any] = {
        "name": study.acronym or study.title or study.nct_id,
        "registry": (study.nct_id, *study.other_ids),
        "treatments": treatments,
        "intervention": "; ".join(study.interventions),
        "phase": "/".join(re.sub(r"(?i)early.phase|phase", "", phase).strip() for phase in study.phases),
        "design": ", ".join(filter(None, (_words(study.model), _words(study.allocation)))),
        "blinding": _words(study.masking),
        "sites": study.sites,
        "n": study.n,
        "n_kind": {"actual": "enrolled", "estimated": "planned", "anticipated": "planned"}.get(study.n_kind),
        "arms": {group.title: group.n for group in study.started if group.title and group.n is not None},
        "population": ", ".join(filter(None, (*study.conditions, ages, sex))),
        "primary_endpoint": "; ".join(measures),
        "note": f"registry status: {_words(study.status)}{stopped}" if study.status else "",
        "status": "seen",
        "source": source,
    }
    return {name: value for name, value in values.items() if value not in (None, "", (), {})}


def _words(text: str) -> str:
    return text.replace("_", " ").lower()


def _treatments(study: Study) -> tuple[list[str], dict[str, str]]:
    """Ids of known treatments that are given, and new ones by id with their posted name."""
    known, new = [], {}
    for posted in study.interventions:
        if _CONTROL.search(posted):
            continue
        found = [
            each.id
            for each in records("treatments")
            if re.search(rf"\b{re.escape(each.name.casefold())}\b", posted.casefold())
        ]
        if found:
            known += found
        elif name := slug(_DOSE.sub("", posted)):
            new[name] = posted
    return list(dict.fromkeys(known)), new
