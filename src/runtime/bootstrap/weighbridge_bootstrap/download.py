"""The missing files, from the Hub to their places in the folder."""

from __future__ import annotations

import os
import shutil

from .console import in_units, say
from .failures import DISK_FULL, FOREIGN_FILE, WRONG_BYTES, Fail
from .folder import has_right_bytes, place_in, remove, size_of
from .library import is_set, load_library
from .marker import Marker
from .model import File, Model
from .pool import run_all
from .progress import Progress
from .transfer import receive


def download(model: Model, missing: list[File], marker: Marker) -> int:
    """Fetches `missing`, several at once; gives the bytes that came over the network."""
    hub = load_library(model.home or model.dir)
    clear_parts(model, missing)
    marker.id, marker.revision = model.id, None
    marker.save()
    progress = Progress(model, missing)
    old = sum(size_of(os.path.join(model.dir, path)) for path in marker.files)
    needed, volume = progress.total - progress.here, shutil.disk_usage(model.dir)
    if volume.total and needed - old > volume.free:  # not even with every old file gone; some tell no sizes at all
        sizes = f"needs {in_units(needed)} more and has {in_units(volume.free)} free"
        raise Fail(DISK_FULL, f"{model.dir} {sizes}; use a larger volume")
    smallest, *others = sorted(missing, key=lambda file: (file.size == 0, file.size))
    # The smallest alone, so that a refusal is one request and one line.
    for files in [smallest], sorted(others, key=lambda file: -file.size):
        for file, part in run_all(files, lambda file: fetch(hub, model, file), progress.tell):
            target = place_in(model.dir, file.path)
            marker.record(file, part, ours=True)  # first, or a crash here would make it a user's file
            marker.save()
            put_in_place(part, target)
            progress.ended += file.size
    return progress.total - progress.here


def put_in_place(part: str, target: str) -> None:
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.replace(part, target)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        why = "has a folder where a file belongs, or the other way round"
        raise Fail(FOREIGN_FILE, f"{target} cannot be put in its place, which {why}; take that away or set MODEL_DIR")


def fetch(hub, model: Model, file: File) -> str:
    """Gives the path of the whole file, verified and on disk, and not yet under its own name."""
    part = model.part_of(file)
    for _ in range(2):
        receive(hub, model, file, part)
        if has_right_bytes(part, file):
            with open(part, "rb+") as whole:
                os.fsync(whole.fileno())  # or a power cut leaves a verified name on bytes that never arrived
            return part
        remove(part)
    why = "even when fetched again: the Hub or a mirror serves other bytes than at build time"
    raise Fail(WRONG_BYTES, f"{file.path} of {model} does not have the listed size and hash, {why}")


def clear_parts(model: Model, missing: list[File]) -> None:
    """Keeps the parts that can be resumed. What Xet leaves has holes; links could lead anywhere."""
    os.makedirs(os.path.dirname(place_in(model.dir, ".weighbridge/parts/x")), exist_ok=True)
    wanted = {model.part_of(file) for file in missing}
    for entry in list(os.scandir(model.parts)):
        if entry.is_dir(follow_symlinks=False):
            if not is_set("HF_HUB_DISABLE_XET"):
                say("a download by Xet was interrupted, which starts anew; going on by HTTP, which can be resumed")
            os.environ["HF_HUB_DISABLE_XET"] = "1"  # or one that is killed again and again would never be done
            shutil.rmtree(entry.path, ignore_errors=True)
        elif entry.path not in wanted or entry.is_symlink():
            remove(entry.path)
