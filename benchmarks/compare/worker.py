"""benchmarks/compare/worker.py: a peer in a process of its own, so that thread pools and allocators never meet.

The parent writes one JSON object a line and gets one back:
    {"prepare": {...}}    -> what prepare(...) returned: version, error against the golden data
    {"run": n}            -> {"seconds": [n numbers]}, and what the peer's findings say
Standard output belongs to this protocol; what libraries print there goes to standard error.
"""

import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import time


def answers():
    """What was standard output; what is now goes to standard error, for libraries that print."""
    file = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return file


def serve(peer):
    """The worker's side: peer has prepare(**arguments) and run()."""
    file = answers()
    for line in sys.stdin:
        request = json.loads(line)
        if "prepare" in request:
            answer = peer.prepare(**request["prepare"])
        else:
            seconds = []
            for _ in range(request["run"]):
                start = time.perf_counter()
                peer.run()
                seconds.append(time.perf_counter() - start)
            answer = {"seconds": seconds, **getattr(peer, "findings", {})}
        print(json.dumps(answer), file=file, flush=True)


class TrainingPeer:
    """What serve() takes, of a peer that trains: epoch(rows) returns the mean loss of one epoch over the first `rows`.

    prepare() trains two epochs of at most `warm_up_rows`, which also warms up, and checks that the second's loss is at most
    `share` of the first's; run() trains one of all rows.
    """

    def __init__(self, peer, rows, warm_up_rows, share=1.0):
        self.peer, self.rows, self.warm_up_rows, self.share = peer, rows, warm_up_rows, share

    def prepare(self):
        losses = [self.peer.epoch(min(self.rows, self.warm_up_rows)) for _ in range(2)]
        if not all(map(math.isfinite, losses)) or losses[1] >= self.share * losses[0]:
            raise SystemExit(f"training does not train, not timed: losses {losses}")
        return {"version": self.peer.version}

    def run(self):
        loss = self.peer.epoch(self.rows)
        if not math.isfinite(loss):
            raise SystemExit(f"training does not train: loss {loss}")


# glibc gives large blocks back to the kernel and faults them in again at every run; keeping them, as tcmalloc would,
# makes PyTorch 18 % faster at batch 8 and costs nobody anything.
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(4 << 30), "MALLOC_TRIM_THRESHOLD_": str(16 << 30),
               "MALLOC_TOP_PAD_": str(128 << 20)}


def environment(threads):
    """Of a peer's process."""
    return os.environ | KEEP_MEMORY | {"OMP_NUM_THREADS": str(threads), "CUDA_VISIBLE_DEVICES": "",
                                       "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONDONTWRITEBYTECODE": "1"}


def command(program, *arguments):
    """How a Python program of this folder is run."""
    return [sys.executable, "-W", "ignore", str(pathlib.Path(__file__).with_name(program)), *map(str, arguments)]


class NotInstalled(RuntimeError):
    """A peer that this Python does not have."""


def failure(log, returncode):
    """The error of a peer that ended, in one line, from what it wrote to `log`."""
    log.seek(0)
    last = (log.read().strip().splitlines() or [f"exit code {returncode}"])[-1]
    kind, _, reason = last.partition(": ")
    return NotInstalled(reason) if kind in ("ModuleNotFoundError", "ImportError") else RuntimeError(last)


class Worker:
    """The parent's side: a Python program of this folder and its arguments, the last being the number of threads."""

    def __init__(self, program, *arguments):
        self.log = tempfile.TemporaryFile("w+", encoding="utf-8")
        self.process = subprocess.Popen(command(program, *arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.log, env=environment(arguments[-1]), text=True)

    def ask(self, **request):
        """One request, one answer. A worker that fails raises with the last line of what it said."""
        answer = ""
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            pass
        if not answer:
            raise failure(self.log, self.process.wait())
        return json.loads(answer)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
