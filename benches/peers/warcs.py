"""WARC files, one compressed record a page, as the WARC peers write and read them.

    warcs.py gz|zst add WARC NDJSON TREE      appends the pages an index names
    warcs.py gz|zst cat WARC NUMBER           one page to standard output, by its place in the index
    warcs.py gz|zst get WARC NUMBERS OUT      the pages whose numbers a file lists, into a folder

Offsets stand in WARC.offsets, eight bytes each. A `.warc.zst` begins with its dictionary in a
skippable frame, as the format's proposal has it.
"""

import io
import json
import struct
import sys
from pathlib import Path

DICTIONARY_BYTES = 112640
DICTIONARY_SAMPLES = 400
SKIPPABLE = 0x184D2A5D


def record_bytes(entry, body):
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=False)
    headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.0")
    record = writer.create_warc_record(
        entry["url"],
        "response",
        payload=io.BytesIO(body),
        http_headers=headers,
        warc_headers_dict={"WARC-Date": entry["fetched_at"]},
    )
    writer.write_record(record)
    return buffer.getvalue()


def entries(index, tree):
    with open(index, encoding="utf-8") as file:
        for line in file:
            entry = json.loads(line)
            yield entry, (Path(tree) / entry["path"]).read_bytes()


def add_gz(warc, index, tree):
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    with open(warc, "ab") as out, open(warc + ".offsets", "ab") as offsets:
        writer = WARCWriter(out, gzip=True)
        for entry, body in entries(index, tree):
            offsets.write(struct.pack("<Q", out.tell()))
            headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.0")
            record = writer.create_warc_record(
                entry["url"],
                "response",
                payload=io.BytesIO(body),
                http_headers=headers,
                warc_headers_dict={"WARC-Date": entry["fetched_at"]},
            )
            writer.write_record(record)


def add_zst(warc, index, tree):
    import zstandard

    if Path(warc).exists():
        dictionary = read_dictionary(warc)
    else:
        every = list(entries(index, tree))
        step = max(1, len(every) // DICTIONARY_SAMPLES)
        samples = [body for _, body in every[::step]]
        try:
            dictionary = zstandard.train_dictionary(DICTIONARY_BYTES, samples)
        except zstandard.ZstdError:  # too few pages to learn from
            dictionary = zstandard.ZstdCompressionDict(b"".join(samples)[:DICTIONARY_BYTES])
        data = dictionary.as_bytes()
        Path(warc).write_bytes(struct.pack("<II", SKIPPABLE, len(data)) + data)
    compressor = zstandard.ZstdCompressor(level=3, dict_data=dictionary)
    with open(warc, "ab") as out, open(warc + ".offsets", "ab") as offsets:
        for entry, body in entries(index, tree):
            offsets.write(struct.pack("<Q", out.tell()))
            out.write(compressor.compress(record_bytes(entry, body)))


def read_dictionary(warc):
    import zstandard

    with open(warc, "rb") as file:
        _, length = struct.unpack("<II", file.read(8))
        return zstandard.ZstdCompressionDict(file.read(length))


def reader(form, warc):
    """A function from a page's number to its body."""
    from warcio.recordloader import ArcWarcRecordLoader
    from warcio.bufferedreaders import BufferedReader, DecompressingBufferedReader

    file = open(warc, "rb")
    with open(warc + ".offsets", "rb") as offsets_file:
        data = offsets_file.read()
    offsets = struct.unpack(f"<{len(data) // 8}Q", data)
    loader = ArcWarcRecordLoader()
    if form == "zst":
        import zstandard

        decompressor = zstandard.ZstdDecompressor(dict_data=read_dictionary(warc))

    def body(number):
        file.seek(offsets[number])
        if form == "zst":
            stream = BufferedReader(decompressor.stream_reader(file, closefd=False))
        else:
            stream = DecompressingBufferedReader(file)
        return loader.parse_record_stream(stream, known_format="warc").content_stream().read()

    return body


def main():
    form, command, warc, *rest = sys.argv[1:]
    if command == "add":
        (add_gz if form == "gz" else add_zst)(warc, *rest)
    elif command == "cat":
        sys.stdout.buffer.write(reader(form, warc)(int(rest[0])))
    else:
        body = reader(form, warc)
        for number in Path(rest[0]).read_text().split():
            (Path(rest[1]) / number).write_bytes(body(int(number)))


if __name__ == "__main__":
    main()
