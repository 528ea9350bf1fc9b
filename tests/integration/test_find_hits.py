"""Hits of arrays in memory: those of the optimum and of ``call-hits``, to the last bit."""

import builtins
import inspect
import io
import os
from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

import finemo_dist as fd
from finemo_dist.core.config import CallConfig, MotifConfig, SolverConfig, SolverName
from finemo_dist.core.errors import InputError, UsageError
from finemo_dist.core.schema import FINEMO_HIT_COLUMNS
from finemo_dist.solver.cwms import build_cwms
from finemo_dist.solver.dense import build_dense_problem
from finemo_dist.solver.target import build_target
from tests.command import extract_words, finemo_dist, hit_keys, read_tsv

SETTINGS = {
    "pp": ({}, []),
    "ph": ({"mode": "ph"}, ["-M", "ph"]),
    "hp": ({"mode": "hp"}, ["-M", "hp"]),
    "hh": ({"mode": "hh"}, ["-M", "hh"]),
    "sqrt": ({"sqrt_transform": True}, ["-q"]),
}
"""Of find_hits and of call-hits, by the name of their optimum."""


@pytest.fixture(scope="module")
def arrays(yeast_slice):
    return tuple(np.load(yeast_slice / f"{name}.npz")["arr_0"] for name in ("ohe", "attr"))


@pytest.fixture(scope="module")
def motifs(yeast_slice):
    return fd.read_motifs(yeast_slice / "modisco_results.h5")


@pytest.fixture(scope="module")
def peaks(yeast_slice):
    return yeast_slice / "peaks.narrowPeak"


@pytest.fixture(scope="module")
def stores(yeast_slice, tmp_path_factory):
    """The slice as a store, with coordinates and without."""
    folder = tmp_path_factory.mktemp("stores")
    words = extract_words("modisco-fmt", yeast_slice)
    finemo_dist(*words, "-o", folder / "placed.zarr")
    finemo_dist(*words[:-2], "-o", folder / "bare.zarr")
    return {"placed": folder / "placed.zarr", "bare": folder / "bare.zarr"}


@pytest.fixture(scope="module")
def run_of(stores, yeast_slice, tmp_path_factory):
    """Return a function that calls hits in a store, once for each setting."""

    @cache
    def run(place, setting):
        out = tmp_path_factory.mktemp("run") / "run"
        motifs = yeast_slice / "modisco_results.h5"
        words = ("-r", stores[place], "-m", motifs, "-o", out, *SETTINGS[setting][1])
        finemo_dist("call-hits", *words)
        return out

    return run


def called(store, data, out, *words):
    """What ``call-hits`` writes for a store, as the tables of its run."""
    finemo_dist(
        "call-hits", "-r", store, "-m", data / "modisco_results.h5", "-o", out, *words
    )  # fmt: skip
    return tables(out)


def tables(out):
    """The tables of hits and of regions of a run."""
    columns = ", ".join(f'"{name}"' for name in (*FINEMO_HIT_COLUMNS, "motif_id", "chr_id"))
    order = 'chr_id, CASE WHEN chr IS NULL THEN peak_id END, start, "end", motif_id, peak_id'
    with fd.open_run(out) as run:
        hits = run.sql(f"SELECT {columns} FROM hits ORDER BY {order}").to_arrow()
        qc = run.sql("SELECT * EXCLUDE (sample) FROM peaks_qc ORDER BY peak_id").to_arrow()
    return hits, qc


def assert_same_bits(ours: pa.Table, theirs: pa.Table, names) -> None:
    assert len(ours) == len(theirs)
    for name in names:
        a, b = (table[name].to_pandas().to_numpy() for table in (ours, theirs))
        if a.dtype.kind == "f":
            assert a.dtype == b.dtype
            assert a.tobytes() == b.tobytes(), name
        else:
            assert a.tolist() == b.tolist(), name


def test_a_notebook_session(yeast_slice, tmp_path, monkeypatch):
    monkeypatch.chdir(yeast_slice)

    import numpy as np

    import finemo_dist as fd

    sequences = np.load("ohe.npz")["arr_0"]
    contributions = np.load("attr.npz")["arr_0"]
    motifs = fd.read_motifs("modisco_results.h5")
    hits = fd.find_hits(sequences, contributions, motifs, peaks="peaks.narrowPeak")
    table = hits.to_pandas()
    strongest = table.sort_values("hit_importance").tail(3)
    regions = hits.qc.to_pandas()
    left = hits.residual(0)

    finemos = pd.read_csv("finemo-0.41/tol1e-6/hits.tsv", sep="\t")
    key = ["peak_id", "motif_name", "strand", "start_untrimmed"]
    ours, theirs = ({tuple(row) for row in t[key].to_numpy()} for t in (table, finemos))
    assert len(ours & theirs) / len(ours | theirs) >= 0.99
    assert list(table.columns[: len(finemos.columns)]) == list(finemos.columns)
    assert len(hits) == len(table)
    assert strongest.chr.str.startswith("chr").all()
    assert regions.converged.all()
    assert left.shape == (1000,)
    assert "24 regions; 24 converged" in repr(hits)


