"""Simulated alleles of variants whose effects on motifs are known."""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pyarrow.parquet as pq

from finemo_dist.testing.motifs import SimulatedMotifs

EFFECTS = (0.25, 0.5, 0.75)
"""Shares of a motif's contributions that a variant takes away or adds."""
KINDS = ("lost", "gained", "weakened", "strengthened", "moved", "untouched")
_BASES = "ACGT"


@dataclass
class SimulatedAlleles:
    """Regions of both alleles, and what each variant did to which motif."""

    sequence: dict[str, np.ndarray]
    """Allele to (V, L) codes."""
    contributions: dict[str, np.ndarray]
    """Allele to (V, L) projected contributions."""
    lines: list[str]
    """Of variant-scorer's list."""
    motif: list[str]
    kind: list[str]
    effect: list[float]

    def write_list(self, path: Path) -> Path:
        path.write_text("".join(f"{line}\n" for line in self.lines))
        return path

    def write_vcf(self, path: Path) -> Path:
        text = "##fileformat=VCFv4.5\n#CHROM\tPOS\tID\tREF\tALT\n"
        for line in self.lines:
            chrom, position, ref, alt, name = line.split("\t")
            text += f"{chrom}\t{position}\t{name}\t{ref}\t{alt}\n"
        path.write_text(text)
        return path

    def write_npz(self, path: Path, *alleles: str) -> Path:
        codes = np.concatenate([self.sequence[a] for a in alleles])
        scores = np.concatenate([self.contributions[a] for a in alleles])
        one_hot = (codes[:, None, :] == np.arange(4)[:, None]).astype(np.int8)
        np.savez(path, sequences=one_hot, contributions=scores.astype(np.float16))
        return path

    def write_h5(self, path: Path) -> Path:
        """Both alleles in one file, as variant-scorer writes them."""
        codes = np.concatenate([self.sequence[a] for a in ("ref", "alt")])
        scores = np.concatenate([self.contributions[a] for a in ("ref", "alt")])
        one_hot = (codes[:, None, :] == np.arange(4)[:, None]).astype(np.float32)
        with h5py.File(path, "w") as file:
            file["raw/seq"] = one_hot.astype(np.int8)
            file["shap/seq"] = (one_hot * scores[:, None, :]).astype(np.float32)
            file["projected_shap/seq"] = file["shap/seq"][:]
        return path


def simulate_alleles(
    motifs: SimulatedMotifs,
    n_variants: int,
    *,
    seed: int = 0,
    width: int = 160,
    noise: float = 0.02,
    jitter: float = 0.004,
    strength: float = 1.0,
) -> SimulatedAlleles:
    """Noise is shared by the alleles, jitter is not; both in units of the strongest column."""
    rng = np.random.default_rng(seed)
    found = SimulatedAlleles({"ref": [], "alt": []}, {"ref": [], "alt": []}, [], [], [], [])
    for i in range(n_variants):
        kind = KINDS[i % len(KINDS)]
        effect = EFFECTS[i // len(KINDS) % len(EFFECTS)] if kind.endswith("ened") else 1.0
        m = int(rng.integers(len(motifs)))
        _add(found, rng, motifs, m, kind, effect, width, noise, jitter, strength)
        position = 1000 * i + 500
        ref, alt = found.lines.pop()
        found.lines.append(f"chr1\t{position}\t{ref}\t{alt}\tv{i}")
        found.motif.append(motifs.name[m])
        found.kind.append(kind)
        found.effect.append(effect)
    for arrays in (found.sequence, found.contributions):
        for allele in arrays:
            arrays[allele] = np.stack(arrays[allele])
    return found


def _add(found, rng, motifs, m, kind, effect, width, noise, jitter, strength):
    middle = width // 2
    first, last = int(motifs.core[0][m]), int(motifs.core[1][m])
    heights = motifs.cwm[m, :, first:last]
    consensus = np.abs(heights).argmax(axis=0)
    own = heights[consensus, np.arange(last - first)]
    scale = np.abs(own).max()
    # The strongest column lies at the variant where a motif breaks, the weakest where only its
    # contributions change, so that what changes is the effect; else the motif lies beside it.
    peak = int(np.abs(own).argmin() if kind.endswith("ened") else np.abs(own).argmax())
    at = middle + 6 if kind in ("moved", "untouched") else middle - peak
    codes = rng.integers(0, 4, width)
    codes[at : at + len(own)] = consensus
    shared = rng.normal(0, noise * scale, width)
    before, after = {
        "lost": (1, 0),
        "gained": (0, 1),
        "weakened": (1, 1 - effect),
        "strengthened": (1 - effect, 1),
        "moved": (1, 1),
        "untouched": (1, 1),
    }[kind]
    scores = {"ref": shared.copy(), "alt": shared.copy()}
    scores["ref"][at : at + len(own)] += strength * before * own
    scores["alt"][at : at + len(own)] += strength * after * own
    other = codes.copy()
    if kind == "moved":
        more = rng.integers(0, 4, 3)
        other = np.insert(codes, middle + 1, more)[:width]
        scores["alt"] = np.insert(scores["alt"], middle + 1, rng.normal(0, noise * scale, 3))[
            :width
        ]
        alleles = (codes[middle : middle + 1], np.concatenate([codes[middle : middle + 1], more]))
    else:
        swapped = (codes[middle] + 1 + rng.integers(3)) % 4
        if kind == "gained":
            codes[middle], other[middle] = swapped, codes[middle]
        else:
            other[middle] = swapped
        alleles = (codes[middle : middle + 1], other[middle : middle + 1])
    for allele, sequence in (("ref", codes), ("alt", other)):
        found.sequence[allele].append(sequence.astype(np.uint8))
        found.contributions[allele].append(scores[allele] + rng.normal(0, jitter * scale, width))
    found.lines.append(tuple("".join(_BASES[b] for b in allele) for allele in alleles))


def scored(truth: SimulatedAlleles, hits: Path) -> dict[str, tuple[float, float]]:
    """Return recall and precision by class; of moved and untouched the share without a row."""
    table = pq.read_table(hits)
    columns = (table[name].to_pylist() for name in ("variant_id", "motif_name", "class"))
    called = set(zip(*columns, strict=True))
    known = {(f"v{i}", m, k) for i, (m, k) in enumerate(zip(truth.motif, truth.kind, strict=True))}
    found = {}
    for kind in KINDS[:4]:
        expected = {entry for entry in known if entry[2] == kind}
        seen = {entry for entry in called if entry[2] == kind}
        both = len(expected & seen)
        found[kind] = (both / len(expected), both / len(seen) if seen else float("nan"))
    for kind in KINDS[4:]:
        expected = {name for name, _, k in known if k == kind}
        silent = expected - {name for name, _, _ in called}
        found[kind] = (len(silent) / len(expected), float("nan"))
    return found
