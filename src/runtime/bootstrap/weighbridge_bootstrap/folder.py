"""Files in the model's folder: where one may be written, how large it is, whether it has the right bytes."""

from __future__ import annotations

import contextlib
import hashlib
import os

from .failures import FOREIGN_FILE, Fail
from .model import File


def place_in(folder: str, path: str) -> str:
    """Where something is to be written, refused where a link on the way leads out of the folder."""
    target = os.path.join(folder, path)
    root, parent = os.path.realpath(folder), os.path.realpath(os.path.dirname(target))
    if parent != root and not parent.startswith(root + os.sep):
        raise Fail(FOREIGN_FILE, f"a link leads {target} out of the folder; take the link away or set MODEL_DIR")
    return target


def has_right_bytes(path: str, file: File) -> bool:
    if size_of(path) != file.size or not os.path.isfile(path):
        return False
    kind, _, wanted = file.hash.partition(":")
    digest = hashlib.sha256() if kind == "sha256" else hashlib.sha1(b"blob %d\0" % file.size)
    with open(path, "rb") as source:
        for chunk in iter(lambda: source.read(1 << 22), b""):
            digest.update(chunk)
    return digest.hexdigest() == wanted


def size_of(path: str) -> int:
    with contextlib.suppress(OSError):
        return os.path.getsize(path)
    return 0


def remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
