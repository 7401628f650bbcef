#!/usr/bin/env python3
"""What pressmark costs in an archive that grows to a million small snapshots.

    growth.py PRESSMARK DIR [SNAPSHOTS...]      default: 10000 100000 300000 1000000

Makes 50,000 articles of 50 sites, 20 versions each, a page of about 780 bytes with 8 blocks, in the order in which
a crawl delivers them (all first versions, then all second ones), and adds them as NDJSON in steps. After each step:
the step's processor time and memory, the archive's size, and the wall time of commands as whole processes (median
of 5). DIR is emptied; a million snapshots take some minutes and 600 MB there.
"""

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

ARTICLES = 50_000
SITES = 50
PARAGRAPHS = 5
WORDS = (
    "the harbour town council ferry island votes people crates fog morning price of fish rises again after storm week "
    "school bridge opens later than planned 시의회 항구 배편 주민 안개 가격 학교 다리"
).split()


def paragraph(article, place, version):
    dice = random.Random(article * 1_000_003 + place * 101 + version)
    return " ".join(dice.choice(WORDS) for _ in range(18))


def page(article, version):
    """Version n has changed paragraph n modulo their number."""
    last = [max((v for v in range(version + 1) if v % PARAGRAPHS == p), default=0) for p in range(PARAGRAPHS)]
    body = "".join(f"<p>{paragraph(article, place, changed)}</p>" for place, changed in enumerate(last))
    return (
        f"<!doctype html><html><head><title>Report {article}</title></head><body><nav><a href=/>home</a></nav>"
        f"<article><h1>Report {article}</h1>{body}</article><footer>Harbour Post</footer></body></html>"
    )


def line(number):
    version, article = divmod(number, ARTICLES)
    moment = f"2025-{1 + version // 2 % 12:02}-{1 + article % 28:02}T{version % 24:02}:00:00Z"
    address = f"https://news{article % SITES}.example/report/{article}"
    return json.dumps({"url": address, "fetched_at": moment, "html": page(article, version)}, ensure_ascii=False) + "\n"


def run(command, lines=()):
    """Wall and processor seconds, and the largest resident set in MB."""
    before = time.perf_counter()
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, encoding="utf-8")
    for each in lines:
        child.stdin.write(each)
    child.stdin.close()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 1):
        sys.exit(f"{command} ended with {child.returncode}")
    return time.perf_counter() - before, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000


def main():
    program, folder = sys.argv[1], Path(sys.argv[2])
    steps = [int(number) for number in sys.argv[3:]] or [10_000, 100_000, 300_000, 1_000_000]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    archive = folder / "grown.pressmark"
    pressmark = [program, "-A", str(archive)]
    known = "https://news7.example/report/7"
    one = folder / "one.ndjson"
    one.write_text(line(7), encoding="utf-8")
    commands = {"log": ["log", known], "cat": ["cat", f"{known}@1"], "add known": ["add", "--json", str(one)], "stats": ["stats"]}
    print("snapshots | add ms CPU a page | add MB | packs MB | catalog MB | " + " | ".join(f"{name} ms" for name in commands))
    done = 0
    for number in steps:
        _, cpu, memory = run([*pressmark, "add", "--json", "-"], map(line, range(done, number)))
        packs = sum(path.stat().st_size for path in archive.glob("packs/*/*"))
        catalog = sum(path.stat().st_size for path in archive.glob("catalog*"))
        row = [number, f"{cpu / (number - done) * 1000:.2f}", f"{memory:.0f}", f"{packs / 1e6:.1f}", f"{catalog / 1e6:.1f}"]
        for command in commands.values():
            row.append(f"{statistics.median(run([*pressmark, *command])[0] for _ in range(5)) * 1000:.0f}")
        print(" | ".join(map(str, row)), flush=True)
        done = number


if __name__ == "__main__":
    main()
