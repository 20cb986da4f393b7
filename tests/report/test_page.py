"""Pages: complete, self-contained, safe, and the same bytes every time."""

from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from remyelin.errors import InputError
from remyelin.report import all_pages, participant_page, participant_pages, trial_page
from remyelin.tables import Measurements, Results

from .conftest import FACTS, VIRTUAL, measured, results, write_tsv

TRIAL_PANELS = [
    "participants",
    "lesions",
    "maps",
    "siblings",
    "quality",
    "attrition",
    "failures",
    "methods",
]
PERSON_PANELS = ["change", "maps", "lesions", "registration", "calibration", "tissue", "flags"]
ATTACK = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'{{7*7}}$x_$ 髄鞘"


class Page(HTMLParser):
    """What a test wants to know of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.inside: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in ("style", "script", "title"):
            self.inside.append(tag)

    def handle_endtag(self, tag):
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data):
        if "style" not in self.inside:
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    @property
    def panels(self) -> list[str]:
        return [a["id"] for tag, a in self.tags if tag == "section" and a.get("class") == "panel"]

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def trial(out: Path) -> Page:
    return Page(trial_page(out).read_text())


def person(out: Path, name: str = "sub-01") -> Page:
    return Page(participant_page(out, name).read_text())


@pytest.fixture(scope="module")
def pages(trial_folder, tmp_path_factory) -> dict[str, Page]:
    out = tmp_path_factory.mktemp("pages") / "out"
    shutil.copytree(trial_folder, out)
    return {"trial": trial(out), "person": person(out)}


def test_every_panel_is_there_and_answers(pages):
    assert pages["trial"].panels == TRIAL_PANELS
    assert pages["person"].panels == PERSON_PANELS
    for page in pages.values():
        answers = re.findall(r'<p class="answer">(.+?)</p>', page.html, re.S)
        assert len(answers) == len(page.panels)
        assert all(len(answer) > 15 for answer in answers)


def test_the_answer_stands_first(pages):
    text = pages["trial"].text
    assert "+1.41 pu" in text
    assert "95 % CI +0.50 to +2.33 · p = 0.016" in text
    assert "was 1.41 pu higher with treated than with placebo, in 6 participants with 45 lesions." in text
    assert text.index("+1.41 pu") < text.index("How did each participant change?")
    assert VIRTUAL.removeprefix("Virtual data: n") in text
    assert "not a medical device" in text


@pytest.mark.parametrize("which", ["trial", "person"])
def test_a_page_asks_nothing_of_anyone(pages, which):
    page = pages[which]
    assert page.all("script") == page.all("iframe") == page.all("object") == []
    policy = [a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
    for tag, attributes in page.tags:
        for name in ("src", "href", "xlink:href", "data", "srcset", "action"):
            target = attributes.get(name)
            if target is None or target.startswith(("data:", "#")):
                continue
            assert tag == "a", f"{tag} {name}={target}"  # a link that a reader may follow
            assert target.startswith(("https://doi.org/", "sub-", "../report.html"))
    assert "@import" not in page.html
    assert all(url.startswith("#") for url in re.findall(r"url\(([^)]*)\)", page.html))
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


@pytest.mark.parametrize("which", ["trial", "person"])
def test_a_page_can_be_read_without_seeing_it(pages, which):
    page = pages[which]
    assert page.all("html")[0]["lang"] == "en"
    for svg in page.all("svg"):
        assert svg["role"] in ("img", "group")
        assert len(svg["aria-label"]) > 20
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    anchors = {a["href"][1:] for _, a in page.tags if (a.get("href") or "").startswith("#")}
    assert anchors <= set(ids)
    assert all("scope" in a for a in page.all("th"))


def test_links_lead_somewhere(folder):
    all_pages(folder)
    for path in [folder / "report.html", folder / "sub-01" / "sub-01.html"]:
        targets = [a.get("href") or "" for a in Page(path.read_text()).all("a")]
        local = [target for target in targets if not target.startswith(("#", "https://doi.org/"))]
        assert local
        assert all((path.parent / target).is_file() for target in local)


def test_the_same_folder_gives_the_same_bytes(trial_folder, tmp_path, monkeypatch):
    written = []
    for place, zone in (("a", "UTC"), ("b/c", "Asia/Tokyo")):
        monkeypatch.setenv("TZ", zone)
        out = tmp_path / place
        shutil.copytree(trial_folder, out)
        names = all_pages(out).paths
        written.append({name: (out / name).read_bytes() for name in names})
    assert len(written[0]) == 7
    assert written[0] == written[1]


def test_sizes_stay_small(pages):
    assert len(pages["trial"].html) < 5_000_000
    assert len(pages["person"].html) < 1_500_000


def test_what_a_user_wrote_is_shown_and_never_run(folder):
    facts = dict.fromkeys(FACTS, ATTACK)
    rows = [{**facts, "participant_id": "sub-01", "quality": ATTACK}]
    for name in ("flags.tsv", "sub-01/sub-01_flags.tsv"):
        write_tsv(folder / name, rows, (*FACTS, "quality"))
    write_tsv(folder / "failures.tsv", [facts], FACTS)
    step = {"step": ATTACK, "participants": ATTACK, "sites": ATTACK, "reason": ATTACK}
    write_tsv(folder / "attrition.tsv", [step])
    (folder / "methods.txt").write_text(ATTACK)
    description = folder / "dataset_description.json"
    description.write_text(description.read_text().replace(VIRTUAL, ATTACK.replace('"', '\\"')))
    settings = folder / "protocol.toml"
    settings.write_text(settings.read_text().replace('"A virtual trial of lesional MTR"', f"'''{ATTACK}'''"))
    for name in ("measurements.parquet", "sub-01/sub-01_measurements.tsv"):
        frame = Measurements.read(folder / name).frame.assign(quality="flag", reason=ATTACK)
        Measurements(frame).write(folder / name)
    endpoints = pd.read_csv(folder / "endpoints.tsv", sep="\t", keep_default_na=False)
    endpoints.assign(arm=ATTACK, reason=ATTACK).to_csv(folder / "endpoints.tsv", sep="\t", index=False)
    contrast = [{**row, "contrast": ATTACK, "analysis_set": ATTACK} for row in results()]
    Results.from_rows(contrast).write(folder / "results.tsv")
    for page in (trial(folder), person(folder)):
        assert page.all("script") == []
        assert page.all("img") == []
        assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
        assert ATTACK in page.text  # shown as it was written


def test_without_an_allocation_no_arm_is_known(folder):
    for name in ("results.tsv", "endpoints.tsv", "attrition.tsv", "methods.txt", "protocol.toml"):
        (folder / name).unlink()
    page = trial(folder)
    assert "Blinded" in page.text
    assert "Nothing to compare: no allocation has been used." in page.text
    assert page.panels == TRIAL_PANELS
    for word in ("treated", "placebo"):
        assert word not in page.html


def test_a_participants_page_never_shows_an_arm(folder):
    before = participant_page(folder, "sub-01").read_bytes()
    endpoints = pd.read_csv(folder / "endpoints.tsv", sep="\t")
    swapped = endpoints["arm"].map({"treated": "placebo", "placebo": "treated"})
    endpoints.assign(arm=swapped).to_csv(folder / "endpoints.tsv", sep="\t", index=False)
    assert participant_page(folder, "sub-01").read_bytes() == before
    assert b"placebo" not in before
    assert b"treated" not in before


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (-0.3, 0.7, "includes 0"),
        (0.1, 0.7, "lies above 0"),
        (-0.7, -0.1, "lies below 0"),
        (np.nan, np.nan, "No interval could be computed"),
    ],
)
def test_the_verdict_follows_the_interval(folder, low, high, said):
    estimate = 0.2 if np.isnan(low) else (low + high) / 2
    row = {**results()[0], "estimate": estimate, "ci_low": low, "ci_high": high}
    (folder / "results.tsv").unlink()
    Results.from_rows([row]).write(folder / "results.tsv")
    page = trial(folder)
    assert said in page.text
    assert ("lower with" in page.text) == (estimate < 0)


def test_the_siblings_of_the_estimate_are_named(pages):
    words = ["as prespecified", "precision-weighted mean of lesions", "regression to the mean removed"]
    assert all(f">{word}<" in pages["trial"].html for word in words)
    assert "4 estimates of treated - placebo, from +1.36 to +1.81 pu" in pages["trial"].text


def siblings_of(folder: Path, rows: list[dict]) -> str:
    (folder / "results.tsv").unlink()
    Results.from_rows(rows).write(folder / "results.tsv")
    html = trial(folder).html
    panel = html[html.index('id="siblings"') :]
    return re.sub(r"\s+", " ", panel[: panel.index("</section>")])


def test_estimates_of_other_endpoints_are_not_counted(folder):
    """Neither a secondary endpoint nor its sibling, and not where its name begins with the primary's."""
    primary = results()
    others = [
        {**row, "endpoint": row["endpoint"].replace("mtr", other), "estimate": 9.0, "ci_high": 10.0}
        for row in primary[:2]
        for other in ("mtr-core", "volume")
    ]
    said = siblings_of(folder, primary + others)
    assert "4 estimates of treated - placebo, from +1.36 to +1.81 pu" in said
    assert "Estimates of other endpoints are not among them" in said
    assert "+9.00" not in said
    assert "other endpoints" not in siblings_of(folder, primary)


