"""The pages in a browser: every panel is seen, nothing is asked of the network, no complaint is made."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from remyelin.report import all_pages, save_plan
from remyelin.trial.power import plan

from .test_evoked import VEP_PANELS
from .test_page import PERSON_PANELS, TRIAL_PANELS

CHROMIUM = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), "")
pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def site(trial_folder: Path, eye_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site") / "out"
    shutil.copytree(trial_folder, out)
    all_pages(out)
    shutil.copytree(eye_folder, out / "vep")
    all_pages(out / "vep")
    for name in ("rebuild", "ccmr-one"):
        save_plan(plan(name), out / name)
    return out


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def visit(site: Path, browser: Any) -> Iterator[Any]:
    """Open a page of the site; at the end nothing may have been requested or complained about."""
    asked: list[str] = []
    said: list[str] = []
    context = browser.new_context(viewport={"width": 1200, "height": 900})

    def open_page(name: str, width: int = 1200) -> Any:
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 900})
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto((site / name).as_uri())
        return page

    yield open_page
    context.close()
    assert [url for url in asked if not url.startswith(("file://", "data:"))] == []
    assert said == []


@pytest.mark.parametrize(
    ("name", "panels", "charts", "brains"),
    [
        ("report.html", TRIAL_PANELS, 4, 2),
        ("sub-01/sub-01.html", PERSON_PANELS, 1, 2),
        ("vep/sub-01/sub-01.html", [*VEP_PANELS, "flags"], 3, 0),
        ("vep/sub-02/sub-02.html", [*VEP_PANELS, "sectors", "flags"], 4, 0),
        ("rebuild/plan.html", ["size", "here", "assurance", "carry-over", "record"], 3, 0),
        ("ccmr-one/plan.html", ["said", "here", "record", "published"], 1, 0),
    ],
)
def test_every_panel_and_picture_is_drawn(visit, name, panels, charts, brains):
    page = visit(name)
    sections = page.locator("section.panel")
    assert [sections.nth(k).get_attribute("id") for k in range(sections.count())] == panels
    for kind, n in (("svg.chart", charts), ("svg.brain", brains)):
        drawn = page.locator(kind)
        assert drawn.count() == n
        for k in range(n):
            box = drawn.nth(k).bounding_box()
            assert box["width"] > 250
            assert box["height"] > 60
    loaded = page.evaluate(
        """Promise.all([...document.querySelectorAll('image')].map(node => new Promise(done => {
             const picture = new Image(); picture.onload = () => done(picture.naturalWidth > 3);
             picture.onerror = () => done(false); picture.src = node.getAttribute('href') })))"""
    )
    assert len(loaded) >= 3 * brains
    assert all(loaded)


@pytest.mark.parametrize(
    "name", ["report.html", "sub-01/sub-01.html", "vep/sub-02/sub-02.html", "rebuild/plan.html"]
)
@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_runs_out_of_the_page(visit, name, width):
    page = visit(name, width)
    page.evaluate("document.querySelectorAll('details').forEach(node => { node.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_numbers_open_by_keyboard(visit):
    page = visit("report.html")
    table = page.locator("#participants table")
    assert not table.is_visible()
    page.locator("#participants summary").focus()
    page.keyboard.press("Enter")
    assert table.is_visible()
    assert page.locator("#participants tbody tr").count() == 6


def test_a_participant_is_one_click_away(visit):
    page = visit("report.html")
    page.locator("#participants svg a").first.click()
    page.wait_for_url("**/sub-0*.html")
    assert page.locator("h1").inner_text().startswith("sub-0")
    page.locator(".home a").click()
    page.wait_for_url("**/report.html")


def test_all_numbers_are_printed(visit):
    page = visit("report.html")
    page.emulate_media(media="print")
    assert page.locator("#participants table").is_visible()
    assert not page.locator("nav").is_visible()
