"""benchmarks/compare/pooled.py: stage two on pooled rows of 512 features, headstart against PyTorch and scikit-learn.

    benchmarks/compare/pooled [--rows N] [--hidden-rows N] [--search-rows N] [--rounds N] [--threads N] [--json FILE]

Three tables. Training: ten epochs, batch 32, of a linear head on --rows rows (70,000) and of 1,024 hidden units on
--hidden-rows (20,000): the loops alone, headstart's with the validation rows measured after each epoch. Search: `headstart sweep` with its default candidates for pooled rows, 72, on
--search-rows rows (8,000); scikit-learn the same candidates by HalvingGridSearchCV over MLPClassifier's SGD (batch 32,
momentum 0.9, L2), three rounds of a third each, over epochs as headstart has them, five folds; and the linear ones alone
by LogisticRegressionCV, which has no learning rates: ten Cs for each of three transforms. Every contestant's accuracy on
rows that it did not see is in the table. The rows are made up by make_features_file.py, and made harder here.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import compare
from worker import Worker

ROUNDS, QUICK = 3, ["--rounds", "1", "--hidden-rows", "2000", "--search-rows", "2000"]


def make_rows(file, rows):
    """A features file of `rows` rows; the recipe for its values is pooled_peers.py's, so that all see the same."""
    done = subprocess.run([sys.executable, str(pathlib.Path(__file__).with_name("pooled_peers.py")), "make",
                           str(compare.program("headstart")), str(file), str(rows)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"pooled: error: the rows could not be made: {done.stderr.strip()[-300:]}")


class Headstart:
    """One turn is one run of a command on a features file."""

    def __init__(self, command, file, folder, threads, more=()):
        self.out = folder / f"out-{command}"
        self.command = [command, "--features", file, "-o", self.out, "--threads", threads, "--quiet", *more]
        self.label = compare.headstart("--version").strip()
        self.searched = command == "sweep"

    def turn(self):
        compare.headstart(*self.command)
        metrics = json.loads((self.out / "metrics.json").read_text(encoding="utf-8"))
        self.accuracy = metrics["validation"]["accuracy"]
        if self.accuracy < 0.2:  # twice that of chance
            raise SystemExit(f"pooled: error: validation accuracy is {self.accuracy}: not timed")
        if self.searched:
            return [metrics["sweep"]["seconds"]]
        return [metrics["timing"]["train_seconds"]]

    def columns(self):
        return {"accuracy": f"{self.accuracy:.4f}"}


class Peer:
    def __init__(self, *arguments):
        self.worker = Worker("pooled_peers.py", *arguments)
        self.label = self.worker.ask(prepare={})["version"]
        self.accuracy = None

    def turn(self):
        answer = self.worker.ask(run=1)
        self.accuracy = answer["accuracy"]
        return answer["seconds"]

    def columns(self):
        return {"accuracy": f"{self.accuracy:.4f}"}

    def close(self):
        self.worker.close()


def measure_training(options, folder, name, rows, hidden):
    file = folder / "training.h5"
    make_rows(file, rows)
    head = f"{hidden} hidden units" if hidden else "a linear head"
    with compare.Contest({"headstart": lambda: Headstart("train", file, folder, options.threads, ["--hidden", hidden]),
                          "pytorch": lambda: Peer("pytorch", file, options.threads, hidden)}) as contest:
        contest.take_turns(options.rounds)
        return contest.table(name, f"Ten epochs of {head}, {rows} x 512, batch 32", "seconds")


def measure_search(options, folder):
    file = folder / "search.h5"
    make_rows(file, options.search_rows)
    with compare.Contest({"headstart": lambda: Headstart("sweep", file, folder, options.threads),
                          "scikit-learn, halving": lambda: Peer("halving", file, options.threads),
                          "scikit-learn, linear": lambda: Peer("logistic", file, options.threads)}) as contest:
        contest.take_turns(1)
        return contest.table("pooled-search", f"A search over 72 configurations, {options.search_rows} x 512, five folds", "seconds")


def add_arguments(parser):
    parser.add_argument("--rows", type=int, default=70_000, help="of the training of a linear head")
    parser.add_argument("--hidden-rows", type=int, default=20_000, help="of the training with hidden units")
    parser.add_argument("--search-rows", type=int, default=8_000, help="of the search, which has one round")


def measure(options):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        return [measure_training(options, folder, "pooled-linear", options.rows, 0),
                measure_training(options, folder, "pooled-hidden", options.hidden_rows, 1024),
                measure_search(options, folder)]


if __name__ == "__main__":
    sys.exit(compare.main(sys.modules[__name__]))