def test_estimates_of_a_crossover_are_said_to_answer_different_questions(folder):
    """With what each asks; an estimate that differs in how it is made is none of them."""
    first, *_ = results()
    words = ("first period", "delayed treatment", "measurement error not used")
    others = [{**first, "endpoint": f"{first['endpoint']} ({w})", "prespecified": False} for w in words]
    said = siblings_of(folder, [first, *others])
    assert "2 of them answer another question of the crossover." in said
    assert "Estimates of a crossover answer different questions and need not agree." in said
    assert "“first period”: the effect of the first period, against other participants" in said
    assert "“measurement" not in said
    assert "crossover" not in siblings_of(folder, results())


def test_who_has_no_change_stands_in_the_table_with_the_reason(folder):
    endpoints = pd.read_csv(folder / "endpoints.tsv", sep="\t")
    lost = {"participant_id": "sub-09", "arm": "treated", "endpoint": "submedian-lesion-mtr"}
    lost |= {"quality": "fail", "reason": "allocated, but not measured"}
    stray = {**lost, "participant_id": "sub-10", "arm": None, "reason": "not in the allocation"}
    frame = pd.concat([endpoints, pd.DataFrame([lost, stray])])
    frame.to_csv(folder / "endpoints.tsv", sep="\t", index=False, na_rep="n/a")
    page = trial(folder)
    assert "allocated, but not measured" in page.text
    assert "2 participants without a change: the table says why." in page.text
    assert "all participants" not in page.html  # nobody's missing arm is an arm
    assert "(n = 3) and" in page.text


