"""The launch files: valid where a validator exists, of one image and one Ray, and described."""

import re
import shutil
import subprocess
import tomllib

import click
import jsonschema
import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

import finemo_dist
from finemo_dist.cli.main import cli
from tests.conftest import PROJECT, skip_or_fail

CLUSTER = PROJECT / "cluster"
CRD = PROJECT.parent / "shared/schemas/ray.io_rayjobs.crd.yaml"
IMAGE = f"REGISTRY/finemo-dist:{finemo_dist.__version__}"
CONSTRAINTS = dict(
    line.split("==")
    for line in (PROJECT / "tests/constraints.txt").read_text().splitlines()
    if "==" in line
)
AUTOSCALERS = ["ray-aws.yaml", "ray-gcp.yaml"]
FILES = sorted(path for path in CLUSTER.iterdir() if path.is_file() and path.name != "README.md")


FOLDERS = sorted(path.name for path in CLUSTER.iterdir() if path.is_dir())


def load(name):
    return yaml.safe_load((CLUSTER / name).read_text())


def pods():
    cluster = load("kuberay-rayjob.yaml")["spec"]["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    return [group["template"]["spec"] for group in groups]


def closed(schema):
    """Return a schema of Kubernetes as one of JSON that refuses properties it does not list."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(value) for key, value in schema.items() if not key.startswith("x-")}
    is_open = schema.get("x-kubernetes-preserve-unknown-fields") or not schema.get("properties")
    if schema.get("type") == "object" and not is_open:
        made.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-int-or-string"):
        made["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    return made


@pytest.fixture(scope="module")
def rayjob():
    """What a RayJob has to be; the schema itself is not checked, which takes seconds."""
    if not CRD.is_file():
        skip_or_fail("shared_data", "reference schema not present: ../shared/schemas")
    versions = yaml.load(CRD.read_text(), yaml.CSafeLoader)["spec"]["versions"]
    (schema,) = (v["schema"]["openAPIV3Schema"] for v in versions if v["name"] == "v1")
    schema["properties"]["metadata"] = {"x-kubernetes-preserve-unknown-fields": True}
    return jsonschema.Draft7Validator(closed(schema))


def test_the_rayjob_is_one_that_kuberay_takes(rayjob):
    rayjob.validate(load("kuberay-rayjob.yaml"))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["spec", "entrypont"], "x"),
        (["spec", "backoffLimit"], "three"),
        (["spec", "rayClusterSpec", "autoscalerOptions", "version"], "v3"),
        (["spec", "rayClusterSpec", "workerGroupSpecs", 0, "template", "spec", "volume"], []),
    ],
)
def test_what_kuberay_does_not_take_is_seen(rayjob, path, value):
    manifest = load("kuberay-rayjob.yaml")
    *way, last = path
    place = manifest
    for step in way:
        place = place[step]
    place[last] = value

    with pytest.raises(jsonschema.ValidationError):
        rayjob.validate(manifest)


def test_pods_have_no_privileges_and_leave_probes_to_the_operator():
    assert len(pods()) == 2
    for pod in pods():
        assert pod["securityContext"]["runAsNonRoot"] is True
        (container,) = pod["containers"]
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert not [key for key in container if key.endswith("Probe")]
        assert {mount["name"] for mount in container["volumeMounts"]} == {
            volume["name"] for volume in pod["volumes"]
        }
    cluster = load("kuberay-rayjob.yaml")["spec"]["rayClusterSpec"]
    assert cluster["authOptions"]["mode"] == "token"


def test_the_job_asks_for_all_the_nodes_there_may_be():
    spec = load("kuberay-rayjob.yaml")["spec"]
    (group,) = spec["rayClusterSpec"]["workerGroupSpecs"]

    assert f"--workers {group['maxReplicas']}" in spec["entrypoint"]


@pytest.mark.parametrize("name", AUTOSCALERS)
def test_ray_takes_the_autoscaler_files(name):
    config = prepare_config(load(name))

    validate_config(config)
    assert config["available_node_types"]["gpu"]["max_workers"] == config["max_workers"]


@pytest.mark.parametrize("name", AUTOSCALERS)
@pytest.mark.parametrize("wrong", [{"max_worker": 1}, {"head_node_type": "haed"}])
def test_what_ray_does_not_take_is_seen(name, wrong):
    with pytest.raises((jsonschema.ValidationError, ValueError)):
        validate_config(prepare_config(load(name) | wrong))


@pytest.mark.parametrize("name", AUTOSCALERS)
def test_workers_are_spot_machines_and_the_token_is_asked_for(name):
    text = (CLUSTER / name).read_text()

    assert "MarketType: spot" in text or "preemptible: true" in text
    assert "--env=RAY_AUTH_MODE=token" in load(name)["docker"]["run_options"]
    assert "--dashboard-host=127.0.0.1" in text


def test_one_image_and_one_ray_everywhere():
    images = {load(name)["docker"]["image"] for name in AUTOSCALERS}
    images |= set(
        re.findall(r"image: (?:&\w+ )?([^*\s]\S*)", (CLUSTER / FILES[1].name).read_text())
    )
    job = load("kuberay-rayjob.yaml")["spec"]["rayClusterSpec"]

    assert images == {IMAGE}
    assert job["rayVersion"] == CONSTRAINTS["ray"]
    for path in [CLUSTER / "README.md", CLUSTER / "Containerfile"]:
        text = path.read_text()
        assert set(re.findall(r"REGISTRY/\S+", text)) == {IMAGE}, path.name
    assert f"the image's, {CONSTRAINTS['ray']}." in (CLUSTER / "README.md").read_text()


def test_the_image_is_made_of_what_is_there_and_tested():
    text = (CLUSTER / "Containerfile").read_text()
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    copied = re.findall(r"^COPY (?!--from)(\S+) \S+$", text, flags=re.MULTILINE)
    ((sdist, extras),) = re.findall(r'pip install "(\S+)\[(.*)\]"', text)

    # A release is copied and nothing that lies beside it.
    assert sdist == f"finemo_dist-{finemo_dist.__version__}.tar.gz"
    assert copied == ["tests/constraints.txt", f"dist/{sdist}"]
    assert (PROJECT / copied[0]).exists()
    assert set(extras.split(",")) == project["optional-dependencies"].keys()
    assert "PIP_CONSTRAINT=/src/tests/constraints.txt" in text
    assert f">={re.search(r'PYTHON_VERSION=(.*)', text)[1]}" == project["requires-python"]
    assert re.search(r"^USER 1000$", text, flags=re.MULTILINE)


def commands_of(text):
    """Every ``finemo-dist`` command in a file, as its words."""
    for line in text.replace("\\\n", " ").splitlines():
        for found in re.findall(r"\bfinemo-dist ((?:run|submit|status) /?\w[^#\n`\"']*)", line):
            yield found.split()


@pytest.mark.parametrize("path", [*FILES, CLUSTER / "README.md"], ids=lambda p: p.name)
def test_commands_in_the_files_are_ours(path):
    for name, *words in commands_of(path.read_text()):
        command = cli.get_command(None, name)
        known = {flag for option in command.params for flag in option.opts}
        assert isinstance(command, click.Command)
        assert {word for word in words if word.startswith("-")} <= known, (name, words)


def test_every_file_is_described():
    readme = (CLUSTER / "README.md").read_text()

    for path in FILES:
        assert f"`{path.name}`" in readme
    for folder in FOLDERS:
        assert f"`{folder}/`" in readme


def test_the_batch_script_is_sound():
    script = CLUSTER / "slurm.sbatch"
    subprocess.run(["bash", "-n", script], check=True)
    if shutil.which("shellcheck") is None:
        skip_or_fail("shellcheck", "shellcheck is not installed")
    done = subprocess.run(
        ["shellcheck", "--severity=warning", script], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout


def test_no_launch_file_is_missing():
    assert {path.name for path in FILES} == {
        "Containerfile", "kuberay-rayjob.yaml", "ray-aws.yaml", "ray-gcp.yaml", "slurm.sbatch"
    }  # fmt: skip
    assert FOLDERS == ["conda", "snakemake"]


CONDA_NAMES = {"duckdb": "python-duckdb", "ray[default]": "ray-default", "torch": "pytorch"}
"""Packages that conda-forge calls by another name."""


def test_the_conda_recipe_asks_for_what_the_package_does():
    recipe = load("conda/recipe.yaml")
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    asked = [re.fullmatch(r"([\w.\-\[\]]+?)([<>=].*)", text) for text in project["dependencies"]]
    names = {f"{CONDA_NAMES.get(found[1], found[1].lower())} {found[2]}" for found in asked}
    run = set(recipe["requirements"]["run"])

    assert run == names | {f"python {project['requires-python']}"}
    assert recipe["context"]["version"] == project["version"] == finemo_dist.__version__
    assert recipe["source"]["path"] == "../../dist/finemo_dist-${{ version }}.tar.gz"
    (script,) = (f"{name} = {place}" for name, place in project["scripts"].items())
    assert recipe["build"]["python"]["entry_points"] == [script]


def test_the_citation_is_of_this_release():
    citation = yaml.safe_load((PROJECT / "CITATION.cff").read_text())

    assert citation["version"] == finemo_dist.__version__
    assert citation["license"] == "MIT"
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
