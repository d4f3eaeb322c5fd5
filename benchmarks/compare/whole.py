"""benchmarks/compare/whole.py: the whole run on samples/openclipart10, from a folder of images to a saved classifier,
headstart against Keras and PyTorch.

    benchmarks/compare/whole [--rounds N] [--threads N] [--json FILE]

Every turn is a process from start to end, as a person would have it with a watch in hand; whole_peers.py says what the peers
do. headstart runs twice a turn: cold, with an empty cache, and warm, the same command again. The Keras script, which runs the
frozen base in every epoch, is measured over one of its ten epochs: its seconds are those around the epochs and ten times
those of the epoch.

Each run has to have 315 training and 78 validation images and to end with a plausible validation accuracy, or it is not
timed. Below the table: whether the ratios that headstart promises were kept.
"""

import functools
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import compare
import worker

ROUNDS, QUICK = 3, ["--rounds", "1"]
IMAGES = {"training": 315, "validation": 78}  # of samples/openclipart10, with a fifth held out
EPOCHS = 10
# Of 78 images, over seeds 0 to 5, headstart gets 0.56 to 0.68, and Keras's mean over five folds is 0.64.
ACCURACY = {"keras-script": (0.25, 0.75)}  # after its one epoch
ANY_ACCURACY = (0.55, 0.70)
PROMISES = [("cold", "keras-once", 3), ("cold", "keras-script", 20), ("warm", "keras-once", 50)]
PHASES = ["start, imports", "features", "training", "the rest"]


class Contestant:
    """What one turn leaves: images and accuracy, checked, and seconds by phase; columns() shows those of the last turn."""

    def finish(self, name, counts, accuracy, phases):
        low, high = ACCURACY.get(name, ANY_ACCURACY)
        if counts != IMAGES:
            raise RuntimeError(f"{counts} images, needed {IMAGES}")
        if not low <= accuracy <= high:
            raise RuntimeError(f"validation accuracy is {accuracy:.3f}, expected {low} to {high}")
        self.accuracy, self.phases = accuracy, phases
        return [sum(phases)]

    def columns(self):
        return {**{phase: compare.number(seconds) for phase, seconds in zip(PHASES, self.phases)},
                "accuracy": f"{self.accuracy:.3f}"}


class Headstart(Contestant):
    """`headstart train`. Its start is what `headstart --version` takes; the rest is evaluation, report and model.h5."""

    def __init__(self, name, folder, threads):
        self.name, self.cache, self.out = name, folder / "cache", folder / "out"
        self.command = ["train", compare.SAMPLES, "-o", self.out, "--cache", self.cache, "--threads", threads, "--quiet"]
        start = time.monotonic()
        version = compare.headstart("--version").strip()
        self.start_seconds = time.monotonic() - start
        self.label = f"{version}, {name} cache"

    def turn(self):
        if self.name == "cold":
            shutil.rmtree(self.cache, ignore_errors=True)
        start = time.monotonic()
        compare.headstart(*self.command)
        seconds = time.monotonic() - start
        metrics = json.loads((self.out / "metrics.json").read_text(encoding="utf-8"))
        hits = metrics["images"]["cache_hits"]
        if (hits == metrics["images"]["used"]) != (self.name == "warm"):
            raise RuntimeError(f"{hits} images were in the cache that should be {self.name}")
        if not (self.out / "model.h5").exists():
            raise RuntimeError("no model.h5 was written")
        timing = metrics["timing"]
        phases = [self.start_seconds, timing["extract_seconds"], timing["train_seconds"]]
        return self.finish(self.name, {"training": metrics["train"]["images"], "validation": metrics["validation"]["images"]},
                           metrics["validation"]["accuracy"], [*phases, seconds - sum(phases)])


class Peer(Contestant):
    LABELS = {"keras-once": "features once", "keras-script": f"the script, one epoch x {EPOCHS}", "pytorch-once": "features once"}

    def __init__(self, name, folder, threads):
        self.name, self.out, self.threads = name, folder / name, threads
        self.out.mkdir()
        # scripts/python-env installs no bytecode, which everybody else has: made here, by the run that asks for the version.
        self.environment = worker.environment(threads) | {"PYTHONDONTWRITEBYTECODE": "",
                                                          "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
        version = self.run()["version"]
        self.label = f"{version}, {self.LABELS[name]}"

    def run(self, *arguments):
        with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
            done = subprocess.run(worker.command("whole_peers.py", self.name, self.threads, *arguments), stdout=subprocess.PIPE,
                                  stderr=log, env=self.environment, text=True, check=False)
            if done.returncode:
                raise worker.failure(log, done.returncode)
        return json.loads(done.stdout)

    def turn(self):
        start = time.monotonic()
        result = self.run(self.out)
        end = time.monotonic()
        marks = result["marks"]
        if not any(self.out.iterdir()):
            raise RuntimeError("no model was written")
        training = EPOCHS * result["epoch"] if "epoch" in result else marks["trained"] - marks["features"]
        return self.finish(self.name, {name: result[name] for name in IMAGES}, result["accuracy"],
                           [marks["imported"] - start, marks["features"] - marks["imported"], training, end - marks["trained"]])


def promises(table):
    """Whether cold and warm are as much faster as they have to be, one line each."""
    medians = {row["name"]: row["median"] for row in table["contestants"]}
    labels = {row["name"]: row["label"] for row in table["contestants"]}
    for ours, peer, least in PROMISES:
        if ours in medians and peer in medians:
            times = medians[peer] / medians[ours]
            yield (f"{ours}: {compare.number(times)} times as fast as {labels[peer]}; at least {least}: "
                   f"{'met' if times >= least else 'NOT MET'}")
        else:
            yield f"{ours} at least {least} times as fast as {peer}: not measured"


def measure(options):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        factories = {kind: functools.partial(Headstart, kind, folder, options.threads) for kind in ("cold", "warm")}
        factories |= {peer: functools.partial(Peer, peer, folder, options.threads) for peer in Peer.LABELS}
        with compare.Contest(factories) as contest:
            contest.take_turns(options.rounds)
            table = contest.table("whole", "The whole run, 393 images to a saved classifier", "seconds", notes=[
                "Columns by phase and accuracy are those of the last round; the script's accuracy is that after its one epoch."])
    table["notes"] += promises(table)
    return [table]


if __name__ == "__main__":
    sys.exit(compare.main(sys.modules[__name__]))
