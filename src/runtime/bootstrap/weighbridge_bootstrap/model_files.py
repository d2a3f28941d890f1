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
        self.kinds = [(rule["kind"], compiled(rule["path"])) for rule in data["kinds"]]
        self.adapters, self.originals, self.checkpoints = (compiled(data[of]) for of in ("adapters", "originals", "checkpoints"))
        self.whole_models, self.named_models = compiled(data["wholeModels"]), compiled(data["namedModels"])
        self.shard, self.variant = compiled(data["shard"]), compiled(data["variant"])
        loadable = re.compile(data["loadable"])
        format = load_format(serve_args)
        self.order, self.endings = (data[name].get(format) or data[name]["auto"] for name in ("loadFormats", "torchEndings"))
        self.kind_of = {path: self.find_kind(path) for path in paths}
        self.weights = [path for path in paths if self.kind_of[path] in WEIGHTS]
        self.copies = self.find_copies()
        left = {path for path in self.weights if self.adapters.search(path) or self.originals.search(path)} | self.copies
        models = [path for path in self.weights if path not in left and loadable.search(path)]
        self.adapted = {os.path.dirname(path) for path in self.weights if self.adapters.search(path)}
        self.has_model = bool(models)
        self.by_folder: dict[str, list[str]] = {}
        for path in models:
            self.by_folder.setdefault(os.path.dirname(path), []).append(path)
        self.gguf = [path for path in models if self.kind_of[path] == "gguf"] if self.order[0] == "gguf" else []
        self.stems = {stem_of(path) for path in self.weights if self.kind_of[path] == "safetensors"}
        self.loaded_in = functools.lru_cache(maxsize=None)(self.find_loaded)

    def find_kind(self, path: str) -> str:
        return next((kind for kind, pattern in self.kinds if pattern.search(path)), "other")

    def find_copies(self) -> set[str]:
        """Files whose weights another file of the same format and folder has too: another precision, or in one piece."""
        series: dict[str, list[str]] = {}
        for path in self.weights:
            if self.kind_of[path] in ("safetensors", "mistral", "torch"):
                series.setdefault(self.series_of(path), []).append(path)
        copies = set()
        for name, paths in series.items():
            plain = self.variant.sub("", name)
            if plain != name:
                copies.update(paths if plain in series else ())
            elif name in self.kind_of and f"{name}.index.json" in self.kind_of and self.is_complete(paths):
                copies.add(name)
        for path, kind in self.kind_of.items():
            name = self.series_of(indexed_series(path)) if kind == "index" else ""
            plain = self.variant.sub("", name)
            if name != plain and plain in series:
                copies.add(path)
        return copies

    def series_of(self, path: str) -> str:
        """The path without its number among numbered files: that of the weights in one piece."""
        return self.shard.sub("", path, count=1)

    def is_complete(self, paths: list[str]) -> bool:
        """Whether numbered files of a series are all there: an index names them rather than the one that is not numbered."""
        totals: dict[int, set[int]] = {}
        for path in paths:
            part = self.shard.search(path)
            if part:
                totals.setdefault(int(part[2]), set()).add(int(part[1]))
        return any(set(range(min(total, 1000))) <= {n - (0 not in found) for n in found} for total, found in totals.items())

    def find_loaded(self, folder: str) -> str | None:
        """The file of the weights that vLLM loads from this folder."""
        there = self.by_folder.get(folder, [])
        below = [path for path in self.gguf if not folder or path.startswith(folder + "/")]
        named = [path for path in there if self.is_whole(path)]
        for paths in (below + named, there):
            for kind in self.order:
                found = [path for path in paths if self.kind_of[path] == kind]
                for ending in self.endings if kind == "torch" else [""]:
                    for path in found:
                        if path.endswith(ending):
                            return path
        return None

    def kind_in(self, folder: str) -> str | None:
        loaded = self.loaded_in(folder)
        return loaded and self.kind_of[loaded]

    def is_whole(self, path: str | None) -> bool:
        if path is None or self.kind_of[path] != "torch":
            return path is not None
        return bool(self.whole_models.search(path)) or stem_of(path) in self.stems

    def is_left_behind(self, path: str) -> bool:
        """In a folder such as `checkpoint-500/`, where the folder above has the model, or the adapter, as it became."""
        found = self.checkpoints.search(path)
        if not found:
            return False
        above = path[: found.start()]
        return self.is_whole(self.loaded_in(above)) or (above in self.adapted and not self.loaded_in(os.path.dirname(path)))

    def is_mistaken(self, path: str) -> bool:
        """Whether vLLM would load this adapter as weights of the model in the same folder, or in their place."""
        folder = os.path.dirname(path)
        loaded, is_safetensors = self.loaded_in(folder), self.kind_of[path] == "safetensors"
        if loaded is None or not self.is_whole(loaded):
            return False
        if self.kind_of[loaded] == "torch":
            return is_safetensors or ending_of(path) == ending_of(loaded)
        if self.kind_of[loaded] == "mistral":
            return is_safetensors and self.order[0] != "mistral"
        index = os.path.join(folder, "model.safetensors.index.json")
        return self.kind_of[loaded] == "safetensors" and is_safetensors and index not in self.kind_of

    def takes(self, path: str) -> bool:
        kind, folder = self.kind_of[path], os.path.dirname(path)
        original = self.originals.search(path)
        if kind == "extra" or (kind in ("training", "other-framework") and self.weights):
            return False
        if self.is_left_behind(path) or (original and self.loaded_in(path[: original.start()])):
            return False
        if kind == "pickle":
            return all(self.kind_in(up) not in ("safetensors", "mistral") for up in folders_up(folder))
        if kind == "index":
            return self.kind_in(folder) in (None, index_kind(path)) and not (self.loaded_in(folder) and path in self.copies)
        if kind in ("gguf", "tensorizer"):
            return all(self.kind_in(up) in (None, kind) for up in folders_up(folder))
        return kind not in WEIGHTS or self.takes_weights(path, kind, self.loaded_in(folder))

    def takes_weights(self, path: str, kind: str, loaded: str | None) -> bool:
        is_part = kind == "torch" and stem_of(path) not in self.stems
        if self.adapters.search(path):
            return (kind != "torch" or is_part) and not self.is_mistaken(path)
        if loaded is None:
            return True
        if self.kind_of[loaded] != kind:
            return is_part and not self.whole_models.search(path)
        is_named = self.named_models.search(path) and self.named_models.search(loaded)
        return path not in self.copies and not (is_named and ending_of(path) != ending_of(loaded))


