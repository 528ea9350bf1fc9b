"""The data that is part of the project is what its page of provenance says, and small."""

import hashlib
import re

from tests.conftest import PROJECT

DATA = PROJECT / "tests" / "data"
SLICE = DATA / "yeast_slice"


def test_every_file_has_the_digest_that_is_written_down():
    page = (DATA / "PROVENANCE.md").read_text()
    written = dict(re.findall(r"^\| `([^`]+)` \| [\d,]+ \| `([0-9a-f]{64})` \|$", page, re.M))

    found = {
        str(path.relative_to(SLICE)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in SLICE.rglob("*")
        if path.is_file()
    }
    assert found == written


def test_the_slice_is_below_a_million_bytes():
    assert sum(p.stat().st_size for p in DATA.rglob("*.*") if p.suffix != ".pyc") < 1_000_000
