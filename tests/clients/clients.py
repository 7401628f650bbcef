"""Runs each client over what pressmark exports; one line a check, and a closing line with the counts."""

import functools
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
PRESSMARK = os.environ["PRESSMARK"]
SAMPLES = HERE.parent.parent / "archive" / "pages"
WORK = Path(tempfile.mkdtemp(prefix="pressmark-clients-"))
ARCHIVE = WORK / "a.pressmark"
CHECKS = []


class Skip(Exception):
    """A check that cannot be made here."""


def check(function):
    CHECKS.append(function)
    return function


def run(*command, ok=(0,), **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300, **options)
    if done.returncode not in ok:
        raise AssertionError(f"{command} ended with {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def pressmark(*arguments, archive=ARCHIVE, ok=(0,), **options):
    return run(PRESSMARK, "-A", archive, *arguments, ok=ok, **options)


def snapshots(archive=ARCHIVE):
    return [json.loads(line) for line in pressmark("export", "ndjson", archive=archive).splitlines()]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def tool(name):
    path = shutil.which(name)
    if path is None:
        raise Skip(f"{name} is not installed")
    return path


@functools.cache
def exported(*options):
    name = WORK / ("-".join(["out", *options]).replace("--", "") + ".warc.gz")
    pressmark("export", "warc", "--output", name, *options)
    return name


@check
def warcio_check_accepts_every_warc():
    tool("warcio")
    for warc in (exported(), exported("--revisit")):
        told = run("warcio", "check", "-v", warc)
        assert "digest failed" not in told, told
        pages = run("warcio", "index", "-f", "warc-type,warc-target-uri", warc).splitlines()
        kinds = [json.loads(line)["warc-type"] for line in pages]
        there = sum(kind in ("response", "resource", "revisit") for kind in kinds)
        assert there == len(snapshots()), (there, len(snapshots()))


@check
def plain_warc_is_recompressed_to_the_same_snapshots():
    tool("warcio")
    plain, packed = WORK / "plain.warc", WORK / "recompressed.warc.gz"
    pressmark("export", "warc", "--compression", "none", "--output", plain)
    run("warcio", "recompress", plain, packed)
    other = WORK / "recompressed.pressmark"
    pressmark("add", packed, archive=other)
    assert identity(snapshots(other)) == identity(snapshots())


def identity(lines):
    return sorted((line["url"], line["fetched_at"] or "", line["raw"]) for line in lines)


@check
def round_trip_keeps_every_snapshot():
    for options in ((), ("--revisit",)):
        other = WORK / ("round" + "".join(options) + ".pressmark")
        pressmark("add", exported(*options), archive=other)
        assert identity(snapshots(other)) == identity(snapshots()), options
    zst, other = WORK / "out.warc.zst", WORK / "zst.pressmark"
    pressmark("export", "warc", "--compression", "zstd", "--output", zst)
    pressmark("add", zst, archive=other)
    assert identity(snapshots(other)) == identity(snapshots())
    again = json.loads(pressmark("add", "--json", zst, archive=other).splitlines()[-1])
    assert again["new"] == 0, again


@check
def cdxj_indexer_agrees_with_our_cdxj():
    tool("cdxj-indexer")

    def rows(text):
        parsed = []
        for line in text.splitlines():
            key, timestamp, rest = line.split(" ", 2)
            parsed.append((key, timestamp, json.dumps(json.loads(rest), sort_keys=True)))
        return sorted(parsed)

    for options in ((), ("--revisit",)):
        warc = exported(*options)
        theirs = rows(run("cdxj-indexer", "-s", warc))
        ours = rows(pressmark("export", "cdxj", "--warc-name", warc.name, *options))
        # The metadata records are indexed by them alone.
        theirs = [row for row in theirs if '"application/json"' not in row[2]]
        assert ours == theirs, next(pair for pair in zip(ours, theirs) if pair[0] != pair[1])


@check
def wacz_validates():
    tool("wacz")
    out = WORK / "out.wacz"
    pressmark("export", "wacz", "--output", out, "--title", "samples")
    told = run("wacz", "validate", "-f", out)
    assert "invalid" not in told.lower() and "fail" not in told.lower(), told
    other = WORK / "wacz.pressmark"
    pressmark("add", out, archive=other)
    assert identity(snapshots(other)) == identity(snapshots())


@check
def pywb_replays_the_same_bytes():
    manager, server = tool("wb-manager"), tool("wayback")
    home = WORK / "pywb"
    home.mkdir()
    run(manager, "init", "samples", cwd=home)
    run(manager, "add", "samples", exported(), cwd=home)
    port = free_port()
    with open(WORK / "pywb.log", "w") as log:
        replay = subprocess.Popen([server, "-p", str(port), "-b", "127.0.0.1"], cwd=home, stdout=log, stderr=log)
    try:
        wait_for(port, replay)
        compared = 0
        for line in snapshots():
            if not line["url"].startswith("http") or line["fetched_at"] is None:
                continue
            digits = "".join(c for c in line["fetched_at"] if c.isdigit())[:14]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/samples/{digits}id_/{line['url']}", timeout=30) as answer:
                replayed = answer.read()
            name = f"{line['url']}@{line['n']}"
            kept = subprocess.run([PRESSMARK, "-A", ARCHIVE, "cat", name], capture_output=True, check=True).stdout
            assert replayed == kept, name
            compared += 1
        assert compared > 5, compared
    finally:
        replay.terminate()
        replay.wait()


def wait_for(port, process):
    for _ in range(300):
        if process.poll() is not None:
            raise AssertionError(f"the server ended with {process.returncode}: {(WORK / 'pywb.log').read_text()[-2000:]}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the server does not answer")


@functools.cache
def tables():
    folder = WORK / "parquet"
    done = subprocess.run(
        [PRESSMARK, "-A", ARCHIVE, "export", "parquet", "--output", folder], capture_output=True, text=True
    )
    if "invalid value 'parquet'" in done.stderr:
        raise Skip("pressmark was built without the feature parquet")
    assert done.returncode == 0, done.stderr
    return folder


def shared_paragraphs():
    articles = {}
    for line in snapshots():
        for block in line["blocks"]:
            if block["text"]:
                articles.setdefault(block["hash"], set()).add(line["url"])
    return {hash: len(urls) for hash, urls in articles.items() if len(urls) > 1}


@check
def duckdb_finds_the_paragraphs_of_several_articles():
    folder = tables()
    import duckdb

    rows = duckdb.sql(
        f"SELECT hash, count(DISTINCT article) FROM '{folder}/blocks.parquet' "
        "WHERE text <> '' GROUP BY hash HAVING count(DISTINCT article) > 1"
    ).fetchall()
    assert dict(rows) == shared_paragraphs(), (len(rows), len(shared_paragraphs()))
    count, span = duckdb.sql(
        f"SELECT count(*), max(fetch_time) - min(fetch_time) FROM '{folder}/snapshots.parquet'"
    ).fetchall()[0]
    assert count == len(snapshots()) and span.total_seconds() > 0, (count, span)


@check
def pyarrow_reads_the_same_numbers():
    folder = tables()
    import pyarrow.parquet as parquet

    snapshot_table = parquet.read_table(folder / "snapshots.parquet")
    assert snapshot_table.num_rows == len(snapshots())
    names = {"url", "url_surtkey", "url_host_name", "fetch_time", "content_digest", "content_mime_type", "content_charset"}
    assert names <= set(snapshot_table.column_names)
    blocks = parquet.read_table(folder / "blocks.parquet")
    assert blocks.num_rows == sum(len(line["blocks"]) for line in snapshots())
    articles = {}
    for hash, article, text in zip(*(blocks[name].to_pylist() for name in ("hash", "article", "text"))):
        if text:
            articles.setdefault(hash, set()).add(article)
    assert {hash: len(found) for hash, found in articles.items() if len(found) > 1} == shared_paragraphs()


@check
def find_counts_the_same_articles():
    if "unrecognized subcommand" in subprocess.run([PRESSMARK, "find", "--help"], capture_output=True, text=True).stderr:
        raise Skip("this pressmark has no find")
    for hash, articles in shared_paragraphs().items():
        lines = [json.loads(line) for line in pressmark("find", "--json", hash).splitlines()]
        found = {line["first"]["address"] for line in lines}
        assert len(found) == articles, (hash, articles, sorted(found))


@functools.cache
def site():
    """A little site on loopback that links its own pages."""
    folder = WORK / "site"
    folder.mkdir()
    pages = sorted(SAMPLES.rglob("*.html"))[:6]
    links = ""
    for n, page in enumerate(pages):
        name = f"{n}-{page.name}"
        shutil.copy(page, folder / name)
        links += f'<p><a href="{name}">{name}</a></p>'
    (folder / "index.html").write_text(f"<!doctype html><title>list</title>{links}", encoding="utf-8")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1], len(pages) + 1


