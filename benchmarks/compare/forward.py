"""benchmarks/compare/forward.py: VGG16's convolutions, headstart's engines against five peers, in turn.

    benchmarks/compare/forward [--rounds N] [--batch N]... [--threads N] [--json FILE]

Every contestant first proves its block5_pool against golden/features.h5 (relative L2 error, at most 1e-5), then is timed
on preprocessed images. The peers run as vgg16_peers.py says; headstart runs as build/release/bin/benchmark_forward.
"""

import json
import os
import statistics
import subprocess
import sys

import compare
from worker import KEEP_MEMORY, Worker

PEERS = ["keras", "pytorch", "onnxruntime", "openvino", "opencv5"]
ENGINES = ["native", "onednn", "opencv"]
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

    def close(self):
        self.worker.close()


class Headstart:
    """One turn is one run of the benchmark program, which verifies its engine before it times it."""

    def __init__(self, engine, batch, threads):
        self.command = [compare.program("benchmark_forward"), f"--benchmark_filter=^forward/{engine}/batch:{batch}/",
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

    def close(self):
        pass


def main():
    parser = compare.arguments(__doc__.split("\n", maxsplit=1)[0], rounds=5)
    parser.add_argument("--batch", type=int, action="append", help="batch sizes (default: 8 and 1)")
    options = parser.parse_args()
    compare.use_cpus(options.threads)
    result = {"context": compare.context(options.threads), "unit": "milliseconds an image", "batches": {}}
    for batch in options.batch or [8, 1]:
        contestants, missing = {}, {}
        for kind, names in ((Headstart, ENGINES), (Peer, PEERS)):
            for name in names:
                try:
                    contestants[name] = kind(name, batch, options.threads)
                except RuntimeError as error:
                    missing[name] = str(error)
        times = compare.take_turns({name: c.turn for name, c in contestants.items()}, options.rounds)
        rows = []
        for name, contestant in contestants.items():
            figures = compare.summary([1000 * t / batch for t in times[name]])
            rows.append({"name": name, "label": contestant.label, "error": contestant.error, "how": contestant.how, **figures})
            contestant.close()
        rows.sort(key=lambda row: row["median"])
        compare.print_table(
            f"VGG16 to block5_pool, batch {batch}, {options.threads} threads, milliseconds an image",
            ["", "min", "median", "error"],
            [[row["label"], f"{row['min']:.1f}", f"{row['median']:.1f}", f"{row['error']:.1e}"] for row in rows])
        for row in rows:
            if row["how"]:
                print(f"{row['label']}: {row['how']}")
        for name, reason in missing.items():
            print(f"{name}: not timed: {reason}")
        result["batches"][batch] = {"contestants": rows, "missing": missing}
    compare.publish(result, options.json)
    return 1 if any(figures["missing"] for figures in result["batches"].values()) else 0


if __name__ == "__main__":
    sys.exit(main())
