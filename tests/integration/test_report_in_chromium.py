"""Pages opened from disk in headless Chromium: nothing is asked for, nothing fails, all works."""

import json
import shutil
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from finemo_dist.reports.locus_page import render_variants
from finemo_dist.reports.locus_view import LocusHit, LocusRow, LocusView, Mark
from finemo_dist.reports.page import render_atlas, render_report
from tests.conftest import skip_or_fail
from tests.unit.reports.page_data import HOSTILE, atlas_data, report_data

pytestmark = [pytest.mark.chromium, pytest.mark.slow]

DESKTOP = {"width": 1400, "height": 900}
PHONE = {"width": 390, "height": 844}
NAMES = ("alpha", "beta", HOSTILE)


@pytest.fixture(scope="module")
def browser():
    program = shutil.which("chromium")
    if program is None:
        skip_or_fail("chromium", "no chromium on this machine")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        skip_or_fail("chromium", str(error))
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    (folder / "report.html").write_text(render_report(report_data(NAMES)), "utf-8")
    (folder / "atlas.html").write_text(render_atlas(atlas_data()), "utf-8")
    (folder / "variants.html").write_text(render_variants(variants()), "utf-8")
    return folder


def variants():
    """Two variants of which each loses a hit; the second has an odd name."""
    hit = LocusHit("CTCF", "CTCF", "+", 1095, 1105, 12.5, 0.875, "lost")
    far = LocusHit("JUN", "JUN", "-", 1000, 1010, 99.0, 0.875, "unchanged")
    bases = np.arange(200, dtype=np.uint8) % 4
    rows = (
        LocusRow("reference", bases, np.sin(np.arange(200)), hits=(far, hit), note="A"),
        LocusRow("alternative", bases, np.sin(np.arange(200)) / 2, note="G"),
    )
    return [
        LocusView(name, "chr1", 1000, 1200, rows, marks=(Mark(1100, "A>G"),),
                  why="-1: lost CTCF", is_of_alleles=True)
        for name in ("rs1", HOSTILE)
    ]  # fmt: skip


class Opened:
    """A page with all that it asked for and complained of."""

    def __init__(self, browser, path, **options):
        self.context = browser.new_context(viewport=DESKTOP, **options)
        self.page = self.context.new_page()
        self.requests, self.complaints, self.dialogs = [], [], []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.dialogs.append(1), dialog.dismiss()))
        self.address = path.as_uri()
        self.page.route("**/*", self._answer)
        self.page.goto(self.address)
        if options.get("java_script_enabled", True):
            self.page.wait_for_selector("html[data-ready]")

    def _note(self, message):
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _answer(self, route):
        address = route.request.url.split("#")[0]
        if address == self.address:
            route.continue_()
        else:
            self.requests.append(address)
            route.abort()

    def draw_all(self):
        """Bring every chart to view and wait until it is drawn."""
        for place in self.page.locator(".plot").all():
            place.scroll_into_view_if_needed()
        self.page.wait_for_function(
            "[...document.querySelectorAll('.plot')]"
            ".every(place => place.querySelector('svg.marks, .empty'))"
        )

    def visible_names(self):
        return self.page.locator("#motif-table tbody tr:visible th").evaluate_all(
            "cells => cells.map(cell => cell.dataset.v)"
        )


@pytest.fixture
def opened(browser, files):
    pages = []

    def open_page(name, **options):
        pages.append(Opened(browser, files / name, **options))
        return pages[-1]

    yield open_page
    for page in pages:
        page.context.close()


