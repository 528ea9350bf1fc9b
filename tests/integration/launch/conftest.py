"""A head of Ray and a SLURM of our own, on this machine, that see the program on their PATH."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.command import PROJECT, finemo_dist, wait_until
from tests.conftest import skip_or_fail
from tests.ray_node import FRUGAL_WORDS, SELDOM_REPORTS
from tests.unit.run.runs import parts, write_inputs

PROGRAM = (
    "import sys; sys.path.insert(0, {project!r})\nfrom finemo_dist.cli.main import main\nmain()"
)


@dataclass(frozen=True)
class Config:
    """A configuration of one sample and its run directory."""

    path: Path
    run: Path

    def undisturbed(self) -> dict[str, bytes]:
        """Return the parts of a run by one worker in this process."""
        out = self.path.parent / "undisturbed"
        finemo_dist("run", self.path, "-o", out, "--executor", "serial")
        return parts(out)


@pytest.fixture(scope="session")
def program(tmp_path_factory) -> dict[str, str]:
    """The environment in which a shell finds ``finemo-dist`` and ``ray``."""
    folder = tmp_path_factory.mktemp("bin")
    script = folder / "finemo-dist"
    script.write_text(f"#!{sys.executable}\n{PROGRAM.format(project=str(PROJECT))}\n")
    script.chmod(0o755)
    path = os.pathsep.join([str(folder), str(Path(sys.executable).parent), os.environ["PATH"]])
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    return {**kept, "PATH": path, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def write_config(tmp_path_factory) -> Callable[[int], Config]:
    """Return a function that writes a configuration of as many shards, a region each."""

    def write(n_shards: int) -> Config:
        folder = tmp_path_factory.mktemp("config")
        inputs = write_inputs(folder, n_regions=n_shards, shard_regions=1)
        path = folder / "config.yaml"
        path.write_text(
            f"output: run\nmodisco_h5: {inputs.modisco_h5.name}\n"
            f"samples: [{{name: a, regions: {inputs.stores['a'].name}}}]\n"
        )
        return Config(path, folder / "run")

    return write


def free_ports(n: int) -> list[int]:
    """Return ports that nobody listens on; all are held until the last is found."""
    sockets = [socket.socket() for _ in range(n)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


@contextmanager
def daemon(words: list[str], log: Path, env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in the background, in a session of its own, and end it by its process."""
    with log.open("wb") as said:
        process = subprocess.Popen(
            words, env=env, stdout=said, stderr=said, stdin=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(timeout=60)


@dataclass(frozen=True)
class RayHead:
    """A head of Ray that takes jobs from those who have its token."""

    pid: int
    address: str
    env: dict[str, str]


@pytest.fixture(scope="module")
def ray_head(program) -> Iterator[RayHead]:
    # Not for all tests: a dashboard takes a thirtieth of a core even when nobody asks it.
    # Sockets lie below it, and their paths end at 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="fd", dir="/tmp"))
    env = {
        **program, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": os.urandom(32).hex(),
        # Nothing waits for a node that ends; a job that is stopped has time to say so.
        "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0", "RAY_JOB_STOP_WAIT_TIME_S": "60",
        **dict([SELDOM_REPORTS]),
    }  # fmt: skip
    port, dashboard, agent = free_ports(3)
    words = [
        "ray", "start", "--head", "--block", "--disable-usage-stats", f"--temp-dir={folder}",
        "--node-ip-address=127.0.0.1", f"--port={port}", "--dashboard-host=127.0.0.1",
        f"--dashboard-port={dashboard}", f"--dashboard-agent-listen-port={agent}",
        "--num-cpus=2", "--num-gpus=0", f"--object-store-memory={80 << 20}", *FRUGAL_WORDS,
    ]  # fmt: skip
    address = f"http://127.0.0.1:{dashboard}"
    log = folder / "head.log"
    try:
        with daemon(words, log, env) as process:
            token = {"Authorization": f"Bearer {env['RAY_AUTH_TOKEN']}"}
            asked = urllib.request.Request(f"{address}/api/jobs/", headers=token)

            def takes_jobs() -> bool:
                assert process.poll() is None, log.read_text()
                # Ray's own program takes a second of the processor to ask.
                with suppress(OSError), urllib.request.urlopen(asked, timeout=60) as answer:
                    return answer.status == 200
                return False

            wait_until(takes_jobs, 180, "Ray head")
            yield RayHead(process.pid, address, env)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


ASK_S = 0.2
"""How often SLURM is asked: each time a program of it starts."""
SLURM_CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# A job that is requeued waits until its credential has expired.
AuthInfo=socket={folder}/munge/socket,cred_expire=5
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
# A busy machine may take longer than the usual half minute from SIGTERM to SIGKILL.
KillWait=120
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,batch_sched_delay=0
SlurmctldPort={ports[0]}
# A job makes a port and a folder of its number, and tests in other processes have jobs as well.
FirstJobId={first_job}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
StateSaveLocation={folder}/state
SlurmdParameters=config_overrides
SlurmdPidFile={folder}/%n.pid
SlurmdLogFile={folder}/%n.log
SlurmdSpoolDir={folder}/%n
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=1
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=1
PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
"""


@dataclass(frozen=True)
class Slurm:
    """A SLURM of two nodes, both of them this machine."""

    env: dict[str, str]

    def call(self, *words: object) -> str:
        done = subprocess.run(
            [str(word) for word in words], env=self.env, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def job(self, job: str) -> dict[str, str]:
        """Return what the controller says of a job, by the name of the property."""
        words = self.call("scontrol", "show", "job", job).split()
        return dict(word.split("=", 1) for word in words if "=" in word)

    def wait(self, job: str, timeout_s: float = 240) -> dict[str, str]:
        """Return the properties of a job that has ended."""
        ended = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL")
        wait_until(
            lambda: self.job(job)["JobState"] in ended,
            timeout_s,
            f"end of job {job}",
            pause_s=ASK_S,
        )
        return self.job(job)


@pytest.fixture(scope="session")
def slurm(program) -> Iterator[Slurm]:
    programs = ("munged", "slurmctld", "slurmd", "sbatch")
    path = os.pathsep.join([program["PATH"], "/usr/sbin"])
    missing = [name for name in programs if shutil.which(name, path=path) is None]
    if missing:
        skip_or_fail("slurm", f"{', '.join(missing)} not found: install slurm-wlm and munge")
    if os.geteuid() != 0:
        skip_or_fail("slurm", "the daemons of SLURM start as root only")
    # Sockets lie below it, and their paths end at 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="fd", dir="/tmp"))
    for name in ("munge", "state", "n1", "n2"):
        (folder / name).mkdir(mode=0o700)
    key = folder / "munge/key"
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(64))
    host = socket.gethostname().split(".")[0]
    conf = folder / "slurm.conf"
    ports = free_ports(3)
    first_job = 10 * (ports[0] % 1000) + 1
    conf.write_text(SLURM_CONF.format(folder=folder, host=host, ports=ports, first_job=first_job))
    env = {**program, "PATH": path, "SLURM_CONF": str(conf)}
    version = subprocess.run(["slurmd", "-V"], env=env, capture_output=True, text=True, check=True)
    # Older ones ask for control groups only where they are used, and do not know the word.
    if int(version.stdout.split()[-1].split(".")[0]) > 22:
        (folder / "cgroup.conf").write_text("CgroupPlugin=disabled\n")
    munged = [
        "munged", "--force", "--foreground", f"--socket={folder}/munge/socket",
        f"--key-file={key}", f"--log-file={folder}/munge/log", f"--pid-file={folder}/munge/pid",
        f"--seed-file={folder}/munge/seed",
    ]  # fmt: skip
    try:
        with ExitStack() as daemons:
            daemons.enter_context(daemon(munged, folder / "munged.out", env))
            wait_until((folder / "munge/socket").exists, 30, "munge")
            daemons.enter_context(daemon(["slurmctld", "-D"], folder / "slurmctld.out", env))
            for node in ("n1", "n2"):
                words = ["slurmd", "-D", "-N", node]
                daemons.enter_context(daemon(words, folder / f"{node}.out", env))
            started = Slurm(env)
            _wait_for_nodes(started, folder)
            yield started
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for_nodes(slurm: Slurm, folder: Path) -> None:
    def both_are_idle() -> bool:
        asked = subprocess.run(
            ["sinfo", "--noheader", "--format=%t %D"], env=slurm.env, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        return asked.stdout.split() == ["idle", "2"]

    try:
        wait_until(both_are_idle, 60, "SLURM", pause_s=ASK_S)
    except AssertionError as error:
        logs = "\n".join(
            p.read_text()[-1000:] for p in [*folder.glob("*.log"), *folder.glob("*.out")]
        )
        raise AssertionError(f"{error}\n{logs}") from error
