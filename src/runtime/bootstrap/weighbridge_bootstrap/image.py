"""What the image says of its model: model.json."""

from __future__ import annotations

import json

from .failures import USAGE, Fail
from .model import to_file


def read_image(path: str) -> dict:
    try:
        with open(path, encoding="utf-8") as file:
            image = json.load(file)
        image["files"] = [to_file(f["path"], f["size"], f.get("sha256"), f.get("gitOid")) for f in image["files"]]
        if image["schemaVersion"] != 1 or not image["files"]:
            raise ValueError("schemaVersion is not 1, or no files are listed")
        return {key: image[key] for key in ("id", "revision", "dir", "command", "serveArgs", "files")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Fail(USAGE, f"{path} is not a list of model files ({error or type(error)}); build the image again")
