"""The picture of the evidence: all that is known stands on it, and no words stand on others."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from remyelin import evidence
from remyelin.errors import InputError
from remyelin.evidence.graph import VERDICTS, graph
from remyelin.report import draw_evidence, evidence_plot
from remyelin.report.canvas import Picture


def test_what_was_read_stands_on_it_and_what_was_not_does_not(tmp_path: Path) -> None:
    picture = draw_evidence(title="Known", path=tmp_path / "e.svg")
    adrift = {treatment.id for treatment in graph().adrift}
    for treatment in evidence.records("treatments"):
        if treatment.id in adrift:
            assert f"{treatment.name}" in picture.partition("Reach no step shown here: ")[2]
        elif treatment.status != "unverified":
            assert f">{treatment.name}<" in picture
        else:
            assert f">{treatment.name}<" not in picture
    for words in ("Differentiation", "nobody treats it", "primary endpoint met", "Semaphorin 3F (helps)"):
        assert words in picture
    assert (tmp_path / "e.svg").read_text(encoding="utf-8").startswith("<svg xmlns")
    assert "http" not in picture.replace("http://www.w3.org", "")


def test_unverified_is_shown_only_if_asked_for() -> None:
    whole, part = draw_evidence(unverified=True), draw_evidence()
    for words in (">miconazole<", "not read in a source"):
        assert words in whole
        assert words not in part
    assert part == draw_evidence()


@pytest.mark.parametrize("unverified", [False, True])
def test_no_words_stand_on_others_or_outside(unverified: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = []
    markup = evidence_plot.markup

    def keep(figure, name, alt):
        picture = markup(figure, name, alt)
        (ax,) = figure.axes
        figures.append([(text.get_text(), text.get_window_extent()) for text in ax.texts])
        figures.append(figure.bbox)
        return picture

    monkeypatch.setattr(evidence_plot, "markup", keep)
    draw_evidence(unverified=unverified, title="Known")
    boxes, frame = figures
    assert len(boxes) > 100
    for words, box in boxes:
        assert frame.x0 <= box.x0, words
        assert box.x1 <= frame.x1, words
        assert frame.y0 <= box.y0 < box.y1 <= frame.y1, words
    for (words, box), (others, other) in itertools.combinations(boxes, 2):
        assert not box.padded(-0.5).overlaps(other.padded(-0.5)), f"{words!r} and {others!r}"


def test_a_trial_has_a_mark_of_its_verdict() -> None:
    assert set(evidence_plot.MARKS) == set(VERDICTS)
    assert evidence_plot.MARKS["met"][:3] != evidence_plot.MARKS["met in part"][:3]


def test_no_word_is_cut_and_no_trial_uncounted() -> None:
    picture = draw_evidence()
    assert "…" not in picture
    text = " ".join(re.sub(r"<[^>]+>", " ", picture.partition("</title>")[2] or picture).split())
    for summary in map(graph().summary, graph().steps):
        for verdict, n in summary.trials.items():
            assert f"{n} {verdict}" in text
    assert "several treatments together" in text


def test_hidden_steps_are_named() -> None:
    hidden = [step.name for step in evidence.records("steps") if step.status == "unverified"]
    assert hidden
    picture, whole = draw_evidence(), draw_evidence(unverified=True)
    assert f"Steps not shown, since nobody has read of them: {', '.join(hidden)}" in picture
    assert "Steps not shown" not in whole


def test_another_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_plot, "markup", lambda figure, name, alt: Picture())
    with pytest.raises(InputError, match=r"expected \.svg"):
        draw_evidence(path=tmp_path / "e.pdf")
