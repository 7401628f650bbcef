#!/usr/bin/env python3
"""A second reader of pressmark archives, written from docs/format.md alone.

    read_format.py STORE [--scan] [--out DIR]

Prints one JSON object for each snapshot (address, moment, status, body, length) in order of address and
moment, after restoring its bytes and comparing their BLAKE3. With --scan footers, directories and page
tables are not used: frames are looked for, as after damage. With --out the bodies are written to DIR under
their hashes. Needs `zstandard` and `blake3`.
"""

import json
import pathlib
import struct
import sys

import zstandard
from blake3 import blake3

PACK_MAGIC = b"\x8aPMPACK\n"
FOOTER_MAGIC = b"\x8aPMFOOT\n"
FRAME_MAGIC = b"\xf5Pm\n"
PAGE, GROUP, RECORDS, TABLE, DIRECTORY = 1, 2, 3, 4, 5
MAX_PAGE = MAX_GROUP = MAX_TABLE = 64 << 20
MAX_DEPTH = 96


class Refused(Exception):
    pass


def check(data, length):
    return blake3(data).digest()[:length]


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise Refused("varint too long")


def fields(data, known):
    """All fields as (tag, bytes); refuses unknown odd tags, skips unknown even ones."""
    at, found = 0, []
    while at < len(data):
        tag, at = varint(data, at)
        length, at = varint(data, at)
        if at + length > len(data):
            raise Refused("field cut short")
        if tag in known:
            found.append((tag, data[at : at + length]))
        elif tag % 2 == 1:
            raise Refused(f"unknown required field {tag}")
        at += length
    return found


def number(data):
    value, at = varint(data, 0)
    if at != len(data):
        raise Refused("number does not fill its field")
    return value


class Frame:
    def __init__(self, pack, at):
        head_start = at + 24
        fixed = pack[at:head_start]
        if len(fixed) < 24 or fixed[:4] != FRAME_MAGIC:
            raise Refused("no frame here")
        self.at = at
        self.kind, self.codec, head_length, self.number, self.stored = struct.unpack("<BBHII", fixed[4:16])
        head_end = head_start + head_length
        if check(pack[at:head_end], 4) != pack[head_end : head_end + 4]:
            raise Refused("head check")
        self.start = head_end + 4
        self.end = self.start + self.stored
        if self.end > len(pack):
            raise Refused("payload cut short")
        if self.kind not in (PAGE, GROUP, RECORDS, TABLE, DIRECTORY):
            if self.kind < 128:
                raise Refused(f"unknown kind {self.kind}")
            return
        head = fields(pack[head_start:head_end], {1, 3, 5, 7, 9, 11, 13, 15})
        values = dict(head)
        self.raw = number(values[1])
        limit = {PAGE: MAX_PAGE, GROUP: MAX_GROUP}.get(self.kind, MAX_TABLE)
        if self.raw > limit:
            raise Refused("too long")
        self.body, self.base = values.get(3), values.get(5 if self.kind == PAGE else 15)
        self.depth = number(values[7]) if 7 in values else 0
        self.prefix = number(values[11]) if 11 in values else None
        self.count = number(values[13]) if 13 in values else 0
        if self.kind in (PAGE, GROUP) and (self.base is None) != (self.depth == 0):
            raise Refused("depth and base disagree")
        if self.base and self.prefix is not None:
            raise Refused("base and prefix")
        self.lengths = []
        at, lengths = 0, values.get(9, b"")
        while at < len(lengths):
            length, at = varint(lengths, at)
            self.lengths.append(length)
        self.payload_check = fixed[16:24]

    def content(self, pack, base=None):
        payload = pack[self.start : self.end]
        if check(payload, 8) != self.payload_check:
            raise Refused("payload check")
        if self.codec == 0:
            content = bytes(payload)
        elif self.codec == 1:
            dictionary = None
            if base:
                dictionary = zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
            reader = zstandard.ZstdDecompressor(dict_data=dictionary, max_window_size=1 << 27)
            content = reader.decompress(payload, max_output_size=self.raw + 1)
        else:
            raise Refused(f"unknown codec {self.codec}")
        if len(content) != self.raw:
            raise Refused("wrong length")
        return content


def open_pack(path):
    pack = path.read_bytes()
    if pack[:8] != PACK_MAGIC or check(pack[:24], 8) != pack[24:32]:
        raise Refused(f"{path}: no pack")
    if struct.unpack("<H", pack[8:10])[0] != 1:
        raise Refused(f"{path}: another version")
    return pack


def frames_by_directory(pack):
    """Offsets of the records frames, and rows (hash prefix, offset, place), through the footer."""
    footer = pack[-40:]
    if footer[:8] != FOOTER_MAGIC or check(footer[:32], 8) != footer[32:]:
        raise Refused("no footer")
    at, length, _ = struct.unpack("<QQH", footer[8:26])
    if length != len(pack):
        raise Refused("length")
    directory = fields(Frame(pack, at).content(pack), {1, 2, 3, 4, 6, 8})
    records = [number(value) for tag, value in directory if tag == 1]
    table_at = number(dict(directory)[3])
    frame = Frame(pack, table_at)
    table, n = frame.content(pack), frame.count
    if len(table) != 16 * n:
        raise Refused("table")
    rows = []
    for i in range(n):
        (offset,) = struct.unpack_from("<I", table, 8 * n + 4 * i)
        (place,) = struct.unpack_from("<I", table, 12 * n + 4 * i)
        rows.append((table[8 * i : 8 * i + 8], offset, place))
    assert rows == sorted(rows), "the page table is sorted"
    return records, rows


