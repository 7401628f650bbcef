#!/usr/bin/env python3
"""The pages of `diff --html` in a real browser: no error on the console, no request to anywhere, text that looks
like markup stays text, the keys work, and both views, dark, narrow and print are drawn.

    tests/clients/browser.py [FOLDER]    keeps pages and pictures in FOLDER
    PRESSMARK=path names the program (else target/release or target/debug), CHROMIUM=path the browser.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
ADDRESS = "https://www.pennard.example/story"
MARKUP = "The page said <script>document.title='mine'</script> and <img src=x onerror=\"document.title='mine'\"> here."
PARAGRAPHS = (
    "The clerk read the minutes of the last meeting aloud, as the rules ask him to do.",
    "The pump at the lower drain failed on Tuesday and was mended on the following day.",
    "수문은 1,234명이 사는 아랫마을의 물을 막는다고 관리인이 말했다.",
    "The dike keeper warned that the autumn tides will be higher than those of last year.",
)

# Presses keys as a reader would, and writes down what became of it.
KEYS = """<script>
const press = key => document.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
const told = {title: document.title, changes: document.querySelectorAll(".change").length};
press("n"); told.here = document.querySelectorAll(".change.here").length;
told.focus = document.activeElement.className;
press("s"); told.side = document.getElementById("view-side").checked;
told.pair = getComputedStyle(document.querySelector(".pair") || document.body).display;
press("i"); told.inline = document.getElementById("view-inline").checked;
press("d"); told.evidence = [...document.querySelectorAll(".evidence")].every(one => one.open);
told.images = document.images.length;
document.documentElement.dataset.told = JSON.stringify(told);
</script>"""


def skip(why):
    print(f"SKIPPED: {why}")
    sys.exit(0)


def program():
    if "PRESSMARK" in os.environ:
        return os.environ["PRESSMARK"]
    for profile in ("release", "debug"):
        path = ROOT / "target" / profile / "pressmark"
        if path.exists():
            return str(path)
    skip("build pressmark first, or name it in PRESSMARK")


def page(paragraphs):
    escape = lambda text: text.replace("&", "&amp;").replace("<", "&lt;")
    body = "".join(f"<p>{escape(text)}</p>\n" for text in paragraphs)
    return f'<!doctype html><html lang="en"><title>A &lt;b&gt; night</title><article><h1>A &lt;b&gt; night</h1>{body}</article>'


def pages(work):
    """HTML files: a pair and a history made for this, and every article of the samples with two revisions."""
    pressmark = program()

    def run(*arguments, given=None, allow=(0, 1)):
        done = subprocess.run([pressmark, "-A", work / "a.pressmark", *arguments], input=given, capture_output=True)
        assert done.returncode in allow, done.stderr.decode()
        return done.stdout

    a, b, c, d = PARAGRAPHS
    versions = ((a, b, c, d), (b, c.replace("1,234", "1,334"), d, MARKUP, a), (b, c, MARKUP.replace("here", "there"), a))
    lines = [
        json.dumps({"url": ADDRESS, "fetched_at": f"2026-05-0{at + 1}T06:00:00Z", "html": page(texts)})
        for at, texts in enumerate(versions)
    ]
    run("add", "-", given="\n".join(lines).encode())
    run("add", str(ROOT / "archive" / "pages"))
    wanted = [("pair", f"{ADDRESS}@1", f"{ADDRESS}@2"), ("history", ADDRESS)]
    for line in run("list", "--json").decode().splitlines():
        article = json.loads(line)
        if article["revisions"] > 1 and article["address"] != ADDRESS:
            name = re.sub(r"\W+", "-", article["address"])[-40:]
            wanted.append((f"sample{name}", f"{article['address']}@1", f"{article['address']}@2"))
            wanted.append((f"history{name}", article["address"]))
    for name, *arguments in wanted:
        file = work / f"{name}.html"
        file.write_bytes(run("diff", "--html", *arguments))
        yield file


class Browser:
    def __init__(self, path, work):
        self.path, self.work = path, work

    def run(self, file, *arguments):
        log = self.work / "net.json"
        log.unlink(missing_ok=True)
        done = subprocess.run(
            [
                self.path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-component-update", "--hide-scrollbars",
                "--disable-background-networking", "--no-first-run", f"--user-data-dir={self.work / 'profile'}",
                "--enable-logging=stderr", "--host-resolver-rules=MAP * ~NOTFOUND", f"--log-net-log={log}", *arguments,
                f"file://{file}",
            ],
            capture_output=True,
            timeout=120,
        )
        errors = [line for line in done.stderr.decode(errors="replace").splitlines() if "CONSOLE" in line]
        asked = requests(log)
        return done.stdout.decode(errors="replace"), errors, asked


# The browser's own errands, which no page asks for.
OWN = re.compile(r"https?://[^/]*(google|gvt1|googleapis|gstatic)[^/]*/")


def requests(log):
    """Addresses that were asked for and are no file here."""
    try:
        events = json.loads(log.read_text(errors="replace"))
    except json.JSONDecodeError:  # the browser was stopped before it closed the list
        events = json.loads(log.read_text(errors="replace").rstrip().rstrip(",") + "]}")
    urls = {event.get("params", {}).get("url", "") for event in events["events"]}
    return {url for url in urls if url and not url.startswith(("file:", "data:", "chrome:")) and not OWN.match(url)}


def main():
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not path:
        skip("there is no chromium; the pages of diff --html were seen by no browser")
    keep = len(sys.argv) > 1
    work = Path(sys.argv[1] if keep else tempfile.mkdtemp(prefix="pressmark-browser-")).resolve()
    work.mkdir(parents=True, exist_ok=True)
    browser, passed = Browser(path, work), 0
    for file in pages(work):
        pressed = work / "pressed.html"
        pressed.write_text(file.read_text().replace("</body>", KEYS + "</body>"))
        for what, target, arguments in (
            ("as it is", file, ("--dump-dom",)),
            ("keys", pressed, ("--dump-dom",)),
            ("wide", file, ("--window-size=1280,1600", f"--screenshot={file.with_suffix('.png')}")),
            ("dark", file, ("--blink-settings=preferredColorScheme=0", "--window-size=1280,1600",
                            f"--screenshot={file.with_suffix('.dark.png')}")),
            ("narrow", file, ("--window-size=500,1600", f"--screenshot={file.with_suffix('.narrow.png')}")),
            ("print", file, (f"--print-to-pdf={file.with_suffix('.pdf')}",)),
        ):
            dom, errors, asked = browser.run(target, *arguments)
            assert not errors, f"{file.name}, {what}: {errors}"
            assert not asked, f"{file.name}, {what}: asked for {asked}"
            if what == "as it is":
                assert "mine</title>" not in dom and "<img" not in dom, file.name
            if what == "keys":
                told = json.loads(re.search(r'data-told="([^"]*)"', dom)[1].replace("&quot;", '"'))
                assert told["title"] != "mine" and told["images"] == 0, told
                assert told["side"] and told["inline"] and told["evidence"], told
                assert told["changes"] == 0 or (told["here"] == 1 and told["focus"].startswith("change")), told
                assert told["changes"] == 0 or told["pair"] == "grid", told
            passed += 1
        print(f"{file.name}: console, requests, text, keys, light, dark, narrow, print")
    if not keep:
        shutil.rmtree(work)
    print(f"{passed} passed, 0 failed")


if __name__ == "__main__":
    main()
