"""Which files of the list are missing in the folder."""

from __future__ import annotations

import os

from .console import in_units, say
from .failures import FOREIGN_FILE, Fail
from .folder import has_right_bytes, place_in
from .marker import Marker
from .model import File, Model
from .pool import run_all


def find_missing(model: Model, marker: Marker, verify: str) -> list[File]:
    """Files to fetch. Hashes what the marker does not vouch for; refuses what is not ours and does not match."""
    if marker.id not in (None, model.id):
        raise Fail(FOREIGN_FILE, f"{model.dir} holds another model ({marker.id}); set MODEL_DIR to a folder of its own")
    unsure = [file for file in model.files if verify == "full" or not marker.vouches_for(file)]
    there = [file for file in unsure if os.path.lexists(place_in(model.dir, file.path))]
    if there:
        say(f"checking {len(there)} files ({in_units(sum(file.size for file in there))}) that are in {model.dir}")
    missing = set(unsure)
    for file, is_right in run_all(there, lambda file: has_right_bytes(os.path.join(model.dir, file.path), file)):
        path, is_ours = os.path.join(model.dir, file.path), marker.is_ours(file.path)
        if is_right:
            marker.record(file, path, is_ours)
            missing.remove(file)
        elif not is_ours:
            why = f"was not put there by this image and is not the file of {model}"
            raise Fail(FOREIGN_FILE, f"{path} {why}; move it away or set MODEL_DIR to another folder")
        elif marker.files[file.path]["hash"] == file.hash:
            say(f"{file.path} has changed since it was verified; fetching it again")
    return list(missing)
