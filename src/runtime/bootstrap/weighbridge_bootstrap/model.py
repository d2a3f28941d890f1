"""A model: which files it has, and where it is to lie."""

from __future__ import annotations

import hashlib
import os
import re
from typing import NamedTuple


class File(NamedTuple):
    path: str
    size: int
    hash: str  # "sha256:<hex>", or "git:<hex>" for a git blob


class Model(NamedTuple):
    """A repository that comes into a folder: of the model, or of one of its adapters."""

    id: str
    revision: str
    dir: str
    files: list[File]
    home: str = ""  # of an adapter: the model's folder, where the library keeps its caches

    def __str__(self) -> str:
        return f"{self.id} at {self.revision[:12]}"

    @property
    def parts(self) -> str:
        return os.path.join(self.dir, ".weighbridge", "parts")

    def part_of(self, file: File) -> str:
        """Named by content too, so that a part of an older revision's file is never taken up for this one."""
        return os.path.join(self.parts, hashlib.sha256(f"{file.hash} {file.path}".encode()).hexdigest())


def to_file(path: str, size: int, sha256: str | None, git_oid: str | None) -> File:
    check_path(path)
    digest = f"sha256:{sha256}" if sha256 else f"git:{git_oid}"
    if not isinstance(size, int) or size < 0 or not re.fullmatch("sha256:[0-9a-f]{64}|git:[0-9a-f]{40}", digest):
        raise ValueError(f"{path} has no size and hash")
    return File(path, size, digest)


def check_path(path: str) -> None:
    path.encode()  # a ValueError for what is not Unicode, which no file can be called
    if set(path.split("/")) & {"", ".", ".."} or re.search(r"[\0\\]", path) or path.startswith(".weighbridge"):
        raise ValueError(f"unsafe path {path!r}")
