"""``run``: many samples from one configuration file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from finemo_dist.cli.options import ANY_PATH, LOCAL_FILE, executor_overrides, json_option

if TYPE_CHECKING:
    from finemo_dist.run.extraction import BegunStore
    from finemo_dist.workflow.config import RunConfig


@click.command("run")
@click.argument("config", type=LOCAL_FILE)
@click.option("-o", "--out", type=ANY_PATH, help="Run directory, instead of the one CONFIG names.")
@click.option("--force", is_flag=True, help="Replace another run in the output directory.")
@executor_overrides
@json_option
def run(
    *, config: Path, out: Path | None, force: bool, as_json: bool, **resource_options: object
) -> None:
    """Extract regions and call hits of all samples that CONFIG, a YAML file, lists.

    CONFIG may name a sample sheet, a table of one row a sample. Paths in each count from its
    folder; options of where the work is done go before the resources of CONFIG. The same command
    run again resumes.
    """
    from contextlib import ExitStack

    from finemo_dist.cli.summaries import print_call
    from finemo_dist.run.plan import check_regions
    from finemo_dist.run.resources import find_machine
    from finemo_dist.workflow.calling import call, check_settings
    from finemo_dist.workflow.settings import available_cores, overridden
    from finemo_dist.workflow.stores import stores_of

    settings = load_config(config)
    resources = overridden(settings.resources, resource_options)
    output = out or settings.output
    machine = find_machine(resources, n_cores=available_cores())
    # Before stores of an earlier run are replaced.
    of_samples = settings.of_samples
    motifs, _ = check_settings(of_samples, resources, machine=machine)

    def check(store: "BegunStore") -> None:
        called, config = motifs[store.name].motifs, of_samples[store.name].call
        check_regions(store.name, store.path, store, motifs=called, config=config)

    with ExitStack() as session:
        stores = stores_of(
            settings.samples,
            output.with_name(f"{output.name}.regions"),
            resources,
            machine,
            session=session,
            check=check,
            force=force,
        )
        result = call(output, stores, of_samples, resources, force=force)
    print_call(result, as_json=as_json)


def load_config(path: Path) -> "RunConfig":
    """Return a checked configuration with absolute paths and the samples of its sheet.

    Raises
    ------
    UsageError
        Not YAML, an unknown key, or a value its key does not take; the message has the key's path.
        Or the same of its sample sheet; the message has the line.
    """
    from finemo_dist.core.errors import UsageError
    from finemo_dist.workflow.config import RunConfig, with_absolute_paths
    from finemo_dist.workflow.sample_sheet import read_sample_sheet
    from finemo_dist.workflow.settings import checked

    content = _read_yaml(path)
    try:
        config = checked(RunConfig, **content)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error
    absolute: RunConfig = with_absolute_paths(config, path.resolve().parent)
    if absolute.sample_sheet is None:
        return absolute
    taken = {sample.name for sample in absolute.samples}
    rows = read_sample_sheet(
        absolute.sample_sheet, taken=taken, has_modisco=absolute.modisco_h5 is not None
    )
    return absolute.with_samples(rows)


def _read_yaml(path: Path) -> dict[str, Any]:
    import yaml

    from finemo_dist.core.errors import UsageError

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        # Besides its own errors PyYAML raises those of what it makes: of a date with month 99.
        reason = " ".join(str(error).split())
        raise UsageError(f"{path}: is not YAML ({reason}).") from error
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise UsageError(
            f"{path}: holds {type(content).__name__}, expected keys such as output, modisco_h5 "
            "and samples. See configs/ for examples."
        )
    return content


COMMANDS: Final = {"run": run}
