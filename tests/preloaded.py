"""Programs in Python forked from a process that has loaded what they need, for blocks of pages.

A command takes seconds of the processor to load its libraries, and pages have a hundred of them.
``finemo-dist`` on the path of a page is a client that gives its words, place, environment and files
to that process and passes on how its fork ended. Tests of commands themselves start them for real.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.command import PROJECT, wait_until

# One fork waits for the other, so that this process is always free to take the next program.
_PARENT = """
import atexit, importlib, json, os, signal, socket, sys, tempfile, threading, traceback, types
for name in ("torch", "duckdb", "pyarrow.parquet", "zarr", "h5py", "hdf5plugin", "scipy.cluster",
             "altair", "jinja2", "pyBigWig", "pybigtools", "finemo_dist.cli.main",
             "finemo_dist.run.worker", "finemo_dist.workflow.running"):
    importlib.import_module(name)
# Thousands of files are committed, and none outlives its test.
os.fsync = lambda descriptor: None

def run(asked, given):
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    tempfile.tempdir = None
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        os.dup2(given[number], number)
        os.close(given[number])
        errors = "backslashreplace" if name == "stderr" else "strict"
        text = open(number, mode, encoding="utf-8", errors=errors, closefd=False)
        text.reconfigure(line_buffering=name == "stderr")
        setattr(sys, name, text)
        setattr(sys, f"__{name}__", text)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if asked["code"] is None:
        # As Python begins with the folder of a script.
        sys.argv, sys.path[0] = asked["argv"], os.path.dirname(asked["argv"][0])
        from finemo_dist.cli.main import main
        main()
    else:
        sys.argv, sys.path[0] = ["-c"], ""
        sys.modules["__main__"] = types.ModuleType("__main__")
        exec(compile(asked["code"], "<string>", "exec"), vars(sys.modules["__main__"]))

def end(program):
    # As Python ends, but for taking apart what was loaded, which takes a second in a fork.
    status = 0
    try:
        program()
    except SystemExit as ending:
        status = ending.code
        if status is not None and not isinstance(status, int):
            print(status, file=sys.stderr)
            status = 1
    except BaseException:
        traceback.print_exc()
        status = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status or 0)

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
ours = socket.socket(socket.AF_UNIX)
ours.bind(sys.argv[1])
ours.listen(64)
while True:
    client, _ = ours.accept()
    if os.fork() == 0:
        ours.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        head, given, _, _ = socket.recv_fds(client, 16, 3)
        words = b""
        while len(words) < int(head):
            words += client.recv(1 << 20)
        program = os.fork()
        if program == 0:
            client.close()
            end(lambda: run(json.loads(words), given))
        for descriptor in given:
            os.close(descriptor)
        status = os.waitstatus_to_exitcode(os.waitpid(program, 0)[1])
        client.sendall(str(status).encode())
        os._exit(0)
    client.close()
"""

_CLIENT = """#!{python} -IS
import json, os, socket, sys
argv, code = sys.argv, None
if argv[0].endswith("python") and argv[1:2] == ["-c"]:
    code = argv[2]
ours = socket.socket(socket.AF_UNIX)
ours.connect({address!r})
asked = dict(argv=argv, code=code, cwd=os.getcwd(), env=dict(os.environ))
words = json.dumps(asked).encode()
socket.send_fds(ours, [b"%16d" % len(words)], [0, 1, 2])
ours.sendall(words)
status = ours.recv(16)
if not status:
    sys.exit("the process that has loaded what programs need is gone")
sys.exit(int(status) if int(status) >= 0 else 128 - int(status))
"""


@contextmanager
def preloaded(folder: Path) -> Iterator[str]:
    """Have such a process, and give the text of its client.

    A client whose name ends in ``python`` runs the code behind ``-c``, any other the words of
    ``finemo-dist``.
    """
    # The path of a socket has at most 107 bytes.
    address = folder / "programs"
    assert len(str(address)) < 100
    process = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(address)], cwd=PROJECT, stdin=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: address.exists() or process.poll() is not None, what="libraries")
        assert process.poll() is None
        yield _CLIENT.format(python=sys.executable, address=str(address))
    finally:
        process.kill()
        process.wait()
