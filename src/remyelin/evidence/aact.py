"""A study of AACT, the registry as tables: pipe files to a `Study`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from remyelin.errors import InputError

from .pipe_files import PipeFiles
from .posted import Arm, Cell, Comparison, Group, Outcome, Study, plain
from .registry import NCT

# What is read of each table. Tables of contacts, officials and investigators are never opened.
_COLUMNS: dict[str, tuple[str, ...]] = {
    "studies": ("brief_title", "phase", "overall_status", "enrollment"),
    "designs": ("allocation", "intervention_model", "masking"),
    "eligibilities": ("minimum_age", "maximum_age", "gender"),
    "calculated_values": ("number_of_facilities",),
    "id_information": ("id_value",),
    "conditions": ("name",),
    "interventions": ("id", "name"),
    "design_groups": ("id", "group_type", "title"),
    "design_group_interventions": ("design_group_id", "intervention_id"),
    "design_outcomes": ("outcome_type", "measure", "time_frame"),
    "milestones": ("result_group_id", "title", "period", "count"),
    "outcomes": ("id", "outcome_type", "title", "time_frame", "units", "param_type"),
    "outcome_counts": ("outcome_id", "result_group_id", "units", "count"),
    "outcome_measurements": ("outcome_id", "result_group_id", "param_value"),
    "outcome_analyses": ("id", "outcome_id", "param_type", "param_value", "p_value"),
    "outcome_analysis_groups": ("outcome_analysis_id", "result_group_id"),
    "result_groups": ("id", "title"),
}

Row = dict[str, str]


def read_tables(path: Path, nct_id: str | None = None) -> Study:
    """Read one study from the pipe files of AACT: the zip, or the folder into which it was unpacked.

    Parameters
    ----------
    nct_id
        Its registry number; may be left out where the download holds one study.

    Raises
    ------
    InputError
        A download without `studies.txt`, a table without its columns, damaged or too large; several studies
        and no `nct_id`, or not that one.
    """
    source = PipeFiles(path)
    chosen = nct_id or _only(source)
    rows = {
        table: [{key: plain(value) for key, value in row.items()} for row in found]
        for table, needed in _COLUMNS.items()
        for found in (source.rows(table, needed, chosen),)
    }
    if not rows["studies"]:
        fix = "correct --study, or download again"
        raise InputError(source.file, "study", f"without {chosen}", "a study of this download", fix)
    if len(rows["studies"]) > 1:
        raise InputError("studies.txt", chosen, "there twice", "one row for each study", "keep one of them")
    absent = tuple(f"{table}.txt" for table in _COLUMNS if not source.has(table))
    return _study(source.file, chosen, rows, absent)


def _only(source: PipeFiles) -> str:
    numbers = []
    for row in source.rows("studies", _COLUMNS["studies"], None):
        numbers.append(row["nct_id"])
        if len(numbers) > 1:
            found = f"of several studies ({numbers[0]}, {numbers[1]} ...)"
            fix = "choose one with --study NCT..."
            raise InputError(source.file, "studies.txt", found, "one study", fix)
    if not numbers:
        raise InputError(source.file, "studies.txt", "without a row", "a study", "download it again")
    if not NCT.fullmatch(numbers[0]):
        raise InputError(
            "studies.txt", "nct_id", f"'{numbers[0][:40]}'", "NCT and eight digits", "correct it"
        )
    return numbers[0]


def _study(file: str, nct_id: str, rows: dict[str, list[Row]], absent: tuple[str, ...]) -> Study:
    study = rows["studies"][0]
    design = next(iter(rows["designs"]), {})
    who = next(iter(rows["eligibilities"]), {})
    counted = next(iter(rows["calculated_values"]), {})
    return Study(
        file=file,
        nct_id=nct_id,
        other_ids=_distinct(row["id_value"] for row in rows["id_information"]),
        acronym=study.get("acronym", ""),
        title=study.get("official_title") or study["brief_title"],
        status=study["overall_status"],
        why_stopped=study.get("why_stopped", ""),
        phases=tuple(filter(None, study["phase"].split("/"))),
        allocation=design.get("allocation", ""),
        model=design.get("intervention_model", ""),
        masking=design.get("masking", ""),
        n=_whole("studies", "enrollment", study["enrollment"]),
        n_kind=study.get("enrollment_type", "").lower(),
        sites=_whole("calculated_values", "number_of_facilities", counted.get("number_of_facilities", "")),
        conditions=_distinct(row["name"] for row in rows["conditions"]),
        ages=(who.get("minimum_age", ""), who.get("maximum_age", "")),
        sex=who.get("gender", ""),
        arms=_arms(rows),
        started=_started(rows),
        interventions=_distinct(row["name"] for row in rows["interventions"]),
        primary=tuple(
            (row["measure"], row["time_frame"])
            for row in rows["design_outcomes"]
            if row["outcome_type"].lower() == "primary"
        ),
        has_results=bool(rows["outcomes"]),
        version=study.get("last_update_posted_date", ""),
        outcomes=_outcomes(rows),
        absent=absent,
    )


def _arms(rows: dict[str, list[Row]]) -> tuple[Arm, ...]:
    names = {row["id"]: row["name"] for row in rows["interventions"]}
    given = _by(rows["design_group_interventions"], "design_group_id")
    taken = {
        group: tuple(names[row["intervention_id"]] for row in own if row["intervention_id"] in names)
        for group, own in given.items()
    }
    return tuple(
        Arm(row["title"], row["group_type"], taken.get(row["id"], ())) for row in rows["design_groups"]
    )


def _started(rows: dict[str, list[Row]]) -> tuple[Group, ...]:
    began = sorted((row for row in rows["milestones"] if row["title"].upper() == "STARTED"), key=_by_id)
    titles = {row["id"]: row["title"] for row in rows["result_groups"]}
    return tuple(
        Group(
            row["result_group_id"],
            titles.get(row["result_group_id"], ""),
            _whole("milestones", "count", row["count"]),
        )
        for row in began
        if row["period"] == began[0]["period"]
    )


def _outcomes(rows: dict[str, list[Row]]) -> tuple[Outcome, ...]:
    titles = {row["id"]: row["title"] for row in rows["result_groups"]}
    counts, cells, analyses = (
        _by(rows[table], "outcome_id")
        for table in ("outcome_counts", "outcome_measurements", "outcome_analyses")
    )
    compared = _by(rows["outcome_analysis_groups"], "outcome_analysis_id")
    made = []
    for row in sorted(rows["outcomes"], key=_by_id):
        own = [count for count in counts[row["id"]] if count.get("scope", "Measure") == "Measure"]
        units = _distinct(count["units"] for count in own)
        unit = row.get("units_analyzed") or next(iter(units), "")
        n = {c["result_group_id"]: c["count"] for c in own if c["units"] == unit or len(units) < 2}
        people = {c["result_group_id"]: c["count"] for c in own if c["units"] == "Participants"}
        measured = sorted(cells[row["id"]], key=_by_id)
        groups = _distinct([*n, *(cell["result_group_id"] for cell in measured)])
        first: Row = next(iter(measured), {})
        made.append(
            Outcome(
                kind=row["outcome_type"],
                title=row["title"],
                time_frame=row["time_frame"],
                population=row.get("population", ""),
                unit=row["units"],
                value_kind=row["param_type"],
                spread_kind=row.get("dispersion_type") or first.get("dispersion_type", ""),
                counted=unit,
                groups=tuple(
                    Group(
                        each,
                        titles.get(each, ""),
                        _whole("outcome_counts", "count", n.get(each, "")),
                        _whole("outcome_counts", "count", people.get(each, "")),
                    )
                    for each in groups
                ),
                cells=tuple(_cell(cell) for cell in measured),
                comparisons=tuple(
                    _comparison(each, sorted(compared[each["id"]], key=_by_id))
                    for each in sorted(analyses[row["id"]], key=_by_id)
                ),
            )
        )
    return tuple(made)


def _cell(row: Row) -> Cell:
    return Cell(
        ", ".join(filter(None, (row.get("classification", ""), row.get("category", "")))),
        row["result_group_id"],
        row["param_value"],
        row.get("dispersion_value", ""),
        row.get("dispersion_lower_limit_raw") or row.get("dispersion_lower_limit", ""),
        row.get("dispersion_upper_limit_raw") or row.get("dispersion_upper_limit", ""),
    )


def _comparison(row: Row, groups: list[Row]) -> Comparison:
    words = ("groups_description", "estimate_description", "method_description", "p_value_description")
    return Comparison(
        groups=tuple(group["result_group_id"] for group in groups),
        kind=row["param_type"],
        value=row["param_value"],
        low=row.get("ci_lower_limit_raw") or row.get("ci_lower_limit", ""),
        high=row.get("ci_upper_limit_raw") or row.get("ci_upper_limit", ""),
        percent=row.get("ci_percent", ""),
        sides=row.get("ci_n_sides", ""),
        p=row.get("p_value_raw") or row.get("p_value_modifier", "") + row["p_value"],
        spread_kind=row.get("dispersion_type", ""),
        spread=row.get("dispersion_value", ""),
        method=row.get("method", ""),
        hypothesis=row.get("non_inferiority_type", ""),
        words=tuple(filter(None, (row.get(key, "") for key in (*words, "other_analysis_description")))),
    )


def _by(rows: list[Row], key: str) -> defaultdict[str, list[Row]]:
    grouped: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row[key]].append(row)
    return grouped


def _by_id(row: Row) -> tuple[int, str]:
    """Rows in the order in which AACT took them from the registry, which is that of their ids."""
    text = row.get("id", "")
    return (int(text), "") if text.isdecimal() else (0, text)


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, texts)))


def _whole(table: str, column: str, text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or len(text) > 9:
        raise InputError(f"{table}.txt", column, f"'{text[:40]}'", "a whole number", "download it again")
    return int(text)
