"""Arrays with one row a region, in H5, npy and npz files."""

import io
import zipfile

import h5py
import numpy as np
import pytest

from finemo_dist.core.errors import InputError, UsageError
from finemo_dist.core.records import ScoreKind
from finemo_dist.sources._npz import open_array
from finemo_dist.sources.arrays import ModiscoArraysSource
from finemo_dist.sources.h5 import BpnetSource, ChromBpnetSource
from tests.unit.sources.samples import (
    ARRAY_WIDTH,
    N_REGIONS,
    WIDTH,
    write_bpnet,
    write_chrombpnet,
)

FORMATS = ["chrombpnet", "bpnet", "npz", "npy"]


def edit(samples, kind, change):
    """Change the arrays of a kind in place; ``change`` gets float32 scores and int8 one-hot."""
    one_hot, scores = np.load(samples / "ohe.npy"), np.load(samples / "attr.npy").astype(np.float32)
    one_hot, scores = change(one_hot, scores) or (one_hot, scores)
    if kind == "chrombpnet":
        write_chrombpnet(samples / "chrombpnet.h5", one_hot, scores)
    elif kind == "bpnet":
        write_bpnet(samples / "bpnet.h5", one_hot, scores)
    else:
        save = np.save if kind == "npy" else np.savez_compressed
        save(samples / f"ohe.{kind}", one_hot)
        save(samples / f"attr.{kind}", scores)


@pytest.mark.parametrize("kind", FORMATS)
def test_central_columns_are_read(samples, kind):
    batch = samples.make(kind).read(0, N_REGIONS)

    assert np.array_equal(batch.sequence, samples.codes)
    assert np.array_equal(batch.contributions, samples.hypothetical.astype(np.float32))


def projecting(samples, kind, n_folds=1):
    """Return a source of the same arrays that keeps the score of the base that is there."""
    if kind in {"chrombpnet", "bpnet"}:
        make = ChromBpnetSource if kind == "chrombpnet" else BpnetSource
        files = [samples / f"{kind}.h5"] * n_folds
        return make(files, region_width=WIDTH, scores=ScoreKind.PROJECTED)
    return ModiscoArraysSource(
        samples / f"ohe.{kind}", [samples / f"attr.{kind}"] * n_folds,
        region_width=WIDTH, scores=ScoreKind.PROJECTED,
    )  # fmt: skip


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("n_folds", [1, 3])
def test_projected_scores_are_those_of_the_base_that_is_there(samples, kind, n_folds):
    source = projecting(samples, kind, n_folds)

    batch = source.read(0, N_REGIONS)

    assert source.score_kind is batch.score_kind is ScoreKind.PROJECTED
    assert np.array_equal(batch.sequence, samples.codes)
    assert np.array_equal(batch.contributions, samples.projected.astype(np.float32))
    assert (samples.codes == 4).any(), "an unknown base is among them"


