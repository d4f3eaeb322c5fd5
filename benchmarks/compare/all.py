"""benchmarks/compare/all.py: every comparison, every peer that is installed, in one table and one plot.

    benchmarks/compare/all [--quick] [--only NAME,...] [--threads N] [--out FOLDER] [--page]
    benchmarks/compare/all --from FILE.json [--out FOLDER] [--page]

Writes all.json (every number), all.md and performance.svg (by gnuplot) into FOLDER. --page also puts table and plot into
docs/performance.md, between its two marks. --from draws again what an earlier all.json holds, and measures nothing. A peer
that is not installed is a line that says so; the exit code is 1 if a contestant that is there was wrong or failed.
"""

import argparse
import importlib
import json
import os
import pathlib
import sys

import compare
import plot

COMPARISONS = ["whole", "extract", "forward", "head", "finetune"]
PAGE = compare.ROOT / "docs" / "performance.md"
PAGE_PLOT = compare.ROOT / "docs" / "images" / "performance.svg"
BUSY = 0.5  # the load at the start above which a page warns of its own figures
BEGIN, END = "<!-- benchmarks/compare/all writes from here -->", "<!-- to here -->"


def measure(names, quick, threads):
    """Yields the tables of each comparison; one that ends without any is a table that says why."""
    for name in names:
        module = importlib.import_module(name)
        arguments = [*(module.QUICK if quick else []), "--threads", str(threads)]
        print(f"== benchmarks/compare/{name} {' '.join(arguments)}", file=sys.stderr, flush=True)
        try:
            made = module.measure(compare.parse(module, arguments))
        except (SystemExit, Exception) as error:  # whatever it is, the others' numbers are not lost to it
            made = [{"key": name, "title": f"benchmarks/compare/{name}", "unit": "", "baseline": "", "contestants": [],
                     "missing": {}, "failed": {name: f"{error}"}, "notes": []}]
        for table in made:
            compare.show(table)
            table["command"] = f"benchmarks/compare/{name} {' '.join(arguments)}"
        yield made


def _markdown_table(header, rows):
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _fastest(table, family):
    """`12.3 (4.5 x)` of the fastest row whose label `family` accepts."""
    rows = sorted((row for row in table["contestants"] if family(row["label"])), key=lambda row: row["median"])
    if not rows:
        return ""
    times = compare.ratio(table, rows[0])
    return compare.number(rows[0]["median"]) + (f" ({compare.number(times)} x)" if times else "")


def overview(tables):
    """One line a comparison: headstart as it comes, and the fastest of each family of peers."""
    known = ("headstart", "Keras", "PyTorch")
    rows = []
    for table in tables:
        ours = next((row["median"] for row in table["contestants"] if row["name"] == table["baseline"]), None)
        rows.append([f"{table['title']}, {table['unit']}", f"**{compare.number(ours)}**" if ours else "",
                     *[_fastest(table, lambda label, peer=peer: label.startswith(peer)) for peer in known[1:]],
                     _fastest(table, lambda label: not label.startswith(known))])
    return _markdown_table(["", "headstart", "Keras", "PyTorch", "fastest other"], rows)


def markdown(result, picture, command):
    """The overview, the plot, and every table with its remarks."""
    context = result["context"]
    parts = [f"{context['machine']}; {context['threads']} threads each; {context['date']}; commit {context['commit']}; load "
             f"{context['load']}. Medians; in brackets how many times headstart's. `{command}`.\n",
             overview(result["tables"])]
    if float(context["load"].split()[0]) > BUSY:
        parts.insert(1, "**The machine was busy with something else.** Times are upper bounds, and ratios are not to be relied on.\n")
    if picture:
        parts.append(f"![Bars of each contestant's time against headstart's, on a logarithmic scale]({picture})\n")
    for table in result["tables"]:
        header, rows = compare.cells(table)
        unit = f", {table['unit']}" if table["unit"] else ""
        parts.append(f"### {table['title']}{unit}\n\n`{table['command']}`\n" if "command" in table else f"### {table['title']}\n")
        if rows:
            parts.append(_markdown_table(header, rows))
        if remarks := compare.remarks(table):
            parts.append("".join(f"- {remark}\n" for remark in remarks))
    return "\n".join(parts)


def write_page(text, page):
    """Puts `text` between the page's marks; everything else there stays."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"all: error: no place for the table: {page}: it needs the lines '{BEGIN}' and '{END}'")
    page.write_text(f"{before}{begin}\n\n{text}\n{end}{after}", encoding="utf-8")


def names_of(text):
    names = text.split(",")
    for name in names:
        if name not in COMPARISONS:
            raise argparse.ArgumentTypeError(f"unknown comparison: {name}: pass some of {','.join(COMPARISONS)}")
    return names


def main():
    parser = argparse.ArgumentParser(description=" ".join(__doc__.split("\n\n", maxsplit=1)[0].split()),
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: to see that all works, or for a first impression")
    parser.add_argument("--only", type=names_of, default=COMPARISONS, metavar="NAME,...", help="some of the comparisons")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count()), help="threads of every contestant")
    parser.add_argument("--out", type=pathlib.Path, default=compare.ROOT / "build" / "compare", help="where the files go")
    parser.add_argument("--page", action="store_true", help="also write docs/performance.md's tables and plot")
    parser.add_argument("--from", dest="earlier", type=pathlib.Path, metavar="FILE", help="an earlier all.json to draw again")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.earlier:
        result = json.loads(options.earlier.read_text(encoding="utf-8"))
    else:
        compare.use_cpus(options.threads)
        command = " ".join(["benchmarks/compare/all", *sys.argv[1:]])
        result = {"command": command, "context": compare.context(options.threads), "tables": []}
        for tables in measure(options.only, options.quick, options.threads):
            result["tables"] += tables
            # After each: an hour that is cut short leaves what --from can draw.
            (options.out / "all.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    drawn = plot.draw(result, options.out / "performance.svg")
    text = markdown(result, "performance.svg" if drawn else None, result["command"])
    (options.out / "all.md").write_text(text, encoding="utf-8")
    compare.publish(result, options.out / "all.json")
    if options.page:
        if drawn:
            PAGE_PLOT.parent.mkdir(exist_ok=True)
            PAGE_PLOT.write_bytes((options.out / "performance.svg").read_bytes())
        write_page(markdown(result, "images/performance.svg" if PAGE_PLOT.exists() else None, result["command"]), PAGE)
        print(f"page     {PAGE}")
    return 1 if any(table["failed"] for table in result["tables"]) else 0


if __name__ == "__main__":
    sys.exit(main())
