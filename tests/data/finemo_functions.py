"""Write what finemo's own functions return for the slice; runs where finemo 0.41 is installed."""

import json
import sys
from pathlib import Path

import numpy as np
from finemo import data_io, evaluation, hitcaller

out = Path(sys.argv[1])
sequences, contribs, peaks, _ = data_io.load_regions_npz("finemo-0.41/regions.npz")
frames = {"peaks": peaks}
arrays = {}
for kind in ("cwm", "hcwm", "pfm", "pfm_softmax"):
    loaded = data_io.load_modisco_motifs(
        "modisco_results.h5", None, None, 0.3, kind, None, None, None, 0.7, True
    )
    frames[f"motifs_{kind}"], arrays[kind], arrays[f"{kind}_masks"], arrays["names"] = loaded
lambdas = frames["motifs_cwm"].get_column("lambda").to_numpy(writable=True)
for name, cwms, is_hypothetical in (("pp", "cwm", False), ("hh", "hcwm", True)):
    frames[f"hits_{name}"], frames[f"qc_{name}"] = hitcaller.fit_contribs(
        arrays[cwms], contribs, sequences, arrays[f"{cwms}_masks"], is_hypothetical, lambdas,
        batch_size=len(sequences),
    )  # fmt: skip
schema = {name: {c: str(t) for c, t in frame.schema.items()} for name, frame in frames.items()}
dtypes = {name: str(array.dtype) for name, array in arrays.items()}
(out / "types.json").write_text(json.dumps({"frames": schema, "arrays": dtypes}, indent=1) + "\n")
for name in ("hits_pp", "hits_hh", "qc_pp", "motifs_hcwm", "motifs_pfm"):
    frames[name].write_csv(out / f"{name}.tsv", separator="\t")
np.savez_compressed(
    out / "motifs.npz", **{k: arrays[k] for k in ("cwm_masks", "pfm", "pfm_softmax", "hcwm")}
)
positions = (
    frames["hits_pp"]
    .rename({"hit_start": "start_untrimmed"})
    .with_columns(
        peak_region_start=frames["hits_pp"]["hit_start"] * 0,
        is_revcomp=frames["hits_pp"]["motif_id"] % 2 == 1,
    )
)
projected = contribs.astype(np.float32) * sequences
np.save(out / "get_cwms.npy", evaluation.get_cwms(projected, positions, 30))
