"""The documentation is built without a warning, and its pages make no request in Chromium."""

import functools
import os
import re
import shutil
import subprocess
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.command import PROJECT
from tests.conftest import skip_or_fail

pytestmark = [pytest.mark.slow, pytest.mark.system]

SHOWN = ["index.html", "tutorial.html", "how-to/sql.html", "reference/commands.html",
         "reference/python.html", "example/report.html", "example/loci.html"]  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("mkdocs", reason="the dependency group docs is not installed")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "-f", PROJECT / ".mkdocs.yml", "-d", folder],
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


@pytest.fixture(scope="module")
def browser():
    program = shutil.which("chromium")
    if program is None:
        skip_or_fail("chromium", "no chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield running
        running.close()


def test_no_page_names_a_file_of_the_web(site):
    for page in site.rglob("*.html"):
        text = page.read_text("utf-8")
        asked = re.findall(r"<(?:script|img|iframe)[^>]+src=[\"']?(\w+:)?//", text)
        asked += re.findall(r"<link[^>]+href=[\"']?(?:\w+:)?//[^>]*", text)
        assert not asked, page.name


def test_the_reference_has_every_command_and_the_example_its_motifs(site):
    text = (site / "reference/commands.html").read_text("utf-8")
    report = (site / "example/report.html").read_text("utf-8")

    assert 'id="call-hits"' in text
    assert "--global-lambda" in text
    assert "pattern_10" in report


@pytest.fixture(scope="module")
def served(site):
    handler = functools.partial(QuietHandler, directory=site)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing of requests."""


@pytest.mark.chromium
def test_a_served_site_is_searched_and_one_on_the_disk_has_no_search_box(site, served, browser):
    tab = browser.new_page(viewport={"width": 1440, "height": 900})
    tab.goto(served)
    box = tab.locator(".md-search__input")
    box.click()
    box.press_sequentially("palindrome")
    tab.locator(".md-search-result__link").first.wait_for()
    assert "palindrome" in tab.locator(".md-search-result__list").inner_text().lower()

    tab.goto((site / "index.html").as_uri())
    assert tab.locator(".md-search").count() == 0
    tab.close()


@pytest.mark.chromium
@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_ask_for_nothing_and_complain_of_nothing(site, browser, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    tab = context.new_page()
    asked, complaints = [], []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    for name in SHOWN:
        tab.goto((site / name).as_uri())
        tab.wait_for_timeout(300)
        wide = tab.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 1, (name, wide)
    context.close()

    assert not complaints
    assert not [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]
