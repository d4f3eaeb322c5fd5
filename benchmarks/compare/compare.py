"""benchmarks/compare/compare.py: what every comparison shares: where it ran, rounds in turn, one table, JSON.

Contestants take turns, round after round, so that a noisy neighbour or a warm CPU meets all alike; a table shows the
fastest and the median run. One that is not installed is a line below the table, one that is wrong also an exit code of 1.

A comparison is a module with measure(options), which returns tables (Contest.table() makes them), ROUNDS, QUICK (the
arguments of a short run) and, where it has options of its own, add_arguments(parser). main() below runs one alone,
all.py all of them.
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

from worker import NotInstalled

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = ROOT / "build" / "release" / "bin"
SAMPLES = ROOT / "samples" / "openclipart10"
PAUSE_SECONDS = 0.3  # between turns: OpenMP threads of the last one spin for a while before they sleep


def program(name):
    """A built program's path."""
    path = BIN / name
    if not path.exists():
        raise SystemExit(f"compare: error: not built: {path}: run: cmake --preset release && cmake --build --preset release")
    return path


def headstart(*arguments):
    """Runs headstart and returns what it prints."""
    done = subprocess.run([str(part) for part in [program("headstart"), *arguments]], capture_output=True, text=True,
                          check=False)
    if done.returncode:
        raise SystemExit(f"compare: error: headstart {arguments[0]} failed: {done.stderr.strip()[-300:]}")
    return done.stdout


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
    """Where and when: printed below every table."""
    changed = " with uncommitted changes" if _output("git", "status", "--porcelain", "--untracked-files=no") else ""
    return {
        "machine": f"{_cpu()} {_instructions()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        "threads": threads,
        "load": f"{os.getloadavg()[0]:.2f} at the start",
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _output("git", "rev-parse", "--short=12", "HEAD") + changed,
    }


def _close(contestant):
    if hasattr(contestant, "close"):
        contestant.close()


class Contest:
    """The contestants of one table: starts them, has them take turns, closes them.

    factories: name -> function that makes a contestant: label, turn() that returns its [seconds], and optionally close()
    and columns(), a dict of what else its row shows. The first one is what the others are held against.
    """

    def __init__(self, factories):
        self.baseline = next(iter(factories))
        self.contestants, self.missing, self.failed = {}, {}, {}
        for name, factory in factories.items():
            try:
                self.contestants[name] = factory()
            except NotInstalled as error:
                self.missing[name] = str(error)
            except RuntimeError as error:
                self.failed[name] = str(error)
        self.times = {name: [] for name in self.contestants}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for contestant in self.contestants.values():
            _close(contestant)

    def take_turns(self, rounds):
        """A contestant that fails in its turn is out; its earlier turns don't count."""
        for _ in range(rounds):
            for name, contestant in list(self.contestants.items()):
                time.sleep(PAUSE_SECONDS)
                try:
                    self.times[name].extend(contestant.turn())
                except RuntimeError as error:
                    self.failed[name] = str(error)
                    _close(self.contestants.pop(name))

    def table(self, key, title, unit, scale=1.0, notes=()):
        """The result as data: what JSON, terminal and page show. scale: how many units a second has."""
        rows = []
        for name, contestant in self.contestants.items():
            values = [scale * seconds for seconds in self.times[name]]
            rows.append({"name": name, "label": contestant.label, "min": min(values), "median": statistics.median(values),
                         "values": values, "columns": contestant.columns() if hasattr(contestant, "columns") else {}})
        return {"key": key, "title": title, "unit": unit, "baseline": self.baseline, "contestants": rows,
                "missing": self.missing, "failed": self.failed, "notes": list(notes)}


def number(value):
    """Three significant digits or all before the point."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def ratio(table, row):
    """Of a row's median to the baseline's; None without a baseline."""
    ours = next((other["median"] for other in table["contestants"] if other["name"] == table["baseline"]), None)
    return row["median"] / ours if ours else None


def cells(table):
    """The header and the rows of a table, as text."""
    extra = list(dict.fromkeys(header for row in table["contestants"] for header in row["columns"]))
    rows = []
    for row in table["contestants"]:
        times = ratio(table, row)
        rows.append([row["label"], number(row["min"]), number(row["median"]), number(times) if times else "",
                     *[row["columns"].get(header, "") for header in extra]])
    return ["", "min", "median", "against headstart", *extra], rows


def remarks(table):
    """What stands below a table: notes, and who is not in it and why."""
    return [*table["notes"],
            *[f"{name}: not installed: {reason}" for name, reason in table["missing"].items()],
            *[f"{name}: not timed: {reason}" for name, reason in table["failed"].items()]]


def show(table):
    """The first column left, the others right."""
    header, rows = cells(table)
    lines = [header, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    print(f"\n{table['title']}, {table['unit']}")
    for line in lines:
        print("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(line, widths))).rstrip())
    for remark in remarks(table):
        print(remark)


def publish(result, path):
    """Prints the context and, where asked for, writes everything as JSON."""
    print()
    for key, value in result["context"].items():
        print(f"{key:8} {value}")
    if path:
        path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        print(f"json     {path}")


def use_cpus(threads):
    """Keeps this process and its children on `threads` CPUs: some contestants take what they may use."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def parse(module, arguments=None):
    """The options of a comparison; its own are those of add_arguments()."""
    parser = argparse.ArgumentParser(description=" ".join(module.__doc__.split("\n\n", maxsplit=1)[0].split()),
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--rounds", type=int, default=module.ROUNDS, help="turns of every contestant")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count()), help="threads of every contestant")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write every number here, too")
    if hasattr(module, "add_arguments"):
        module.add_arguments(parser)
    return parser.parse_args(arguments)


def main(module):
    """One comparison alone. Returns the exit code."""
    options = parse(module)
    use_cpus(options.threads)
    result = {"context": context(options.threads), "tables": module.measure(options)}
    for table in result["tables"]:
        show(table)
    publish(result, options.json)
    return 1 if any(table["failed"] for table in result["tables"]) else 0
