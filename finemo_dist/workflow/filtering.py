"""A derived run: the hits of a run that rules leave, in parts of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from finemo_dist.catalog.catalog import Catalog, open_catalog
from finemo_dist.catalog.compaction import parts_digest
from finemo_dist.catalog.intervals import load_intervals
from finemo_dist.catalog.readonly import run_user_query
from finemo_dist.core.config import digest_of
from finemo_dist.core.errors import RunError, UsageError, nearest
from finemo_dist.core.program import program
from finemo_dist.core.records import Unit
from finemo_dist.core.schema import HIT_COLUMNS, QC_COLUMNS
from finemo_dist.exports.finemo_files import write_finemo_files
from finemo_dist.hits.columns import Categorical, ColumnValues
from finemo_dist.hits.confidence import ConfidenceRecord, confidence_directory
from finemo_dist.hits.filtering import write_dropped, write_funnel
from finemo_dist.hits.footer import PartFooter
from finemo_dist.hits.layout import folder_name, part_path
from finemo_dist.hits.motifs import read_motifs, write_motifs
from finemo_dist.hits.write import write_unit
from finemo_dist.record.lease import driving
from finemo_dist.record.run_record import Derived, RunRecord
from finemo_dist.reports.cwms import CwmSums, Sites, accumulate, cosine
from finemo_dist.reports.trust import site_blocks
from finemo_dist.run.remains import check_output, clear_run
from finemo_dist.storage.files import committed, remove_tree
from finemo_dist.storage.locations import local_copy, location, readable
from finemo_dist.workflow.called_regions import store_called_in
from finemo_dist.workflow.filter_rules import FilterRule, RepeatDensity, all_rules


@dataclass(frozen=True, slots=True)
class RuleCount:
    """What one rule did, in all samples."""

    rule: str
    n_before: int
    """Hits that the rules before it left."""
    n_dropped: int


@dataclass(frozen=True, slots=True)
class Filtered:
    """A derived run and how hits were left out of it."""

    run_dir: Path
    n_hits_before: int
    n_hits: int
    rules: tuple[RuleCount, ...]
    """In the order in which they were applied."""


def filter_hits(
    run: str | Path,
    out: str | Path,
    rules: Sequence[FilterRule | str] | str | Path,
    *,
    memory_limit: str | None = None,
    force: bool = False,
) -> Filtered:
    """Write the hits of a run that rules leave as a run of its own, and return the funnel.

    Every other command takes the derived run. Its views ``filter_funnel`` and ``hits_dropped``
    say which rule dropped what.

    Parameters
    ----------
    run
        A run directory whose shards are all committed.
    out
        Run directory to write.
    rules
        Rules in the order in which they are applied: the path of a YAML file, or ``FilterRule``
        and texts such as ``"decoy_q=0.05"``.
    memory_limit
        Memory that DuckDB may use, such as ``"2GB"``. Beyond that it spills to temporary files.
    force
        Replace an earlier run in ``out``.

    Raises
    ------
    UsageError
        A rule is none, names a motif that the run lacks, or needs what the run has not.
    InputError
        A file that a rule names cannot be read.
    RunError, StoreError
        The run is incomplete or damaged, ``out`` holds another run or is being
        written, or regions have changed.
    """
    asked = all_rules(rules)
    out_dir = location(out)
    if out_dir.resolve() == location(run).resolve():
        raise UsageError(f"{out}: is the run itself. Choose another directory.")
    with driving(out_dir):
        return _filtered(run, out_dir, asked, memory_limit=memory_limit, force=force)


def _filtered(
    run: str | Path,
    out_dir: Path,
    asked: Sequence[FilterRule],
    *,
    memory_limit: str | None,
    force: bool,
) -> Filtered:
    with open_catalog(run, memory_limit=memory_limit) as catalog:
        _check(catalog, asked)
        if force:
            _clear(out_dir)
        elif (out_dir / "run.json").exists():
            raise RunError(f"{out_dir}: holds a run. Choose another directory, or use --force.")
        check_output(out_dir)
        try:
            funnel = _write_run(catalog, out_dir, asked)
        except BaseException:
            _clear(out_dir)
            raise
    with open_catalog(out_dir, memory_limit=memory_limit) as derived:
        _write_files(derived)
    return _summary(out_dir, funnel, asked)


def _clear(out_dir: Path) -> None:
    clear_run(out_dir)
    remove_tree(out_dir / "compact")


def _write_run(
    catalog: Catalog, out_dir: Path, rules: Sequence[FilterRule]
) -> list[dict[str, Any]]:
    """Write the derived run, its record last, and return its funnel."""
    record = _derived_record(catalog.record, catalog.run_dir, rules)
    for motif_set in catalog.record.sets:
        motifs = read_motifs(catalog.run_dir, motif_set.folder)
        write_motifs(out_dir, motifs, motif_set.folder)
    funnel: list[dict[str, Any]] = []
    footers = {}
    for index, name in enumerate(catalog.samples):
        with catalog.only(name) as single:
            funnel += _filter_sample(single, name, rules)
            footers[name] = _write_parts(single, name, out_dir, record)
            write_dropped(out_dir, index, single.arrow("filtered_rows", {"is_kept": False}))
    write_funnel(out_dir, funnel)
    _carry_confidence(catalog, out_dir, footers)
    # Last: without it there is no run.
    record.save(out_dir)
    return funnel


def _check(catalog: Catalog, rules: Sequence[FilterRule]) -> None:
    record = catalog.record
    for sample in record.samples:
        if sample.n_shards > len(catalog.units(sample.name)):
            raise RunError(
                f"{catalog.run_dir}: has missing shards. Finish the run first: `{program()} "
                "status` has the command."
            )
    known = list(dict.fromkeys(name for (name,) in catalog.rows("SELECT motif_name FROM motifs")))
    for rule in rules:
        if rule.kind in ("keep", "drop"):
            for name in rule.value:
                if name not in known:
                    raise UsageError(
                        f"Rule {rule.kind}: the run has no motif {name!r}.{nearest(name, known)}"
                    )
        if rule.kind == "decoy_q":
            has_q = catalog.rows("SELECT count(*) FROM motif_confidence")[0][0]
            if not has_q:
                raise UsageError(
                    f"{catalog.run_dir}: has no q of its hits, which rule decoy_q needs. Run "
                    f"`{program()} confidence {catalog.run_dir}` first."
                )
        if rule.kind in ("inside", "outside") and not all(
            sample.has_coordinates for sample in record.samples
        ):
            raise UsageError(
                f"Rule {rule.kind}: needs coordinates, and a sample has none. Leave the rule out."
            )


def _derived_record(record: RunRecord, run_dir: Path, rules: Sequence[FilterRule]) -> RunRecord:
    """Return the record of the derived run: parts of it can be taken for no other's."""
    told = [{rule.kind: _plain(rule)} for rule in rules]

    def digest(of: str) -> str:
        return digest_of({"of": of, "rules": told})

    samples = tuple(
        sample.model_copy(update={"config_digest": digest(record.config_digest_of(sample))})
        for sample in record.samples
    )
    earlier = record.derived.rules if record.derived else ()
    derived = record.model_copy(
        update={
            "samples": samples,
            "config_digest": digest(record.config_digest),
            "invocations": (),
            # The files are written here at once, and by no unit.
            "outputs": None,
            "derived": Derived(run=str(run_dir), rules=(*earlier, *told)),
        }
    )
    # It replaces no record, neither this run's nor another.
    return derived.replacing(None)


