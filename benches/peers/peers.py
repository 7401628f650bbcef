"""The peers as keepers of pages: each knows how its users put pages away and get them back.

A peer is made for one set of pages in an empty folder. `add` takes pages in, `cat` gives one page from
a cold process, `get` many at once; both give bytes that the caller compares.
"""

import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

from pages import copy, size, write_index
from timing import Failed, Timing, run

HERE = Path(__file__).resolve().parent
# Arguments handed to one process at most: their bytes stay far below what Linux allows.
ARGUMENTS = 8000


def version_line(*command):
    import subprocess

    out = subprocess.run(command, capture_output=True, text=True).stdout
    return out.splitlines()[0].strip() if out else ""


class Peer:
    name = ""  # as the table has it
    slow = False  # takes minutes: only with --slow
    grows = True  # can take in more pages without writing all again
    lacks = ""  # what it does not do at all

    def __init__(self, folder, source, work):
        self.folder, self.source, self.work = folder, source, work
        folder.mkdir(parents=True)
        self.tree = folder.with_name(folder.name + "-tree")
        self.pages = []

    def start(self):
        """What is done once, before the first page; not timed."""

    def place(self, pages):
        """Puts the pages where the peer expects new files; not timed."""
        copy(pages, self.source, self.tree)
        self.pages += pages

    def add(self, pages):
        raise NotImplementedError

    def settle(self):
        """The slow second step that makes the store small; None if there is none."""
        return None

    def stored(self):
        return size(self.folder)

    def index(self):
        """Bytes of the stored ones that could be deleted and made again from the others."""
        return 0

    def cat(self, page, out):
        raise NotImplementedError

    def get(self, pages):
        """Timing, and an iterator over (page, bytes)."""
        raise NotImplementedError

    def from_files(self, out, pages, name=lambda page: page.path):
        for page in pages:
            yield page, (out / name(page)).read_bytes()

    def fresh(self):
        out = Path(tempfile.mkdtemp(dir=self.work))
        return out

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.tree, ignore_errors=True)


class Pressmark(Peer):
    name = "pressmark add"
    program = os.environ.get("PRESSMARK", "pressmark")

    @staticmethod
    def version():
        return version_line(Pressmark.program, "--version")

    def archive(self):
        return self.folder / "archive"

    def add(self, pages):
        index = self.tree / f"{len(self.pages)}.ndjson"
        write_index(pages, index)
        return run([self.program, "-A", self.archive(), "add", index])

    def index(self):
        return sum(path.stat().st_size for path in self.archive().glob("catalog*"))

    def name_of(self, page):
        return f"{page.address}@{page.version + 1}"

    def cat(self, page, out):
        return run([self.program, "-A", self.archive(), "cat", self.name_of(page)], stdout=out)

    def get(self, pages):
        total, outs = Timing(), []
        for start in range(0, len(pages), ARGUMENTS):
            part = pages[start : start + ARGUMENTS]
            out = self.fresh() / "pages"
            names = map(self.name_of, part)
            total = total.then(run([self.program, "-A", self.archive(), "cat", *names], stdout=out))
            outs.append((part, out))
        return total, self.cut(outs)

    @staticmethod
    def cut(outs):
        for part, out in outs:
            with open(out, "rb") as file:
                for page in part:
                    yield page, file.read(page.bytes)
                if file.read(1):
                    raise Failed("cat gave more bytes than were added")


class PressmarkCompact(Pressmark):
    name = "pressmark add, compact"

    def settle(self):
        return run([self.program, "-A", self.archive(), "compact"])


class Restic(Peer):
    name = "restic"
    lacks = "block hashes, check against the page, diff of text; addresses and moments"

    @staticmethod
    def version():
        return version_line("restic", "version")

    def restic(self, *arguments, **options):
        environment = {"RESTIC_PASSWORD": "x", "RESTIC_CACHE_DIR": str(self.work / "restic-cache")}
        return run(["restic", "-q", "-r", self.folder, *arguments], environment=environment, **options)

    def start(self):
        self.restic("init")

    def add(self, pages):
        return self.restic("backup", ".", cwd=self.tree)

    def cat(self, page, out):
        return self.restic("dump", "latest", "/" + page.path, stdout=out)

    def get(self, pages):
        out = self.fresh()
        arguments = ["restore", "latest", "--target", out]
        if len(pages) < len(self.pages):
            for page in pages:
                arguments += ["--include", "/" + page.path]
        return self.restic(*arguments), self.from_files(out, pages)


class Borg(Peer):
    name = "borg zstd,3"
    compression = "zstd,3"
    lacks = Restic.lacks

    @staticmethod
    def version():
        return version_line("borg", "--version")

    def borg(self, *arguments, **options):
        environment = {
            "BORG_BASE_DIR": str(self.work / "borg-home"),
            "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
            "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes",
            "BORG_EXIT_CODES": "legacy",
        }
        return run(["borg", *arguments], environment=environment, **options)

    def start(self):
        self.borg("init", "-e", "none", self.folder)

    def archive(self):
        return f"{self.folder}::{len(self.pages)}"

    def add(self, pages):
        return self.borg("create", "-C", self.compression, self.archive(), ".", cwd=self.tree)

    def cat(self, page, out):
        return self.borg("extract", "--stdout", self.archive(), page.path, stdout=out)

    def get(self, pages):
        out = self.fresh()
        some = [page.path for page in pages] if len(pages) < len(self.pages) else []
        return self.borg("extract", self.archive(), *some, cwd=out), self.from_files(out, pages)


class Borg19(Borg):
    name = "borg zstd,19"
    compression = "zstd,19"
    slow = True


