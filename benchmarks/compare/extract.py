"""benchmarks/compare/extract.py: all of stage one on samples/openclipart10, headstart against Keras, JPEG decoding included.

    benchmarks/compare/extract [--rounds N] [--threads N] [--json FILE]

headstart is timed as a person would with a watch: the whole process, start-up, weights, decoding, network and writing the
cache, which is empty each time. Keras is timed from the first file to the last row; starting it is not counted.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import compare
from worker import Worker

ROUNDS, QUICK = 3, ["--rounds", "1"]


class Headstart:
    def __init__(self, folder, threads):
        self.cache = folder / "cache"
        self.command = [str(part) for part in (compare.program("headstart"), "extract", compare.SAMPLES, "--cache", self.cache,
                                               "--threads", threads, "--quiet")]
        self.label = compare.headstart("--version").strip()
        self.peak_bytes = 0

    def turn(self):
        shutil.rmtree(self.cache, ignore_errors=True)
        with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
            start = time.perf_counter()
            process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=log)
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode or not list(self.cache.rglob("segment-*.h5")):
                log.seek(0)
                raise SystemExit(f"extract: error: headstart extract failed: {log.read().strip()[-300:]}")
        self.peak_bytes = max(self.peak_bytes, usage.ru_maxrss * 1024)
        return [seconds]


class Keras:
    def __init__(self, threads):
        self.worker = Worker("extract_peers.py", "keras", threads)
        self.label = self.worker.ask(prepare={})["version"]

    def turn(self):
        return self.worker.ask(run=1)["seconds"]

    def close(self):
        self.worker.close()


def measure(options):
    with tempfile.TemporaryDirectory() as folder, compare.Contest(
            {"headstart": lambda: Headstart(pathlib.Path(folder), options.threads),
             "keras": lambda: Keras(options.threads)}) as contest:
        contest.take_turns(options.rounds)
        images = len(list(compare.SAMPLES.rglob("*.jpg")))
        peak_bytes = contest.contestants["headstart"].peak_bytes
        table = contest.table("extract", f"{images} JPEG files to cached block5_pool", "seconds",
                              notes=[f"Peak memory of headstart: {peak_bytes / 2**20:.0f} MiB"])
    for row in table["contestants"]:
        row["columns"] = {"images/s": f"{images / row['median']:.1f}"}
    table["headstart_peak_bytes"] = peak_bytes
    return [table]


if __name__ == "__main__":
    sys.exit(compare.main(sys.modules[__name__]))