def _plain(rule: FilterRule) -> Any:  # noqa: ANN401  (what JSON holds)
    return rule.model_dump(mode="json")[rule.kind]


def _filter_sample(
    single: Catalog, sample: str, rules: Sequence[FilterRule]
) -> list[dict[str, Any]]:
    """Mark the hits of a sample that rules drop, and return its rows of the funnel."""
    single.run("make_filtered", {"sample": sample})
    single.run("make_remaining")
    for number, rule in enumerate(rules, 1):
        rows = _dropped(single, sample, rule)
        single.connection.register("dropped_rows", pa.table({"row": pa.array(rows, pa.int64())}))
        single.run("mark_dropped", {"rule": number})
        single.connection.unregister("dropped_rows")
    counts: dict[str, dict[int | None, int]] = {}
    for motif, number, n_hits in single.run("filter_counts"):
        counts.setdefault(motif, {})[number] = n_hits
    found = []
    for motif, by_rule in counts.items():
        n_before = sum(by_rule.values())
        for number, rule in enumerate(rules, 1):
            n_dropped = by_rule.get(number, 0)
            found.append(
                {
                    "sample": sample, "rule_number": number, "rule": str(rule),
                    "motif_name": motif, "n_before": n_before, "n_dropped": n_dropped,
                }
            )  # fmt: skip
            n_before -= n_dropped
    return found


def _dropped(single: Catalog, sample: str, rule: FilterRule) -> NDArray[np.int64]:
    """Return the rows that a rule drops."""
    value = rule.value
    match rule.kind:
        case "where":
            question = f'SELECT "row" FROM remaining WHERE NOT coalesce(({value}), false)'
            # A second read-only statement cannot follow: it is checked to be one.
            return np.asarray(run_user_query(single, question).arrow()["row"].to_numpy())
        case "inside" | "outside":
            load_intervals(single, single.connection, value)
            found = single.columns("filter_places", {"is_inside": rule.kind == "inside"})
        case "cwm_similarity":
            motifs = _unlike(single, sample, value)
            found = single.columns("filter_rows", {"motifs": motifs})
        case "keep" | "drop":
            found = single.columns(f"filter_{rule.kind}", {"names": list(value)})
        case _ if isinstance(value, RepeatDensity):
            asked = {"hits": value.hits, "within": value.within}
            found = single.columns("filter_repeat_density", asked)
        case _:
            found = single.columns(f"filter_{rule.kind}", {"value": value})
    return np.asarray(found["row"], np.int64)


