"""plots.py RESULTS DIRECTORY: the plots of docs/, from figures that "make bench RESULTS=..." has kept: "make plots".

Of figures with the same name the last line counts.  The same figures give the same files, whatever day it is.
"""
import csv
import re
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({
    "svg.hashsalt": "openinfo", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 10,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": "#dddddd",
})
from matplotlib import pyplot  # noqa: E402  (after the choice of what draws)

# as bench/run.sh writes them
COLUMNS = ("date", "server", "machine", "scale", "table", "figure", "below", "measured", "floor")
OURS, FLOOR, PEER = "#1f5f99", "#555555", "#c44e1b"


class Figures:
    """Lines of the file: by the title of the table, the figure, and what stands below it."""

    def __init__(self, path):
        with open(path, encoding="utf-8", newline="") as lines:
            figures = (line for line in lines if not line.startswith("#"))
            self.rows = list(csv.DictReader(figures, COLUMNS, delimiter="\t", quoting=csv.QUOTE_NONE))

    def series(self, table, figure, below="", column="measured"):
        """Points (n, value): n is the number that the pattern of the table's title finds."""
        points = {}
        for row in self.rows:
            found = re.search(table, row["table"])
            if found and re.fullmatch(figure, row["figure"]) and row["below"] == below and row[column] != "-":
                points[int(found.group(1).replace(",", ""))] = (float(row[column]), row)
        return [(n, value) for n, (value, _) in sorted(points.items())]

    def caption(self, table):
        used = {(row["server"], row["machine"], row["date"]) for row in self.rows if re.search(table, row["table"])}
        return "; ".join(f"{server}, {machine}, {date}" for server, machine, date in sorted(used))


def write(path, figure, axes, title, caption):
    axes.set_title(title, loc="left", fontsize=11)
    axes.legend(frameon=False, fontsize=8 if len(axes.lines) > 5 else 9, ncols=2 if len(axes.lines) > 5 else 1)
    figure.text(0.01, 0.01, caption, fontsize=7, color="#666666")
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    figure.savefig(path, metadata={"Date": None, "Creator": None}, facecolor="white")
    pyplot.close(figure)


def curves(path, title, x, caption, lines, rate=""):
    """Time by size, on logarithmic scales; with a rate, that is drawn instead, from 0 and at each n."""
    figure, axes = pyplot.subplots(figsize=(7.2, 4.2))
    for points, label, color, style in lines:
        if not points:
            sys.exit(f"{path}: no figures for \"{label}\"")
        axes.plot([n for n, _ in points], [value for _, value in points], style, color=color, label=label, markersize=4)
    axes.set(xscale="log", yscale="linear" if rate else "log", xlabel=x, ylabel=rate or "microseconds")
    for axis in axes.xaxis, axes.yaxis:
        axis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda n, _: f"{n:,g}" if n < 1e6 else f"{n / 1e6:,g} million"))
    if rate:
        axes.set_xticks([n for n, _ in lines[0][0]])
        axes.minorticks_off()
        axes.set_ylim(0, 1.7 * max(value for points, *_ in lines for _, value in points))
    write(path, figure, axes, title, caption)


def main(results, directory):
    figures = Figures(results)

    table = r"^Topics: keystrokes among (\d+) topics"
    usual = r"websearch_to_tsquery \+ ts_rank, "
    curves(f"{directory}/plot_search.svg", "Time of the search for one keystroke (the best of four calls)", "topics", figures.caption(table), [
        (figures.series(table, usual + "p99"), "websearch_to_tsquery() and ts_rank(), p99", PEER, "o--"),
        (figures.series(table, usual + "p50"), "websearch_to_tsquery() and ts_rank(), p50", PEER, "o-"),
        (figures.series(table, "best of four calls, p99"), "search_topics(), p99", OURS, "o--"),
        (figures.series(table, "best of four calls, p50"), "search_topics(), p50", OURS, "o-"),
        (figures.series(table, "20 rows by id: the floor"), "floor: 20 rows by id", FLOOR, "o:"),
    ])

    table = r"^Isolation: (\d+) workspaces of 1,000 leads, as a member of one; in the executor alone"
    latest = "the latest 20 leads of the workspace"
    curves(f"{directory}/plot_isolation.svg", "The latest 20 leads of a workspace of 1,000 leads, in the executor", "workspaces",
           figures.caption(table), [
             (figures.series(table, latest, "with the classic policy"), "policy with IN (SELECT ...) and PL/pgSQL", PEER, "o-"),
             (figures.series(table, latest), "openinfo's policy", OURS, "o-"),
             (figures.series(table, latest, column="floor"), "floor: without row-level security, workspace in WHERE",
              FLOOR, "o:"),
         ])

    table = r"^record_credit_usage\(\): (\d+) clients?, synchronous_commit on"
    ways = [("record_credit_usage()", OURS, "", "measured"), ("floor: bare statements", FLOOR, "", "floor"),
            ("PL/pgSQL, FOR UPDATE", PEER, "PL/pgSQL with FOR UPDATE", "measured")]
    curves(f"{directory}/plot_credits.svg", "Spends of credits, committed to disk", "clients", figures.caption(table), [
        ([(n, 1e6 / us) for n, us in figures.series(table, users, below, column)], f"{label}, {text}", color, style)
        for users, text, style in (("1000 users", "1,000 users", "o-"), ("one hot user", "one user", "o--"))
        for label, color, below, column in ways], rate="spends per second")


main(*sys.argv[1:])
