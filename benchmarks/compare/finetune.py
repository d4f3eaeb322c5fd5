"""benchmarks/compare/finetune.py: one epoch of fine-tuning VGG16's block5 and the head from block4_pool, headstart against
Keras and PyTorch, milliseconds a sample.

    benchmarks/compare/finetune [--rounds N] [--epochs N] [--threads N] [--json FILE]

Batch 32, block5's three convolutions and 25088 -> 1024 -> 10. headstart fine-tunes on samples/openclipart10 from a warm
cache; its seconds are those of history.csv over its 315 training images. Two things count against it there: each epoch
holds the pass over the 78 validation images, and each turn is a new process, so its first epoch is a cold one. The peers
train as finetune_peers.py says on 320 rows, warmed up and without validation, one epoch a turn.
"""

import csv
import functools
import json
import math
import pathlib
import sys
import tempfile

import compare
from worker import Worker

ROUNDS, QUICK = 3, ["--rounds", "1"]
TRAINING_IMAGES = 315  # of samples/openclipart10, with the default split
ROWS = 320  # of the peers: whole batches
LEARNING_RATE = 1e-5  # of block5
BLOCK5 = {"block5_conv1", "block5_conv2", "block5_conv3"}


class Peer:
    def __init__(self, name, threads):
        self.worker = Worker("finetune_peers.py", name, ROWS, threads)
        self.label = self.worker.ask(prepare={})["version"]

    def turn(self):
        return [seconds / ROWS for seconds in self.worker.ask(run=1)["seconds"]]

    def close(self):
        self.worker.close()


class Headstart:
    """One turn is one `headstart finetune`. Before that: `train` makes the model to start from, and a first epoch fills the
    cache and shows that block5 is trained and the model written. The model to start from has seen one epoch: finetune keeps
    the better of before and after, and of a trained one it may keep the former, in which no kernel moved."""

    def __init__(self, folder, threads, epochs):
        self.out, self.epochs = folder / "out", epochs
        self.common = [compare.SAMPLES, "--cache", folder / "cache", "--threads", threads,
                       "--quiet", "-o"]
        self.label = compare.headstart("--version").strip()
        compare.headstart("train", *self.common, folder / "start", "--epochs", 1)
        self.finetune = ["finetune", *self.common, self.out, "--from", folder / "start" / "model.h5", "--learning-rate",
                         LEARNING_RATE, "--epochs"]
        self.verify(self.train(1)[-1])

    def train(self, epochs):
        compare.headstart(*self.finetune, epochs)
        with open(self.out / "history.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        losses = [row["loss"] for row in rows]
        if len(rows) != epochs or not all(math.isfinite(float(loss)) for loss in losses):
            raise SystemExit(f"finetune: error: training losses of {epochs} epochs are {losses}: not timed")
        return rows

    def verify(self, epoch):
        metrics = json.loads((self.out / "metrics.json").read_text(encoding="utf-8"))
        images, accuracy = metrics["train"]["images"], epoch["val_accuracy"]
        moved = {kernel["layer"] for kernel in metrics["moved"] if kernel["relative_norm"] > 0}
        if images != TRAINING_IMAGES:
            raise SystemExit(f"finetune: error: {images} training images, not {TRAINING_IMAGES}: not timed")
        if not accuracy or not 0 < float(accuracy) <= 1:
            raise SystemExit(f"finetune: error: validation accuracy is '{accuracy}' after the first epoch: not timed")
        if not BLOCK5 <= moved:
            raise SystemExit(f"finetune: error: kernels that stayed as they were: {sorted(BLOCK5 - moved)}: not timed")
        if not (self.out / "model.h5").exists():
            raise SystemExit("finetune: error: no model.h5 was written: not timed")

    def turn(self):
        return [float(row["seconds"]) / TRAINING_IMAGES for row in self.train(self.epochs)]


def add_arguments(parser):
    parser.add_argument("--epochs", type=int, default=2, help="headstart's epochs a turn")


def measure(options):
    with tempfile.TemporaryDirectory() as folder, compare.Contest(
            {"headstart": lambda: Headstart(pathlib.Path(folder), options.threads, options.epochs),
             **{name: functools.partial(Peer, name, options.threads) for name in ("keras", "pytorch")}}) as contest:
        contest.take_turns(options.rounds)
        return [contest.table("finetune", "Fine-tuning block5 and the head, batch 32", "milliseconds a sample", 1000,
                              ["headstart's epochs hold the pass over 78 validation images, too."])]


if __name__ == "__main__":
    sys.exit(compare.main(sys.modules[__name__]))