@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8", ">f4", "<i2"])
def test_numbers_of_every_type_are_projected(samples, dtype):
    scores = (np.load(samples / "attr.npy").astype(np.float64) * 4).astype(dtype)
    np.save(samples / "attr.npy", scores)
    inner = slice((ARRAY_WIDTH - WIDTH) // 2, (ARRAY_WIDTH + WIDTH) // 2)
    one_hot = np.load(samples / "ohe.npy")
    expected = (scores.astype(np.float64) * one_hot).sum(axis=1)[:, inner]

    found = projecting(samples, "npy").read(0, N_REGIONS).contributions

    assert np.array_equal(found, expected.astype(np.float32))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("base", range(4))
def test_what_is_no_number_is_seen_on_any_base_that_is_projected(samples, value, base):
    def change(_, scores):
        scores[3, base, ARRAY_WIDTH // 2] = value

    edit(samples, "npz", change)
    source = projecting(samples, "npz")

    if np.isnan(value):
        batch = source.read(0, N_REGIONS)
        assert batch.counts.n_nan == 1
        assert np.isfinite(batch.contributions).all()
    else:
        with pytest.raises(InputError, match="region 3 has an infinite contribution"):
            source.read(0, N_REGIONS)


@pytest.mark.parametrize("kind", FORMATS)
def test_width_beyond_the_arrays_refuses(samples, kind):
    makers = {
        "chrombpnet": lambda w: ChromBpnetSource([samples / "chrombpnet.h5"], region_width=w),
        "bpnet": lambda w: BpnetSource([samples / "bpnet.h5"], region_width=w),
        "npz": lambda w: ModiscoArraysSource(
            samples / "ohe.npz", [samples / "attr.npz"], region_width=w
        ),
        "npy": lambda w: ModiscoArraysSource(
            samples / "ohe.npy", [samples / "attr.npy"], region_width=w
        ),
    }
    assert makers[kind](ARRAY_WIDTH).read(0, 1).sequence.shape == (1, ARRAY_WIDTH)
    with pytest.raises(InputError, match=f"at most {ARRAY_WIDTH}"):
        makers[kind](ARRAY_WIDTH + 2)
    with pytest.raises(UsageError, match="even"):
        makers[kind](WIDTH + 1)


def test_odd_array_width_is_cut_as_finemo_cuts_it(tmp_path):
    codes = np.arange(7) % 4
    np.save(tmp_path / "s.npy", np.eye(4, dtype=np.int8)[codes].T[None])
    np.save(tmp_path / "a.npy", np.arange(28.0).reshape(1, 4, 7))
    source = ModiscoArraysSource(tmp_path / "s.npy", [tmp_path / "a.npy"], region_width=4)

    assert source.read(0, 1).sequence.tolist() == [codes[7 // 2 - 2 : 7 // 2 + 2].tolist()]


@pytest.mark.parametrize("kind", FORMATS)
def test_nan_is_zero_and_counted_by_region(samples, kind):
    def change(one_hot, scores):
        scores[3, 1:3, 8] = np.nan
        scores[5, 0, 0] = np.nan  # outside the central columns

    edit(samples, kind, change)

    batch = samples.make(kind).read(0, N_REGIONS)

    assert batch.counts.n_nan == 1
    assert not batch.contributions[3, 1:3, 8 - 3].any()
    assert np.isfinite(batch.contributions).all()


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinity_refuses_naming_the_region(samples, kind, value):
    def change(one_hot, scores):
        scores[3, 1, 8] = value

    edit(samples, kind, change)

    with pytest.raises(InputError, match=r"region 3 \(peak 'peak_3'.*infinite"):
        samples.make(kind).read(2, N_REGIONS)


def test_double_beyond_float32_refuses(samples):
    scores = np.load(samples / "attr.npy").astype(np.float64)
    scores[0, 0, 10] = 1e300
    np.save(samples / "attr.npy", scores)

    with pytest.raises(InputError, match="infinite"):
        samples.make("npy").read(0, 1)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("column", [[1, 1, 0, 0], [2, 0, 0, 0], [-1, 0, 0, 1], [64] * 4])
def test_sequence_that_is_not_one_hot_refuses(samples, kind, column):
    def change(one_hot, scores):
        one_hot[4, :, 10] = column

    edit(samples, kind, change)

    with pytest.raises(InputError, match=r"region 4 .*column 7.*one-hot"):
        samples.make(kind).read(0, N_REGIONS)


@pytest.mark.parametrize("value", [0.25, np.nan])
def test_fractional_sequence_refuses(samples, value):
    one_hot = np.load(samples / "ohe.npy").astype(np.float32)
    one_hot[4, :, 10] = value
    np.save(samples / "ohe.npy", one_hot)

    with pytest.raises(InputError, match="one-hot"):
        samples.make("npy").read(0, N_REGIONS)


@pytest.mark.parametrize("dtype", [bool, np.float16, ">f4", np.int64])
def test_one_hot_of_any_number_type_reads_alike(samples, dtype):
    np.save(samples / "ohe.npy", np.load(samples / "ohe.npy").astype(dtype))

    assert np.array_equal(samples.make("npy").read(0, N_REGIONS).sequence, samples.codes)


@pytest.mark.parametrize("kind", FORMATS)
def test_hypothetical_score_of_an_unknown_base_is_kept(samples, kind):
    batch = samples.make(kind).read(0, N_REGIONS)
    row, position = np.argwhere(samples.codes == 4)[0]

    assert batch.contributions[row, :, position].all()


@pytest.mark.parametrize("kind", FORMATS)
def test_peaks_in_another_order_refuse_when_there_is_a_genome(samples, kind):
    lines = samples.peaks.read_text().splitlines()
    samples.peaks.write_text("\n".join([*lines[:2], lines[3], lines[2], *lines[4:]]))

    with pytest.raises(InputError, match=r"other sequences than .*genome\.fa: first at region 2"):
        samples.make(kind).read(0, N_REGIONS)


@pytest.mark.parametrize("kind", FORMATS)
def test_more_or_fewer_peaks_than_regions_refuse(samples, kind):
    samples.peaks.write_text("".join(samples.peaks.read_text().splitlines(keepends=True)[1:]))

    with pytest.raises(InputError, match=f"{N_REGIONS - 1} peaks.*{N_REGIONS} regions"):
        samples.make(kind)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("fasta",), "genome.fa: a genome is useful only with peaks"),
        (("keep",), "keep.npy: says which peaks have arrays, but no peaks are given. Add -p."),
        (("chrom_sizes",), "chrom.sizes: lengths of chromosomes are useful only with peaks"),
        (("fasta", "chrom_sizes", "peaks"), "genome.fa says how long chromosomes are. Leave out"),
    ],
)
def test_a_file_that_is_of_no_use_refuses(samples, given, said):
    names = {"fasta": "genome.fa", "keep": "keep.npy", "chrom_sizes": "chrom.sizes"}
    paths = {key: samples / names.get(key, samples.peaks.name) for key in given}

    with pytest.raises(UsageError, match=said):
        ModiscoArraysSource(
            samples / "ohe.npy", [samples / "attr.npy"], region_width=WIDTH, **paths
        )


def clipped(tmp_path, *, one_hot_outside, with_genome):
    """Return a source of one region of 8 that begins 3 bases before and ends 2 after chrA."""
    (tmp_path / "g.fa").write_text(">chrA\nACG\n")
    (tmp_path / "p.bed").write_text("chrA\t0\t3\tp\t0\t.\t0\t0\t0\t1\n")
    codes = np.array([4, 4, 4, 0, 1, 2, 4, 4])
    codes[codes == 4] = one_hot_outside
    np.save(tmp_path / "s.npy", (codes[None, None] == np.arange(4)[:, None]).astype(np.int8))
    np.save(tmp_path / "a.npy", np.ones((1, 4, 8)))
    return ModiscoArraysSource(
        tmp_path / "s.npy",
        [tmp_path / "a.npy"],
        region_width=8,
        peaks=tmp_path / "p.bed",
        fasta=tmp_path / "g.fa" if with_genome else None,
    )


def test_scores_over_both_chromosome_ends_are_zeroed(tmp_path):
    batch = clipped(tmp_path, one_hot_outside=4, with_genome=True).read(0, 1)

    assert batch.contributions[0].tolist() == [[0, 0, 0, 1, 1, 1, 0, 0]] * 4
    assert (batch.counts.n_clipped, batch.counts.n_unknown_bases) == (1, 0)


def test_without_a_genome_the_left_end_alone_is_known(tmp_path):
    batch = clipped(tmp_path, one_hot_outside=4, with_genome=False).read(0, 1)

    assert batch.contributions[0].tolist() == [[0, 0, 0, 1, 1, 1, 1, 1]] * 4
    assert (batch.counts.n_clipped, batch.counts.n_unknown_bases) == (1, 1)


def test_bases_where_there_is_no_chromosome_refuse(tmp_path):
    with pytest.raises(InputError, match="bases beyond an end of its chromosome"):
        clipped(tmp_path, one_hot_outside=2, with_genome=False).read(0, 1)


@pytest.mark.parametrize("kind", ["chrombpnet", "bpnet"])
def test_folds_are_averaged(samples, kind):
    make = {"chrombpnet": ChromBpnetSource, "bpnet": BpnetSource}[kind]
    write = {"chrombpnet": write_chrombpnet, "bpnet": write_bpnet}[kind]
    one_hot, scores = np.load(samples / "ohe.npy"), np.load(samples / "attr.npy")
    write(samples / "fold.h5", one_hot, 3 * scores.astype(np.float32))

    source = make([samples / f"{kind}.h5", samples / "fold.h5"], region_width=WIDTH)

    expected = 2 * samples.hypothetical.astype(np.float32)
    assert np.array_equal(source.read(0, N_REGIONS).contributions, expected)


def test_nan_in_one_fold_counts_and_is_zero_there(samples):
    scores = np.load(samples / "attr.npy").astype(np.float32)
    scores[2, :, 9] = np.nan
    np.save(samples / "fold.npy", scores)
    folds = [samples / "attr.npy", samples / "fold.npy"]
    batch = ModiscoArraysSource(samples / "ohe.npy", folds, region_width=WIDTH).read(0, N_REGIONS)

    assert batch.counts.n_nan == 1
    assert np.array_equal(
        batch.contributions[2, :, 6], samples.hypothetical[2, :, 6].astype(np.float32) / 2
    )


@pytest.mark.parametrize("kind", ["chrombpnet", "bpnet"])
def test_folds_in_another_order_refuse(samples, kind):
    make = {"chrombpnet": ChromBpnetSource, "bpnet": BpnetSource}[kind]
    write = {"chrombpnet": write_chrombpnet, "bpnet": write_bpnet}[kind]
    order = np.arange(N_REGIONS)
    order[[6, 7]] = 7, 6
    write(samples / "fold.h5", np.load(samples / "ohe.npy")[order], np.load(samples / "attr.npy"))
    source = make([samples / f"{kind}.h5", samples / "fold.h5"], region_width=WIDTH)

    with pytest.raises(InputError, match=r"fold\.h5 has other sequences.*first at region 6"):
        source.read(0, N_REGIONS)


@pytest.mark.parametrize("rows", [slice(1, None), slice(None, -1)])
def test_folds_with_another_number_of_regions_refuse(samples, rows):
    one_hot, scores = np.load(samples / "ohe.npy"), np.load(samples / "attr.npy")
    write_chrombpnet(samples / "fold.h5", one_hot[rows], scores[rows])
    np.save(samples / "fold.npy", scores[rows])

    with pytest.raises(InputError, match=r"fold\.h5: found an array of shape"):
        ChromBpnetSource([samples / "chrombpnet.h5", samples / "fold.h5"], region_width=WIDTH)
    with pytest.raises(InputError, match=r"fold\.npy: found an array of shape"):
        ModiscoArraysSource(
            samples / "ohe.npy", [samples / "attr.npy", samples / "fold.npy"], region_width=WIDTH
        )


def test_no_scores_at_all_refuse(samples):
    with pytest.raises(UsageError, match="at least one"):
        ChromBpnetSource([], region_width=WIDTH)
    with pytest.raises(UsageError, match="at least one"):
        ModiscoArraysSource(samples / "ohe.npy", [], region_width=WIDTH)


def test_h5_of_the_other_tool_refuses_naming_what_it_has(samples):
    with pytest.raises(InputError, match=r"'raw/seq'; found 'hyp_scores', 'input_seqs'"):
        ChromBpnetSource([samples / "bpnet.h5"], region_width=WIDTH)
    with pytest.raises(InputError, match=r"'input_seqs'; found 'raw/seq', 'shap/seq'"):
        BpnetSource([samples / "chrombpnet.h5"], region_width=WIDTH)


def test_bases_on_the_wrong_axis_refuse(samples):
    with h5py.File(samples / "turned.h5", "w") as file:
        file["input_seqs"] = np.load(samples / "ohe.npy")
        file["hyp_scores"] = np.load(samples / "attr.npy")
    np.save(samples / "turned.npy", np.load(samples / "attr.npy").swapaxes(1, 2))

    with pytest.raises(InputError, match=r"expected \(regions, width, 4\)"):
        BpnetSource([samples / "turned.h5"], region_width=WIDTH)
    with pytest.raises(InputError, match=r"expected \(regions, 4, width\)"):
        ModiscoArraysSource(samples / "ohe.npy", [samples / "turned.npy"], region_width=WIDTH)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("part", [0, 0.3, 0.9])
def test_truncated_file_refuses(samples, kind, part):
    name = {"chrombpnet": "chrombpnet.h5", "bpnet": "bpnet.h5"}.get(kind, f"attr.{kind}")
    path = samples / name
    path.write_bytes(path.read_bytes()[: int(part * path.stat().st_size)])

    with pytest.raises(InputError, match=name):
        samples.make(kind).read(0, N_REGIONS)


@pytest.mark.parametrize("kind", FORMATS)
def test_missing_file_refuses(samples, kind):
    name = {"chrombpnet": "chrombpnet.h5", "bpnet": "bpnet.h5"}.get(kind, f"attr.{kind}")
    (samples / name).unlink()

    with pytest.raises(InputError, match="no such file"):
        samples.make(kind)


def test_flipped_bits_in_an_npz_refuse(samples):
    path = samples / "attr.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x40
    path.write_bytes(content)

    with pytest.raises(InputError, match=r"attr\.npz: damaged"):
        samples.make("npz").read(0, N_REGIONS)


def write_member(path, array, *, n_rows, n_bytes=0):
    """Write an npz whose header says ``n_rows``, and whose directory says ``n_bytes`` more."""
    stream = io.BytesIO()
    header = np.lib.format.header_data_from_array_1_0(array)
    np.lib.format.write_array_header_1_0(stream, header | {"shape": (n_rows, *array.shape[1:])})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("arr_0.npy", stream.getvalue() + array.tobytes())
    content = bytearray(path.read_bytes())
    size = content.index(b"PK\x01\x02") + 24
    found = int.from_bytes(content[size : size + 4], "little") + n_bytes
    content[size : size + 4] = found.to_bytes(4, "little")
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("n_rows", "n_bytes", "rows", "said"),
    [
        (7, 0, (0, 1), "arr_0.npy has 208 bytes, its header says 240"),
        (7, 32, (3, 7), "arr_0.npy ends before row 7"),
        (7, 32, (7, 7), "arr_0.npy ends at byte 208"),
    ],
)
def test_a_member_shorter_than_it_says_refuses(tmp_path, n_rows, n_bytes, rows, said):
    path = tmp_path / "a.npz"
    write_member(path, np.arange(10.0).reshape(5, 2), n_rows=n_rows, n_bytes=n_bytes)

    with pytest.raises(InputError) as caught:
        open_array(path).read(*rows)

    assert str(caught.value).startswith(f"{path}: damaged, or holds Python objects (")
    assert said in str(caught.value)