@check
def scrapy_feeds_a_running_add():
    tool("scrapy")
    port, _ = site()
    archive = WORK / "scrapy.pressmark"
    command = [PRESSMARK, "-A", str(archive), "add", "-", "--map", "url=link,html=body", "--commit-every", "2"]
    settings = {
        "ITEM_PIPELINES": json.dumps({"scrapy_pipeline.PressmarkPipeline": 1}),
        "PRESSMARK_COMMAND": json.dumps(command),
        "LOG_LEVEL": "ERROR",
    }
    options = [part for name, value in settings.items() for part in ("-s", f"{name}={value}")]
    run(
        sys.executable, "-m", "scrapy", "runspider", HERE / "spider.py", *options,
        "-a", f"start_url=http://127.0.0.1:{port}/index.html",
        env={**os.environ, "PYTHONPATH": str(HERE)}, cwd=WORK,
    )
    crawled = {line["url"] for line in snapshots(archive)}
    assert f"http://127.0.0.1:{port}/index.html" in crawled and len(crawled) >= 5, crawled


@check
def wget_warc_files_are_added():
    wget = tool("wget")
    port, pages = site()
    name = WORK / "wget"
    run(wget, "-q", "-r", "-l", "1", f"--warc-file={name}", "--no-warc-keep-log", "-P", WORK / "mirror",
        f"http://127.0.0.1:{port}/index.html", ok=(0, 8))
    archive = WORK / "wget.pressmark"
    pressmark("add", f"{name}.warc.gz", archive=archive, ok=(0, 1))
    crawled = snapshots(archive)
    served = WORK / "site"
    for line in crawled:
        kept = subprocess.run([PRESSMARK, "-A", archive, "cat", line["url"]], capture_output=True, check=True).stdout
        if line["status"] == 200:
            assert kept == (served / line["url"].rsplit("/", 1)[1]).read_bytes(), line["url"]
    assert sum(line["status"] == 200 for line in crawled) == pages, len(crawled)


