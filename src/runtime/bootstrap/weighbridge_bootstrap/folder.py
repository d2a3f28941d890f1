"""Files in the model's folder: where one may be written, how large it is, whether it has the right bytes."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import stat

from .failures import FOREIGN_FILE, USAGE, WRONG_BYTES, Fail
from .model import File


PROGRAM = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))

"""What is ours in a model's folder, besides its files: whether each is a folder."""
OURS = {
    ".weighbridge.json": False,
    ".weighbridge": True,
    ".weighbridge/lock": False,
    ".weighbridge/parts": True,
    ".weighbridge/cache": True,
    ".weighbridge/adapters": True,
}


def check_folder(folder: str) -> None:
    """Refuses a folder that is not one for models, or in which a stranger's entry has the name of ours, before anything
    is read from it or written to it: a FIFO would stop the start for ever, a link lead out of the folder."""
    place = os.path.realpath(folder)
    if place == os.sep or is_inside(PROGRAM, place) or is_inside(place, PROGRAM):
        raise Fail(USAGE, f"MODEL_DIR {folder} is not a folder for models; set MODEL_DIR to a folder of its own")
    mode = mode_of(folder)
    if mode is not None and stat.S_ISLNK(mode):
        raise Fail(FOREIGN_FILE, f"{folder} is a link to {place}; set MODEL_DIR to that folder itself")
    if mode is not None and not stat.S_ISDIR(mode):
        raise Fail(FOREIGN_FILE, f"{folder} is {kind_of(mode)}; set MODEL_DIR to a folder")
    for name, is_folder in OURS.items():
        path = os.path.join(folder, name)
        mode = mode_of(path)
        if mode is not None and not (stat.S_ISDIR(mode) if is_folder else stat.S_ISREG(mode)):
            what = f"{kind_of(mode)}, where this image has {'a folder' if is_folder else 'a file'}"
            raise Fail(FOREIGN_FILE, f"{path} is {what} of its own; take it away or set MODEL_DIR to another folder")


def mode_of(path: str) -> int | None:
    with contextlib.suppress(OSError):
        return os.lstat(path).st_mode
    return None


def kind_of(mode: int) -> str:
    kinds = {stat.S_IFREG: "a file", stat.S_IFDIR: "a folder", stat.S_IFLNK: "a link", stat.S_IFIFO: "a named pipe"}
    return kinds.get(stat.S_IFMT(mode), "a device or a socket")


def is_inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


class Part(io.BufferedWriter):
    """A part of a file that takes no more bytes than the file has: a server may send them without end."""

    def __init__(self, descriptor: int, most: int):
        super().__init__(io.FileIO(descriptor, "ab"))
        self.most = most

    def write(self, data) -> int:
        room = self.most - self.tell()
        if len(data) > room:
            super().write(memoryview(data)[:room])
            raise Fail(WRONG_BYTES, f"more than the {self.most} bytes of the file came")
        return super().write(data)


def open_part(path: str, most: int) -> Part:
    """A part of at most so many bytes, to be written on where it ends. One that has another name as well is begun anew: the
    other could be anywhere, and what is written would be there too."""
    with contextlib.suppress(FileNotFoundError):
        found = os.lstat(path)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            os.unlink(path)
    return Part(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666), most)


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
        try:
            os.unlink(path)
        except IsADirectoryError:
            what = "is a folder, where this image has a file of its own"
            raise Fail(FOREIGN_FILE, f"{path} {what}; take it away or set MODEL_DIR to another folder")