def test_a_version_of_npy_that_is_not_known_refuses(tmp_path):
    path = tmp_path / "a.npz"
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.zeros(3), version=(3, 0))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("arr_0.npy", stream.getvalue())

    with pytest.raises(InputError, match=r"'arr_0' has npy format version \(3, 0\), expected 1.0"):
        open_array(path)


@pytest.mark.parametrize("name", ["objects.npy", "objects.npz"])
def test_python_objects_are_refused_without_unpickling(samples, name):
    save = np.save if name.endswith("npy") else np.savez
    save(samples / name, np.array([{}, None], dtype=object), allow_pickle=True)

    with pytest.raises(InputError, match="Python objects"):
        ModiscoArraysSource(samples / name, [samples / "attr.npy"], region_width=WIDTH)


def test_strings_are_refused(samples):
    np.save(samples / "attr.npy", np.full((N_REGIONS, 4, ARRAY_WIDTH), "x"))

    with pytest.raises(InputError, match="expected real numbers"):
        samples.make("npy").read(0, 1)


def test_npz_with_one_array_of_any_name_is_read(samples):
    np.savez(samples / "attr.npz", scores=np.load(samples / "attr.npy"))

    assert samples.make("npz").read(0, 1).contributions.any()


def test_npz_with_several_arrays_needs_arr_0(samples):
    scores = np.load(samples / "attr.npy")
    np.savez(samples / "attr.npz", a=scores, b=scores)

    with pytest.raises(InputError, match="holds the arrays a, b"):
        samples.make("npz")


