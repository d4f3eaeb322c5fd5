"""benchmarks/compare/finetune.py: one epoch of fine-tuning VGG16's block5 and the head from block4_pool, headstart against
Keras and PyTorch, milliseconds a sample.

    benchmarks/compare/finetune [--rounds N] [--epochs N] [--threads N] [--json FILE]

Batch 32, block5's three convolutions and 25088 -> 1024 -> 10. headstart fine-tunes on samples/openclipart10 from a warm
cache; its seconds are those of history.csv over its 315 training images. Two things count against it there: each epoch
holds the pass over the 78 validation images, and each turn is a new process, so its first epoch is a cold one. The peers
train as finetune_peers.py says on 320 rows, warmed up and without validation, one epoch a turn.
"""

import csv
import json
import math
import pathlib
import subprocess
import tempfile

import compare
from worker import Worker

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


class Headstart:
    """One turn is one `headstart finetune`. Before that: `train` makes the model to start from, and a first epoch fills the
    cache and shows that block5 is trained and the model written."""

    def __init__(self, folder, threads, epochs):
        self.out, self.epochs = folder / "out", epochs
        self.common = [compare.ROOT / "samples" / "openclipart10", "--cache", folder / "cache", "--threads", threads,
                       "--quiet", "-o"]
        self.label = self.headstart("--version").strip()
        self.headstart("train", *self.common, folder / "start")
        self.finetune = ["finetune", *self.common, self.out, "--from", folder / "start" / "model.h5", "--learning-rate",
                         LEARNING_RATE, "--epochs"]
        self.verify(self.train(1)[-1])

    def headstart(self, *arguments):
        done = subprocess.run([str(part) for part in [compare.program("headstart"), *arguments]], capture_output=True,
                              text=True, check=False)
        if done.returncode:
            raise SystemExit(f"finetune: error: headstart {arguments[0]} failed: {done.stderr.strip()[-300:]}")
        return done.stdout

    def train(self, epochs):
        self.headstart(*self.finetune, epochs)
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


def main():
    parser = compare.arguments(" ".join(__doc__.split("\n\n", maxsplit=1)[0].split()), rounds=3)
    parser.add_argument("--epochs", type=int, default=2, help="headstart's epochs a turn")
    options = parser.parse_args()
    compare.use_cpus(options.threads)
    context = compare.context(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        contestants = {"headstart": Headstart(pathlib.Path(folder), options.threads, options.epochs)}
        contestants |= {name: Peer(name, options.threads) for name in ("keras", "pytorch")}
        times = compare.take_turns({name: c.turn for name, c in contestants.items()}, options.rounds)
    rows = [{"name": name, "label": contestants[name].label, **compare.summary([1000 * t for t in times[name]])}
            for name in contestants]
    ours = rows[0]["median"]
    compare.print_table(
        f"Fine-tuning block5 and 25088 -> 1024 -> 10, batch 32, {options.threads} threads, milliseconds a sample",
        ["", "min", "median", "against headstart"],
        [[row["label"], f"{row['min']:.1f}", f"{row['median']:.1f}", f"{row['median'] / ours:.2f}"] for row in rows])
    print("headstart's epochs hold the pass over 78 validation images, too.")
    compare.publish({"context": context, "unit": "milliseconds a sample", "contestants": rows}, options.json)


if __name__ == "__main__":
    main()
