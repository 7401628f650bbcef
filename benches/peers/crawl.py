"""A crawl made of pages on disk, and the same file read by other readers, side by side.

    crawl.py make WARC DIR...           one gzip record a page, by warcio, digests as warcio writes them
    crawl.py read warcio|fastwarc|fastwarc-digests WARC
                                        every record, its payload read to the end, its digest checked by fastwarc-digests only
    crawl.py compare PRESSMARK WARC     add, add --dry-run and the readers in turn, medians of 5
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

ROUNDS = 5
SUFFIXES = {".html", ".htm", ".xhtml"}


def make(warc, folders):
    from io import BytesIO

    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    start = datetime(2025, 8, 31, tzinfo=timezone.utc)
    pages = size = 0
    with open(warc, "wb") as out:
        writer = WARCWriter(out, gzip=True)
        for folder in map(Path, folders):
            for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix.lower() in SUFFIXES):
                body = path.read_bytes()
                headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
                moment = (start + timedelta(seconds=pages)).strftime("%Y-%m-%dT%H:%M:%SZ")
                name = path.relative_to(folder).as_posix().replace(" ", "%20")
                writer.write_record(
                    writer.create_warc_record(
                        f"https://crawl.example/{name}",
                        "response",
                        payload=BytesIO(body),
                        http_headers=headers,
                        warc_headers_dict={"WARC-Date": moment},
                    )
                )
                pages, size = pages + 1, size + len(body)
    print(json.dumps({"pages": pages, "html_bytes": size, "warc_bytes": os.path.getsize(warc)}))


def read(reader, warc):
    records = size = 0
    with open(warc, "rb") as file:
        if reader == "warcio":
            from warcio.archiveiterator import ArchiveIterator

            for record in ArchiveIterator(file):
                size += len(record.content_stream().read())
                records += 1
        else:
            from fastwarc.warc import ArchiveIterator

            for record in ArchiveIterator(file):
                # Nobody but the last of the three looks at the digests.
                if reader == "fastwarc-digests" and not record.verify_payload_digest():
                    raise SystemExit(f"record {records} has another digest")
                size += len(record.reader.read())
                records += 1
    return {"records": records, "bytes": size}


def timed(command):
    before = os.times()
    started = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall = time.monotonic() - started
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, cpu


def compare(pressmark, warc):
    me = [sys.executable, __file__, "read"]
    size = read("fastwarc", warc)["bytes"]
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        archive, out = Path(folder) / "a.pressmark", Path(folder) / "out.warc.gz"
        commands = {
            "pressmark add --dry-run": [pressmark, "-A", f"{archive}.none", "add", "--dry-run", warc],
            "pressmark add": [pressmark, "-A", archive, "add", warc],
            "pressmark export warc": [pressmark, "-A", archive, "export", "warc", "-o", out],
            "warcio": [*me, "warcio", warc],
            "fastwarc": [*me, "fastwarc", warc],
            "fastwarc, digests checked": [*me, "fastwarc-digests", warc],
        }
        times = {name: [] for name in commands}
        for _ in range(ROUNDS):
            subprocess.run(["rm", "-rf", archive, out], check=True)
            for name, command in commands.items():
                times[name].append(timed([str(part) for part in command]))
    print(f"{size / 1e6:.1f} MB of payload, medians of {ROUNDS}, interpreter start included")
    print("| | wall s | processor s | MB/s wall | MB/s processor |")
    print("|---|---|---|---|---|")
    for name, pairs in times.items():
        wall, cpu = (statistics.median(column) for column in zip(*pairs))
        print(f"| {name} | {wall:.2f} | {cpu:.2f} | {size / wall / 1e6:.0f} | {size / cpu / 1e6:.0f} |")


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    if command == "make":
        make(rest[0], rest[1:])
    elif command == "read":
        print(json.dumps(read(*rest)))
    else:
        compare(*rest)
