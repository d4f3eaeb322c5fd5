"""benchmarks/compare/head.py: one epoch of the head, 25088 -> 1024 -> 10 at batch 32, headstart against Keras and PyTorch.

    benchmarks/compare/head [--rounds N] [--epochs N] [--threads N] [--json FILE]

headstart trains on samples/openclipart10 from a warm cache (315 training images); its seconds are those of history.csv
and hold the validation pass too. The peers train as head_peers.py says on 314 rows, without validation. Below the table:
ten epochs of headstart with everything around them (metrics.json's train_seconds: initial weights, set-up of the solver,
epochs, the final kernel) against ten epochs of each peer and nothing else.
"""

import csv
import json
import pathlib
import statistics
import subprocess
import tempfile

import compare
from worker import Worker


class Peer:
    def __init__(self, name, threads, epochs):
        self.worker = Worker("head_peers.py", name, threads)
        self.label = self.worker.ask(prepare={})["version"]
        self.epochs = epochs

    def turn(self):
        return self.worker.ask(run=self.epochs)["seconds"]


class Headstart:
    """One turn is one `headstart train`; the first fills the cache and shows that the recipe learns."""

    def __init__(self, folder, threads, epochs):
        self.out = folder / "out"
        self.command = [compare.program("headstart"), "train", compare.ROOT / "samples" / "openclipart10", "-o", self.out,
                        "--cache", folder / "cache", "--threads", threads, "--quiet", "--epochs"]
        self.epochs = epochs
        version = subprocess.run([self.command[0], "--version"], capture_output=True, text=True, check=True)
        self.label = version.stdout.strip()
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


def main():
    parser = compare.arguments(__doc__.split("\n", maxsplit=1)[0], rounds=5)
    parser.add_argument("--epochs", type=int, default=3, help="epochs a turn")
    options = parser.parse_args()
    compare.use_cpus(options.threads)
    context = compare.context(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        contestants = {"headstart": Headstart(pathlib.Path(folder), options.threads, options.epochs)}
        contestants |= {name: Peer(name, options.threads, options.epochs) for name in ("keras", "pytorch")}
        times = compare.take_turns({name: c.turn for name, c in contestants.items()}, options.rounds)
        whole = statistics.median(contestants["headstart"].ten_epochs() for _ in range(options.rounds))
    rows = [{"name": name, "label": contestants[name].label, **compare.summary([1000 * t for t in times[name]])}
            for name in contestants]
    ours = rows[0]["median"]
    compare.print_table(
        f"One epoch, 314 rows, 25088 -> 1024 -> 10, batch 32, {options.threads} threads, milliseconds",
        ["", "min", "median", "against headstart"],
        [[row["label"], f"{row['min']:.1f}", f"{row['median']:.1f}", f"{row['median'] / ours:.2f}"] for row in rows])
    print(f"Ten epochs with set-up and final kernel: headstart {1000 * whole:.0f} ms; ten epochs alone: " + "; ".join(
        f"{row['label']} {10 * row['median'] / (1000 * whole):.1f} times that" for row in rows[1:]))
    compare.publish({"context": context, "unit": "milliseconds an epoch", "contestants": rows,
                     "headstart_ten_epochs_milliseconds": 1000 * whole}, options.json)


if __name__ == "__main__":
    main()
