#!/usr/bin/env python3
"""benchmarks/scale.py [--sizes N,...] [--out FOLDER]: how stage two grows with the rows.

Makes features files of 512 pooled columns and ten classes, and runs on each: train with a linear head, train with 1,024
hidden units, sweep with its defaults, and inspect. The report is the part of the first that writes the results. predict runs
on as many images of 32 x 32 pixels whose rows are cached, up to 20,000: what it does besides the network. Prints a Markdown
table of elapsed seconds, processor seconds and memory of the whole process, and how time grows between neighbouring sizes
(the exponent of the number of rows). Leaves the numbers as scale.json and a plot as scale.svg (where gnuplot is) in FOLDER.
Every run of train and sweep is checked: its validation accuracy has to be above twice that of chance, which is 0.1: 400 rows
teach little. Needs the release build, and h5py: $(scripts/python-env benchmarks/compare) is such a Python. What it gave:
docs/scale.md.
"""

import argparse
import json
import math
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROGRAM = ROOT / "build" / "release" / "bin" / "headstart"
SIZES = [500, 2_000, 8_000, 20_000, 70_000, 1_000_000]
MOST_IMAGES = 20_000  # of predict: each has to go through the network once
REPORT = "write the results"  # a pass in the table of --verbose
COMMANDS = {
    "train, linear": ["train", "--hidden", "0", "--verbose"],
    "train, 1,024 hidden": ["train"],
    "sweep": ["sweep"],
    "inspect": ["inspect"],
}
COLUMNS = [*COMMANDS, "report", "predict"]


def run(arguments, log):
    """Elapsed seconds, processor seconds and the largest memory in MB of one process."""
    start = time.perf_counter()
    with open(log, "w", encoding="utf-8") as out:
        process = subprocess.Popen([str(part) for part in [PROGRAM, *arguments]], stdout=out, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    elapsed = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(f"scale: error: headstart {arguments[0]} failed: {log.read_text(encoding='utf-8')[-300:]}")
    return {"seconds": elapsed, "cpu": usage.ru_utime + usage.ru_stime, "megabytes": usage.ru_maxrss / 1024}


def check(out):
    accuracy = json.loads((out / "metrics.json").read_text(encoding="utf-8"))["validation"]["accuracy"]
    if accuracy < 0.2:
        raise SystemExit(f"scale: error: validation accuracy is {accuracy}: not a measurement")
    return accuracy


def report_of(log):
    """The seconds of the report, as --verbose tells them: elapsed only."""
    return float(re.search(rf"^{REPORT} +([0-9.]+)", log.read_text(encoding="utf-8"), re.MULTILINE)[1])


def write_images(folder, count):
    """Images of 32 x 32 pixels in ten classes, each of another colour: a header of BMP and as many equal pixels."""
    side = 32
    header = struct.pack("<2sIHHIIiiHHIIiiII", b"BM", 54 + 3 * side * side, 0, 0, 54, 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0)
    for number in range(count):
        of_class = folder / f"class{number % 10}"
        of_class.mkdir(parents=True, exist_ok=True)
        colour = (25 * (number % 10) << 16 | number).to_bytes(3, "big")
        (of_class / f"{number}.bmp").write_bytes(header + colour * side * side)


def measure_predict(rows, folder):
    images, cache, out = folder / "images", folder / "cache", folder / "out"
    write_images(images, rows)
    run(["train", images, "-o", out, "--cache", cache, "--input-size", "32", "--pooling", "avg", "--hidden", "0"], folder / "log")
    found = run(["predict", out / "model.h5", images, "--cache", cache, "-o", folder / "answers.csv"], folder / "log")
    answers = (folder / "answers.csv").read_text(encoding="utf-8").count("\n")
    if answers != rows + 1:
        raise SystemExit(f"scale: error: predict gave {answers} lines for {rows} images: not a measurement")
    for made in images, cache, out:
        shutil.rmtree(made)
    return {"rows": rows, "command": "predict", **found}


def measure(sizes, folder):
    results = []
    for rows in sizes:
        file = folder / f"rows{rows}.h5"
        subprocess.run([sys.executable, ROOT / "benchmarks" / "compare" / "pooled_peers.py", "make", PROGRAM, file, str(rows)],
                       check=True)
        for name, command in COMMANDS.items():
            out = folder / "out"
            target = [] if command[0] == "inspect" else ["-o", out]
            found = run([*command, "--features", file, *target], folder / "log")
            if target:
                found["accuracy"] = check(out)
                shutil.rmtree(out)
            if "--verbose" in command:
                seconds = report_of(folder / "log")
                results.append({"rows": rows, "command": "report", "seconds": seconds, "cpu": None, "megabytes": None})
            results.append({"rows": rows, "command": name, **found})
            print(f"{rows} rows, {name}: {found['seconds']:.2f} s", file=sys.stderr, flush=True)
        file.unlink()
        if rows <= MOST_IMAGES:
            results.append(measure_predict(rows, folder))
            print(f"{rows} rows, predict: {results[-1]['seconds']:.2f} s", file=sys.stderr, flush=True)
    return results


def number(value):
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def cell_of(results, rows, name):
    found = [result for result in results if result["rows"] == rows and result["command"] == name]
    if not found:
        return ""
    if found[0]["cpu"] is None:
        return f"{number(found[0]['seconds'])} s"
    return f"{number(found[0]['seconds'])} ({number(found[0]['cpu'])}) s, {found[0]['megabytes']:.0f} MB"


def table(results):
    """A Markdown table: a line for each size, elapsed (processor) seconds and MB of each command."""
    lines = ["| rows | " + " | ".join(COLUMNS) + " |", "|---:|" + "---:|" * len(COLUMNS)]
    for rows in dict.fromkeys(result["rows"] for result in results):
        lines.append(f"| {rows:,} | " + " | ".join(cell_of(results, rows, name) for name in COLUMNS) + " |")
    return "\n".join(lines)


def exponents(results):
    """How elapsed time grows from each size to the next."""
    lines = []
    for name in COLUMNS:
        own = [result for result in results if result["command"] == name]
        growth = [f"{math.log(b['seconds'] / a['seconds']) / math.log(b['rows'] / a['rows']):.2f}"
                  for a, b in zip(own, own[1:])]
        lines.append(f"{name}: {', '.join(growth)}")
    return "\n".join(lines)


def plot(results, file):
    if not shutil.which("gnuplot"):
        return
    blocks = ["".join(f"{result['rows']} {result['seconds']:.3f}\n" for result in results if result["command"] == name)
              for name in COLUMNS]
    script = ("set terminal svg size 720,420 font 'Arial,13' background '#ffffff'\nset logscale xy\nset key left top\n"
              "set xlabel 'rows of 512 features'\nset ylabel 'seconds'\nset format x '10^{%L}'\nset grid\n"
              f"set output '{file}'\nplot " +
              ", ".join(f"'-' using 1:2 with linespoints pointtype 7 title '{name}'" for name in COLUMNS) + "\n" +
              "e\n".join(blocks) + "e\n")
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def main():
    parser = argparse.ArgumentParser(description=" ".join(__doc__.split("\n\n")[0].split()))
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="rows, with commas between")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build" / "scale", help="for scale.json and scale.svg")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        results = measure([int(size) for size in options.sizes.split(",")], pathlib.Path(folder))
    (options.out / "scale.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    plot(results, options.out / "scale.svg")
    print(table(results))
    print()
    print(exponents(results))


if __name__ == "__main__":
    main()