@pytest.mark.parametrize("name", ["report.html", "atlas.html"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_draws_all_its_charts_asks_for_nothing_and_complains_of_nothing(opened, name, theme):
    it = opened(name, color_scheme=theme)

    it.draw_all()

    assert it.page.locator(".plot svg.marks").count() == it.page.locator(".plot").count()
    assert it.requests == []
    assert it.complaints == []
    assert it.dialogs == []


@pytest.mark.parametrize("name", ["report.html", "atlas.html"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_reaches_over_the_side_of_the_screen(opened, name, size):
    it = opened(name)
    it.draw_all()

    it.page.set_viewport_size(size)

    it.page.wait_for_function(f"document.documentElement.scrollWidth === {size['width']}")


def test_search_shows_what_matches_and_says_how_many(opened):
    it = opened("report.html")

    it.page.fill("#motif-search", "KNOWN factor")

    assert it.visible_names() == ["alpha"]
    assert it.page.inner_text("#motif-count") == "1 of 3 motifs"
    it.page.fill("#motif-search", "nowhere")
    assert it.page.locator("#motif-none").is_visible()


def test_a_column_sorts_both_ways_by_keyboard_and_says_so(opened):
    it = opened("report.html")
    head = it.page.locator("#motif-table thead th", has=it.page.locator("button:text-is('Hits')"))
    button = head.locator("button")
    before = it.visible_names()

    button.focus()
    it.page.keyboard.press("Enter")
    assert it.visible_names() == before
    assert head.get_attribute("aria-sort") == "descending"
    it.page.keyboard.press("Enter")

    assert it.visible_names() == before[::-1]
    assert head.get_attribute("aria-sort") == "ascending"


def test_a_motif_of_the_table_opens_with_its_logos_and_charts(opened):
    it = opened("report.html")

    it.page.click(".motif-name >> text=beta")

    assert it.page.locator("#motif-select option:checked").inner_text() == "beta"
    assert it.page.locator("#motif-logos svg").count() == 4
    it.page.locator("#motif-previous").click()
    assert it.page.locator("#motif-logos svg").count() == 5
    assert "Seqlets that no hit found" in it.page.inner_text("#motif-logos")
    it.page.locator("#motif-next").click()
    assert "23" in it.page.inner_text("#motif-facts")
    chart = it.page.locator('[data-chart="motif-similarity"]')
    chart.scroll_into_view_if_needed()
    chart.locator("svg.marks").wait_for()
    assert chart.locator("svg .mark-rule.role-mark line").count() == 1


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_navigation_lands_on_its_section(opened, size):
    it = opened("report.html")
    it.page.set_viewport_size(size)

    for link in it.page.locator(".nav a").all()[1:-2]:
        target = link.get_attribute("href")
        link.evaluate("link => link.click()")
        it.page.wait_for_function(
            """target => {
                const at = document.querySelector(target).getBoundingClientRect().top;
                const padding = getComputedStyle(document.documentElement).scrollPaddingTop;
                return Math.abs(at - parseFloat(padding)) < 20;
            }""",
            arg=target,
        )


def test_conditions_on_columns_filter_and_columns_hide(opened):
    it = opened("report.html")
    hits = it.page.locator("#motif-table td[data-label='Unique hits']").evaluate_all(
        "cells => cells.map(cell => Number(cell.dataset.v))"
    )
    middle = sorted(hits)[1]

    it.page.fill("#motif-search", f"uniquehits > {middle}")
    assert len(it.visible_names()) == sum(n > middle for n in hits)
    it.page.fill("#motif-search", "")
    it.page.locator(".columns summary").first.click()
    it.page.locator(".columns label", has_text="Unique hits").first.click()

    assert not it.page.locator("#motif-table td[data-label='Unique hits']").first.is_visible()


def test_tables_and_figures_are_saved(opened):
    it = opened("report.html")
    it.draw_all()

    with it.page.expect_download() as table:
        it.page.locator("button:text-is('Save TSV'):near(#motif-table)").first.click()
    with it.page.expect_download() as chart:
        it.page.locator("figure:has([data-chart='seqlets']) .save-svg").click()
    with it.page.expect_download() as logo:
        it.page.locator("#motif-logos .save-svg").first.click()
    with it.page.expect_download() as matrix:
        it.page.locator("figure:has([data-matrix='confusion']) .save-svg").click()

    lines = table.value.path().read_text("utf-8").splitlines()
    assert lines[0].split("\t")[0] == "Motif"
    assert len(lines) == 4
    for saved in (chart, logo, matrix):
        text = saved.value.path().read_text("utf-8")
        assert ET.fromstring(text).tag.endswith("svg")
        assert "var(--" not in text
    assert it.complaints == []


def test_a_motif_and_a_region_have_permanent_links(browser, files, opened):
    it = opened("report.html")
    it.page.click(".motif-name >> text=beta")
    assert it.page.evaluate("location.hash") == "#motif=beta"
    it.page.locator("[data-act='next']").click()
    region = it.page.evaluate("location.hash")
    assert region == "#region=peak_2"

    it.page.goto("about:blank")
    it.page.goto(f"{it.address}{region}")
    it.page.wait_for_selector("html[data-ready]")

    assert "peak_2" in it.page.inner_text("[data-part='place']")
    it.page.goto("about:blank")
    it.page.goto(f"{it.address}#motif=beta")
    it.page.wait_for_selector("html[data-ready]")
    assert it.page.locator("#motif-select option:checked").inner_text() == "beta"


def test_a_region_is_found_by_name_and_by_place(opened):
    it = opened("report.html")
    search = "[data-part='search']"

    it.page.fill(search, "peak_2")
    assert it.page.locator("[data-part='select'] option").count() == 1
    it.page.fill(search, "chr1:100-120")
    assert "peak_1" in it.page.inner_text("[data-part='place']")
    it.page.fill(search, "nowhere")

    assert it.page.locator("[data-part='none']").is_visible()
    it.page.fill(search, "")
    labels = it.page.locator("[data-part='view'] .locus-label").all_text_contents()
    assert any(label.startswith("alpha +") for label in labels)


def test_a_page_of_variants_lists_them_beside_both_alleles(opened):
    it = opened("variants.html")

    listed, view = it.page.locator("[data-part='select']"), it.page.locator("[data-part='view']")
    assert listed.locator("option").all_text_contents()[0] == "rs1 · -1: lost CTCF"
    assert listed.bounding_box()["x"] + listed.bounding_box()["width"] <= view.bounding_box()["x"]
    assert listed.bounding_box()["height"] > 200
    assert view.locator(".locus-name").all_text_contents() == ["reference · A", "alternative · G"]
    assert view.locator(".locus-label").all_text_contents() == [
        "JUN -99 / 0.88 unchanged", "CTCF +12.5 / 0.88 lost",
    ]  # fmt: skip
    assert view.locator("path.hit-1").count() == 1
    # One scale: the largest of both rows, 1, where the alternative alone reaches half of it.
    assert view.locator(".locus-small").all_text_contents().count("1") == 2
    # The variant is in view, and not the strongest hit.
    box, mark = view.bounding_box(), view.locator(".locus-mark").bounding_box()
    assert box["x"] < mark["x"] < box["x"] + box["width"]
    listed.select_option("1")
    assert HOSTILE in it.page.inner_text("[data-part='place']")
    assert (it.requests, it.complaints, it.dialogs) == ([], [], [])


def test_labels_of_hits_do_not_lie_on_each_other(opened):
    it = opened("report.html")

    for act in (None, "whole", "closer", "closer"):
        if act:
            it.page.locator(f"[data-act='{act}']").click()
        boxes = it.page.locator("[data-part='view'] .locus-label").evaluate_all(
            "all => all.map(e => e.getBoundingClientRect()).map(b => [b.x, b.right, b.y, b.bottom])"
        )
        assert len(boxes) > 3
        for i, a in enumerate(boxes):
            for b in boxes[i + 1 :]:
                beside = a[1] <= b[0] or b[1] <= a[0]
                # Boxes of text are taller than its letters.
                above = a[3] <= b[2] + 4 or b[3] <= a[2] + 4
                assert beside or above, (a, b)


def test_the_theme_switches_and_charts_follow(opened):
    it = opened("report.html", color_scheme="light")
    it.draw_all()
    bar = '[data-chart="hits-per-region"] .mark-rect.role-mark path'
    before = it.page.locator(bar).first.get_attribute("fill")

    it.page.click("#theme")
    it.page.wait_for_function(
        f"document.querySelector({json.dumps(bar)})?.getAttribute('fill') !== {json.dumps(before)}"
    )

    assert it.page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_cell_of_a_matrix_is_read_by_keyboard(opened):
    it = opened("report.html")
    it.page.locator('[data-matrix="confusion"]').focus()

    it.page.keyboard.press("ArrowDown")
    it.page.keyboard.press("ArrowRight")

    assert "seqlets beta \u00d7 hits beta: 0.75 of the seqlets" in it.page.inner_text("#seqlets")


def test_a_hostile_name_is_text_in_a_tooltip(opened):
    it = opened("report.html")
    it.draw_all()
    points = it.page.locator('[data-chart="seqlets"] .mark-symbol.role-mark path')

    for point in points.all():
        point.hover(force=True)

    assert it.page.locator("script").count() == 5
    assert it.dialogs == []
    assert it.complaints == []


@pytest.mark.parametrize("name", ["report.html", "atlas.html"])
def test_tables_and_logos_can_be_read_without_scripts(opened, name):
    it = opened(name, java_script_enabled=False)

    assert it.page.locator("#verdict").is_visible()
    assert it.page.locator("#motif-table tbody tr").count() in {3, 6}
    assert it.page.locator("#motif-table .logo").first.is_visible()
    assert not it.page.locator("#motif-search").is_visible()
    assert it.page.locator("#methods-text").is_visible()
