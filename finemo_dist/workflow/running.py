"""Running a configuration: the regions of many samples extracted, and their hits called."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from finemo_dist.core.command import TypedCommand
from finemo_dist.core.config import ResourceConfig
from finemo_dist.core.errors import UsageError
from finemo_dist.core.events import OnEvent, ignore
from finemo_dist.record.lease import driving
from finemo_dist.run.region_checks import check_regions
from finemo_dist.sources.shared_file import remove_left_lists
from finemo_dist.storage.locations import is_local
from finemo_dist.workflow.asking import compact
from finemo_dist.workflow.calling import Call, call, prepare
from finemo_dist.workflow.confidence import confidence
from finemo_dist.workflow.config import RunConfig, with_absolute_paths
from finemo_dist.workflow.sample_sheet import read_sample_sheet
from finemo_dist.workflow.settings import checked
from finemo_dist.workflow.stores import stores_of
from finemo_dist.workflow.yaml_file import read_yaml

if TYPE_CHECKING:
    from finemo_dist.run.extraction import BegunStore


def run_config(
    config: "RunConfig | str | Path",
    out: str | Path | None = None,
    *,
    resources: ResourceConfig | None = None,
    force: bool = False,
    command: TypedCommand | None = None,
    on_event: OnEvent = ignore,
) -> Call:
    """Extract the regions and call the hits of every sample of a configuration.

    Repeat the call to resume where an earlier one stopped. A sample that is refused holds up none
    of the others: it is named when they are done.

    Parameters
    ----------
    config
        A configuration, or the path of a YAML file. Paths in the file are relative to its
        folder.
    out
        Run directory, instead of the one in the configuration.
    resources
        Where the work is done, instead of the resources in the configuration.
    force
        Replace an earlier run, and stores of other inputs.
    command
        What the user typed, for the record.
    on_event
        Called with every event of the work.

    Raises
    ------
    UsageError
        The configuration is wrong, or the work does not fit the machine.
    InputError, StoreError, RunError
        An input is wrong, or the directory holds another run or has another driver.
    IncompleteRunError
        Samples or shards could not be finished; what is committed is kept.
    """
    config = config if isinstance(config, RunConfig) else load_config(Path(config))
    resources = resources or config.resources
    output = config.output if out is None else Path(out)
    if config.compact != "none" and not is_local(output):
        raise UsageError(f"{output}: compacts runs on a disk only. Leave out the key compact.")
    settings = config.of_samples
    # First, because stores of an earlier run may be replaced below.
    prepared = prepare(settings, resources)

    def check(store: "BegunStore") -> None:
        motifs, called = prepared.motifs[store.name].motifs, settings[store.name].call
        check_regions(store.name, store.path, store, motifs=motifs, config=called)

    with ExitStack() as session:
        session.enter_context(driving(output))
        # Workers are killed when nothing is left for them.
        session.callback(remove_left_lists)
        stores, coming, left_out = stores_of(
            config.samples,
            output.with_name(f"{output.name}.regions"),
            resources,
            prepared.machine,
            modes={name: sample.call.solver.mode for name, sample in settings.items()},
            session=session,
            check=check,
            force=force,
            # What is refused must leave the run that is there.
            is_first=force and (output / "run.json").exists(),
            on_event=on_event,
        )
        done = call(
            output, stores, settings, resources, coming=coming, left_out=left_out,
            outputs=config.outputs,
            prepared=prepared, force=force, command=command, on_event=on_event,
        )  # fmt: skip
        if config.confidence:
            confidence(output, resources=resources, command=command, on_event=on_event)
        if config.compact != "none":
            for _ in compact(output, by_place=config.compact == "place"):
                pass
        return done


def load_config(path: Path) -> RunConfig:
    """Return a checked configuration with absolute paths and the samples of its sheet.

    Parameters
    ----------
    path
        A YAML file; relative paths in it count from its folder.

    Raises
    ------
    UsageError
        The file is not YAML, has an unknown key, or a value its key does not take; the message has
        the key's path. Or its sample sheet is wrong; the message has the line.
    """
    content = read_yaml(path)
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
