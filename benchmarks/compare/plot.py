"""benchmarks/compare/plot.py: one picture of all tables: a bar for each contestant's median against headstart's, by gnuplot.

The scale is logarithmic, so bars have no zero to start from: they start at the left edge, and headstart's end at 1.
"""

import shutil
import subprocess

import compare

LEFT, RIGHT, TOP, BOTTOM, LINE = 300, 120, 76, 42, 21  # pixels; LINE: height of a bar and its gap
WIDTH, HEADING = 960, 1.6  # HEADING: lines that a heading takes
OURS, OURS_TOO, PEER, INK, FAINT = "#12805c", "#8fc7b0", "#a9b4c2", "#1f2933", "#d9dee5"
FONT = "Arial"  # gnuplot takes one family; the picture names more
FAMILIES = "Helvetica, Arial, 'DejaVu Sans', sans-serif"


def _text(text):
    """For gnuplot, between double quotes and with nothing enhanced."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _bars(result):
    """(kind, text, ratio, what stands beside the bar) from top to bottom; kind None: a heading."""
    for table in result["tables"]:
        rows = [(row, compare.ratio(table, row)) for row in table["contestants"]]
        if not rows or rows[0][1] is None:
            continue
        yield None, f"{table['title']}, {table['unit']}", None, None
        for row, times in rows:
            ours = row["label"].startswith("headstart")
            kind = OURS if row["name"] == table["baseline"] else OURS_TOO if ours else PEER
            beside = compare.number(row["median"])
            if row["name"] != table["baseline"]:
                beside += f"  ({compare.number(times)} x)"
            yield kind, row["label"].removesuffix(f", TensorFlow {row['label'].rpartition(' ')[2]}"), times, beside


def script(result):
    """The gnuplot script, or None where there is nothing to draw."""
    bars = list(_bars(result))
    if not bars:
        return None
    ratios = [times for _, _, times, _ in bars if times]
    low, high = min(0.5, 0.6 * min(ratios)), 1.2 * max(ratios)
    places, y = [], 0.0  # of the bars' and headings' middles, in lines
    for kind, *_ in bars:
        step = 1 if kind else HEADING
        places.append(y - step + 0.5)
        y -= step
    height = TOP + BOTTOM + round(LINE * -y) + LINE // 2
    context = result["context"]
    lines = [
        f"set terminal svg noenhanced size {WIDTH},{height} font '{FONT},13' background '#ffffff'",
        "set logscale x",
        f"set xrange [{low}:{high}]",
        f"set yrange [{y - 0.5}:0]",
        f"set lmargin at screen {LEFT / WIDTH}", f"set rmargin at screen {1 - RIGHT / WIDTH}",
        f"set tmargin at screen {1 - TOP / height}", f"set bmargin at screen {BOTTOM / height}",
        "unset key", "unset ytics", f"set border 1 linecolor rgb '{FAINT}'",
        f"set xtics scale 0 nomirror textcolor rgb '{INK}' format '%g x'",
        f"set grid xtics linetype 1 linewidth 1 linecolor rgb '{FAINT}'",
        f"set arrow from 1,graph 0 to 1,graph 1 nohead linewidth 1.5 linecolor rgb '{OURS}' front",
        f'set label "Time against headstart, shorter is better (logarithmic)" at screen 0.5,{1 - 26 / height} center '
        f"textcolor rgb '{INK}' font '{FONT}:Bold,17'",
        f'set label "{_text(context["machine"])}; {context["threads"]} threads; {context["date"]}" at screen 0.5,'
        f"{1 - 50 / height} center textcolor rgb '{INK}' font '{FONT},12'",
        "set style fill solid 1 noborder"]
    data = []
    for y, (kind, text, times, beside) in zip(places, bars):
        if kind is None:
            lines.append(f'set label "{_text(text)}" at screen {16 / WIDTH},first {y} left textcolor rgb \'{INK}\' '
                         f"font '{FONT}:Bold,13' front")
            continue
        lines.append(f'set label "{_text(text)}" at screen {(LEFT - 10) / WIDTH},first {y} right textcolor rgb \'{INK}\'')
        lines.append(f'set label "{_text(beside)}" at {times},{y} left offset 0.7,0 textcolor rgb \'{INK}\' front')
        data.append(f"{times} {y} {low} {times} {y - 0.36} {y + 0.36} 0x{kind[1:]}")
    return "\n".join([*lines, "$bars << END", *data, "END",
                      "plot $bars using 1:2:3:4:5:6:7 with boxxyerror linecolor rgb variable", ""])


def draw(result, path):
    """Writes `path` as SVG; False, with a line that says why, where it can't."""
    if not shutil.which("gnuplot"):
        print("plot: none: gnuplot is not installed: apt-get install gnuplot-nox")
        return False
    commands = script(result)
    if commands is None:
        print("plot: none: nothing was measured")
        return False
    done = subprocess.run(["gnuplot"], input=commands, capture_output=True, text=True, check=False)
    if done.returncode or not done.stdout.startswith("<?xml"):
        print(f"plot: none: gnuplot failed: {' '.join(done.stderr.split())[-300:]}")
        return False
    picture = done.stdout.replace(f'"{FONT}"', f'"{FAMILIES}"').replace(f'"{FONT}:Bold"', f'"{FAMILIES}" font-weight="bold"')
    path.write_text(picture, encoding="utf-8")
    return True
