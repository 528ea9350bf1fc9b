"""Run configurations: a run of what they say, or a refusal that names the key."""

import json
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from tests.fuzz.corpus import Corpus
from tests.fuzz.outcome import assert_clear, run_command

_ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 10**6), st.floats(), st.text(max_size=6),
    st.lists(st.integers(0, 3), max_size=2), st.dictionaries(st.text(max_size=3), st.integers()),
    st.sampled_from(["../x", "/etc/x", "a\0b", "x" * 300, "~", "!!python/object:os.system", "&a"]),
)  # fmt: skip
_KEYS = {
    "motifs": ["trim_threshold", "penalty", "penalties", "include", "names", "trim_coords"],
    "solver": ["name", "mode", "tolerance", "max_steps", "use_post_filter", "step_adjust"],
    "resources": ["executor", "n_workers", "device", "batch_regions", "unit_timeout_s"],
}
_JUNK = [
    b"", b"- 1", b"a: b: c", b"\xff\xfe", b"{", b"a: &x [*x]", b"? [1]\n: 2", b"1: 2",
    b"!!python/object/apply:os.system ['true']", b"a: !!binary x", b"\t", b"a: 2001-99-99",
    b"<<: 1", b"a: *b", b"--- a\n--- b", b"x: " + b"[" * 2000,
]  # fmt: skip


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, Any] | bytes:
    """Configurations, most of which are right but for a value; some that are no YAML."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.one_of(st.sampled_from(_JUNK), st.binary(max_size=40)))
    names = draw(st.lists(st.sampled_from(["a", "b/c", "..", "é", "<b>", "x'y", "n\nl", "\0", "",
                                           "s" * 300]), min_size=1, max_size=1))  # fmt: skip
    content: dict[str, Any] = {
        "output": "run",
        "modisco_h5": "MODISCO",
        "samples": [{"name": name, "regions": "STORE"} for name in names],
        "resources": {"executor": "serial"},
    }
    for _ in range(draw(st.integers(0, 2))):
        section = draw(st.sampled_from(sorted(_KEYS)))
        content.setdefault(section, {})[draw(st.sampled_from(_KEYS[section]))] = draw(_ODD)
    if draw(st.integers(0, 4)) == 0:
        content[draw(st.sampled_from([*content, "extra", "__class__"]))] = draw(_ODD)
    if isinstance(content["samples"], list) and draw(st.integers(0, 4)) == 0:
        sample = content["samples"][0] if content["samples"] else None
    else:
        sample = None
    if isinstance(sample, dict):
        sample[draw(st.sampled_from(["name", "regions", "bigwig", "x"]))] = draw(_ODD)
    return content


def check(corpus: Corpus, folder: Path, case: dict[str, Any] | bytes) -> None:
    """Run the configuration."""
    path = folder / "inner" / "config.yaml"
    path.parent.mkdir()
    if isinstance(case, bytes):
        path.write_bytes(case)
    else:
        text = yaml.dump(case, allow_unicode=True)
        text = text.replace("MODISCO", json.dumps(str(corpus.modisco_h5)))
        text = text.replace("STORE", json.dumps(str(corpus.store)))
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
    outcome = run_command("run", path, "--out", path.parent / "run")
    assert_clear(outcome)
    assert {p.name for p in folder.iterdir()} == {"inner", "case.json"}
