import itertools

import pytest

from finemo_dist.hit_tables import staged


@pytest.fixture(autouse=True, scope="module")
def _benches_of_one_duckdb(tmp_path_factory):
    """Every bench is a new database of one DuckDB: to start another takes longer than most tables.

    A bench is asked by one connection alone, whose variables and temporary tables are its own.
    """
    connect, spill = staged.connect, tmp_path_factory.mktemp("spill")
    engines, numbers = {}, itertools.count()

    def connected(_temporary, **limits):
        key = tuple(limits.values())
        if key not in engines:
            engines[key] = connect(spill, **limits)
        connection, name = engines[key].cursor(), f"bench_{next(numbers)}"
        connection.execute(f"ATTACH ':memory:' AS {name}")
        connection.execute(f"USE {name}")
        return connection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staged, "connect", connected)
        yield
    for engine in engines.values():
        engine.close()
