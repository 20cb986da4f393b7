"""Cells of the evidence pages: fields of a record as Markdown, with links to the records that they name."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from remyelin import evidence
from remyelin.evidence.graph import verdict
from remyelin.evidence.wording import arm_in, number


def escape(text: object) -> str:
    """Text that Markdown shows as it is, on one line.

    >>> print(escape("P100 < 118 | _ms_"))
    P100 \\< 118 \\| \\_ms\\_
    """
    return re.sub(r"([\\`*_{}\[\]<>$|~^#&@!'\"+:-])", r"\\\1", " ".join(str(text).split()))


def link(kind: str, name: str, words: str = "") -> str:
    """A link to a record on the page of its kind.

    >>> link("sources", "cc2a")
    '<a href="sources.html#sources-cc2a">cc2a</a>'
    """
    return f'<a href="{file_of(kind)}.html#{kind}-{name}">{escape(words or name)}</a>'


def file_of(kind: str) -> str:
    return kind.replace("_", "-")


def links(kind: str, names: tuple[str, ...]) -> str:
    return ", ".join(link(kind, name) for name in names)


def sources(record: Any) -> str:
    return links("sources", record.source)


def text(name: str) -> Callable[[Any], str]:
    def cell(record: Any) -> str:
        value = getattr(record, name)
        return "" if value is None else escape(f"{value:g}" if isinstance(value, float) else value)

    return cell


def records(name: str, kind: str) -> Callable[[Any], str]:
    return lambda record: links(kind, getattr(record, name))


def doi(record: Any) -> str:
    return f"[{escape(record.doi)}](https://doi.org/{record.doi})" if record.doi else ""


def registry(record: Any) -> str:
    return ", ".join(
        f"[{name}](https://clinicaltrials.gov/study/{name})" if name.startswith("NCT") else escape(name)
        for name in record.registry
    )


def edges(record: Any) -> str:
    kinds = {target.id: "targets" for target in evidence.records("targets")}
    return ", ".join(
        link(kinds.get(edge.target, "barriers"), edge.target)
        + (" (contested)" if edge.contested else "")
        + (f" [{links('sources', edge.source)}]" if edge.source else "")
        for edge in record.targets
    )


def treatments_of(record: Any) -> str:
    """Who acts on a target or barrier, of what was read; all for one that is itself not verified."""
    unverified = record.status == "unverified"
    rows = [each if unverified else each.verified() for each in evidence.records("treatments")]
    acting = [each for each in rows if each and any(edge.target == record.id for edge in each.targets)]
    return ", ".join(link("treatments", each.id, each.name) for each in acting)


def trials_of(record: Any) -> str:
    unverified = record.status == "unverified"
    rows = [each if unverified else each.verified() for each in evidence.records("trials")]
    given = [each for each in rows if each and record.id in each.treatments]
    return ", ".join(f"{link('trials', each.id, each.name)} ({verdict(each)})" for each in given)


def results_of(record: Any) -> str:
    unverified = record.status == "unverified"
    rows = [each if unverified else each.verified() for each in evidence.records("results")]
    own = [each for each in rows if each and each.trial == record.id]
    return ", ".join(link("results", each.id, each.endpoint) for each in own)


def people(record: Any) -> str:
    return "" if record.n is None else f"{record.n} {record.n_kind}"


def estimate(record: Any) -> str:
    if record.estimate is None:
        return escape(record.words)
    scale = "" if record.scale == "difference" else f"{record.scale} "
    unit = record.unit if record.scale == "difference" and record.unit != "1" else ""
    interval = ""
    if record.low is not None:
        interval = f" ({100 * record.level:g} % CI {record.low:g} to {record.high:g})"
    error = "" if record.se is None else f", SE {record.se:g}"
    return escape(f"{scale}{record.estimate:g} {unit}".rstrip() + interval + error)


def p_of(record: Any) -> str:
    if record.p_low is not None:
        return f"{record.p_low:g} to {record.p_high:g}"
    if record.p is None:
        return ""
    return escape(("" if record.p_relation == "=" else f"{record.p_relation} ") + f"{record.p:g}")


def set_of(record: Any) -> str:
    words = (record.analysis_set, record.estimand, record.prespecified, f"per {record.per}")
    said = [word for word in (*words, record.subgroup) if word and "not seen" not in word]
    return escape(("primary, " if record.primary else "") + ", ".join(said))


def parameter(record: Any) -> str:
    return f"`{record.name}`"


def qualifiers(record: Any) -> str:
    return escape(", ".join(f"{key} {value}" for key, value in record.qualifiers.items()))


def value(record: Any) -> str:
    interval = "" if record.low is None else f" ({record.low:g} to {record.high:g})"
    return escape(f"{record.value:g} {record.unit}".removesuffix(" 1") + interval)


def siblings(record: Any) -> str:
    stands = []
    for each in record.siblings:
        kind, _, name = each.record.partition("/")
        place = f"{link(kind, name)} {escape(each.field)}" if each.record else ""
        value = number(each.value) if isinstance(each.value, float) else each.value
        said = f"**{escape(value)}** {escape(each.words)}".rstrip()
        stands.append(f"{place}: {said} [{links('sources', each.source) or each.status}]".lstrip(": "))
    whole = next(each for each in evidence.records("conflicts") if each.id == record.id)
    if hidden := len(whole.siblings) - len(record.siblings):
        stands.append(f"{hidden} more, unverified: below")
    return "<br>".join(stands)


def arms(record: Any) -> str:
    return "<br>".join(escape(arm_in(arm, record.unit)) for arm in record.arms)


def address(record: Any) -> str:
    """The DOI and the addresses of a source, those of the web as links."""
    return "<br>".join(filter(None, [doi(record), *map(_url, (record.url, *record.also))]))


def _url(url: str) -> str:
    shown = escape(url if len(url) <= 60 else f"{url[:59]}…")
    return f'<a href="{_quoted(url)}">{shown}</a>' if url.startswith(("http://", "https://")) else shown


def _quoted(url: str) -> str:
    return url.replace("&", "&amp;").replace('"', "%22").replace("<", "%3C")
