"""Pages of visual evoked potentials: what is drawn stands where the numbers say, and nothing is hidden."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from remyelin.errors import InputError
from remyelin.report.evoked import Evoked
from remyelin.tables import Measurements

from .conftest import Folder, measured
from .eyes import EYES, Eye, recorded, sectors, write_eyes
from .test_page import PERSON_PANELS, Page, person

VEP_PANELS = ["shift", "waves", "replicates"]
ATTACK = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def pages(eye_folder) -> dict[str, Page]:
    return {name: person(eye_folder, name) for name in EYES}


@pytest.fixture
def out(eye_folder, tmp_path) -> Path:
    """A copy that a test may alter."""
    target = tmp_path / "out"
    shutil.copytree(eye_folder, target)
    return target


def chart(page: Page, part: str) -> ET.Element:
    """The chart of the page in which an element has an id that begins so."""
    drawn = re.findall(r'<svg class="chart".*?</svg>', page.html, re.S)
    return ET.fromstring(next(svg for svg in drawn if f'id="{part}' in svg))


def ms_of(svg: ET.Element, gid: str) -> float:
    """Where on the time axis of its picture the element `gid` stands."""
    axes = [g for g in svg.iter("g") if re.search(r"-axes_\d+$", g.get("id", ""))]
    home = next(g for g in axes if any(each.get("id") == gid for each in g.iter("g")))
    element = next(g for g in home.iter("g") if g.get("id") == gid)
    uses = list(element.iter("use"))
    line = [path.get("d") for path in element.iter("path")]
    x = float(uses[0].get("x")) if uses else float(re.match(r"M ([\d.]+)", line[0]).group(1))
    ticks = []
    for tick in home.iter("g"):
        if "-xtick_" in tick.get("id", ""):
            words = "".join(text.text or "" for text in tick.iter("text"))
            ticks.append((float(next(tick.iter("use")).get("x")), float(words)))
    (x0, t0), (x1, t1) = ticks[0], ticks[-1]
    return t0 + (x - x0) / (x1 - x0) * (t1 - t0)


# ---------------------------------------------------------------- what is there


def test_only_what_was_measured_has_panels(pages):
    assert pages["sub-01"].panels == [*VEP_PANELS, "flags"]
    assert pages["sub-02"].panels == [*VEP_PANELS, "sectors", "flags"]
    for page in pages.values():
        for word in ("lesion", "MTR", "registration"):
            assert word not in page.text
        answers = re.findall(r'<p class="answer">(.+?)</p>', page.html, re.S)
        assert all(len(answer) > 15 for answer in answers)


def test_both_kinds_stand_on_one_page(out):
    images = measured("sub-01", np.array([30.0, 28.0]), np.array([31.0, 29.0]), np.array([90.0, 80.0]))
    table = out / "sub-01" / "sub-01_measurements.tsv"
    both = Measurements.concat([Measurements.read(table), Measurements.from_rows(images)])
    both.write(table)
    page = person(out)
    assert page.panels == [*PERSON_PANELS[:-1], *VEP_PANELS, "flags"]
    assert "Change of MTR in submedian lesions" in page.text
    assert "Evoked potentials: From W00 to W26: right eye (OD) 2.1 ms earlier" in page.text
    assert "Mean change from M00 to M06 in the 1 of 2 followed lesions" in page.text  # not W00 to W26


def test_the_headline_is_the_mean_shift_with_its_interval(pages):
    text = pages["sub-01"].text
    half = 1.96 * np.hypot(0.8, 0.8) / 2
    low, high = (f"{-1.75 + sign * half:+.1f}".replace("-", "−") for sign in (-1, 1))
    assert "−1.8 ms" in text
    assert f"95 % interval {low} to {high} · mean of 2 eyes at W26, 60′ checks" in text
    assert "right eye (OD) 2.1 ms earlier (95 % −3.7 to −0.5)" in text
    assert "left eye (OS) 1.4 ms earlier (95 % −3.0 to +0.2, which includes 0)" in text


def test_an_absent_response_is_a_finding_in_words(pages):
    text = pages["sub-02"].text
    assert "mean of 1 eye" in text
    assert "left eye (OS) without a response" in text
    assert "No P100 could be found in the left eye (OS) at W26, where one would have been seen" in text
    svg = chart(pages["sub-02"], "waves0-")
    ids = {g.get("id") for g in svg.iter("g")}
    assert "waves0-OS-W26-60-P100" not in ids
    assert {"waves0-OS-W00-60-P100", "waves0-OD-W26-60-P100", "waves0-OD-W26-60-N75"} <= ids
    assert [t.text for t in svg.iter("text")].count("no response") == 1


# ---------------------------------------------------------------- what is drawn


@pytest.mark.parametrize(
    ("what", "ms"),
    [("OS-W26-60-P100", 96.6), ("OS-W00-60-P100", 98.0), ("OS-W26-60-N75", 66.6), ("OS-W26-60-N135", 134.6),
     ("OS-W26-60-hump", 123.6)],
)  # fmt: skip
def test_a_mark_stands_where_its_number_says(pages, what, ms):
    assert ms_of(chart(pages["sub-01"], "waves0-"), f"waves0-{what}") == pytest.approx(ms, abs=0.05)


def test_the_shift_can_be_seen_where_visits_lie_over_each_other(pages):
    svg = chart(pages["sub-01"], "overlay-")
    before, after = (ms_of(svg, f"overlay-OD-{visit}-60-line") for visit in ("W00", "W26"))
    assert after - before == pytest.approx(-2.1, abs=0.05)
    box = [float(x) for x in svg.get("viewBox").split()]
    paths = {g.get("id"): [p.get("d") for p in g.iter("path")] for g in svg.iter("g")}
    first, last = (paths[f"overlay-OD-{visit}-60-line"][0] for visit in ("W00", "W26"))
    apart = abs(float(first.split()[1]) - float(last.split()[1])) / box[2] * 900  # of a page of usual width
    assert apart > 4  # pixels, of 2 ms


def test_every_eye_and_visit_has_its_picture_with_both_replicates(pages):
    for name, n_visits in (("sub-01", 2), ("sub-02", 3)):
        svg = chart(pages[name], "waves0-")
        axes = [g for g in svg.iter("g") if re.search(r"-axes_\d+$", g.get("id", ""))]
        assert len(axes) == 2 * n_visits
        for ax in axes:
            thin = [p for p in ax.iter("path") if "stroke-width: 0.8" in p.get("style", "")
                    and "#77828f" in p.get("style", "")]  # fmt: skip
            assert len(thin) == 2
    titles = [t.text for t in chart(pages["sub-01"], "waves0-").iter("text") if t.text and "·" in t.text]
    assert titles[0] == "Right eye (OD) · W00"  # the right eye stands first


def test_many_visits_are_cut_to_the_first_and_the_last_ones(out):
    table = out / "sub-01" / "sub-01_measurements.tsv"
    frame = Measurements.read(table).frame
    later = frame[frame["visit"] == "W26"]
    more = [later.assign(visit=f"W{week}", day=7.0 * week) for week in (38, 52, 64)]
    Measurements(pd.concat([frame, *more])).write(table)
    page = person(out)
    assert "at W00, W38, W52 and W64 of 5 visits" in page.text


def test_the_same_folder_gives_the_same_bytes(eye_folder, tmp_path):
    shutil.copytree(eye_folder, tmp_path / "elsewhere")
    for name in EYES:
        assert person(tmp_path / "elsewhere", name).html == person(eye_folder, name).html


def test_a_page_asks_nothing_of_anyone_and_is_small(pages):
    for page in pages.values():
        assert page.all("script") == page.all("iframe") == page.all("img") == []
        assert all(url.startswith("#") for url in re.findall(r"url\(([^)]*)\)", page.html))
        hrefs = [a.get("href") or "" for _, a in page.tags if "href" in a]
        assert all(href.startswith(("#", "../report.html", "data:")) for href in hrefs)
        ids = [a["id"] for _, a in page.tags if "id" in a]
        assert len(ids) == len(set(ids))
        assert len(page.html) < 1_500_000


# ---------------------------------------------------------------- the tables


def test_a_readers_peaks_stand_beside_the_programs(pages):
    rows = re.findall(r"<tr>(.*?)</tr>", pages["sub-01"].html, re.S)
    cells = [re.sub(r"<.*?>|\s+", " ", row).split() for row in rows]
    assert "AB, ms" in pages["sub-01"].text
    assert ["OD", "W26", "118.9", "±", "1.8", "120.3"] in [row[:6] for row in cells]
    bifid = next(row for row in cells if row[:2] == ["OS", "W00"])
    assert " ".join(bifid).endswith("two humps: 98.0, 125.0 ✓ pass")


def test_replicates_are_held_against_the_limit_of_the_measurement(pages, out):
    text = pages["sub-01"].text
    assert "In 2 of 4 responses they differ by no more than 5.0 ms" in text
    assert "The largest difference is 6.4 ms (left eye (OS) at W00)" in text
    (out / "remyelin.toml").write_text("[measure]\nvep_replicate_ms = 7.0\n")
    assert "In 4 of 4 responses" in person(out).text
    (out / "remyelin.toml").unlink()
    assert "the limit of this measurement" not in person(out).text
    assert "1 response could not be compared" in pages["sub-02"].text


def test_every_sector_is_drawn_and_listed(pages):
    page = pages["sub-02"]
    own = pd.DataFrame(sectors("sub-02", 20)).query("measure == 'vep_shift_ms'")
    n_down, n_up = (own["value"] < 0).sum(), (own["value"] > 0).sum()
    assert f"40 sectors of 2 eyes. {n_down} came earlier and {n_up} later" in page.text
    cells = [p for p in chart(page, "sectors-").iter("path") if "stroke-width: 0.5" in p.get("style", "")]
    assert len(cells) == 40


def test_several_check_sizes_have_a_picture_each(tmp_path):
    folder = Folder(tmp_path)
    both = [recorded("sub-01", {"OD": Eye(shift_ms=s)}, check=c) for c, s in ((15, -5.0), (60, -2.0))]
    write_eyes(folder, {"sub-01": tuple(a + b for a, b in zip(*both, strict=True))})
    page = person(tmp_path)
    assert "60′ checks" in page.text
    assert "15′ checks" in page.text
    assert ms_of(chart(page, "waves1-"), "waves1-OD-W26-15-P100") == pytest.approx(99.0, abs=0.05)
    assert ms_of(chart(page, "waves0-"), "waves0-OD-W26-60-P100") == pytest.approx(102.0, abs=0.05)
    assert "−2.0 ms" in page.text[: page.text.index("Did the P100")]  # the large checks make the headline


# ---------------------------------------------------------------- what is not there


def test_one_visit_has_no_shift(tmp_path):
    write_eyes(Folder(tmp_path), {"sub-01": recorded("sub-01", {"OS": Eye()}, ("W00",))})
    page = person(tmp_path)
    assert page.panels == [*VEP_PANELS, "flags"]
    assert "There is no second visit yet" in page.text
    assert "no change to show" in page.text


def test_without_waveforms_the_numbers_are_shown(out):
    (out / "sub-01" / "sub-01_waveforms.tsv").unlink()
    page = person(out)
    assert page.panels == [*VEP_PANELS, "flags"]
    assert "No waveform stands in the output folder" in page.text
    assert "118.9 ± 1.8" in page.text


def test_a_waveform_without_its_noise_is_drawn_without_a_band(out):
    path = out / "sub-01" / "sub-01_waveforms.tsv"
    frame = pd.read_csv(path, sep="\t")
    frame.assign(se_uv=np.nan, fit_uv=np.nan).to_csv(path, sep="\t", index=False, na_rep="n/a")
    assert person(out).panels == [*VEP_PANELS, "flags"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace("fit_uv", "fitted", 1), ["columns", "without 'fit_uv'"]),
        (
            lambda text: re.sub(r"\t-50\.0\t[^\t]+", "\t-50.0\tx1", text, count=1),
            ["line 2", "average_uv", "'x1'"],
        ),
    ],
)
def test_a_broken_table_of_waveforms_is_an_input_error(out, change, words):
    path = out / "sub-01" / "sub-01_waveforms.tsv"
    path.write_text(change(path.read_text()))
    with pytest.raises(InputError) as caught:
        person(out)
    assert [word for word in ["sub-01/sub-01_waveforms.tsv", *words] if word not in str(caught.value)] == []


def test_what_a_reader_is_called_is_shown_and_never_run(out):
    table = out / "sub-01" / "sub-01_measurements.tsv"
    frame = Measurements.read(table).frame
    renamed = frame["condition"].str.replace("reader=AB", f"reader={ATTACK}", regex=False)
    Measurements(frame.assign(condition=renamed)).write(table)
    page = person(out)
    assert page.all("script") == []
    assert f"{ATTACK}, ms" in page.text


def test_a_number_beside_an_absent_response_is_not_shown(out):
    table = out / "sub-01" / "sub-01_measurements.tsv"
    frame = Measurements.read(table).frame
    evoked = Evoked.of(frame.assign(state="absent"), out / "none.tsv", out)
    assert evoked.rows["value"].isna().all()
