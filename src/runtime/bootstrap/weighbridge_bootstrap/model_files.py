"""Which files of a repository are the model's, chosen as the image's own were (plan/choose-files.ts).

`model_files.json` is that program's table of what files are, by their paths.
"""

from __future__ import annotations

import functools
import json
import os
import re

WEIGHTS = {"safetensors", "mistral", "torch", "gguf", "tensorizer"}


class Choice:
    """Decides folder by folder: of several copies of the same weights in one folder, vLLM loads one."""

    def __init__(self, paths: list[str], serve_args: list[str]):
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "model_files.json"), encoding="utf-8") as file:
            data = json.load(file)
        self.kinds = [(rule["kind"], re.compile(rule["path"], re.IGNORECASE)) for rule in data["kinds"]]
        self.adapters, self.whole_models, self.originals = (
            re.compile(data[name], re.IGNORECASE) for name in ("adapters", "wholeModels", "originals")
        )
        self.order = data["loadFormats"].get(load_format(serve_args)) or data["loadFormats"]["auto"]
        self.kind_of = {path: self.find_kind(path) for path in paths}
        self.weights = [path for path in paths if self.kind_of[path] in WEIGHTS]
        models = [p for p in self.weights if not self.adapters.search(p) and not self.originals.search(p)]
        self.by_folder: dict[str, list[str]] = {}
        for path in models:
            self.by_folder.setdefault(os.path.dirname(path), []).append(path)
        self.gguf = [path for path in models if self.kind_of[path] == "gguf"] if self.order[0] == "gguf" else []
        self.stems = {stem_of(path) for path in self.weights if self.kind_of[path] == "safetensors"}
        self.loaded_in = functools.lru_cache(maxsize=None)(self.find_loaded)

    def find_kind(self, path: str) -> str:
        return next((kind for kind, pattern in self.kinds if pattern.search(path)), "other")

    def find_loaded(self, folder: str) -> str | None:
        """The kind of weights that vLLM loads from this folder."""
        there = self.by_folder.get(folder, [])
        below = [path for path in self.gguf if not folder or path.startswith(folder + "/")]
        named = [path for path in there if self.kind_of[path] != "torch" or self.whole_models.search(path)]
        for paths in (below + named, there):
            found = {self.kind_of[path] for path in paths}
            for kind in self.order:
                if kind in found:
                    return kind
        return None

    def takes(self, path: str) -> bool:
        kind, folder = self.kind_of[path], os.path.dirname(path)
        original = self.originals.search(path)
        if kind == "extra" or (kind in ("training", "other-framework") and self.weights):
            return False
        if original and self.loaded_in(path[: original.start()]):
            return False
        if kind == "pickle":
            return all(self.loaded_in(up) != "safetensors" for up in folders_up(folder))
        if kind == "index":
            return self.loaded_in(folder) in (None, index_kind(path))
        if kind in ("gguf", "tensorizer"):
            return all(self.loaded_in(up) in (None, kind) for up in folders_up(folder))
        if kind not in WEIGHTS:
            return True
        is_part = kind == "torch" and stem_of(path) not in self.stems
        if self.adapters.search(path):
            return kind != "torch" or is_part
        return self.loaded_in(folder) in (None, kind) or (is_part and not self.whole_models.search(path))


def load_format(serve_args: list[str]) -> str:
    """What `vllm serve` is told to load; other flags make it look for files of a format as well."""
    values: dict[str, str] = {}
    for index, arg in enumerate(serve_args):
        flag, has_value, value = arg.partition("=")
        following = serve_args[index + 1] if index + 1 < len(serve_args) else ""
        values[flag.replace("_", "-")] = value if has_value else following
    named = values.get("--load-format", "auto").lower()
    if named != "auto":
        return named
    if values.get("--config-format") == "mistral":
        return "mistral"
    return "gguf" if values.get("--quantization", values.get("-q")) == "gguf" else "auto"


def index_kind(path: str) -> str:
    name = os.path.basename(path).lower()
    if name.startswith("consolidated"):
        return "mistral"
    return "torch" if ".bin.index" in name else "safetensors"


def stem_of(path: str) -> str:
    return re.sub(r"\.[^./]+$", "", path)


def folders_up(folder: str) -> list[str]:
    """The folder and all that it is in, up to the repository's top."""
    return [folder, *(folders_up(os.path.dirname(folder)) if folder else [])]
