#!/usr/bin/env python3
"""Runs every peer over every set and writes results.json; `run` calls it."""

import argparse
import hashlib
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pages as input_pages
import peers
import reading
import tables
from timing import CALM, Failed

LONG = 30.0  # seconds; a longer run is done once
NEXT = 0.05  # share of the pages that come later
ONE = 5  # pages fetched one by one in each run, each by a process of its own
MANY = 1000  # pages fetched at once
SAMPLE = 64 << 20  # bytes of pages that `together` compresses
TRIES = 3  # how often a run that was disturbed is tried again


def main():
    parser = argparse.ArgumentParser(prog="run")
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--slow", action="store_true")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--pages", type=int, default=0)
    parser.add_argument("--diffs", action="store_true", help="only compare pairs of versions, and print the table")
    parser.add_argument("--resume", action="store_true", help="keep the sets that the last run finished")
    parser.add_argument("--only", default="", help="peers whose name contains one of these, by comma")
    options = parser.parse_args()
    if options.quick:
        options.repeat = 1
    os.environ["PEERS_PYTHON"] = str(options.work / "venv/bin/python")
    wanted = [peer for peer in peers.ALL if options.slow or not peer.slow]
    if options.only:
        parts = options.only.split(",")
        wanted = [peer for peer in wanted if any(part in peer.name for part in parts)]

    results = {
        "machine": machine(),
        "options": {"repeat": options.repeat, "quick": options.quick, "slow": options.slow},
        "versions": {peer.name: peer.version() for peer in wanted},
        "lacks": {peer.name: peer.lacks for peer in wanted},
        "sets": [],
    }
    path = options.work / "results.json"
    if options.resume:
        results["sets"] = [one for one in json.loads(path.read_text())["sets"] if "diff" in one]
    finished = {one["name"] for one in results["sets"]}
    for folder in options.folders:
        folder = folder.resolve()
        taken = input_pages.take(folder, options.pages)
        if not taken:
            sys.exit(f"{folder}: no pages there; give a folder with an index.ndjson or .html files")
        name = folder.parent.name if folder.name == "public" else folder.name
        if name in finished:
            continue
        one = {"name": name, "pages": len(taken), "bytes": sum(page.bytes for page in taken)}
        one["addresses"] = len({page.address for page in taken})
        if options.diffs:
            print(tables.comparing({"diff": reading.diffs(taken, folder, options.work, options.quick)}))
            continue
        results["sets"].append(one)
        before = together(taken, folder, options.work)
        one["keep"] = keep(wanted, taken, folder, options)
        one["together"] = sorted([before, together(taken, folder, options.work)])
        path.write_text(json.dumps(results, indent=1, ensure_ascii=False))
        one["read"] = reading.texts(taken, folder, options.work, options.quick, options.repeat)
        one["diff"] = reading.diffs(taken, folder, options.work, options.quick)
        path.write_text(json.dumps(results, indent=1, ensure_ascii=False))


def machine():
    with open("/proc/cpuinfo") as file:
        models = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    with open("/proc/meminfo") as file:
        memory = int(file.readline().split()[1]) * 1024
    return {"processor": models[0] if models else os.uname().machine, "cores": os.cpu_count(), "memory": memory}


def together(taken, folder, work):
    """How much of the work of one process two get done in its time: 2 on cores of their own. Virtual cores can
    be two threads of one core, or shared with others: then less, and who uses both is measured too slow."""
    sample = work / "together"
    with open(sample, "wb") as file:
        for page in taken:
            file.write((folder / page.path).read_bytes())
            if file.tell() > SAMPLE:
                break

    def seconds(processes):
        start = time.perf_counter()
        command = ["zstd", "-q", "-3", "-T1", "-c", str(sample)]
        children = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(processes)]
        for child in children:
            child.wait()
        return time.perf_counter() - start

    gained = statistics.median(2 * seconds(1) / seconds(2) for _ in range(5))
    sample.unlink()
    return gained