class Git(Peer):
    """One file an address, its n-th version in the n-th commit, as people keep pages in git."""

    name = "git add, commit"
    lacks = "block hashes, check against the page; moments other than the commit's"
    identity = {
        "GIT_AUTHOR_NAME": "x",
        "GIT_AUTHOR_EMAIL": "x@x.example",
        "GIT_COMMITTER_NAME": "x",
        "GIT_COMMITTER_EMAIL": "x@x.example",
        "GIT_CONFIG_GLOBAL": "/dev/null",
    }

    @staticmethod
    def version():
        return version_line("git", "--version")

    def git(self, *arguments, **options):
        command = ["git", "--git-dir", self.folder, "--work-tree", self.tree, *arguments]
        return run(command, environment=self.identity, **options)

    def start(self):
        self.folder.rmdir()
        self.tree.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q")
        self.git("config", "gc.auto", "0")
        self.commits = 0
        self.where = {}

    @staticmethod
    def file_of(page):
        return hashlib.sha256(page.address.encode()).hexdigest()[:16] + ".html"

    def place(self, pages):
        self.pages += pages

    def add(self, pages):
        total = Timing()
        rounds = {}
        for page in pages:
            rounds.setdefault(page.version, []).append(page)
        for version in sorted(rounds):
            for page in rounds[version]:
                shutil.copyfile(self.source / page.path, self.tree / self.file_of(page))
            total = total.then(self.git("add", "-A"))
            total = total.then(self.git("commit", "-q", "--allow-empty", "-m", str(version)))
            self.git("tag", f"r{self.commits}")
            for page in rounds[version]:
                self.where[page] = f"r{self.commits}:{self.file_of(page)}"
            self.commits += 1
        return total

    def cat(self, page, out):
        return self.git("cat-file", "blob", self.where[page], stdout=out)

    def get(self, pages):
        out = self.fresh()
        (out / "wanted").write_text("".join(self.where[page] + "\n" for page in pages))
        timing = self.git("cat-file", "--batch", stdin=out / "wanted", stdout=out / "pages")
        return timing, self.cut(out / "pages", pages)

    @staticmethod
    def cut(path, pages):
        with open(path, "rb") as file:
            for page in pages:
                length = int(file.readline().split()[2])
                yield page, file.read(length)
                file.read(1)


class GitGc(Git):
    name = "git, gc --aggressive"
    slow = True

    def settle(self):
        return self.git("gc", "-q", "--aggressive", "--prune=now")


class Warc(Peer):
    name = "WARC, gzip a record"
    form = "gz"
    lacks = "deduplication, block hashes, check against the page, diff"

    @staticmethod
    def version():
        return Warc.python_version("warcio")

    @staticmethod
    def python():
        return os.environ.get("PEERS_PYTHON", sys.executable)

    @staticmethod
    def python_version(package):
        code = f"import importlib.metadata as m; print({package!r}, m.version({package!r}))"
        return version_line(Warc.python(), "-c", code)

    def warcs(self, command, *arguments, **options):
        warc = self.folder / f"pages.warc.{self.form}"
        return run([self.python(), HERE / "warcs.py", self.form, command, warc, *arguments], **options)

    def index(self):
        return sum(path.stat().st_size for path in self.folder.glob("*.offsets"))

    def start(self):
        self.number = {}

    def add(self, pages):
        index = self.work / "warc.ndjson"
        write_index(pages, index)
        for page in pages:
            self.number[page] = len(self.number)
        return self.warcs("add", index, self.tree)

    def cat(self, page, out):
        return self.warcs("cat", self.number[page], stdout=out)

    def get(self, pages):
        out = self.fresh()
        wanted = out / "wanted"
        wanted.write_text("\n".join(str(self.number[page]) for page in pages))
        timing = self.warcs("get", wanted, out)
        return timing, self.from_files(out, pages, lambda page: str(self.number[page]))


class WarcZst(Warc):
    name = ".warc.zst with dictionary"
    form = "zst"

    @staticmethod
    def version():
        return Warc.python_version("zstandard")


class Tar(Peer):
    name = "tar, zstd -3"
    level = ["-3"]
    grows = False
    lacks = "adding, random access, block hashes, check, diff"

    @staticmethod
    def version():
        return version_line("zstd", "--version")

    def add(self, pages):
        # In the order of the index: one address's versions stand side by side in the tree's paths.
        listing = self.work / "tar-files"
        listing.write_text("".join(page.path + "\n" for page in sorted(pages, key=lambda p: p.path)))
        out = self.folder / "pages.tar.zst"
        program = " ".join(["zstd", "-q", *self.level])
        return run(["tar", "-I", program, "-cf", out, "-C", self.tree, "-T", listing])

    def cat(self, page, out):
        program = "zstd -d --long=27"
        archive = self.folder / "pages.tar.zst"
        return run(["tar", "-I", program, "--occurrence=1", "-xOf", archive, page.path], stdout=out)

    def get(self, pages):
        out = self.fresh()
        listing = self.work / "tar-wanted"
        listing.write_text("".join(page.path + "\n" for page in pages))
        archive = self.folder / "pages.tar.zst"
        timing = run(["tar", "-I", "zstd -d --long=27", "-xf", archive, "-C", out, "-T", listing])
        return timing, self.from_files(out, pages)


class TarBest(Tar):
    name = "tar, zstd -19 --long=27"
    level = ["-19", "--long=27"]
    slow = True


ALL = [Pressmark, PressmarkCompact, Restic, Borg, Borg19, Git, GitGc, Warc, WarcZst, Tar, TarBest]
