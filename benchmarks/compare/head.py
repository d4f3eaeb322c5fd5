"""benchmarks/compare/head.py: one epoch of the head, 25088 -> 1024 -> 10 at batch 32, headstart against Keras and PyTorch.

    benchmarks/compare/head [--rounds N] [--epochs N] [--threads N] [--json FILE]

headstart trains on samples/openclipart10 from a warm cache (314 training images); its seconds are those of history.csv
and hold the validation pass too. The peers train as head_peers.py says on as many rows, without validation.
"""

import csv
import pathlib
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
    rows = [{"name": name, "label": contestants[name].label, **compare.summary([1000 * t for t in times[name]])}
            for name in contestants]
    ours = rows[0]["median"]
    compare.print_table(
        f"One epoch, 314 rows, 25088 -> 1024 -> 10, batch 32, {options.threads} threads, milliseconds",
        ["", "min", "median", "against headstart"],
        [[row["label"], f"{row['min']:.0f}", f"{row['median']:.0f}", f"{row['median'] / ours:.2f}"] for row in rows])
    compare.publish({"context": context, "unit": "milliseconds an epoch", "contestants": rows}, options.json)


if __name__ == "__main__":
    main()
