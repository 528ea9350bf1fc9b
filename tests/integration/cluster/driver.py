"""A run in a process of its own, which can be killed; its last line says what it did."""

import json
import sys
from collections import Counter
from pathlib import Path

from finemo_dist.core.errors import IncompleteRunError
from finemo_dist.core.events import UnitDone
from finemo_dist.core.protocols import WorkerMaker
from finemo_dist.run import nodes
from finemo_dist.run.drive import drive
from finemo_dist.run.plan import read_plan
from finemo_dist.run.ray_pool import RayExecutor
from tests.integration.cluster.workers import MAKERS

# Three rests of a node take half a minute; here they are a fifth as long.
nodes._FIRST_REST_S = 1.0


def run(address: str, options: dict, maker: WorkerMaker) -> dict:
    """Drive what is left of a run on the GPUs of a cluster."""
    n_done: Counter[str] = Counter()
    failed: list[str] = []

    def count(event):
        if isinstance(event, UnitDone):
            n_done[str(event.unit)] += 1

    executor = RayExecutor(maker, address=address, resource="GPU", **options)
    plan = read_plan(Path(maker.run))
    n_pending = len(plan.pending)
    try:
        drive(plan, executor, on_event=count)
    except IncompleteRunError as error:
        failed = [str(error)]
    return {"n_done": n_done, "n_pending": n_pending, "failed": failed}


if __name__ == "__main__":
    address, options, kind, maker = (json.loads(word) for word in sys.argv[1:])
    sys.stdout.write(json.dumps(run(address, options, MAKERS[kind](**maker))) + "\n")
