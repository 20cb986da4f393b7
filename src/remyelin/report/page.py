"""Pages: one self-contained HTML file each, which asks nothing of the network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from remyelin.errors import InputError
from remyelin.files import atomic_write
from remyelin.run import output_lock

from . import conduct, outcome, reported
from . import participant as person_page
from . import trial as trial_data
from .outputs import Outputs

if TYPE_CHECKING:
    from jinja2 import Environment

    from .panels import Headline, Panel


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages that were written, relative to the output folder."""

    paths: tuple[str, ...]
    exit_code: int = 0

    def __str__(self) -> str:
        return "\n".join(self.paths)

    def to_dict(self) -> dict[str, Any]:
        """For machines."""
        return {"pages": list(self.paths)}


def trial_page(out: Path) -> Path:
    """Write `report.html`: the answer first, then what it rests on.

    Parameters
    ----------
    out
        The folder that `remyelin measure` filled (group level) and, for a treatment effect, `remyelin
        analyse`. Nothing else is read.

    Returns
    -------
    Path
        The page. The same folder gives the same bytes.

    Raises
    ------
    InputError
        Where there are no measurements, or a table cannot be read.
    """
    trial = trial_data.Trial(Outputs(out))
    panels = [*outcome.panels(trial), *reported.panels(trial), *conduct.panels(trial)]
    title = str(trial.outputs.settings.get("trial", {}).get("title", "")) or "Remyelination trial"
    people = sorted(trial.outputs.measurements["participant_id"].unique())
    pages = [name for name in people if (out / name / f"{name}_measurements.tsv").is_file()]
    return _write(out / "report.html", trial.outputs, title, trial_data.headline(trial), panels, people=pages)


def participant_page(out: Path, participant_id: str) -> Path:
    """Write `sub-XX/sub-XX.html`: the lesions of one participant before and after.

    Parameters
    ----------
    out
        The folder that `remyelin measure` filled.
    participant_id
        As ``"sub-01"``.

    Raises
    ------
    InputError
        Where this participant has no measurements.
    """
    person = person_page.Participant(Outputs(out), participant_id)
    path = out / participant_id / f"{participant_id}.html"
    panels = person_page.panels(person)
    return _write(path, person.outputs, participant_id, person_page.headline(person), panels, home="../")


def participant_pages(out: Path, participant_ids: Iterable[str]) -> Pages:
    """Write the pages of several participants."""
    with output_lock(out):
        return Pages(
            tuple(participant_page(out, name).relative_to(out).as_posix() for name in participant_ids)
        )


def missing_pages(out: Path, participant_ids: Iterable[str]) -> Pages:
    """Write the pages of those participants who have measurements and no page.

    Measuring a participant takes the page away first, so that a page which is there is up to date.
    """
    due = [
        name
        for name in participant_ids
        if (out / name / f"{name}_measurements.tsv").is_file() and not (out / name / f"{name}.html").exists()
    ]
    return participant_pages(out, due)


def all_pages(out: Path) -> Pages:
    """Write the page of every measured participant, and of the trial where their joined measurements are."""
    people = sorted(path.parent.name for path in out.glob("sub-*/sub-*_measurements.tsv"))
    joined = any((out / f"measurements.{kind}").is_file() for kind in ("parquet", "tsv"))
    if not people and not joined:
        fix = "run `remyelin measure BIDS OUT participant` first"
        raise InputError("", "output folder", "without measurements", "a folder filled by `measure`", fix)
    written = participant_pages(out, people).paths
    if joined:
        written = (trial_page(out).relative_to(out).as_posix(), *written)
    return Pages(written)


def _write(
    path: Path,
    outputs: Outputs,
    title: str,
    headline: Headline,
    panels: Sequence[Panel],
    *,
    people: Sequence[str] = (),
    home: str = "",
) -> Path:
    versions = (str(maker.get("Version", "")) for maker in outputs.makers if maker.get("Name") == "remyelin")
    html = render(
        title, headline, panels, people=people, home=home, virtual=outputs.virtual, version=next(versions, "")
    )
    with output_lock(outputs.root):
        atomic_write(path, html)
    return path


def render(
    title: str,
    headline: Headline,
    panels: Sequence[Panel],
    *,
    version: str,
    people: Sequence[str] = (),
    home: str = "",
    virtual: str = "",
) -> bytes:
    """A page; `version` is that of the package that made what it shows."""
    page = _templates().get_template("page.html")
    html = page.render(
        title=title,
        headline=headline,
        panels=panels,
        people=people,
        home=home,
        virtual=virtual,
        version=version,
        css=Markup(_static("report.css")),
    )
    return html.encode()


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("remyelin.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _static(name: str) -> str:
    return resources.files("remyelin.report").joinpath("static", name).read_text(encoding="utf-8")
