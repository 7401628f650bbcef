#!/usr/bin/env python3
"""results.json to RESULTS.md and chart.svg: tables.py RESULTS FOLDER"""

import json
import sys
from pathlib import Path
from xml.sax.saxutils import escape

from timing import CALM

COLUMNS = (
    "| | stored MB | of it index | ratio | files | add all s | CPU s | MB/s | next 5 % s | one page ms | 1,000 pages s | all pages s | peak MB |\n"
    "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n"
)


def cell(timing, scale=1.0, digits=2):
    if not timing:
        return "–"
    mark = "†" if timing["other"] > CALM else ""
    once = "" if timing["runs"] > 1 else "¹"
    return f"{timing['wall'] * scale:.{digits}f}{once}{mark}"


def keeping(one):
    lines = [COLUMNS]
    for name, row in one["keep"].items():
        if row.get("failed"):
            lines.append(f"| {name} | failed: {escape(row['failed'].splitlines()[0][:200])} |\n")
            continue
        add = dict(row["all"])
        settle = row.get("settle")
        if settle:
            add["wall"] += settle["wall"]
            add["cpu"] += settle["cpu"]
            add["memory"] = max(add["memory"], settle["memory"])
        memory = max(row[key]["memory"] for key in ("all", "settle", "next", "one", "many", "everything") if key in row)
        cells = [
            f"{row['stored'] / 1e6:.2f}",
            f"{row['index'] / 1e6:.2f}" if row["index"] else "–",
            f"{one['bytes'] / row['stored']:.1f}",
            f"{row['files']:,}",
            cell(add),
            f"{add['cpu']:.2f}",
            f"{one['bytes'] / add['wall'] / 1e6:.0f}",
            cell(row.get("next")),
            cell(row["one"], 1000, 0 if row["one"]["wall"] > 0.1 else 1),
            cell(row["many"]),
            cell(row["everything"]),
            f"{memory / 1e6:.0f}",
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |\n")
    return "".join(lines)


def reading(one):
    lines = ["| reading pages, one core | MB a CPU second | pages a CPU second |\n|---|--:|--:|\n"]
    for name, row in one["read"].items():
        if "failed" in row:
            lines.append(f"| {name} | failed: {escape(row['failed'].splitlines()[0][:200])} | |\n")
        else:
            lines.append(f"| {name} | {row['bytes'] / row['seconds'] / 1e6:.1f} | {row['pages'] / row['seconds']:.0f} |\n")
    return "".join(lines)


def comparing(one):
    if not one["diff"]:
        return ""
    lines = [
        "\n| what changed between two versions, one core | ms a pair (median) | CPU ms a pair (mean) | pairs a CPU second "
        "| failed |\n|---|--:|--:|--:|--:|\n"
    ]
    for name, row in one["diff"].items():
        if "cpu" not in row:
            lines.append(f"| {name} | failed: {escape(row['failed'].splitlines()[0][:200])} | | | |\n")
        else:
            rate = 1 / row["cpu"] if row["cpu"] else float("inf")
            lines.append(
                f"| {name} | {row['wall'] * 1000:.1f} | {row['cpu'] * 1000:.1f} | {rate:.0f} "
                f"| {row['failures']} of {row['pairs']} |\n"
            )
    return "".join(lines)


def document(results):
    machine = results["machine"]
    parts = [
        "# pressmark beside what people use today\n\n",
        "Written by `benches/peers/run`; do not edit. Same work, same input, same run, input in the system's cache.\n\n",
        f"Machine: {machine['processor']}, {machine['cores']} cores, {machine['memory'] / 2**30:.0f} GiB. ",
        f"Medians of {results['options']['repeat']} runs; ¹ was done once",
        " (it takes longer than 30 s, or the run was `--quick`). ",
        f"† other processes used more than {CALM} cores meanwhile: a time to distrust.\n\n",
        "After every run all pages were restored and compared byte for byte; a peer that changed one is shown as failed. ",
        "Stored bytes are the files' sizes with all indexes; *of it index*: what can be deleted and made "
        "again. *add all* begins with an empty store and includes the second "
        "step where a row names one. *next 5 %*: the latest pages, into a store that holds the others. *one page*: a "
        f"process that starts, prints one page at random and ends. *peak MB*: the largest process of any step.\n\n",
    ]
    for one in results["sets"]:
        parts.append(
            f"## {one['name']}: {one['pages']:,} pages of {one['addresses']:,} addresses, {one['bytes'] / 1e6:.0f} MB\n\n"
        )
        if "together" in one:
            low, high = one["together"]
            parts.append(
                f"Two processes at once got {low:.2f} and {high:.2f} times as much done as one (before and after, the lower first); on two "
                "idle cores it is 2, and what uses both cores is measured too slow by what is missing.\n\n"
            )
        parts.append(keeping(one))
        parts.append("\n" + (reading(one) if "read" in one else ""))
        parts.append(comparing(one) if "diff" in one else "")
        parts.append("\n")
    parts.append("## What they do not do at all\n\n| | lacks | version measured |\n|---|---|---|\n")
    for name, lacks in results["lacks"].items():
        parts.append(f"| {name} | {lacks or '–'} | {results['versions'][name]} |\n")
    parts.append(
        "\npressmark parses every page, hashes every block and keeps an index of them while it adds; no other row does. "
        "restic encrypts, and cannot be told not to. `git` keeps one file an address, its n-th version in the n-th commit. "
        "web-monitoring-diff, trafilatura and readability run inside one Python process whose start is not counted; "
        "pressmark's diff is a process a pair, its start counted.\n"
    )
    return "".join(parts)


def chart(results):
    """Three panels a set: ratio (longer is better), adding and one page (shorter is better)."""
    panels = (
        ("raw bytes / stored bytes", lambda one, row: one["bytes"] / row["stored"], "{:.1f}"),
        ("add everything, s", lambda one, row: row["all"]["wall"] + row.get("settle", {"wall": 0})["wall"], "{:.1f} s"),
        ("one page, ms", lambda one, row: row["one"]["wall"] * 1000, "{:.0f} ms"),
    )
    bar, gap, names, width, margin = 15, 4, 150, 200, 60
    out, top = [], 10
    for one in results["sets"]:
        rows = [(name, row) for name, row in one["keep"].items() if not row.get("failed")]
        if not rows:
            continue
        out.append(f'<text x="8" y="{top + 14}" class="h">{escape(one["name"])}, {one["bytes"] / 1e6:.0f} MB</text>')
        top += 24
        for number, (label, value, spelled) in enumerate(panels):
            left = names + number * (width + margin)
            out.append(f'<text x="{left}" y="{top + 10}" class="s">{label}</text>')
            longest = max(value(one, row) for _, row in rows)
            for line, (name, row) in enumerate(rows):
                y = top + 18 + line * (bar + gap)
                if number == 0:
                    out.append(f'<text x="{names - 6}" y="{y + 11}" class="n">{escape(name)}</text>')
                length = max(1.0, value(one, row) / longest * width)
                ours = "o" if name.startswith("pressmark") else "p"
                out.append(f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{bar}" class="{ours}"/>')
                out.append(f'<text x="{left + length + 4:.1f}" y="{y + 11}" class="v">{spelled.format(value(one, row))}</text>')
        top += 18 + len(rows) * (bar + gap) + 22
    style = (
        "text{font:11px sans-serif;fill:#333}.h{font-weight:bold;font-size:13px}.s{fill:#666}.n{text-anchor:end}"
        ".o{fill:#c2410c}.p{fill:#94a3b8}"
    )
    total = names + 3 * (width + margin)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="{top}" viewBox="0 0 {total} {top}">'
        f'<style>{style}</style><rect width="100%" height="100%" fill="#fff"/>' + "".join(out) + "</svg>\n"
    )


def main():
    results = json.loads(Path(sys.argv[1]).read_text())
    folder = Path(sys.argv[2])
    (folder / "RESULTS.md").write_text(document(results), encoding="utf-8")
    (folder / "chart.svg").write_text(chart(results), encoding="utf-8")
    print(folder / "RESULTS.md")


if __name__ == "__main__":
    main()
