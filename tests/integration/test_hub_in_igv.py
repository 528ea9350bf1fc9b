"""A track hub and its session, read by IGV: igv.js in headless Chromium, from a local server."""

import re
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.exports.hub import export_hub
from tests.command import PROJECT
from tests.conftest import skip_or_fail
from tests.unit.exports.builder import small_run

pytestmark = [pytest.mark.chromium, pytest.mark.slow]

LENGTHS = {"chr2": 400, "chr10": 400}
READ = """async () => {
  const browser = await igv.createBrowser(document.getElementById("igv"), {
    loadDefaultGenomes: false,
    genomeList: [{
      id: "hg38", name: "hg38", fastaURL: "genome.fa", indexURL: "genome.fa.fai",
      wholeGenomeView: false,
    }],
    sessionURL: "igv_session.xml",
  });
  const features = async (track) => {
    const found = [];
    for (const chrom of ["chr2", "chr10"]) found.push(...await track.getFeatures(chrom, 0, 400));
    return found.map((f) => [f.chr, f.start, f.end, f.name, f.strand, f.score, f.sample]);
  };
  const tracks = [];
  for (const { track } of browser.trackViews)
    if (track.url) tracks.push([track.name, await features(track)]);
  return { locus: browser.currentLoci(), tracks };
}"""


class Ranges(SimpleHTTPRequestHandler):
    """Answers ranges of bytes, as the readers of bigBed ask for them."""

    def do_GET(self):
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if not asked:
            super().do_GET()
            return
        with Path(self.translate_path(self.path)).open("rb") as file:
            file.seek(int(asked[1]))
            data = file.read(int(asked[2]) - int(asked[1]) + 1)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {asked[1]}-{int(asked[1]) + len(data) - 1}/*")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *words):
        pass


@pytest.fixture
def igv_js():
    """igv.js, as igv-notebook has it."""
    found = sorted((PROJECT / ".venv-tools").glob("lib/*/site-packages/igv_notebook/js/igv.min.js"))
    if not found:
        skip_or_fail("tools", "igv-notebook is not there: make .venv-tools/installed")
    return found[0]


@pytest.fixture
def served(igv_js, tmp_path):
    """The address of a folder with a hub, its genome, and a page with igv.js."""
    folder = tmp_path / "hub"
    with open_catalog(small_run(tmp_path / "run")) as catalog:
        export_hub(catalog, folder, catalog.samples, genome="hg38")
    shutil.copy(igv_js, folder / "igv.js")
    (folder / "page.html").write_text('<div id="igv"></div><script src="igv.js"></script>')
    lines, index = [], []
    for chrom, length in LENGTHS.items():
        lines.append(f">{chrom}\n")
        index.append(f"{chrom}\t{length}\t{sum(map(len, lines))}\t{length}\t{length + 1}\n")
        lines.append("A" * length + "\n")
    (folder / "genome.fa").write_text("".join(lines))
    (folder / "genome.fa.fai").write_text("".join(index))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Ranges, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def read_by_igv(address):
    """What IGV has of the session, with every other address out of reach."""
    program = shutil.which("chromium")
    if program is None:
        skip_or_fail("chromium", "no chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        page.route(
            "**/*",
            lambda route: (
                route.continue_() if route.request.url.startswith(address) else route.abort()
            ),
        )
        page.goto(f"{address}/page.html")
        found = page.evaluate(READ)
        browser.close()
    return found


def test_igv_shows_each_hit_of_each_sample(served, tmp_path):
    found = read_by_igv(served)

    with open_catalog(tmp_path / "run") as catalog:
        hits = catalog.rows(
            'SELECT sample, chr, greatest(start, 0), "end", strand FROM hits_unique WHERE "end" > 0'
        )
    assert len(found["tracks"]) == 2
    read = [
        (chrom, start, end, strand)
        for _, features in found["tracks"]
        for chrom, start, end, _, strand, _, _ in features
    ]
    assert sorted(read) == sorted(hit[1:] for hit in hits)
    assert len({name for name, _ in found["tracks"]}) == 2
    chrom, start, end = re.fullmatch(r"(chr\d+):([\d,]+)-([\d,]+)", found["locus"]).groups()
    shown = int(start.replace(",", "")) - 1, int(end.replace(",", ""))
    assert any(c == chrom and shown[0] <= s < e <= shown[1] for c, s, e, _ in read)