def test_failures_are_named(folder):
    row = dict(
        zip(
            FACTS, ("sub-09", "M06", "a_MTR.nii.gz", "gzip", "cut off", "whole", "copy it again"), strict=True
        )
    )
    write_tsv(folder / "failures.tsv", [row], FACTS)
    text = trial(folder).text
    assert "1 failure (sub-09). The others were finished without them." in text
    assert "copy it again" in text


def test_a_folder_without_maps_says_so(folder):
    for path in folder.rglob("*.nii.gz"):
        path.unlink()
    assert "No map in halfway space stands in the output folder" in trial(folder).text
    page = person(folder)
    assert page.panels == PERSON_PANELS
    assert "Without maps there is no picture of a lesion." in page.text


def test_only_the_first_hundreds_of_rows_are_shown(folder):
    row = dict.fromkeys(FACTS, "x")
    write_tsv(folder / "failures.tsv", [row] * 1000, FACTS)
    page = trial(folder)
    assert "600 more rows stand in the tables of the output folder." in page.text
    assert len(page.all("tr")) < 600


def alone(out: Path, rows: list[dict]) -> Page:
    (out / "sub-01").mkdir()
    Measurements.from_rows(rows).write(out / "sub-01" / "sub-01_measurements.tsv")
    return person(out)


def test_a_participant_with_one_lesion(tmp_path):
    page = alone(tmp_path, measured("sub-01", np.array([30.0]), np.array([31.0]), np.array([100.0])))
    assert page.panels == PERSON_PANELS
    assert "no submedian lesion" in page.text
    assert "1 lesion rose and no lesions fell" in page.text


def test_a_participant_with_one_visit(tmp_path):
    rows = measured("sub-01", np.array([30.0, 28.0]), np.array([31.0, 28.0]), np.array([100.0, 90.0]))
    page = alone(tmp_path, [row for row in rows if row["visit"] == "M00"])
    assert page.panels == PERSON_PANELS
    assert "There is no second visit yet, so no change to show." in page.text


def test_a_participant_without_lesions(tmp_path):
    rows = measured("sub-01", np.array([30.0]), np.array([31.0]), np.array([100.0]))
    page = alone(tmp_path, [row for row in rows if not row["site"].startswith("lesion")])
    assert page.panels == PERSON_PANELS
    assert "No lesion was measured at two visits." in page.text


def test_a_trial_of_which_nothing_could_be_measured(tmp_path):
    Measurements.from_rows([]).write(tmp_path / "measurements.parquet")
    row = dict(
        zip(FACTS, ("sub-09", "M06", "a.nii.gz", "gzip", "cut off", "whole", "copy it again"), strict=True)
    )
    write_tsv(tmp_path / "failures.tsv", [row], FACTS)
    page = trial(tmp_path)
    assert page.panels == TRIAL_PANELS
    assert "Blinded" in page.text
    assert "1 failure (sub-09)" in page.text
    assert "no participants measured" in page.text.lower()


def test_what_is_not_there_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="group"):
        trial_page(tmp_path)
    with pytest.raises(InputError, match=r"sub-77/sub-77_measurements\.tsv"):
        participant_page(tmp_path, "sub-77")
    with pytest.raises(InputError, match="without measurements"):
        all_pages(tmp_path)


def test_pages_tell_what_was_written(folder):
    pages = participant_pages(folder, ["sub-02", "sub-01"])
    assert pages.paths == ("sub-02/sub-02.html", "sub-01/sub-01.html")
    assert pages.exit_code == 0
    assert pages.to_dict() == {"pages": list(pages.paths)}
    assert str(pages) == "sub-02/sub-02.html\nsub-01/sub-01.html"
