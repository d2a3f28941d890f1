"""Runs the bootstrap's parsers on what comes in: a line of JSON a case, and a line for each that says how it ended."""

from __future__ import annotations

import base64
import json
import os
import sys
import tempfile

sys.path.insert(0, sys.argv[1])

from weighbridge_bootstrap.adapters import Adapter, with_adapters
from weighbridge_bootstrap.failures import Fail
from weighbridge_bootstrap.image import read_image
from weighbridge_bootstrap.marker import Marker
from weighbridge_bootstrap.model import File, Model
from weighbridge_bootstrap.model_files import Choice, load_format

FOLDER = tempfile.TemporaryDirectory()


def written(name: str, content: bytes) -> str:
    path = os.path.join(FOLDER.name, name)
    with open(path, "wb") as file:
        file.write(content)
    return path


def image(content: bytes) -> None:
    found = read_image(written("model.json", content))
    for file in found["files"]:
        assert isinstance(file, File) and not file.path.startswith("/"), file


def marker(content: bytes) -> None:
    written(".weighbridge.json", content)
    found = Marker(FOLDER.name)
    model = Model("acme/x", "0a" * 20, FOLDER.name, [File("a", 1, "sha256:" + "0a" * 32)])
    found.vouches_for_all(model, "auto")
    for path in found.files:
        found.is_untouched(path)
        found.is_ours(path)


def flags(content: bytes) -> None:
    words = content.decode("utf-8", "replace").split("\n")
    model = Model("acme/sql", "0a" * 20, "/models/x/sql", [])
    assert with_adapters(words, [Adapter("sql", model)], 16)[-1:] is not None
    assert isinstance(load_format(words), str)


def names(content: bytes) -> None:
    paths = [path for path in content.decode("utf-8", "replace").split("\n") if path]
    choice = Choice(paths, [])
    for path in paths:
        assert isinstance(choice.takes(path), bool)


PARSERS = {"image": image, "marker": marker, "flags": flags, "names": names}

for line in sys.stdin:
    case = json.loads(line)
    try:
        PARSERS[case["parser"]](base64.b64decode(case["content"]))
        answer = "read"
    except Fail as error:
        answer = "refused" if str(error).isprintable() else f"not printable: {error!r}"
    except BaseException as error:
        answer = f"{type(error).__name__}: {error!r}"[:300]
    print(json.dumps(answer), flush=True)
