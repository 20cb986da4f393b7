"""A study record of ClinicalTrials.gov, as its API version 2 gives it: JSON to a `Study`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from remyelin import files
from remyelin.errors import InputError

from .posted import Arm, Cell, Comparison, Group, Outcome, Study, plain

RECORD_LIMIT_BYTES = 2**27  # the largest posted results are some 20 MB
NCT = re.compile(r"NCT\d{8}")
_TYPE = re.compile(r"(?:Drug|Biological|Device|Procedure|Dietary Supplement|Combination Product|Other): ")
_AGAIN = "download the record as JSON from ClinicalTrials.gov (API version 2) again"
# How the answers of the API that was switched off in 2024 begin.
_OLD = ("FullStudy", "FullStudiesResponse", "StudyFieldsResponse", "Study", "ProtocolSection")


class _Node:
    """A table of the record, which knows where it stands; whatever is not of the kind expected is refused."""

    def __init__(self, file: str, place: str, content: object) -> None:
        if not isinstance(content, Mapping):
            raise InputError(file, place or "content", _kind(content), "a table: {...}", _AGAIN)
        self.file, self.place, self.content = file, place, content

    def _at(self, key: str) -> str:
        return f"{self.place}.{key}".lstrip(".")

    def table(self, *keys: str) -> _Node:
        """The table under these keys; an empty one where there is none."""
        node = self
        for key in keys:
            node = _Node(self.file, node._at(key), node.content.get(key, {}))
        return node

    def tables(self, key: str) -> tuple[_Node, ...]:
        return tuple(_Node(self.file, f"{self._at(key)}[{i}]", row) for i, row in enumerate(self._list(key)))

    def text(self, key: str) -> str:
        """Text, or a number as the text it was; ``""`` where there is none."""
        value = self.content.get(key, "")
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise InputError(self.file, self._at(key), _kind(value), "text", _AGAIN)
        return plain(str(value))

    def texts(self, key: str) -> tuple[str, ...]:
        values = self._list(key)
        for value in values:
            if not isinstance(value, str):
                raise InputError(self.file, self._at(key), _kind(value), "a list of texts", _AGAIN)
        return tuple(plain(value) for value in values)

    def whole(self, key: str) -> int | None:
        value = self.content.get(key)
        if value is None:
            return None
        if isinstance(value, str) and value.isdecimal():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise InputError(self.file, self._at(key), _kind(value), "a whole number, 0 or more", _AGAIN)
        return value

    def _list(self, key: str) -> list[Any]:
        value = self.content.get(key, [])
        if not isinstance(value, list):
            raise InputError(self.file, self._at(key), _kind(value), "a list: [...]", _AGAIN)
        return value


def read_record(path: Path, nct_id: str | None = None) -> Study:
    """Read one study from a JSON file: a record, or a download of several of which `nct_id` names one.

    Raises
    ------
    InputError
        Not JSON, empty, binary or too large; a record of the API that came before version 2; several studies
        and no `nct_id`, or not that one; no registry number; a field of another type.
    """
    name = files.relative(path, None)
    content = files.read_json_value(path, None, limit=RECORD_LIMIT_BYTES)
    studies = _studies(content, name)
    named = {_nct_id(study): study for study in studies}
    if len(named) < len(studies):
        raise InputError(name, "nctId", "the same in two records", "each study once", "keep one of them")
    if nct_id is None and len(named) > 1:
        found = f"of {len(named)} studies ({', '.join(list(named)[:4])}{' ...' if len(named) > 4 else ''})"
        raise InputError(name, "content", found, "one study", "choose one with --study, or download one")
    chosen = nct_id or next(iter(named))
    if chosen not in named:
        listed = ", ".join(list(named)[:12])
        raise InputError(name, "study", f"not {chosen}", f"one of {listed}", "correct --study, or the file")
    return _study(named[chosen], name)


def _studies(content: object, name: str) -> tuple[_Node, ...]:
    """The records of a file: it is one, a list of them, or an answer with a list of them."""
    if isinstance(content, Mapping) and "studies" in content:
        rows = _Node(name, "", content).tables("studies")
    elif isinstance(content, list):
        rows = tuple(_Node(name, f"[{i}]", row) for i, row in enumerate(content))
    else:
        rows = (_Node(name, "", content),)
    if not rows:
        raise InputError(name, "content", "without a study", "one study", _AGAIN)
    for row in rows:
        _check_version(row)
    return rows


def _check_version(row: _Node) -> None:
    if "protocolSection" in row.content:
        return
    expected = "a study with a protocolSection, as API version 2 gives it"
    old = next((key for key in _OLD if key in row.content), None)
    if old is not None:
        found = f"a record of the API before version 2 (it has {old})"
        raise InputError(row.file, row.place or "content", found, expected, _AGAIN)
    keys = ", ".join(list(map(str, row.content))[:5]) or "nothing"
    raise InputError(row.file, "protocolSection", f"missing (there is {keys})", expected, _AGAIN)


def _nct_id(row: _Node) -> str:
    module = row.table("protocolSection", "identificationModule")
    found = module.text("nctId")
    if not NCT.fullmatch(found):
        shown = f"'{found[:40]}'" if found else "missing"
        raise InputError(row.file, module._at("nctId"), shown, "NCT and eight digits", _AGAIN)
    return found


def _study(row: _Node, file: str) -> Study:
    protocol = row.table("protocolSection")
    identity, status = protocol.table("identificationModule"), protocol.table("statusModule")
    design, who = protocol.table("designModule"), protocol.table("eligibilityModule")
    info, arms = design.table("designInfo"), protocol.table("armsInterventionsModule")
    enrolment = design.table("enrollmentInfo")
    sites = protocol.table("contactsLocationsModule")  # counted, never read
    posted = row.table("resultsSection", "outcomeMeasuresModule").tables("outcomeMeasures")
    return Study(
        file=file,
        nct_id=_nct_id(row),
        other_ids=tuple(other.text("id") for other in identity.tables("secondaryIdInfos")),
        acronym=identity.text("acronym"),
        title=identity.text("officialTitle") or identity.text("briefTitle"),
        status=status.text("overallStatus"),
        why_stopped=status.text("whyStopped"),
        phases=design.texts("phases"),
        allocation=info.text("allocation"),
        model=info.text("interventionModel"),
        masking=info.table("maskingInfo").text("masking"),
        n=enrolment.whole("count"),
        n_kind=enrolment.text("type").lower(),
        sites=len(sites.tables("locations")) or None,
        conditions=protocol.table("conditionsModule").texts("conditions"),
        ages=(who.text("minimumAge"), who.text("maximumAge")),
        sex=who.text("sex"),
        arms=tuple(_arm(arm) for arm in arms.tables("armGroups")),
        started=_started(row.table("resultsSection", "participantFlowModule")),
        interventions=tuple(each.text("name") for each in arms.tables("interventions")),
        primary=tuple(
            (each.text("measure"), each.text("timeFrame"))
            for each in protocol.table("outcomesModule").tables("primaryOutcomes")
        ),
        has_results=bool(posted),
        version=status.table("lastUpdatePostDateStruct").text("date"),
        outcomes=tuple(_outcome(outcome) for outcome in posted),
    )


def _arm(row: _Node) -> Arm:
    names = tuple(_TYPE.sub("", name) for name in row.texts("interventionNames"))
    return Arm(row.text("label"), row.text("type"), names)


def _started(flow: _Node) -> tuple[Group, ...]:
    titles = {each.text("id"): each.text("title") for each in flow.tables("groups")}
    for milestone in (each for period in flow.tables("periods")[:1] for each in period.tables("milestones")):
        if milestone.text("type") == "STARTED":
            began = [
                (row.text("groupId"), row.whole("numSubjects")) for row in milestone.tables("achievements")
            ]
            return tuple(Group(group, titles.get(group, ""), n) for group, n in began)
    return ()


def _outcome(row: _Node) -> Outcome:
    unit = row.text("typeUnitsAnalyzed")
    counts = {each.text("units"): _counts(each) for each in row.tables("denoms")}
    counted = unit if unit in counts else next(iter(counts), unit)
    analysed, people = counts.get(counted, {}), counts.get("Participants", {})
    return Outcome(
        kind=row.text("type"),
        title=row.text("title"),
        time_frame=row.text("timeFrame"),
        population=row.text("populationDescription"),
        unit=row.text("unitOfMeasure"),
        value_kind=row.text("paramType"),
        spread_kind=row.text("dispersionType"),
        counted=counted,
        groups=tuple(
            Group(name, each.text("title"), analysed.get(name), people.get(name))
            for each in row.tables("groups")
            for name in (each.text("id"),)
        ),
        cells=tuple(_cells(row)),
        comparisons=tuple(_comparison(each) for each in row.tables("analyses")),
    )


def _counts(row: _Node) -> dict[str, int]:
    """How many of each group."""
    counts = {each.text("groupId"): each.whole("value") for each in row.tables("counts")}
    return {group: n for group, n in counts.items() if n is not None}


def _cells(row: _Node) -> list[Cell]:
    cells = []
    for each in row.tables("classes"):
        for category in each.tables("categories"):
            named = ", ".join(filter(None, (each.text("title"), category.text("title"))))
            for cell in category.tables("measurements"):
                parts = (cell.text(key) for key in ("groupId", "value", "spread", "lowerLimit", "upperLimit"))
                cells.append(Cell(named, *parts))
    return cells


def _comparison(row: _Node) -> Comparison:
    words = ("groupDescription", "estimateComment", "statisticalComment", "pValueComment")
    return Comparison(
        groups=row.texts("groupIds"),
        kind=row.text("paramType"),
        value=row.text("paramValue"),
        low=row.text("ciLowerLimit"),
        high=row.text("ciUpperLimit"),
        percent=row.text("ciPctValue"),
        sides=row.text("ciNumSides"),
        p=row.text("pValue"),
        spread_kind=row.text("dispersionType"),
        spread=row.text("dispersionValue"),
        method=row.text("statisticalMethod"),
        hypothesis=row.text("nonInferiorityType"),
        words=tuple(filter(None, (row.text(key) for key in (*words, "otherAnalysisDescription")))),
    )


def _kind(value: object) -> str:
    """What was found, in a few words."""
    names = {bool: "true or false", str: "text", list: "a list", dict: "a table", type(None): "null"}
    name = names.get(type(value), "a number")
    return f"{name} ({value!r:.40})" if isinstance(value, str | int | float) else name
