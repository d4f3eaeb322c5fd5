"""benchmarks/compare/forward.py: VGG16's convolutions, headstart's engines against five peers, in turn.

    benchmarks/compare/forward [--rounds N] [--batch N]... [--threads N] [--json FILE] [--no-avx512] [--network vgg19]

Every contestant first proves its block5_pool against golden/features.h5 (relative L2 error, at most 1e-5), then is timed
on preprocessed images. VGG19 has random weights: headstart's engines are held against oneDNN, and Keras is the only peer.
The peers run as vgg16_peers.py says; headstart runs as build/release/bin/benchmark_forward.
"""

import functools
import json
import os
import statistics
import subprocess
import sys

import compare
from worker import KEEP_MEMORY, Worker

PEERS = ["keras", "pytorch", "onnxruntime", "openvino", "opencv5"]
ENGINES = ["native", "onednn", "onednn_direct", "opencv"]
ROUNDS, QUICK = 5, ["--rounds", "2"]
# What holds each library to AVX2. ONNX Runtime has nothing of the kind and is left out.
NO_AVX512 = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2",  # oneDNN: Keras, PyTorch, OpenVINO, ours
             "OPENCV_CPU_DISABLE": "AVX512F,AVX512-COMMON,AVX512-SKX,AVX512-CNL,AVX512-CLX,AVX512-ICL"}
IMAGES_A_TURN = 16  # about a second; a turn's figure is the mean of its runs


class Peer:
    how = None  # vgg16_peers.py says how a peer runs

    def __init__(self, name, batch, threads):
        self.worker = Worker("vgg16_peers.py", name, threads)
        self.repeats = max(1, IMAGES_A_TURN // batch)
        answer = self.worker.ask(prepare={"batch": batch})
        self.label, self.error = answer["version"], answer["error"]

    def turn(self):
        return [statistics.mean(self.worker.ask(run=self.repeats)["seconds"])]

    def columns(self):
        return {"error": "-" if self.error is None else f"{self.error:.1e}"}

    def close(self):
        self.worker.close()


class Headstart:
    """One turn is one run of the benchmark program, which verifies its engine before it times it."""

    def __init__(self, engine, batch, threads, family="forward"):
        self.command = [compare.program("benchmark_forward"), f"--benchmark_filter=^{family}/{engine}/batch:{batch}/",
                        "--benchmark_min_time=0.5", "--benchmark_format=json"]
        self.environment = os.environ | KEEP_MEMORY | {"OMP_NUM_THREADS": str(threads)}
        self.engine = engine
        self.turn()

    def turn(self):
        done = subprocess.run(self.command, env=self.environment, capture_output=True, text=True, check=False)
        run = next(iter(json.loads(done.stdout or "{}").get("benchmarks", [])), {})
        if done.returncode or run.get("error_occurred") or not run:
            raise RuntimeError(run.get("error_message") or done.stderr.strip()[-300:] or f"no such benchmark: {self.command[1]}")
        self.label, self.error, self.how = f"headstart {self.engine}", run["error"], run["label"]
        return [run["real_time"] / {"ns": 1e9, "us": 1e6, "ms": 1e3, "s": 1}[run["time_unit"]]]

    def columns(self):
        return {"error": f"{self.error:.1e}"}


def add_arguments(parser):
    parser.add_argument("--batch", type=int, action="append", help="batch sizes (default: 8 and 1)")
    parser.add_argument("--no-avx512", action="store_true",
                        help="all as on a CPU that has AVX2 and no more; without ONNX Runtime, which can't be told")
    parser.add_argument("--network", choices=("vgg16", "vgg19"), default="vgg16")


def contestants(batch, options):
    if options.network == "vgg19":
        for name in ("native", "onednn", "opencv"):
            yield name, functools.partial(Headstart, name, batch, options.threads, "forward_vgg19")
        yield "keras", functools.partial(Peer, "keras-vgg19", batch, options.threads)
        return
    engines, peers = ENGINES, PEERS
    if options.no_avx512:
        engines = ["native_avx2" if name == "native" else name for name in ENGINES]
        peers = [name for name in PEERS if name != "onnxruntime"]
    for kind, names in ((Headstart, engines), (Peer, peers)):
        for name in names:
            yield name, functools.partial(kind, name, batch, options.threads)


def measure(options):
    if options.no_avx512:
        os.environ.update(NO_AVX512)
    tables = []
    for batch in options.batch or [8, 1]:
        with compare.Contest(dict(contestants(batch, options))) as contest:
            contest.take_turns(options.rounds)
            notes = [f"{c.label}: {c.how}" for c in contest.contestants.values() if c.how]
            title = f"{options.network.upper()} to block5_pool, batch {batch}" + (", no AVX-512" if options.no_avx512 else "")
            name = f"forward-{batch}" if options.network == "vgg16" else f"forward-{options.network}-{batch}"
            table = contest.table(name, title, "milliseconds an image", 1000 / batch, notes)
        table["contestants"].sort(key=lambda row: row["median"])
        tables.append(table)
    return tables


if __name__ == "__main__":
    sys.exit(compare.main(sys.modules[__name__]))
