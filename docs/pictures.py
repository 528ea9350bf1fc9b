"""Draw the pictures of these pages from the demo: `make pictures`.

The locus is the part of the first sample with the most hits. The atlas map is the one of the
demo's report, as Chromium shows it.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

IMAGES = Path(__file__).resolve().parent / "images"
LOCUS = "chr2:656240-656415"
MARGIN = 12


def main() -> None:
    """Draw both pictures from a folder that `make demo` wrote."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("demo", type=Path)
    run = parser.parse_args().demo / "run"
    draw("plot", run, LOCUS, "--sample", "sample_a", "--contributions-only",
         "-o", IMAGES / "locus.svg")  # fmt: skip
    report = run.parent / "report"
    draw("report", "-H", run, "-o", report)
    photograph(report / "report.html", "#map figure", IMAGES / "atlas.png")


def draw(*words: object) -> None:
    """Run a command."""
    code = "from finemo_dist.cli.main import main; main()"
    subprocess.run([sys.executable, "-c", code, *map(str, words)], check=True)


def photograph(page: Path, part: str, picture: Path) -> None:
    """Write what Chromium shows of a part of a page."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        tab = browser.new_page(viewport={"width": 1000, "height": 900})
        tab.goto(page.resolve().as_uri())
        shown = tab.locator(part).first
        shown.scroll_into_view_if_needed()
        tab.wait_for_timeout(1000)
        box = shown.bounding_box()
        assert box is not None, part
        # Down to the map's legend, with some of the page around it.
        end = tab.locator(f"{part} .readout").first.bounding_box()
        assert end is not None, part
        tab.screenshot(
            path=picture,
            clip={
                "x": box["x"] - MARGIN, "y": box["y"] - MARGIN,
                "width": box["width"] + 2 * MARGIN,
                "height": end["y"] - box["y"] + MARGIN,
            },
        )  # fmt: skip
        browser.close()


if __name__ == "__main__":
    main()
