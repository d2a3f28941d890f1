"""Which model is to be served: the image's own, or another one that the environment names."""

from __future__ import annotations

import os
import re

from .console import say
from .failures import UNREACHABLE, USAGE, Fail, explain, harmless
from .library import load_library
from .marker import Marker
from .model import Model, to_file
from .model_files import Choice


def choose_model(image: dict, serve_args: list[str]) -> Model:
    """The image's own model, pinned; or the one that MODEL_ID and MODEL_REVISION ask for, looked up now."""
    wanted = os.environ.get("MODEL_ID") or image["id"]
    revision = os.environ.get("MODEL_REVISION") or (image["revision"] if wanted == image["id"] else "main")
    own_folder = os.path.abspath(image["dir"])
    folder = os.path.abspath(os.environ.get("MODEL_DIR") or own_folder)
    if (wanted, revision) == (image["id"], image["revision"]):
        return Model(wanted, revision, folder, image["files"])
    if wanted != image["id"] and folder == own_folder:
        folder = os.path.join(os.path.dirname(folder), wanted.split("/")[-1])
    say(f"{wanted} at {revision} is not what this image was built for ({image['id']}): it is not pinned")
    try:
        return look_up(wanted, revision, folder, serve_args)
    except Fail as failure:
        marker = Marker(folder)
        if failure.status != UNREACHABLE or marker.id != wanted or not marker.revision:
            raise
        say(f"{failure}; going on with revision {marker.revision[:12]} that is in {folder}")
        return Model(wanted, marker.revision, folder, marker.listed())


def look_up(model_id: str, revision: str, folder: str, serve_args: list[str]) -> Model:
    """The model as it is now, with the files that a server with these arguments needs."""
    hub = load_library(folder)
    try:
        info = hub.HfApi().model_info(model_id, revision=revision, files_metadata=True)
        if not re.fullmatch("[0-9a-f]{40}", str(info.sha)):
            raise ValueError("the Hub names no commit")
        files = [to_file(s.rfilename, s.size, (s.lfs or {}).get("sha256"), s.blob_id) for s in info.siblings]
    except ValueError as error:
        raise Fail(USAGE, f"MODEL_ID {model_id} cannot be looked up: {harmless(error)}")
    except Exception as error:
        raise explain(error, Model(model_id, revision, folder, []), "its list of files")
    choice = Choice([file.path for file in files], serve_args)
    if not choice.has_model:
        say(f"{model_id} has no weights that vLLM could load: it will not start")
    return Model(model_id, info.sha, folder, [file for file in files if choice.takes(file.path)])
