#!/usr/bin/env python3
"""benchmarks/scale.py [--sizes N,...] [--out FOLDER]: how stage two grows with the rows.

Makes features files of 512 pooled columns and ten classes, and runs on each: train with a linear head, train with 1,024
hidden units, sweep with its defaults, and inspect. Prints a Markdown table of elapsed seconds, processor seconds and memory
of the whole process, and how time grows between neighbouring sizes (the exponent of the number of rows). Leaves the numbers
as scale.json and a plot as scale.svg (where gnuplot is) in FOLDER. Every run is checked: its validation accuracy has to be
above twice that of chance, which is 0.1: 400 rows teach little. Needs the release build, and h5py: $(scripts/python-env benchmarks/compare) is such a
Python. What it gave: docs/scale.md.
"""

import argparse
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROGRAM = ROOT / "build" / "release" / "bin" / "headstart"
SIZES = [500, 2_000, 8_000, 20_000, 70_000, 1_000_000]
COMMANDS = {
    "train, linear": ["train", "--hidden", "0"],
    "train, 1,024 hidden": ["train"],
    "sweep": ["sweep"],
    "inspect": ["inspect"],
}


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
            results.append({"rows": rows, "command": name, **found})
            print(f"{rows} rows, {name}: {found['seconds']:.2f} s", file=sys.stderr, flush=True)
        file.unlink()
    return results


def number(value):
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def table(results):
    """A Markdown table: a line for each size, elapsed (processor) seconds and MB of each command."""
    lines = ["| rows | " + " | ".join(COMMANDS) + " |", "|---:|" + "---:|" * len(COMMANDS)]
    for rows in dict.fromkeys(result["rows"] for result in results):
        cells = [next(result for result in results if result["rows"] == rows and result["command"] == name)
                 for name in COMMANDS]
        lines.append(f"| {rows:,} | " + " | ".join(
            f"{number(cell['seconds'])} ({number(cell['cpu'])}) s, {cell['megabytes']:.0f} MB" for cell in cells) + " |")
    return "\n".join(lines)


def exponents(results):
    """How processor time grows from each size to the next."""
    lines = []
    for name in COMMANDS:
        own = [result for result in results if result["command"] == name]
        growth = [f"{math.log(b['cpu'] / a['cpu']) / math.log(b['rows'] / a['rows']):.2f}" for a, b in zip(own, own[1:])]
        lines.append(f"{name}: {', '.join(growth)}")
    return "\n".join(lines)


def plot(results, file):
    if not shutil.which("gnuplot"):
        return
    blocks = ["".join(f"{result['rows']} {result['cpu']:.3f}\n" for result in results if result["command"] == name)
              for name in COMMANDS]
    script = ("set terminal svg size 720,420 font 'Arial,13' background '#ffffff'\nset logscale xy\nset key left top\n"
              "set xlabel 'rows of 512 features'\nset ylabel 'processor seconds'\nset format x '10^{%L}'\nset grid\n"
              f"set output '{file}'\nplot " +
              ", ".join(f"'-' using 1:2 with linespoints pointtype 7 title '{name}'" for name in COMMANDS) + "\n" +
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
