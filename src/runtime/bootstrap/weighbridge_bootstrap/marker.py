"""What is known of the files in a folder, from start to start."""

from __future__ import annotations

import contextlib
import json
import os
import stat

from .folder import remove
from .model import File, Model, check_path


# Of a hundred thousand files it has less.
MAX_MARKER_BYTES = 64 << 20
KINDS = {"size": int, "mtimeNs": int, "hash": str, "ours": bool}


def read_entry(path: str, entry: dict) -> dict:
    check_path(path)
    if any(type(entry[key]) is not kind for key, kind in KINDS.items()):
        raise ValueError("an entry that this image has not written")
    return {key: entry[key] for key in KINDS}


class Marker:
    """`.weighbridge.json`: what we put or found in the folder and verified. `revision` is set once all is there."""

    def __init__(self, folder: str):
        self.folder, self.path = folder, os.path.join(folder, ".weighbridge.json")
        self.id: str | None = None
        self.revision: str | None = None
        self.files: dict[str, dict] = {}
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            with os.fdopen(os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW), encoding="utf-8") as file:
                # A named pipe would keep the start waiting; it is refused once the folder is looked at.
                found = os.fstat(file.fileno())
                data = json.load(file) if stat.S_ISREG(found.st_mode) and found.st_size <= MAX_MARKER_BYTES else {}
            files = {path: read_entry(path, entry) for path, entry in data["files"].items()}
            if not all(value is None or isinstance(value, str) for value in (data["id"], data["revision"])):
                raise ValueError("names that this image has not written")
            self.id, self.revision, self.files = data["id"], data["revision"], files

    def vouches_for_all(self, model: Model, verify: str) -> bool:
        """Whether nothing has to be looked at more closely: the cost of a start on a complete volume."""
        if verify == "full" or (self.id, self.revision) != (model.id, model.revision):
            return False
        return set(self.listed()) == set(model.files) and (verify == "off" or all(map(self.is_untouched, self.files)))

    def vouches_for(self, file: File) -> bool:
        return file.path in self.files and self.files[file.path]["hash"] == file.hash and self.is_untouched(file.path)

    def is_untouched(self, path: str) -> bool:
        with contextlib.suppress(OSError):
            entry, found = self.files[path], os.stat(os.path.join(self.folder, path))
            return (found.st_size, found.st_mtime_ns) == (entry["size"], entry["mtimeNs"])
        return False

    def is_ours(self, path: str) -> bool:
        """Fetched by us, so that we may replace it; what a user put there is only noted as verified."""
        return path in self.files and self.files[path]["ours"] is True

    def listed(self) -> list[File]:
        return [File(path, entry["size"], entry["hash"]) for path, entry in self.files.items()]

    def record(self, file: File, path: str, ours: bool) -> None:
        found = os.stat(path)
        self.files[file.path] = dict(size=found.st_size, mtimeNs=found.st_mtime_ns, hash=file.hash, ours=ours)

    def save(self) -> None:
        data = {"schemaVersion": 1, "id": self.id, "revision": self.revision, "files": self.files}
        temporary = os.path.join(self.folder, ".weighbridge", "marker.tmp")
        remove(temporary)  # it could be a link
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(data, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self.path)