def calm(measure):
    """Runs `measure`, again while other processes disturbed it; the calmest run counts."""
    best = None
    for _ in range(TRIES):
        timing = measure()
        if best is None or timing.other < best.other:
            best = timing
        if best.other <= CALM or timing.wall > LONG:
            break
    return best


def middle(timings):
    """Medians; `other` is the worst."""
    return {
        "wall": statistics.median(timing.wall for timing in timings),
        "cpu": statistics.median(timing.cpu for timing in timings),
        "memory": max(timing.memory for timing in timings),
        "other": max(timing.other for timing in timings),
        "runs": len(timings),
    }


def keep(wanted, taken, folder, options):
    """Every peer keeps all the pages, and in a second archive the first 95 % and then the rest."""
    rows = {peer.name: {"all": [], "next": [], "one": [], "many": [], "everything": []} for peer in wanted}
    for repeat in range(options.repeat):
        # Nobody always comes after the same one: what the machine did before shows in the next.
        turn = repeat % len(wanted)
        for peer in [*wanted[turn:], *wanted[:turn]]:
            row = rows[peer.name]
            steps = [*row["all"][:1], *row.get("settle", [])[:1]]
            if row.get("failed") or any(step.wall > LONG for step in steps):
                continue
            print(f"{folder.parent.name}/{folder.name}: {peer.name}, run {repeat + 1}", file=sys.stderr)
            try:
                once(peer, row, taken, folder, options, repeat)
            except (Failed, OSError) as error:
                row["failed"] = str(error)
                print(f"  {error}", file=sys.stderr)
    for row in rows.values():
        for key in ("all", "settle", "next", "one", "many", "everything"):
            if row.get(key):
                row[key] = middle(row[key])
            else:
                row.pop(key, None)
    return rows


def once(make, row, taken, folder, options, repeat):
    work = options.work / "stores"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    for page in taken:
        (folder / page.path).read_bytes()

    stores = []

    def whole():
        for old in stores:
            old.remove()
        store = make(work / f"all-{len(stores)}", folder, work)
        stores.append(store)
        store.start()
        store.place(taken)
        return store.add(taken)

    row["all"].append(calm(whole))
    store = stores[-1]
    row["stored"], row["files"] = store.stored()
    settled = store.settle()
    if settled:
        row.setdefault("settle", []).append(settled)
        row["stored"], row["files"] = store.stored()
    row["index"] = store.index()

    chosen = random.Random(repeat)
    out = work / "page"
    for page in chosen.sample(taken, min(3 if options.quick else ONE, len(taken))):
        row["one"].append(calm(lambda page=page: store.cat(page, out)))
        if hashlib.sha256(out.read_bytes()).hexdigest() != page.sha256:
            raise Failed(f"{page.path} came back changed")
    row["many"].append(fetch(store, chosen.sample(taken, min(MANY, len(taken)))))
    row["everything"].append(fetch(store, taken))
    store.remove()

    if store.grows:
        later = max(1, int(len(taken) * NEXT))
        # Later in time: the last pages of the index, which is in time order.
        store = make(work / "growing", folder, work)
        store.start()
        store.place(taken[:-later])
        store.add(taken[:-later])
        before, _ = store.stored()
        store.place(taken[-later:])
        row["next"].append(store.add(taken[-later:]))
        row["next_pages"] = later
        row["next_stored"] = store.stored()[0] - before
        store.remove()
    shutil.rmtree(work, ignore_errors=True)


def fetch(store, wanted):
    """Restores pages and compares every one of them."""
    timing, bodies = store.get(wanted)
    count = 0
    for page, body in bodies:
        count += 1
        if hashlib.sha256(body).hexdigest() != page.sha256:
            raise Failed(f"{page.path} came back changed")
    if count != len(wanted):
        raise Failed(f"{count} of {len(wanted)} pages came back")
    return timing


if __name__ == "__main__":
    main()
