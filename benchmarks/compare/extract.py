"""benchmarks/compare/extract.py: all of stage one on samples/openclipart10, headstart against Keras, JPEG decoding included.

    benchmarks/compare/extract [--rounds N] [--threads N] [--json FILE]

headstart is timed as a person would with a watch: the whole process, start-up, weights, decoding, network and writing the
cache, which is empty each time. Keras is timed from the first file to the last row; starting it is not counted.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import compare
from worker import Worker


class Headstart:
    def __init__(self, folder, threads):
        self.cache = folder / "cache"
        binary = str(compare.program("headstart"))
        self.command = [binary, "extract", str(compare.ROOT / "samples" / "openclipart10"), "--cache", str(self.cache),
                        "--threads", str(threads), "--quiet"]
        version = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True)
        self.label = version.stdout.strip()
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
        answer = self.worker.ask(prepare={})
        self.label, self.images = answer["version"], answer["images"]

    def turn(self):
        return self.worker.ask(run=1)["seconds"]


def main():
    options = compare.arguments(__doc__.split("\n", maxsplit=1)[0], rounds=3).parse_args()
    compare.use_cpus(options.threads)
    context = compare.context(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        headstart = Headstart(pathlib.Path(folder), options.threads)
        keras = Keras(options.threads)
        times = compare.take_turns({"headstart": headstart.turn, "keras": keras.turn}, options.rounds)
    rows = [{"name": name, "label": contestant.label, **compare.summary(times[name])}
            for name, contestant in (("headstart", headstart), ("keras", keras))]
    ours = rows[0]["median"]
    compare.print_table(
        f"{keras.images} JPEG files to cached block5_pool, {options.threads} threads",
        ["", "seconds, min", "median", "images/s", "against headstart"],
        [[row["label"], f"{row['min']:.2f}", f"{row['median']:.2f}", f"{keras.images / row['median']:.1f}",
          f"{row['median'] / ours:.2f}"] for row in rows])
    print(f"Peak memory of headstart: {headstart.peak_bytes / 2**20:.0f} MiB")
    compare.publish({"context": context, "unit": "seconds", "images": keras.images, "contestants": rows,
                     "headstart_peak_bytes": headstart.peak_bytes}, options.json)


if __name__ == "__main__":
    main()
