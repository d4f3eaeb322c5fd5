"""benchmarks/compare/head.py: one epoch of the head, 25088 -> 1024 -> 10 at batch 32, headstart against Keras and PyTorch.

    benchmarks/compare/head [--rows 314|20000] [--rounds N] [--epochs N] [--threads N] [--json FILE]

headstart trains on samples/openclipart10 from a warm cache (315 training images); its seconds are those of history.csv
and hold the validation pass too. The peers train as head_peers.py says on 314 rows, without validation. Below the table:
ten epochs of headstart with everything around them (metrics.json's train_seconds: initial weights, set-up of the solver,
epochs, the final weights matrix) against ten epochs of each peer and nothing else.

With --rows 20000, too many for the gram solver: the second epoch of benchmark_head's primal_large_epoch, on made-up rows
of the same shape and share of zeros, and one epoch of each peer after 20 batches to warm up; below the table, headstart's
share of what benchmark_head measures this machine to allow. Takes minutes and 10 GB of memory: the peers hold dense rows.
"""

import csv
import functools
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import compare
from worker import Worker

ROUNDS, QUICK = 5, ["--rounds", "2"]
SMALL, LARGE = 314, 20000  # benchmark_head's primal_large_epoch has LARGE rows


class Peer:
    def __init__(self, name, rows, threads, epochs):
        self.worker = Worker("head_peers.py", name, rows, threads)
        self.label = self.worker.ask(prepare={})["version"]
        self.epochs = epochs

    def turn(self):
        return self.worker.ask(run=self.epochs)["seconds"]

    def close(self):
        self.worker.close()


class Headstart:
    """One turn is one `headstart train`; the first fills the cache and shows that the recipe learns."""

    def __init__(self, folder, threads, epochs):
        self.out = folder / "out"
        self.command = ["train", compare.SAMPLES, "-o", self.out, "--cache", folder / "cache", "--threads", threads, "--quiet",
                        "--epochs"]
        self.epochs = epochs
        self.label = compare.headstart("--version").strip()
        accuracy = float(self.train(10)[-1]["accuracy"])
        if not accuracy > 0.95:
            raise SystemExit(f"head: error: training accuracy is {accuracy} after 10 epochs: not timed")

    def train(self, epochs):
        compare.headstart(*self.command, epochs)
        with open(self.out / "history.csv", newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def turn(self):
        return [float(row["seconds"]) for row in self.train(self.epochs)]

    def ten_epochs(self):
        """Seconds of one run of ten epochs, set-up and the final weights matrix included."""
        self.train(10)
        return json.loads((self.out / "metrics.json").read_text(encoding="utf-8"))["timing"]["train_seconds"]


class LargeHeadstart:
    """One turn is one run of benchmark_head, on all CPUs that compare.use_cpus() leaves."""

    def __init__(self):
        self.command = [compare.program("benchmark_head"), "--benchmark_filter=primal_large_epoch",
                        "--benchmark_format=json"]
        self.label = compare.headstart("--version").strip()
        self.results = []

    def turn(self):
        done = subprocess.run(self.command, capture_output=True, text=True, check=False)
        if done.returncode or not done.stdout:
            raise SystemExit(f"head: error: benchmark_head failed: {done.stderr.strip()[-300:]}")
        result = json.loads(done.stdout)["benchmarks"][0]
        if result.get("error_occurred"):
            raise SystemExit(f"head: error: benchmark_head: {result['error_message']}")
        self.results.append({"seconds": result["real_time"], "share": result["share"],
                             **{rate: result[rate] for rate in ("GB/s", "measured_GB/s", "GFLOP/s", "measured_GFLOP/s")}})
        return [result["real_time"]]


def title(rows):
    return f"One epoch of the head, {rows} rows, batch 32"


def peers(rows, threads, epochs):
    return {name: functools.partial(Peer, name, rows, threads, epochs) for name in ("keras", "pytorch")}


def measure_small(options):
    with tempfile.TemporaryDirectory() as folder, compare.Contest(
            {"headstart": lambda: Headstart(pathlib.Path(folder), options.threads, options.epochs),
             **peers(SMALL, options.threads, options.epochs)}) as contest:
        contest.take_turns(options.rounds)
        table = contest.table("head-epoch", title(SMALL), "milliseconds", 1000)
        seconds = [contest.contestants["headstart"].ten_epochs() for _ in range(options.rounds)]
    # The peers' ten epochs are ten times one, with nothing around them.
    whole = 1000 * statistics.median(seconds)
    table["headstart_ten_epochs_milliseconds"] = [1000 * value for value in seconds]
    table["notes"].append(f"Ten epochs with set-up and the final weights matrix: headstart {whole:.0f} ms" + "".join(
        f". Ten epochs alone of {row['label']}: {10 * row['median'] / whole:.1f} times that"
        for row in table["contestants"] if row["name"] != "headstart"))
    return table


def measure_large(options):
    with compare.Contest({"headstart": LargeHeadstart, **peers(LARGE, options.threads, 1)}) as contest:
        contest.take_turns(options.rounds)
        table = contest.table("head-large-epoch", title(LARGE), "seconds")
        results = contest.contestants["headstart"].results
    best = min(results, key=lambda result: result["seconds"])
    table["headstart_roofline"] = results
    table["notes"].append(
        f"Roofline: headstart's fastest epoch took {best['GB/s']:.1f} of {best['measured_GB/s']:.1f} GB/s and "
        f"{best['GFLOP/s']:.0f} of {best['measured_GFLOP/s']:.0f} GFLOP/s: {100 * best['share']:.0f} % of the bound")
    return table


def add_arguments(parser):
    parser.add_argument("--rows", type=int, choices=(SMALL, LARGE), default=SMALL, help="training rows")
    parser.add_argument("--epochs", type=int, default=3, help=f"epochs a turn; of {LARGE} rows always one")


def measure(options):
    return [(measure_small if options.rows == SMALL else measure_large)(options)]


if __name__ == "__main__":
    sys.exit(compare.main(sys.modules[__name__]))
