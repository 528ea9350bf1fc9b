"""Samples by motifs as AnnData, with groups and tests."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finemo_dist.catalog.comparison import MotifMatrix
from finemo_dist.core.optional import require
from finemo_dist.storage.files import committed


def export_comparison(
    out: Path,
    matrix: MotifMatrix,
    table: Any,  # noqa: ANN401  (an Arrow table)
    names: tuple[str, str],
    side: Sequence[int],
    metadata: Mapping[str, Mapping[str, str]],
) -> None:
    """Write samples by motifs: ``X`` hits per region, and scores and counts as layers.

    The layers are ``n_hits``, ``score_quantile`` and, where hits have q, ``believed_share``.
    ``obs`` has the group and the columns of the sheet, ``var`` the table of motifs.

    Raises
    ------
    UsageError
        anndata is not installed.
    """
    anndata = require("anndata", needed_for="compare --h5ad")
    pandas = require("pandas", needed_for="compare --h5ad")

    def layer(values: NDArray[np.float64]) -> NDArray[np.float32]:
        return values.T.astype(np.float32)

    def index(values: Sequence[str]) -> Any:  # noqa: ANN401  (pandas')
        # anndata writes no strings but of type object.
        return pandas.Index(np.array(values, object), dtype=object)

    def categorical(values: Sequence[str]) -> Any:  # noqa: ANN401
        kinds = list(dict.fromkeys(values))
        codes = [kinds.index(value) for value in values]
        return pandas.Categorical.from_codes(codes, categories=index(kinds))

    obs = {"group": categorical([names[s] for s in side]), "n_regions": matrix.n_regions}
    for column, of in metadata.items():
        if column not in obs:
            obs[column] = categorical([of.get(sample, "") for sample in matrix.samples])
    var = {
        name: table[name].to_numpy(zero_copy_only=False)
        for name in table.column_names
        if name != "motif"
    }
    layers = {"n_hits": layer(matrix.n_hits), "score_quantile": layer(matrix.score_quantile)}
    if not np.isnan(matrix.believed_share).all():
        layers["believed_share"] = layer(matrix.believed_share)
    found = anndata.AnnData(
        X=layer(matrix.rates),
        obs=pandas.DataFrame(obs, index=index(matrix.samples)),
        var=pandas.DataFrame(var, index=index(matrix.labels)),
        layers=layers,
    )
    with committed(out) as temporary:
        found.write_h5ad(temporary)
