"""benchmarks/compare/head.py: one epoch of the head, 25088 -> 1024 -> 10 at batch 32, headstart against Keras and PyTorch.

    benchmarks/compare/head [--rows 314|20000] [--rounds N] [--epochs N] [--threads N] [--json FILE]

headstart trains on samples/openclipart10 from a warm cache (315 training images); its seconds are those of history.csv
and hold the validation pass too. The peers train as head_peers.py says on 314 rows, without validation. Below the table:
ten epochs of headstart with everything around them (metrics.json's train_seconds: initial weights, set-up of the solver,
epochs, the final kernel) against ten epochs of each peer and nothing else.

With --rows 20000, too many for the gram solver: the second epoch of benchmark_head's primal_large_epoch, on made-up rows
of the same shape and share of zeros, and one epoch of each peer after 20 batches to warm up; below the table, headstart's
share of what benchmark_head measures this machine to allow. Takes minutes and 10 GB of memory: the peers hold dense rows.
"""

import csv
import json
import pathlib
import statistics
import subprocess
import tempfile

import compare
from worker import Worker

SMALL, LARGE = 314, 20000  # benchmark_head's primal_large_epoch has LARGE rows


class Peer:
    def __init__(self, name, rows, threads, epochs):
        self.worker = Worker("head_peers.py", name, rows, threads)
        self.label = self.worker.ask(prepare={})["version"]
        self.epochs = epochs

    def turn(self):
        return self.worker.ask(run=self.epochs)["seconds"]


def version():
    return subprocess.run([compare.program("headstart"), "--version"], capture_output=True, text=True,
                          check=True).stdout.strip()


class Headstart:
    """One turn is one `headstart train`; the first fills the cache and shows that the recipe learns."""

    def __init__(self, folder, threads, epochs):
        self.out = folder / "out"
        self.command = [compare.program("headstart"), "train", compare.ROOT / "samples" / "openclipart10", "-o", self.out,
                        "--cache", folder / "cache", "--threads", threads, "--quiet", "--epochs"]
        self.epochs = epochs
        self.label = version()
        accuracy = float(self.train(10)[-1]["accuracy"])
        if not accuracy > 0.95:
            raise SystemExit(f"head: error: training accuracy is {accuracy} after 10 epochs: not timed")

    def train(self, epochs):
        done = subprocess.run([str(part) for part in [*self.command, epochs]], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"head: error: headstart train failed: {done.stderr.strip()[-300:]}")
        with open(self.out / "history.csv", newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def turn(self):
        return [float(row["seconds"]) for row in self.train(self.epochs)]

    def ten_epochs(self):
        """Seconds of one run of ten epochs, set-up and final kernel included."""
        self.train(10)
        return json.loads((self.out / "metrics.json").read_text(encoding="utf-8"))["timing"]["train_seconds"]


class LargeHeadstart:
    """One turn is one run of benchmark_head, on all CPUs that compare.use_cpus() leaves."""

    def __init__(self):
        self.command = [compare.program("benchmark_head"), "--benchmark_filter=primal_large_epoch",
                        "--benchmark_format=json"]
        self.label = version()
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


def summaries(contestants, times, scale):
    return [{"name": name, "label": contestants[name].label, **compare.summary([scale * t for t in times[name]])}
            for name in contestants]


def print_epochs(rows, training_rows, threads, unit):
    ours = rows[0]["median"]
    compare.print_table(
        f"One epoch, {training_rows} rows, 25088 -> 1024 -> 10, batch 32, {threads} threads, {unit}",
        ["", "min", "median", "against headstart"],
        [[row["label"], f"{row['min']:.1f}", f"{row['median']:.1f}", f"{row['median'] / ours:.2f}"] for row in rows])


def compare_small(options, context):
    with tempfile.TemporaryDirectory() as folder:
        contestants = {"headstart": Headstart(pathlib.Path(folder), options.threads, options.epochs)}
        contestants |= {name: Peer(name, SMALL, options.threads, options.epochs) for name in ("keras", "pytorch")}
        times = compare.take_turns({name: c.turn for name, c in contestants.items()}, options.rounds)
        whole = statistics.median(contestants["headstart"].ten_epochs() for _ in range(options.rounds))
    rows = summaries(contestants, times, 1000)
    print_epochs(rows, SMALL, options.threads, "milliseconds")
    print(f"Ten epochs with set-up and final kernel: headstart {1000 * whole:.0f} ms; ten epochs alone: " + "; ".join(
        f"{row['label']} {10 * row['median'] / (1000 * whole):.1f} times that" for row in rows[1:]))
    compare.publish({"context": context, "unit": "milliseconds an epoch", "contestants": rows,
                     "headstart_ten_epochs_milliseconds": 1000 * whole}, options.json)


def compare_large(options, context):
    contestants = {"headstart": LargeHeadstart()}
    contestants |= {name: Peer(name, LARGE, options.threads, 1) for name in ("keras", "pytorch")}
    times = compare.take_turns({name: c.turn for name, c in contestants.items()}, options.rounds)
    rows = summaries(contestants, times, 1)
    print_epochs(rows, LARGE, options.threads, "seconds")
    results = contestants["headstart"].results
    best = min(results, key=lambda result: result["seconds"])
    print(f"Roofline: headstart's fastest epoch took {best['GB/s']:.1f} of {best['measured_GB/s']:.1f} GB/s and "
          f"{best['GFLOP/s']:.0f} of {best['measured_GFLOP/s']:.0f} GFLOP/s: {100 * best['share']:.0f} % of the bound")
    compare.publish({"context": context, "unit": "seconds an epoch", "contestants": rows, "headstart_roofline": results},
                    options.json)


def main():
    parser = compare.arguments(__doc__.split("\n", maxsplit=1)[0], rounds=5)
    parser.add_argument("--rows", type=int, choices=(SMALL, LARGE), default=SMALL, help="training rows")
    parser.add_argument("--epochs", type=int, default=3, help=f"epochs a turn; of {LARGE} rows always one")
    options = parser.parse_args()
    compare.use_cpus(options.threads)
    context = compare.context(options.threads)
    (compare_small if options.rows == SMALL else compare_large)(options, context)


if __name__ == "__main__":
    main()