@pytest.mark.parametrize("setting", SETTINGS)
def test_hits_are_those_of_the_optimum(arrays, motifs, peaks, yeast_slice, setting):
    hits = fd.find_hits(*arrays, motifs, post_filter=False, peaks=peaks, **SETTINGS[setting][0])

    table = hits.to_pandas()
    keys = zip(
        table.peak_id, table.motif_name, table.strand, table.start_untrimmed, strict=True
    )  # fmt: skip
    ours = dict(zip(keys, table.hit_coefficient, strict=True))
    best = hit_keys(yeast_slice / "optimum" / f"{setting}.tsv")
    assert ours.keys() == best.keys()
    np.testing.assert_allclose([ours[k] for k in best], list(best.values()), rtol=2e-4)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("place", ["placed", "bare"])
def test_hits_are_those_of_call_hits_to_the_last_bit(arrays, motifs, peaks, run_of, setting, place):
    options = SETTINGS[setting][0]

    hits = fd.find_hits(*arrays, motifs, peaks=peaks if place == "placed" else None, **options)

    theirs, their_qc = tables(run_of(place, setting))
    assert_same_bits(hits.to_arrow(), theirs, theirs.column_names)
    qc = hits.qc.to_arrow()
    assert_same_bits(qc, their_qc, [n for n in their_qc.column_names if n in qc.column_names])


def test_columns_and_rows_are_those_of_hits_tsv(arrays, motifs, peaks, run_of):
    hits = fd.find_hits(*arrays, motifs, peaks=peaks).to_pandas()

    rows = read_tsv(run_of("placed", "pp") / "hits.tsv")
    assert list(hits.columns)[: len(rows[0])] == list(rows[0])
    for name in ("chr", "motif_name", "strand", "peak_name"):
        assert hits[name].tolist() == [row[name] for row in rows]
    for name in ("start", "end", "start_untrimmed", "end_untrimmed", "peak_id"):
        assert hits[name].tolist() == [int(row[name]) for row in rows]


def test_finemos_solver_and_merged_palindromes_are_those_of_call_hits(
    arrays, motifs, yeast_slice, tmp_path
):
    """Of eight regions: the dense solver takes its time."""
    sequences, contributions = (array[:8] for array in arrays)
    np.savez(tmp_path / "ohe.npz", sequences)
    np.savez(tmp_path / "attr.npz", contributions)
    finemo_dist(*extract_words("modisco-fmt", tmp_path)[:-2], "-o", tmp_path / "s.zarr")
    config = CallConfig(
        motifs=MotifConfig(penalty=0.6, trim_threshold=0.2),
        solver=SolverConfig(name=SolverName.DENSE, tolerance=5e-4, merge_palindromes=True),
    )
    words = ["--solver", "dense", "--merge-palindromes", "-l", "0.6", "-t", "0.2"]

    hits = fd.find_hits(sequences, contributions, motifs, config=config)

    theirs, _ = called(tmp_path / "s.zarr", yeast_slice, tmp_path / "run", *words)
    assert len(theirs) > 20
    assert_same_bits(hits.to_arrow(), theirs, theirs.column_names)


def test_what_a_store_rounds_is_rounded_alike(arrays, motifs, yeast_slice, tmp_path, rng):
    """Contributions that float16 cannot hold, with NaN and unknown bases among them."""
    sequences = arrays[0].copy()
    sequences[3, :, 400:440] = 0
    scores = arrays[1] * rng.uniform(1e-9, 1e-6, (24, 1, 1)) * rng.uniform(0.9, 1.1, (4, 1000))
    scores[5, :, 500] = np.nan
    np.savez(tmp_path / "ohe.npz", sequences)
    np.savez(tmp_path / "attr.npz", scores)
    words = ["-s", tmp_path / "ohe.npz", "-a", tmp_path / "attr.npz", "-o", tmp_path / "s.zarr"]
    finemo_dist("extract-regions-modisco-fmt", *words)

    hits = fd.find_hits(sequences, scores, motifs, mode="ph")

    theirs, _ = called(tmp_path / "s.zarr", yeast_slice, tmp_path / "run", "-M", "ph")
    assert len(theirs) > 10
    assert_same_bits(hits.to_arrow(), theirs, theirs.column_names)


