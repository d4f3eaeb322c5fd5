"""benchmarks/compare/compare.py: what every comparison shares: where it ran, rounds in turn, one table, JSON.

Contestants take turns, round after round, so that a noisy neighbour or a warm CPU meets all alike; the table shows the
fastest and the median run.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = ROOT / "build" / "release" / "bin"
PAUSE_SECONDS = 0.3  # between turns: OpenMP threads of the last one spin for a while before they sleep


def arguments(description, rounds):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--rounds", type=int, default=rounds, help="turns of every contestant")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count()), help="threads of every contestant")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write every number here, too")
    return parser


def use_cpus(threads):
    """Keeps this process and its children on `threads` CPUs: some contestants take what they may use."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def program(name):
    """A built program's path."""
    path = BIN / name
    if not path.exists():
        raise SystemExit(f"compare: error: not built: {path}: run: cmake --preset release && cmake --build --preset release")
    return path


def _output(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def _cpu():
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _instructions():
    flags = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    return next((name for flag, name in (("avx512f", "AVX-512"), ("avx2", "AVX2")) if f" {flag} " in flags), "")


def context(threads):
    """Where and when: printed above every table."""
    changed = " with uncommitted changes" if _output("git", "status", "--porcelain", "--untracked-files=no") else ""
    return {
        "machine": f"{_cpu()} {_instructions()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        "threads": threads,
        "load": f"{os.getloadavg()[0]:.2f} at the start",
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _output("git", "rev-parse", "--short=12", "HEAD") + changed,
    }


def take_turns(contestants, rounds):
    """contestants: name -> function that takes one turn and returns its [seconds]. Returns name -> [seconds], all turns."""
    times = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, turn in contestants.items():
            time.sleep(PAUSE_SECONDS)
            times[name].extend(turn())
    return times


def summary(values):
    return {"min": min(values), "median": statistics.median(values), "values": values}


def print_table(title, header, rows):
    """The first column left, the others right."""
    cells = [header, *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    print(f"\n{title}")
    for row in cells:
        print("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(row, widths))).rstrip())


def publish(result, path):
    """Prints the context and, where asked for, writes everything as JSON."""
    print()
    for key, value in result["context"].items():
        print(f"{key:8} {value}")
    if path:
        path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        print(f"json     {path}")