def test_file_of_another_kind_refuses(samples):
    (samples / "attr.npy").write_text("scores")

    with pytest.raises(InputError, match="neither npy nor npz"):
        samples.make("npy")


def test_column_order_is_read_from_npy_and_refused_from_npz(samples):
    scores = np.asfortranarray(np.load(samples / "attr.npy"))
    np.save(samples / "attr.npy", scores)
    np.savez(samples / "attr.npz", scores)

    batch = samples.make("npy").read(0, N_REGIONS)

    assert np.array_equal(batch.contributions, samples.hypothetical.astype(np.float32))
    with pytest.raises(InputError, match="ascontiguousarray"):
        samples.make("npz")


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_npz_rows_are_read_in_any_order(samples, compression):
    save = np.savez if compression == zipfile.ZIP_STORED else np.savez_compressed
    save(samples / "attr.npz", np.load(samples / "attr.npy"))
    source = samples.make("npz")

    for start, stop in ((3, 7), (12, 15), (0, 2), (6, 9), (5, 5)):
        batch = source.read(start, stop)

        expected = samples.hypothetical[start:stop].astype(np.float32)
        assert np.array_equal(batch.contributions, expected)


def test_arrays_without_rows_are_a_source_without_regions(tmp_path):
    for name in ("s", "a"):
        np.savez(tmp_path / f"{name}.npz", np.zeros((0, 4, 30), dtype=np.int8))
    source = ModiscoArraysSource(tmp_path / "s.npz", [tmp_path / "a.npz"], region_width=20)

    assert len(source.regions) == 0
    assert source.read(0, 0).contributions.shape == (0, 4, 20)
