"""The input: pages with addresses and moments, copied into a folder of our own."""

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Page:
    address: str
    moment: str
    path: str  # relative to the tree
    bytes: int
    sha256: str
    version: int  # 0 for the first page of this address, 1 for the next ...


def listed(folder):
    """(address, moment, path) of every page, in the order of the index or of the sorted paths."""
    index = folder / "index.ndjson"
    if index.exists():
        with open(index, encoding="utf-8") as file:
            for line in file:
                entry = json.loads(line)
                yield entry["url"], entry["fetched_at"], entry["path"]
        return
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".html", ".htm"))
    for path in files:
        relative = path.relative_to(folder).as_posix()
        yield f"https://{folder.name}.example/{relative}", "2026-01-01T00:00:00Z", relative


def take(folder, limit):
    """The pages of a folder, at most `limit`."""
    pages, versions = [], {}
    for address, moment, path in listed(folder):
        if limit and len(pages) == limit:
            break
        body = (folder / path).read_bytes()
        version = versions.get(address, 0)
        versions[address] = version + 1
        pages.append(Page(address, moment, path, len(body), hashlib.sha256(body).hexdigest(), version))
    return pages


def copy(pages, source, tree):
    """Puts copies of pages into a tree, and reads them once so that every peer finds them in the
    operating system's cache."""
    for page in pages:
        target = tree / page.path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / page.path, target)
        target.read_bytes()


def write_index(pages, path):
    """An NDJSON file that names pages by paths relative to itself."""
    with open(path, "w", encoding="utf-8") as file:
        for page in pages:
            line = {"url": page.address, "fetched_at": page.moment, "path": page.path}
            file.write(json.dumps(line) + "\n")


def size(folder):
    """(bytes, number) of the files under a folder."""
    files = [path for path in Path(folder).rglob("*") if path.is_file() and not path.is_symlink()]
    return sum(path.stat().st_size for path in files), len(files)
