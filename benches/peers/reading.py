"""Peers as readers of pages: body text and blocks, and what changed between two pages."""

import json
import os
import random
import statistics
import sys
from pathlib import Path

from pages import copy, write_index
from peers import Pressmark
from timing import Failed, run

HERE = Path(__file__).resolve().parent
SAMPLE = 30_000_000  # bytes of pages to read
PAIRS = 200  # pairs of successive versions to compare
LONGEST = 20  # seconds after which a comparison of one pair counts as failed
ONE_CORE = ["taskset", "-c", "0"]
# What compares two HTML pages in Python: text, page with both marked, and two that mark one in the other.
COMPARERS = (
    ("web-monitoring-diff", "html_text_diff"),
    ("web-monitoring-diff", "html_diff_render"),
    ("lxml", "htmldiff"),
    ("htmldiff2", "render_html_diff"),
)


def texts(taken, folder, work, quick, repeat):
    """CPU seconds for a sample of pages on one core, by name."""
    wanted, size = [], 0
    for page in random.Random(1).sample(taken, len(taken)):
        if size > (SAMPLE / 10 if quick else SAMPLE):
            break
        wanted.append(page)
        size += page.bytes
    tree = work / "sample"
    copy(wanted, folder, tree)
    index = tree / "sample.ndjson"
    write_index(wanted, index)
    rows = {}

    def pressmark():
        return told(work, Pressmark.program, "hash", "--json", index).cpu

    timings = {"pressmark hash --json": pressmark}
    for name in ("trafilatura", "readability"):
        timings[name] = lambda name=name: in_python(work / "venv", "text", name, index)["seconds"]
    for name, measure in timings.items():
        print(f"  text: {name}", file=sys.stderr)
        try:
            times = repeat if measure is pressmark else 1
            seconds = statistics.median(measure() for _ in range(times))
            rows[name] = {"seconds": seconds, "bytes": size, "pages": len(wanted)}
        except (Failed, OSError, ValueError) as error:
            rows[name] = {"failed": str(error)}
    return rows


def diffs(taken, folder, work, quick):
    """Seconds a pair of versions on one core, by name: wall time (median) and CPU time (mean, for it
    is counted in ticks); empty if no address has two versions."""
    before, pairs = {}, []
    for page in taken:
        old = before.get(page.address)
        if old and old.sha256 != page.sha256:
            pairs.append((old, page))
        before[page.address] = page
    if not pairs:
        return {}
    pairs = random.Random(2).sample(pairs, min(10 if quick else PAIRS, len(pairs)))
    tree = work / "pairs"
    copy([page for pair in pairs for page in pair], folder, tree)
    listing = work / "pairs.json"
    listing.write_text(json.dumps([[str(tree / old.path), str(tree / new.path)] for old, new in pairs]))

    def processes(*command):
        runs = [told(work, *command, tree / old.path, tree / new.path) for old, new in pairs]
        return summary([run.wall for run in runs], [run.cpu for run in runs], 0)

    ways = {
        "pressmark diff (a process a pair)": lambda: processes(Pressmark.program, "diff", "--json"),
        "git diff --word-diff (a process a pair)": lambda: processes("git", "diff", "--no-index", "--word-diff"),
    }
    for module, name in COMPARERS:
        ways[f"{module} {name}"] = lambda name=name: in_python(work / "venv-diff", "diff", name, listing)
    rows = {}
    for name, measure in ways.items():
        print(f"  diff: {name}", file=sys.stderr)
        try:
            rows[name] = measure()
        except (Failed, OSError, ValueError) as error:
            rows[name] = {"failed": str(error)}
    return rows


def summary(walls, times, failures):
    count = len(walls)
    return {"wall": statistics.median(walls), "cpu": sum(times) / count, "pairs": count, "failures": failures}


def told(work, *command):
    """A run on one core that must print something; exit code 1 means that something differs."""
    out = work / "told"
    timing = run([*ONE_CORE, *command], stdout=out, allow=(0, 1))
    if out.stat().st_size == 0:
        raise Failed(f"{command[0]} {command[1]} printed nothing")
    return timing


def in_python(environment, *arguments):
    """Runs this file inside an environment with peers; imports are not timed."""
    out = environment.parent / "answer.json"
    run([*ONE_CORE, environment / "bin/python", HERE / "reading.py", *arguments], stdout=out)
    return json.loads(out.read_text())


def read_texts(name, index):
    import time

    bodies = []
    with open(index, encoding="utf-8") as file:
        for line in file:
            bodies.append((Path(index).parent / json.loads(line)["path"]).read_bytes())
    if name == "trafilatura":
        from trafilatura import extract
    else:
        from readability import Document

        def extract(body):
            return Document(body.decode(errors="replace")).summary()

    failures, before = 0, time.process_time()
    for body in bodies:
        try:
            extract(body)
        except Exception:  # whatever a peer throws on a page
            failures += 1
    return {"seconds": time.process_time() - before, "failures": failures}


def comparer(name):
    if name == "htmldiff":
        from lxml.html.diff import htmldiff

        return htmldiff
    if name == "render_html_diff":
        import re

        from htmldiff2 import render_html_diff

        # It stumbles over every comment; without them it gets through.
        bare = re.compile(r"<!--.*?-->|<![a-zA-Z][^>]*>|<\?[^>]*>", re.DOTALL)
        return lambda old, new: render_html_diff(bare.sub("", old), bare.sub("", new))
    import web_monitoring_diff

    return getattr(web_monitoring_diff, name)


def compare_pairs(name, listing):
    import signal
    import time

    def too_long(*_):
        raise TimeoutError

    compare = comparer(name)
    signal.signal(signal.SIGALRM, too_long)
    walls, times, failures = [], [], 0
    for old, new in json.loads(Path(listing).read_text()):
        old, new = (Path(path).read_bytes().decode(errors="replace") for path in (old, new))
        before, wall_before = time.process_time(), time.perf_counter()
        signal.alarm(LONGEST)
        try:
            compare(old, new)
        except Exception:  # whatever a peer throws on a page
            failures += 1
        signal.alarm(0)
        times.append(time.process_time() - before)
        walls.append(time.perf_counter() - wall_before)
    return summary(walls, times, failures)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    what, name, path = sys.argv[1:]
    print(json.dumps((read_texts if what == "text" else compare_pairs)(name, path)))