@check
def a_killed_stream_goes_on_where_it_was():
    lines = [json.dumps({"url": f"https://live.example/{n}", "fetched_at": f"2025-01-01T00:{n // 60:02}:{n % 60:02}Z",
                         "html": f"<p>page {n}</p>" * 20}) + "\n" for n in range(400)]
    archive = WORK / "killed.pressmark"
    command = [PRESSMARK, "-A", str(archive), "add", "--json", "--commit-every", "50", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.stdin.writelines(lines[:200])
        process.stdin.flush()
        for line in process.stdout:
            told = json.loads(line)
            if told["type"] == "committed":
                through = told["through"]
                break
        process.kill()
    committed = through["line"]
    assert 0 < committed <= 200, through
    there = {line["url"] for line in snapshots(archive)}
    assert {f"https://live.example/{n}" for n in range(committed)} <= there
    summary = json.loads(pressmark("add", "--json", "-", archive=archive, input="".join(lines)).splitlines()[-1])
    assert summary["known"] >= committed and summary["new"] + summary["known"] == 400, summary
    assert len(snapshots(archive)) == 400


def main():
    pressmark("add", SAMPLES)
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for function in CHECKS:
        name = function.__name__.replace("_", " ")
        try:
            function()
            outcome, why = "passed", ""
        except Skip as reason:
            outcome, why = "skipped", f": {reason}"
        except Exception as error:  # a failed check must not hide the others
            outcome, why = "failed", f": {type(error).__name__}: {error}"
        counts[outcome] += 1
        print(f"{outcome}: {name}{why}", flush=True)
    shutil.rmtree(WORK, ignore_errors=True)
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