def load_format(serve_args: list[str]) -> str:
    """What `vllm serve` is told to load; other flags make it look for files of a format as well."""
    named = config = method = ""
    for index, arg in enumerate(serve_args):
        flag, has_value, value = arg.partition("=")
        following = serve_args[index + 1] if index + 1 < len(serve_args) else ""
        value, flag = value if has_value else following, flag.replace("_", "-")
        if is_short_for(flag, "--load-format", "--load"):
            named = value.lower() or "-"
        elif is_short_for(flag, "--config-format", "--config-"):
            config = value
        elif flag in ("--quantization", "-q"):
            method = value
        elif re.match("-q[^-]", flag):
            method = flag[2:]
    if named not in ("", "auto"):
        return named
    if config == "mistral":
        return "mistral"
    return "gguf" if method.lower() == "gguf" else "auto"


def is_short_for(flag: str, name: str, shortest: str) -> bool:
    """Python's parsers take the beginning of a flag's name, if no other begins so."""
    return len(flag) >= len(shortest) and name.startswith(flag)


def compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.ASCII)


def index_kind(path: str) -> str:
    name = os.path.basename(path).lower()
    if name.startswith("consolidated"):
        return "mistral"
    return "torch" if ".bin.index" in name else "safetensors"


def indexed_series(path: str) -> str:
    """The weights that an index is of: `model.fp32.safetensors` for `model.safetensors.index.fp32.json`."""
    return re.sub(r"(?i)\.(safetensors|bin)\.index(\.[\w-]+)?\.json$", lambda m: f"{m[2] or ''}.{m[1]}", path)


def ending_of(path: str) -> str:
    return os.path.splitext(path)[1]


def stem_of(path: str) -> str:
    return re.sub(r"\.[^./]+$", "", path)


def folders_up(folder: str) -> list[str]:
    """The folder and all that it is in, up to the repository's top: a name may have more of them than calls can be nested."""
    parts = folder.split("/") if folder else []
    return ["/".join(parts[:count]) for count in range(len(parts), -1, -1)]
