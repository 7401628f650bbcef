#!/usr/bin/env python3
"""Check or write the `contents-hash` attributes of sample pages.

A second implementation of `text-v1` for declared elements, written from the rule's description and
sharing nothing with the Rust code: where both agree, the rule is told well enough. Standard library
only. It covers what the sample pages need; `archive/vectors/` covers the rule.

    stamp.py PAGE...           print every declared hash that does not fit; exit 1 if there is one
    stamp.py --write PAGE...   put the right hash into every `contents-hash`
"""

import hashlib
import re
import sys
import unicodedata
from html.parser import HTMLParser

ATTRIBUTE = "contents-hash"

# Elements of block or table display: their start and end are one space.
BOUNDARIES = set(
    "address article aside blockquote body caption center col colgroup dd details dialog dir div dl "
    "dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 head header hgroup hr html legend "
    "li listing main menu nav ol optgroup option p plaintext pre search section summary table tbody "
    "td tfoot th thead tr ul xmp".split()
)
# Elements whose start closes an open `p`.
CLOSES_P = BOUNDARIES - set("caption col colgroup tbody td tfoot th thead tr".split())
# Elements whose contents are not text.
DROPPED = set(
    "script style template noscript noembed noframes iframe object audio video canvas svg textarea "
    "select datalist title".split()
)


def text_v1(characters):
    """Steps 5 and 6: white space, then NFC."""
    collapsed = re.sub("[\t\n\f\r \u00a0]+", " ", characters.replace("\0", ""))
    return unicodedata.normalize("NFC", collapsed.strip(" "))


class Declared(HTMLParser):
    """Collects the text of every element with a declared hash.

    `found` holds one entry an element, in the order of start tags: its tag, the hash it declares,
    where its start tag stands in the text, and the start tag itself."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.line_starts = [0] + [match.end() for match in re.finditer("\n", text)]
        self.open = []  # innermost last; an entry stays open until its own tag ends
        self.dropped = []
        self.found = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        if self.dropped:
            if tag in DROPPED:
                self.dropped.append(tag)
            return
        while self.open and self.open[-1]["tag"] == "p" and tag in CLOSES_P:
            self.open.pop()
        if tag == "br" or tag in BOUNDARIES:
            self.add(" ")
        if tag in DROPPED:
            self.dropped.append(tag)
        declared = dict(attributes).get(ATTRIBUTE)
        if declared is not None:
            self.add(" ")
            line, column = self.getpos()
            entry = {
                "tag": tag,
                "declared": declared,
                "start": self.line_starts[line - 1] + column,
                "start_tag": self.get_starttag_text(),
                "pieces": [],
                "depth": 1,
            }
            self.open.append(entry)
            self.found.append(entry)
        elif self.open and self.open[-1]["tag"] == tag:
            self.open[-1]["depth"] += 1

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)

    def handle_endtag(self, tag):
        if self.dropped:
            if tag == self.dropped[-1]:
                self.dropped.pop()
            return
        if tag in BOUNDARIES:
            self.add(" ")
        if self.open and self.open[-1]["tag"] == tag:
            self.open[-1]["depth"] -= 1
            if self.open[-1]["depth"] == 0:
                self.open.pop()
                self.add(" ")

    def handle_data(self, data):
        if not self.dropped:
            self.add(data)

    def add(self, characters):
        if self.open:
            self.open[-1]["pieces"].append(characters)


def decode(raw):
    """The text of a page and the codec that gives its bytes back."""
    label = re.search(rb"charset=[\"']?([\w-]+)", raw[:1024], re.I)
    codec = "cp949" if label and label[1].lower() == b"euc-kr" else "utf-8"
    return raw.decode(codec), codec


def stamp(path, write):
    """Checks or rewrites one page; gives the number of hashes that did not fit."""
    with open(path, "rb") as file:
        text, codec = decode(file.read())
    misfits = 0
    for entry in reversed(Declared(text).found):
        content = text_v1("".join(entry["pieces"]))
        computed = hashlib.sha256(content.encode()).hexdigest()
        if entry["declared"] == computed:
            continue
        misfits += 1
        if write:
            tag = entry["start_tag"].replace(entry["declared"], computed, 1)
            end = entry["start"] + len(entry["start_tag"])
            text = text[: entry["start"]] + tag + text[end:]
        else:
            print(f"{path}: {entry['declared']} declared, {computed} computed: {content[:60]}")
    if write and misfits:
        with open(path, "wb") as file:
            file.write(text.encode(codec))
    return misfits


def main(arguments):
    write = arguments[:1] == ["--write"]
    pages = arguments[1:] if write else arguments
    if not pages:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    misfits = sum(stamp(path, write) for path in pages)
    return 1 if misfits and not write else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
