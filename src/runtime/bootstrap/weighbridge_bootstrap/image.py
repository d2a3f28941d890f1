"""What the image says of its model: model.json."""

from __future__ import annotations

import json

from .failures import USAGE, Fail
from .model import File, check_path, to_file

KEYS = ("id", "revision", "dir", "command", "serveArgs", "files", "adapters", "maxLoraRank")


def read_image(path: str) -> dict:
    try:
        with open(path, encoding="utf-8") as file:
            image = json.load(file)
        image["files"] = listed(image["files"])
        image["adapters"] = [read_adapter(entry) for entry in image.get("adapters", [])]
        image["maxLoraRank"] = image.get("maxLoraRank")
        if image["schemaVersion"] != 1 or not image["files"]:
            raise ValueError("schemaVersion is not 1, or no files are listed")
        return {key: image[key] for key in KEYS}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Fail(USAGE, f"{path} is not a list of model files ({error or type(error)}); build the image again")


def read_adapter(entry: dict) -> dict:
    check_path(entry["id"])
    return {"name": entry["name"], "id": entry["id"], "revision": entry["revision"], "files": listed(entry["files"])}


def listed(files: list[dict]) -> list[File]:
    return [to_file(f["path"], f["size"], f.get("sha256"), f.get("gitOid")) for f in files]
