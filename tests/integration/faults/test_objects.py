"""Object storage that fails, is overloaded, or takes the credentials no more."""

import json
import shlex
from collections import Counter
from datetime import timedelta
from urllib.parse import unquote, urlsplit

import pytest

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.record.run_record import RunRecord
from finemo_dist.storage import objects
from tests.command import finemo_dist
from tests.integration.objects.conftest import KEY_ID, SECRET
from tests.integration.objects.proxy import proxy_to
from tests.unit.run.runs import parts as local_parts
from tests.unit.run.runs import write_inputs

pytestmark = pytest.mark.slow

QUICK_S = {"init_backoff": 0.001, "max_backoff": 0.01}
"""The product waits longer before it asks again."""


@pytest.fixture(scope="module")
def way(bucket):
    """Where every request passes from here on; nothing is wrong with it at first."""
    address = urlsplit(bucket.endpoint)
    with (
        proxy_to(address.hostname, address.port) as proxy,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        backoff = {key: timedelta(seconds=s) for key, s in QUICK_S.items()} | {"base": 2}
        patch.setitem(objects._OPTIONS, "retry_config", {
            "max_retries": 2, "backoff": backoff, "retry_timeout": timedelta(seconds=5),
        })  # fmt: skip
        yield proxy


@pytest.fixture(autouse=True)
def _as_it_was(way):
    yield
    way.rule = None


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Six shards of four regions."""
    return write_inputs(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def store(small, way, bucket):
    local = small.stores["a"]
    for file in (p for p in local.rglob("*") if p.is_file()):
        bucket.put(f"a.zarr/{file.relative_to(local)}", file)
    return bucket.path("a.zarr")


@pytest.fixture(scope="module")
def undisturbed(small, tmp_path_factory):
    run = tmp_path_factory.mktemp("undisturbed") / "run"
    finemo_dist(*call(small.stores["a"], small, run))
    return local_parts(run)


def call(store, inputs, run):
    return ["call-hits", "-r", str(store), "-m", str(inputs.modisco_h5), "-o", str(run),
            "--executor", "serial"]  # fmt: skip


def parts(run):
    found = run.glob("*/sample=*/part-*.parquet")
    return {str(p.relative_to(run)): p.read_bytes() for p in found}


def puts(way):
    """Keys of the parts that were put, without the run's own prefix."""
    return [unquote(path) for method, path in way.passed if method == "PUT" and "part-" in path]


@pytest.fixture(scope="module")
def complete(bucket, store, small):
    run = bucket.path("complete")
    finemo_dist(*call(store, small, run))
    return run


@pytest.fixture
def begun(way, bucket, complete, tmp_path):
    """A run of which two of six shards are missing."""
    run = bucket.path(f"run-{tmp_path.name}")
    for path in complete.below():
        if not any(f"part-{shard:05d}" in path.name for shard in (1, 4)):
            (tmp_path / "copied").write_bytes(path.read_bytes())
            (run / path.relative_to(complete)).put_file(tmp_path / "copied")
    RunRecord.load(run).model_copy(update={"status": "incomplete"}).save(run)
    way.passed.clear()
    way.answered.clear()
    return run


def ended_in_order(answer, words, *says):
    """Assert exit 3, one line that says what is wrong, and how to go on; return the line."""
    assert answer.status == 3, answer.err
    assert "Traceback" not in answer.err
    assert "damaged;" not in answer.err
    assert "is not a complete Parquet file" not in answer.err
    (error,) = (line for line in answer.err.splitlines() if line.startswith("Error: "))
    assert all(say in error for say in says), error
    assert shlex.split(error.split("resume with: ")[1])[1:] == [str(word) for word in words]
    assert SECRET not in answer.err
    assert KEY_ID not in answer.err
    return error


def finishes(command, words, run, undisturbed, way, n_put=4):
    """Assert that a rerun does what is missing, and no more."""
    way.rule = None
    way.passed.clear()
    answer = command(*words)
    assert answer.status == 0, answer.err
    assert len(puts(way)) == n_put
    assert parts(run) == undisturbed


TROUBLES = [(503, "SlowDown"), (500, "InternalError"), (429, "TooManyRequests"),
            (408, "RequestTimeout")]  # fmt: skip


def test_F9_a_service_that_stumbles_is_asked_again(command, way, begun, store, small, undisturbed):
    way.times(2, 503, "SlowDown", where="part-00000")
    answer = command(*call(store, small, begun))

    assert answer.status == 0, answer.err
    assert len(way.answered) == 2
    assert "damaged" not in answer.err
    assert len(puts(way)) == 4
    assert parts(begun) == undisturbed


@pytest.mark.parametrize(
    ("where", "method", "status", "code"),
    [
        *(("part-00000", "", *trouble) for trouble in TROUBLES),
        ("/run.json", "GET", *TROUBLES[0]),
        ("/run.json", "PUT", *TROUBLES[0]),
        ("motif_data", "", *TROUBLES[0]),
        ("a.zarr/zarr.json", "", *TROUBLES[0]),
        ("a.zarr/contributions/c.1", "GET", *TROUBLES[0]),
        ("a.zarr/contributions/c.1", "HEAD", *TROUBLES[0]),
        ("part-00001", "PUT", *TROUBLES[0]),
        ("list-type", "", *TROUBLES[0]),
    ],
)
def test_F9_a_service_that_fails_is_named_and_nothing_is_solved_again(
    command, way, begun, store, small, undisturbed, where, method, status, code
):
    words = call(store, small, begun)
    before = parts(begun)
    way.passed.clear()
    way.always(status, code, where=where, method=method)

    error = ended_in_order(command(*words), words, "s3://")

    assert code in error or str(status) in error
    assert len(way.answered) >= 3, "asked again"
    assert not [path for path in puts(way) if "part-00000" in path]
    way.rule = None
    assert before.items() <= parts(begun).items()
    finishes(command, words, begun, undisturbed, way, 4 - len(set(parts(begun)) - set(before)))


def test_F9_an_endpoint_that_refuses_is_no_damage(
    command, way, begun, store, small, undisturbed, monkeypatch
):
    words = call(store, small, begun)
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        ended_in_order(command(*words), words, "the object store failed", "AWS_ENDPOINT_URL")
    finishes(command, words, begun, undisturbed, way)


@pytest.mark.parametrize(
    ("before", "after"), [(("query", "counts"), ()), (("sql",), ("SELECT count(*) FROM hits",))]
)
def test_F9_a_question_names_the_service(command, way, begun, before, after):
    words = (*before, begun, *after)
    way.always(503, "SlowDown", where="part-00000")
    answer = command(*words)

    assert (answer.status, answer.out) == (3, ""), answer.err
    assert "Traceback" not in answer.err
    (line,) = answer.err.splitlines()
    assert "the object store failed" in line


def test_a_part_is_asked_for_once_however_much_is_asked_of_it(way, complete):
    with open_catalog(complete) as catalog:
        way.passed.clear()
        first = catalog.rows("SELECT sum(hit_coefficient) FROM hits")
        looks = Counter(path for method, path in way.passed if method == "HEAD")
        assert [n for path, n in looks.items() if "/hits/" in path] == [1] * 6

        way.passed.clear()
        assert catalog.rows("SELECT sum(hit_coefficient) FROM hits") == first
        assert [path for _, path in way.passed if "/part-" in path] == []


def test_F9_verify_calls_no_part_damaged_that_cannot_be_had(command, way, begun):
    way.always(503, "SlowDown", where="part-00000")
    answer = command("verify", begun)

    assert answer.status == 3, answer.err
    assert "the object store failed" in answer.err
    assert "damaged:" not in answer.err + answer.out


REFUSALS = [(400, "ExpiredToken"), (403, "ExpiredTokenException"), (403, "InvalidAccessKeyId")]


@pytest.mark.parametrize(("status", "code"), REFUSALS)
def test_F9_credentials_that_expire_end_the_run_in_order(
    command, way, begun, store, small, undisturbed, status, code
):
    words = call(store, small, begun)
    way.rule = lambda method, path: (status, code) if len(puts(way)) >= 2 else None

    error = ended_in_order(command(*words), words, code, "AWS_ACCESS_KEY_ID", "Renew")

    assert "AWS_SECRET_ACCESS_KEY" in error
    way.rule = None
    assert len(parts(begun)) == 10
    finishes(command, words, begun, undisturbed, way, n_put=2)


def test_F9_a_key_that_never_was_one_is_refused(command, way, bucket, store, small):
    objects._answered.clear()
    way.always(403, "InvalidAccessKeyId")
    answer = command(*call(store, small, bucket.path("never")))

    assert answer.status == 2
    assert "access denied; check AWS_* in the environment (InvalidAccessKeyId)" in answer.err


def test_F9_a_store_that_lost_a_shard_is_mended_by_a_rerun(
    command,
    way,
    bucket,
    inputs,
    tmp_path,
):
    store = bucket.path("lost.regions/a.zarr")
    finemo_dist(*inputs.extract("bw"), "-o", store, "--shard-size", "4")
    whole = {str(p): p.read_bytes() for p in store.below()}
    bigwig = {"peaks": str(inputs.peaks), "fasta": str(inputs.fasta),
              "bigwigs": [str(inputs.files.bigwig)], "region_width": inputs.width}  # fmt: skip
    config = tmp_path / "run.yaml"
    config.write_text(json.dumps({
        "output": str(bucket.path("lost")), "modisco_h5": str(inputs.modisco_h5),
        "samples": [{"name": "a", "bigwig": bigwig}], "resources": {"executor": "serial"},
    }))  # fmt: skip
    (lost,) = store.glob("contributions/c.1*")
    lost.unlink()
    way.passed.clear()

    answer = command("run", config)

    assert answer.status == 0, answer.err
    assert {str(p): p.read_bytes() for p in store.below()} == whole
    put = [path for method, path in way.passed if method == "PUT" and "contributions/c." in path]
    assert [path.rsplit("/", 1)[-1] for path in put] == [lost.name]
