"""The pages of the evidence base: every record once, every link with an end, what nobody read apart."""

from __future__ import annotations

import importlib
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from remyelin import evidence
from remyelin.evidence.checked import checked
from remyelin.evidence.kinds import KINDS
from remyelin.evidence.load import ids

DOCS = Path(__file__).parents[1] / "docs"
HOWTO = DOCS / "howto/correct-a-number.md"
CLAIMS = [kind for kind, model in KINDS.items() if "status" in model.model_fields]


@pytest.fixture(scope="module")
def module() -> ModuleType:
    sys.path.insert(0, str(DOCS))
    try:
        return importlib.import_module("evidence_pages")
    finally:
        sys.path.remove(str(DOCS))


@pytest.fixture(scope="module")
def pages(module: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The text of each page by the kind of its records."""
    folder = tmp_path_factory.mktemp("evidence")
    module.write_pages(folder)
    return {path.stem.replace("-", "_"): path.read_text(encoding="utf-8") for path in folder.glob("*.md")}


def apart(page: str) -> tuple[str, str]:
    """What was read, and what was not."""
    shown, _, recalled = page.partition(": not verified\n")
    return shown.partition(": recalled fields of these\n")[0], recalled


def test_every_kind_has_a_page_in_the_contents(pages: dict[str, str]) -> None:
    assert set(pages) == {*KINDS, "index"}
    listed = pages["index"].partition("```{toctree}")[2]
    assert set(re.findall(r"^([a-z-]+)$", listed, re.M)) == {kind.replace("_", "-") for kind in KINDS}
    assert "![Treatments, targets, steps" in pages["index"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_record_stands_once_and_where_it_belongs(pages: dict[str, str], kind: str) -> None:
    shown, recalled = apart(pages[kind])
    anchors = [re.findall(r'<a id="([^"]+)">', part) for part in (shown, recalled)]
    read = [f"{kind}-{each.id}" for each in evidence.records(kind) if each.verified() is not None]
    rest = [f"{kind}-{each.id}" for each in evidence.records(kind) if each.verified() is None]
    assert anchors == [read, rest]


def test_no_link_leads_nowhere(pages: dict[str, str]) -> None:
    anchors = {
        f"{kind.replace('_', '-')}.html#{anchor}"
        for kind, page in pages.items()
        for anchor in re.findall(r'<a id="([^"]+)">', page)
    }
    links = [
        link
        for page in pages.values()
        for link in re.findall(r'<a href="([^"]+)">', page)
        if not link.startswith("http")
    ]
    assert len(links) > 500
    assert set(links) <= anchors


@pytest.mark.parametrize("kind", CLAIMS)
def test_every_claim_links_each_of_its_sources(pages: dict[str, str], kind: str) -> None:
    lines = {
        found.group(1): line
        for line in pages[kind].splitlines()
        if (found := re.search(r'<a id="([^"]+)">', line))
    }
    for record in evidence.records(kind):
        for source in record.source:
            assert f"sources.html#sources-{source}" in lines[f"{kind}-{record.id}"]


def test_what_was_recalled_of_a_record_stands_apart(pages: dict[str, str]) -> None:
    renew = evidence.find("trials/renew")
    assert "doi" in renew.unverified
    shown, _ = apart(pages["trials"])
    assert renew.doi not in shown
    assert re.search(r"renew</a> \| doi \| ", pages["trials"])


def test_numbers_stand_with_their_sign_interval_and_unit(pages: dict[str, str]) -> None:
    (line,) = (line for line in pages["results"].splitlines() if "results-renew-p100-pp-w32" in line)
    plain = line.replace("\\", "")
    assert "-9.1 ms (95 % CI -16.1 to -2.1)" in plain
    assert "PP, parallel groups, prespecified, per participant" in plain
    assert "opicinumab (n 33, mean 13.2 ms)" in plain


def test_a_recalled_value_of_a_conflict_is_said_to_be_there(pages: dict[str, str]) -> None:
    (line,) = (line for line in pages["conflicts"].splitlines() if '<a id="conflicts-estriol-n">' in line)
    assert "1 more, unverified" in line
    assert "**164**" in line
    assert "158" not in line.replace("164 or 158", "")


def test_a_wide_table_moves_in_its_own_frame() -> None:
    style = (DOCS / "_static/evidence.css").read_text(encoding="utf-8")
    assert "min-width: 0" in style  # or the page is as wide as its widest table
    assert ".table-wrapper { max-width: 100%; max-height: 85vh; overflow: auto; }" in style


def test_what_matters_most_of_a_trial_and_a_result_stands_first(pages: dict[str, str]) -> None:
    heads = {
        kind: re.findall(r"^\| (.*) \|$", pages[kind], re.M)[0].split(" | ") for kind in ("trials", "results")
    }
    assert heads["trials"][:4] == ["trial", "treatments", "outcome", "people"]
    assert heads["results"][:4] == ["trial", "endpoint", "estimate", "p"]


def test_conflicts_stand_side_by_side(pages: dict[str, str]) -> None:
    (line,) = (line for line in pages["conflicts"].splitlines() if "conflicts-renew-p" in line)
    assert "**0.011**" in line.replace("\\", "")
    assert "**0.11**" in line.replace("\\", "")


def test_every_row_has_the_cells_of_its_head(pages: dict[str, str]) -> None:
    for kind, page in pages.items():
        for table in re.findall(r"(?:^\|.*\n)+", page, re.M):
            cells = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
            assert len(cells) == 1, kind


def test_words_are_shown_as_they_are(module: ModuleType) -> None:
    nasty = "a | b <c> `d` *e* _f_ [g](h) {i} $j$ ~k~ \\l\nm & n"
    markdown = pytest.importorskip("markdown_it").MarkdownIt("commonmark").enable("table")
    shown = markdown.render(module.table(("x",), [(module.escape(nasty),)]))
    text = re.sub(r"<[^>]+>", "", shown)
    for code, sign in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        text = text.replace(code, sign)
    assert " ".join(nasty.split()) in text


def test_a_page_that_has_not_changed_is_left_alone(module: ModuleType, tmp_path: Path) -> None:
    module.write_pages(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.md")}
    module.write_pages(tmp_path)
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.md")}


def examples() -> list[tuple[str, str]]:
    """The examples of the how-to, each with the kind of its file."""
    return re.findall(r"```toml\n# (\w+)\.toml\n(.*?)```", HOWTO.read_text(encoding="utf-8"), re.S)


@pytest.mark.parametrize(("kind", "text"), examples(), ids=[kind for kind, _ in examples()])
def test_an_example_is_a_record_of_the_package(kind: str, text: str) -> None:
    (made,) = checked(kind, tomllib.loads(text), "example", ids)
    (ours,) = (record for record in evidence.records(kind) if record.id == made.id)
    for name in made.model_fields_set:
        assert getattr(made, name) == getattr(ours, name), name


def test_the_howto_shows_each_kind_that_people_add() -> None:
    assert {kind for kind, _ in examples()} == set(KINDS) - {"steps", "gaps", "questions", "standards"}
