"""The columns of the evidence pages: a page for each kind of record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evidence_cells import (
    address,
    arms,
    doi,
    edges,
    escape,
    estimate,
    link,
    p_of,
    parameter,
    people,
    qualifiers,
    records,
    registry,
    results_of,
    set_of,
    siblings,
    sources,
    text,
    treatments_of,
    trials_of,
    value,
)

Column = tuple[str, Callable[[Any], str]]

SIGN = (
    "An estimate is active less control in the unit of its endpoint: a faster latency is negative. "
    "The words of the report stand beside it."
)
SOURCE: Column = ("source", sources)
NOTE: Column = ("note", text("note"))
STATUS: Column = ("status", text("status"))
PAGES: dict[str, tuple[str, str, tuple[Column, ...]]] = {
    "trials": (
        "Trials",
        "The sources are those of the whole trial: read a field again before it matters.",
        (
            ("trial", text("name")),
            ("treatments", records("treatments", "treatments")),
            ("outcome", text("outcome")),
            ("people", people),
            ("phase", text("phase")),
            ("primary endpoint", text("primary_endpoint")),
            ("results", results_of),
            ("population", text("population")),
            ("duration", text("duration")),
            ("design", text("design")),
            ("registry", registry),
            ("DOI", doi),
            SOURCE,
            NOTE,
        ),
    ),
    "results": (
        "Results",
        SIGN,
        (
            ("trial", lambda record: link("trials", record.trial)),
            ("endpoint", lambda record: link("endpoints", record.endpoint)),
            ("estimate", estimate),
            ("p", p_of),
            ("set and estimand", set_of),
            ("time", text("timepoint")),
            ("contrast", text("contrast")),
            ("arms", arms),
            ("as published", text("published")),
            STATUS,
            SOURCE,
            NOTE,
        ),
    ),
    "treatments": (
        "Treatments",
        "What each acts on, and where people were given it.",
        (
            ("treatment", text("name")),
            ("targets", edges),
            ("trials", trials_of),
            ("in remyelin.biology", lambda record: f"`{record.biology}`" if record.biology else ""),
            SOURCE,
            NOTE,
        ),
    ),
    "targets": (
        "Targets",
        "What treatments take hold of, and at which steps of remyelination.",
        (
            ("target", text("name")),
            ("what is done to it", text("action")),
            ("steps", records("acts_on", "steps")),
            ("lifts", records("lifts", "barriers")),
            ("treatments", treatments_of),
            ("contested", lambda record: "yes" if record.contested else ""),
            SOURCE,
            NOTE,
        ),
    ),
    "barriers": (
        "Barriers",
        "What keeps remyelination back (-), helps it (+), or is not agreed on (?).",
        (
            ("barrier", text("name")),
            ("sign", text("sign")),
            ("steps", records("acts_on", "steps")),
            ("effect", text("effect")),
            ("treatments", treatments_of),
            ("contested", lambda record: "yes" if record.contested else ""),
            SOURCE,
            NOTE,
        ),
    ),
    "steps": (
        "Steps of remyelination",
        "In their order.",
        (("step", text("name")), ("definition", text("definition")), SOURCE, NOTE),
    ),
    "endpoints": (
        "Endpoints",
        "What trials compare.",
        (
            ("endpoint", lambda record: f"`{record.id}`"),
            ("name", text("name")),
            ("unit", text("unit")),
            ("better", text("better")),
            ("measured here as", lambda record: f"`{record.measure}`" if record.measure else ""),
        ),
    ),
    "parameters": (
        "Parameters",
        "Numbers for planning and simulation. `remyelin.evidence.parameter(name, ...)` gives one.",
        (
            ("parameter", parameter),
            ("of", qualifiers),
            ("value", value),
            ("endpoint", lambda record: link("endpoints", record.endpoint) if record.endpoint else ""),
            STATUS,
            SOURCE,
            NOTE,
        ),
    ),
    "sample_sizes": (
        "Sample sizes",
        "Published statements, and what we make of them.",
        (
            ("statement", text("id")),
            ("endpoint", text("endpoint")),
            ("sizes", lambda record: "<br>".join(escape(each) for each in record.statements)),
            ("power", text("power")),
            ("check", text("check")),
            ("design", text("design")),
            ("data", text("data")),
            ("model", text("model")),
            ("DOI", doi),
            SOURCE,
        ),
    ),
    "conflicts": (
        "Conflicts",
        "Values and meanings that do not agree. All stand side by side; nothing is overwritten. "
        "`remyelin evidence check` computes those that arithmetic can find.",
        (
            ("conflict", text("words")),
            ("kind", text("kind")),
            ("stand side by side", siblings),
            ("what the package uses", text("resolution")),
            SOURCE,
        ),
    ),
    "gaps": (
        "Gaps",
        "What was looked for and not found, and where a person should look.",
        (("gap", text("words")), ("where", text("where"))),
    ),
    "standards": (
        "Standards and registers",
        "What each carries, and what of it this package may hold.",
        (
            ("standard", text("name")),
            ("carries", text("carries")),
            ("access", text("access")),
            ("here", text("ship")),
            SOURCE,
            NOTE,
        ),
    ),
    "questions": (
        "Questions of users",
        "What the evidence base is to answer.",
        (("asker", text("asker")), ("question", text("words"))),
    ),
    "sources": (
        "Sources",
        "How much of each was read: what else stands in it was not seen.",
        (
            ("source", lambda record: f"`{record.id}`"),
            ("work", text("work")),
            ("read", text("read")),
            ("address", address),
        ),
    ),
}