def frames_by_scan(pack, unnamed):
    """The same without footer, directory and table. Offsets of groups whose bodies cannot be named before their
    base is found go to `unnamed`, with their depths."""
    records, rows, at = [], [], 32
    while (at := pack.find(FRAME_MAGIC, at)) >= 0:
        try:
            frame = Frame(pack, at)
        except Refused:
            at += 1
            continue
        if frame.kind == PAGE:
            rows.append((frame.body[:8], at, 0))
        elif frame.kind == GROUP and frame.base:
            unnamed.append((frame.depth, at))
        elif frame.kind == GROUP:
            rows += named(frame, frame.content(pack, prefix_of(pack, frame)))
        elif frame.kind == RECORDS:
            records.append(at)
        at = frame.end
    return records, rows


def named(frame, content):
    """Rows of the bodies of a group."""
    start = 0
    for place, length in enumerate(frame.lengths):
        yield check(content[start : start + length], 8), frame.at, place
        start += length


def prefix_of(pack, group):
    if group.prefix is None:
        return None
    frame = Frame(pack, group.prefix)
    if frame.kind != PAGE or frame.base is not None or frame.at >= group.at:
        raise Refused("no prefix")
    return frame.content(pack)


def text_list(data):
    at, texts = 0, []
    while at < len(data):
        length, at = varint(data, at)
        texts.append(data[at : at + length].decode())
        at += length
    return list(zip(texts[::2], texts[1::2]))


def records_of(content):
    at = 0
    while at < len(content):
        kind, at = varint(content, at)
        length, at = varint(content, at)
        data, at = content[at : at + length], at + length
        if kind in (1, 3):
            known = {1, 2, 3, 4, 5, 7, 9} if kind == 1 else {1, 3, 5, 11}
            yield kind, dict(fields(data, known))
        elif kind % 2 == 1:
            raise Refused(f"unknown required record {kind}")


def article_key(address):
    address = address.split("#")[0]
    scheme, separator, rest = address.partition("://")
    if not separator:
        scheme, separator, rest = address.partition(":")
        return scheme.lower() + separator + rest
    cut = min([rest.find(c) for c in "/?" if c in rest] or [len(rest)])
    authority, tail = rest[:cut], rest[cut:]
    user, at, host = authority.rpartition("@")
    scheme, host = scheme.lower(), host.lower()
    for ending in (":80", ":") if scheme == "http" else (":443", ":") if scheme == "https" else ():
        host = host.removesuffix(ending)
    return f"{scheme}://{user}{at}{host}{tail}"


class Store:
    def __init__(self, root, scan):
        self.packs = [open_pack(path) for path in sorted(pathlib.Path(root).glob("packs/*/*.pack"))]
        self.places, self.snapshots, self.forgotten = {}, {}, set()
        unnamed = []
        for index, pack in enumerate(self.packs):
            later = []
            records, rows = frames_by_scan(pack, later) if scan else frames_by_directory(pack)
            unnamed += [(depth, index, at) for depth, at in later]
            for prefix, offset, place in rows:
                self.places.setdefault(prefix, []).append((index, offset, place))
            for at in records:
                for kind, values in records_of(Frame(pack, at).content(pack)):
                    address = values[1].decode()
                    if kind == 3:
                        self.forgotten.add((address, values[5]))
                        continue
                    moment = struct.unpack("<q", values[3])[0] if 3 in values else None
                    self.snapshots[(address, moment, values[5])] = values
        # A base has a smaller depth, so it is named by the time it is asked for.
        for depth, index, at in sorted(unnamed):
            frame = Frame(self.packs[index], at)
            try:
                content = frame.content(self.packs[index], self.body(frame.base, depth))
            except Refused:
                continue
            for prefix, offset, place in named(frame, content):
                self.places.setdefault(prefix, []).append((index, offset, place))

    def body(self, digest, below=MAX_DEPTH + 1):
        for index, offset, place in self.places.get(digest[:8], []):
            pack = self.packs[index]
            frame = Frame(pack, offset)
            if frame.depth >= below:
                continue
            base = self.body(frame.base, frame.depth) if frame.base else None
            if frame.kind == PAGE:
                body = frame.content(pack, base)
            else:
                content, start = frame.content(pack, base or prefix_of(pack, frame)), sum(frame.lengths[:place])
                body = content[start : start + frame.lengths[place]]
            if blake3(body).digest() == digest:
                return body
        raise Refused(f"body {digest.hex()} is lost")


def main(arguments):
    out = pathlib.Path(arguments[arguments.index("--out") + 1]) if "--out" in arguments else None
    store = Store(arguments[0], "--scan" in arguments)
    order = sorted(store.snapshots, key=lambda one: (one[0].encode(), one[1] is not None, one[1] or 0, one[2]))
    for address, moment, digest in order:
        if (article_key(address), digest) in store.forgotten:
            continue
        values = store.snapshots[(address, moment, digest)]
        body = store.body(digest)
        if len(body) != number(values[7]):
            raise Refused(f"{address}: wrong length")
        if out:
            (out / digest.hex()).write_bytes(body)
        line = {
            "address": address,
            "moment": moment,
            "status": number(values[9]) if 9 in values else None,
            "headers": text_list(values.get(2, b"")),
            "metadata": json.loads(values.get(4, b"{}")),
            "body": digest.hex(),
            "length": len(body),
        }
        print(json.dumps(line, ensure_ascii=False))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    try:
        main(sys.argv[1:])
    except Refused as why:
        sys.exit(f"refused: {why}")
