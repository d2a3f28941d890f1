"""The folder as it has to be before the server starts: each file of the list in it, verified."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time

from .check import find_missing
from .console import say
from .download import download
from .failures import explain, no_permission
from .folder import check_folder, place_in
from .lock import folder_lock
from .marker import Marker
from .model import Model


def bring(model: Model, adapters: list[Model], verify: str) -> None:
    """Brings the model and its adapters. Adapters first: one that is not to be had is known before hours of weights."""
    began = time.monotonic()
    with explained(model):
        check_folder(model.dir)
    downloaded = sum(bring_one(part, verify) for part in [*adapters, model])
    if adapters and downloaded:
        shutil.rmtree(os.path.join(model.dir, ".weighbridge", "cache"), ignore_errors=True)
    files = sum(len(part.files) for part in [*adapters, model])
    seconds = round(time.monotonic() - began, 1)
    ready = {"event": "ready", "downloadedBytes": downloaded, "files": files, "seconds": seconds}
    say(json.dumps(ready, separators=(",", ":")))


def bring_one(model: Model, verify: str) -> int:
    """Makes `model.dir` hold every file of the list, verified. Waits for another container that is at it. Gives the
    bytes that came over the network."""
    with explained(model):
        if model.home:
            place_in(model.home, os.path.join(model.dir, "x"))
        check_folder(model.dir)
        if not Marker(model.dir).vouches_for_all(model, verify):
            with folder_lock(model.dir) as is_writable:
                return complete(model, verify, is_writable)
    return 0


@contextlib.contextmanager
def explained(model: Model):
    try:
        yield
    except OSError as error:
        raise explain(error, model, model.dir)


def complete(model: Model, verify: str, is_writable: bool) -> int:
    """Gives the bytes that came over the network."""
    marker = Marker(model.dir)  # read anew: the lock's last holder may have brought it all
    missing = [] if marker.vouches_for_all(model, verify) else find_missing(model, marker, verify)
    if not is_writable:
        if missing:
            raise no_permission(model.dir)
        say(f"cannot write {model.dir}, so the next start has to check every byte again")
        return 0
    downloaded = download(model, missing, marker) if missing else 0
    finish(model, marker)
    return downloaded


def finish(model: Model, marker: Marker) -> None:
    """Takes away what an earlier revision left (of ours, and untouched), and only then calls the folder whole."""
    for path in set(marker.files) - {file.path for file in model.files}:
        if marker.is_ours(path) and marker.is_untouched(path):
            os.unlink(place_in(model.dir, path))
        del marker.files[path]
    marker.id, marker.revision = model.id, model.revision
    marker.save()
    for name in ("parts", "cache"):
        shutil.rmtree(os.path.join(model.dir, ".weighbridge", name), ignore_errors=True)