def _unlike(single: Catalog, sample: str, least: float) -> list[int]:
    """Return motifs and strands whose mean contributions over their hits are not like the CWM."""
    record = single.sample(sample)
    motif_set = single.record.set_of(record)
    motifs = read_motifs(single.run_dir, motif_set.folder)
    ids = single.motifs.ids[motif_set.name]
    store = store_called_in(record)
    sites = single.columns("filter_sites")
    own = {int(number): row for row, number in enumerate(ids)}
    group = np.array([own[int(i)] for i in sites["motif_id"]], np.int64) // 2
    n_motifs = len(motifs) // 2
    total = CwmSums.zero(n_motifs, motifs.width)
    for rows, chosen, row in site_blocks(store, sites["peak_id"].astype(np.int64)):
        part = Sites(
            row=row,
            offset=sites["offset"][chosen].astype(np.int64),
            is_reverse=sites["is_reverse"][chosen].astype(bool),
            group=group[chosen],
        )
        batch = store.read(rows.start, rows.stop)
        total = total + accumulate(batch, part, n_groups=n_motifs, width=motifs.width)
    mean = total.mean
    dropped = [
        i
        for i in range(n_motifs)
        if total.count[i] and not cosine(mean[i], motifs.cwm[2 * i]) >= least
    ]
    return [int(ids[2 * i + strand]) for i in dropped for strand in (0, 1)]


def _write_parts(
    single: Catalog, sample: str, out_dir: Path, record: RunRecord
) -> dict[int, PartFooter]:
    """Write the parts of a sample with the hits that are left; motifs count as in their set."""
    known = single.sample(sample)
    motif_set = known.motif_set
    hits = single.arrow("filtered_rows", {"is_kept": True})
    own = {int(number): row for row, number in enumerate(single.motifs.ids[motif_set])}
    motif_id = np.array([own[int(i)] for i in hits["motif_id"].to_numpy()], np.int32)
    names = single.motifs.own_names[motif_set]
    columns = {column.name: _values(hits[column.name]) for column in HIT_COLUMNS}
    columns |= {"motif_id": motif_id, "motif_name": Categorical(motif_id, names)}
    peaks = hits["peak_id"].to_numpy()
    footers = {}
    written = record.sample(sample)
    assert written is not None
    for shard in sorted(single.units(sample)):
        unit = Unit(sample, shard)
        with readable(part_path(single.run_dir, "peaks_qc", unit)) as source:
            qc = pq.read_table(source, partitioning=None)
        regions = qc["peak_id"].to_numpy()
        rows = np.flatnonzero(np.isin(peaks, regions))
        order = np.argsort(regions, kind="stable")
        at = order[np.searchsorted(regions[order], peaks[rows])]
        quality = {column.name: _values(qc[column.name]) for column in QC_COLUMNS}
        quality["n_hits"] = np.bincount(at, minlength=len(regions)).astype(np.int32)
        footers[shard] = write_unit(
            out_dir,
            unit,
            hits={name: values[rows] for name, values in columns.items()},
            qc=quality,
            config_digest=record.config_digest_of(written),
            store_digest=written.store_digest,
        )
    return footers


def _values(column: pa.ChunkedArray) -> ColumnValues:
    whole = column.combine_chunks()
    if pa.types.is_string(whole.type) or pa.types.is_dictionary(whole.type):
        encoded = whole if pa.types.is_dictionary(whole.type) else whole.dictionary_encode()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return Categorical(codes.astype(np.int64), encoded.dictionary.to_pylist())
    return np.asarray(whole.to_numpy(zero_copy_only=False))


def _carry_confidence(
    catalog: Catalog, out_dir: Path, footers: Mapping[str, Mapping[int, PartFooter]]
) -> None:
    """Take over the q of the hits: that of the call, before rules were applied."""
    record = ConfidenceRecord.load(catalog.run_dir)
    if record is None:
        return
    source = confidence_directory(catalog.run_dir)
    for path in source.iterdir():
        if path.suffix == ".parquet":
            with committed(confidence_directory(out_dir) / path.name) as temporary:
                copyfile(local_copy(path), temporary)
    current = {
        name: parts_digest(found.values())
        for name, found in footers.items()
        if record.parts.get(name) == parts_digest(catalog.units(name).values())
    }
    ConfidenceRecord(
        record.seed, record.fraction, record.n_rounds, current, record.refused, record.files
    ).save(out_dir)


def _write_files(derived: Catalog) -> None:
    is_only = len(derived.samples) == 1
    for name in derived.samples:
        out = derived.run_dir if is_only else derived.run_dir / "samples" / folder_name(name)
        write_finemo_files(derived, name, out)


def _summary(
    out_dir: Path, funnel: Sequence[Mapping[str, Any]], rules: Sequence[FilterRule]
) -> Filtered:
    counts = []
    for number, rule in enumerate(rules, 1):
        own = [row for row in funnel if row["rule_number"] == number]
        counts.append(
            RuleCount(str(rule), sum(r["n_before"] for r in own), sum(r["n_dropped"] for r in own))
        )
    n_before = counts[0].n_before
    n_left = n_before - sum(count.n_dropped for count in counts)
    return Filtered(out_dir, n_before, n_left, tuple(counts))