@pytest.mark.parametrize("batch_size", [1, 7])
def test_batches_and_threads_change_nothing(arrays, motifs, batch_size):
    n_threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        hits = fd.find_hits(*arrays, motifs, batch_size=batch_size)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(n_threads)

    assert hits.to_arrow().equals(fd.find_hits(*arrays, motifs).to_arrow())


class Wrapped:
    """An array of another library."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.array, dtype)


@pytest.mark.parametrize(
    "form",
    [
        lambda array: array.swapaxes(1, 2),
        lambda array: torch.from_numpy(np.ascontiguousarray(array.swapaxes(1, 2))),
        lambda array: Wrapped(array.swapaxes(1, 2)),
    ],
    ids=["numpy", "torch", "__array__"],
)
def test_any_array_in_either_order_of_axes(arrays, motifs, form):
    hits = fd.find_hits(*map(form, arrays), motifs, axis_order="nla")

    assert hits.to_arrow().equals(fd.find_hits(*arrays, motifs).to_arrow())


def test_a_tensor_that_wants_gradients_and_one_of_bfloat16(arrays, motifs):
    sequences, contributions = arrays
    scores = torch.from_numpy(contributions.astype(np.float32)).requires_grad_()

    assert len(fd.find_hits(torch.from_numpy(sequences), scores, motifs)) == 104
    with pytest.raises(InputError, match=r"contributions: .*BFloat16.*float32"):
        fd.find_hits(sequences, scores.detach().bfloat16(), motifs)


def test_projected_contributions_are_called_as_hypothetical_ones_are_in_pp(arrays, motifs):
    sequences, contributions = arrays
    projected = (sequences * contributions).sum(axis=1)

    hits = fd.find_hits(sequences, projected, motifs)

    assert hits.to_arrow().equals(fd.find_hits(*arrays, motifs).to_arrow())


@pytest.mark.parametrize("exponent", [-30, 30])
def test_any_magnitude_gives_the_same_hits(arrays, motifs, exponent):
    sequences, contributions = arrays
    scaled = contributions.astype(np.float64) * 2.0**exponent

    hits = fd.find_hits(sequences, scaled, motifs).to_arrow()

    plain = fd.find_hits(*arrays, motifs).to_arrow()
    for name in ("start", "motif_id", "peak_id", "hit_coefficient", "hit_similarity"):
        assert hits[name].equals(plain[name])


def test_arrays_stay_as_they_are(arrays, motifs, yeast_slice):
    copies = [array.copy() for array in arrays]
    copies[0][0, :, :10] = 0
    copies[1][0, 0, 500] = np.nan
    before = [array.tobytes() for array in copies]

    fd.find_hits(*copies, motifs, peaks=yeast_slice / "peaks.narrowPeak")

    assert [array.tobytes() for array in copies] == before


def test_places_come_as_a_table_too(arrays, motifs, peaks):
    from_file = fd.find_hits(*arrays, motifs, peaks=peaks)
    table = pd.read_csv(peaks, sep="\t", header=None).rename(columns={0: "chr", 3: "name"})
    table["start"] = table[1]

    hits = fd.find_hits(*arrays, motifs, peaks=table[["chr", "start", "name"]])
    unnamed = fd.find_hits(*arrays, motifs, peaks={"chr": table.chr, "start": table.start})

    assert hits.to_arrow().equals(from_file.to_arrow())
    assert set(unnamed.to_pandas().peak_name) == {"."}


def test_no_file_is_opened_for_writing_and_none_is_left(
    arrays, motifs, peaks, tmp_path, monkeypatch
):
    opened = []

    def only_reading(function):
        def guarded(path, mode="r", *args, **kwargs):
            if isinstance(mode, str) and set(mode) & set("wax+"):
                opened.append((path, mode))
            return function(path, mode, *args, **kwargs)

        return guarded

    def no_creating(path, flags, *args, **kwargs):
        if flags & (os.O_CREAT | os.O_WRONLY | os.O_RDWR):
            opened.append((path, flags))
        return real_os_open(path, flags, *args, **kwargs)

    real_os_open = os.open
    (tmp_path / "tmp").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(builtins, "open", only_reading(open))
    monkeypatch.setattr(io, "open", only_reading(io.open))
    monkeypatch.setattr(os, "open", no_creating)

    hits = fd.find_hits(*arrays, motifs, peaks=peaks)
    hits.to_pandas(), hits.qc.to_pandas(), hits.residual(3), repr(hits), hits._repr_html_()

    assert not opened
    assert [path.name for path in tmp_path.rglob("*")] == ["tmp"]


def dense_residual(arrays, motifs, hits, row, options):
    """The residual written out over every motif and position."""
    config = SolverConfig(
        mode=options.get("mode", "pp"), use_sqrt_transform="sqrt_transform" in options
    )
    both = motifs.both_strands(config.mode)
    cwms = build_cwms(both, torch.device("cpu"), use_sqrt_transform=config.use_sqrt_transform)
    sequence = np.where(arrays[0].any(1), arrays[0].argmax(1), 4).astype(np.uint8)
    target = build_target(
        torch.from_numpy(sequence[row : row + 1]),
        torch.from_numpy(arrays[1][row : row + 1].astype(np.float32)),
        is_hypothetical=config.mode.contributions_are_hypothetical,
        use_sqrt_transform=config.use_sqrt_transform,
    )
    problem = build_dense_problem(target, cwms, torch.float64)
    coefficient = torch.zeros_like(problem.weight)
    table = hits.to_pandas().query(f"peak_id == {row}")
    coefficient[0, table.motif_id.tolist(), table.start_untrimmed.tolist()] = torch.tensor(
        table.hit_coefficient.to_numpy(np.float64, copy=True)
    )
    left = (problem.residual(coefficient) * target.scale)[0].numpy()
    return left if config.mode.contributions_are_hypothetical else left.sum(axis=0)


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_residual_is_that_of_the_dense_reference(arrays, motifs, setting):
    options, _ = SETTINGS[setting]
    hits = fd.find_hits(*arrays, motifs, **options)
    # The region with most hits, and the last.
    for row in (int(hits.qc.to_pandas().n_hits.argmax()), 23):
        found = hits.residual(row)

        expected = dense_residual(arrays, motifs, hits, row, options)
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, atol=1e-6 * np.abs(expected).max())
    np.testing.assert_array_equal(hits.residual(-1), found)


def test_reconstruction_is_the_share_that_all_coefficients_explain(arrays, motifs):
    sequences, contributions = arrays
    contributions = contributions.copy()
    contributions[5] = 0

    hits = fd.find_hits(sequences, contributions, motifs, post_filter=False)

    share = hits.qc.to_pandas().reconstruction
    y = (sequences * contributions.astype(np.float64)).sum(1)
    for row in (0, 3, 23):
        explained = 1 - (hits.residual(row) ** 2).sum() / (y[row] ** 2).sum()
        assert share[row] == pytest.approx(explained, rel=1e-6)
    assert np.isnan(share[5])
    assert share.drop(5).between(0, 1).all()


def test_polars_holds_the_same_rows(arrays, motifs):
    polars = pytest.importorskip("polars")
    hits = fd.find_hits(*arrays, motifs)

    frame = hits.to_polars()

    assert isinstance(frame, polars.DataFrame)
    assert frame.rows() == [tuple(row.values()) for row in hits.to_arrow().to_pylist()]


def test_a_notebook_shows_the_first_hits_and_escapes_names(arrays, motifs, yeast_slice):
    name = "<b>&"
    renamed = fd.read_motifs(
        yeast_slice / "modisco_results.h5", names={"pos_patterns.pattern_0": name}
    )

    hits = fd.find_hits(*arrays, renamed)

    for shown in (hits, hits.qc, renamed):
        assert "<b>" not in shown._repr_html_()
        assert "<table>" in shown._repr_html_()
    assert "&lt;b&gt;&amp;" in renamed._repr_html_()
    assert hits._repr_html_().count("<tr>") == 11
    assert "104 rows" in hits._repr_html_()


S, A = (3, 4, 20), (3, 20, 4)


@pytest.mark.parametrize(
    ("sequences", "contributions", "order", "message"),
    [
        (A, A, "nal", r"\(3, 20, 4\) and .*\(3, 20, 4\); expected sequences \(N, 4, L\).*'nla'"),
        (S, S, "nla", r"\(3, 4, 20\).*expected sequences \(N, L, 4\).*axis_order='nal'"),
        (S, A, "nal", r"\(3, 4, 20\) and .*\(3, 20, 4\); expected contributions \(3, 4, 20\)"),
        (S, (2, 4, 20), "nal", r"\(2, 4, 20\); expected .*\(3, 20\) if projected"),
        (S, (3, 19), "nal", r"\(3, 4, 20\) and .*\(3, 19\)"),
        ((3, 20), (3, 20), "nal", r"\(3, 20\).*Give one-hot"),
        ((0, 4, 20), (0, 4, 20), "nal", "at least one region"),
    ],
)
def test_wrong_shapes_are_named_with_their_cure(motifs, sequences, contributions, order, message):
    with pytest.raises(InputError, match=message):
        fd.find_hits(np.zeros(sequences), np.zeros(contributions), motifs, axis_order=order)


def test_what_cannot_be_called_is_refused(arrays, motifs, yeast_slice):
    sequences, contributions = arrays
    projected = (sequences * contributions).sum(axis=1)
    twice = sequences.copy()
    twice[2, :, 7] = 1
    endless = contributions.astype(np.float32)
    endless[4, 1, 3] = np.inf
    cases = [
        (sequences, projected, {"mode": "hh"}, InputError, "needs hypothetical"),
        (twice, contributions, {}, InputError, "sequences: region 2, column 7"),
        (sequences, endless, {}, InputError, "contributions: region 4 has an infinite"),
        (sequences.astype(str), contributions, {}, InputError, "sequences: holds values of type"),
        (sequences, contributions, {"mode": "xx"}, UsageError, "mode"),
        (sequences, contributions, {"penalty": -1}, UsageError, "penalty"),
        (sequences, contributions, {"axis_order": "lna"}, UsageError, "axis_order 'lna'"),
        (sequences, contributions, {"device": "tpu"}, UsageError, "device 'tpu'"),
        (sequences, contributions, {"config": CallConfig(), "mode": "hh"}, UsageError, "either"),
        (sequences, contributions, {"peaks": {"chr": ["a"]}}, InputError, "no column 'start'"),
        (
            sequences, contributions, {"peaks": {"chr": ["a"], "start": [1]}}, InputError,
            "1 rows beside 24 regions",
        ),
        (sequences[:3], contributions[:3], {"peaks": yeast_slice / "peaks.narrowPeak"},
         InputError, "24 peaks"),
        (sequences[..., :20], contributions[..., :20], {}, InputError, "narrower than the motifs"),
    ]  # fmt: skip
    for one_hot, scores, options, error, message in cases:
        with pytest.raises(error, match=message):
            fd.find_hits(one_hot, scores, motifs, **options)


def test_regions_that_are_not_there_have_no_residual(arrays, motifs):
    hits = fd.find_hits(*arrays, motifs)

    for region in (24, -25):
        with pytest.raises(UsageError, match="there are 24 regions"):
            hits.residual(region)


def test_settings_of_motifs_go_with_them(arrays, yeast_slice, tmp_path):
    path = yeast_slice / "modisco_results.h5"
    first = "pos_patterns.pattern_1"
    (tmp_path / "lambdas.tsv").write_text(f"{first}\t0.9\n")

    motifs = fd.read_motifs(
        path, include=[first], names={first: "A"}, trim_coords={first: (2, 12)},
        penalties=tmp_path / "lambdas.tsv",
    )  # fmt: skip
    both = motifs.both_strands()
    hits = fd.find_hits(*arrays, motifs, penalty=0.5)

    assert (len(motifs), motifs.names, repr(motifs)) == (
        1, ("A",), "<MotifSet: 1 motif from modisco_results.h5>",
    )  # fmt: skip
    assert (both.start.tolist(), both.end.tolist()) == ([2, 18], [12, 28])
    assert set(hits.to_pandas().motif_name) <= {"A"}
    # One motif has its own lambda; a penalty for all leaves it.
    assert (hits.to_pandas().hit_similarity >= 0.9).all()
    np.testing.assert_array_equal(motifs.cwm("A"), motifs.cwm(first))
    assert motifs.cwm("A").shape == (4, 30)
    with pytest.raises(UsageError, match="There is no motif 'B'"):
        motifs.cwm("B")
    with pytest.raises(InputError, match="is not in the modisco file"):
        fd.read_motifs(path, include=["pos_patterns.pattern_99"])


def test_a_path_is_taken_for_its_motifs(arrays, motifs, yeast_slice):
    by_path = fd.find_hits(*arrays, yeast_slice / "modisco_results.h5")

    assert by_path.to_arrow().equals(fd.find_hits(*arrays, motifs).to_arrow())


def test_the_session_of_the_first_test_is_short():
    body = inspect.getsource(test_a_notebook_session).split("\n\n")
    session = [line for line in "\n".join(body[1:4]).splitlines() if line.strip()]

    assert len(session) <= 11
