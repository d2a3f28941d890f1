"""The adapters (LoRA) that are served with the model: which, where they are, and the flags that serve them."""

from __future__ import annotations

import json
import os
from typing import NamedTuple

from .console import say
from .model import Model

ENABLE, MODULES, RANK = "--enable-lora", "--lora-modules", "--max-lora-rank"


class Adapter(NamedTuple):
    name: str
    files: Model


def choose_adapters(image: dict, model: Model) -> list[Adapter]:
    """The image's own, in the model's folder, which is where a volume is. Another model is served without them."""
    if image["adapters"] and model.id != image["id"]:
        say(f"the image's adapters are for {image['id']}, and are not served with {model.id}")
        return []
    return [Adapter(entry["name"], place(entry, model)) for entry in image["adapters"]]


def place(entry: dict, model: Model) -> Model:
    """By id, so that images which call other adapters by the same name can share a volume."""
    folder = os.path.join(model.dir, ".weighbridge", "adapters", entry["id"])
    return Model(entry["id"], entry["revision"], folder, entry["files"], home=model.dir)


def with_adapters(flags: list[str], adapters: list[Adapter], max_rank: int | None) -> list[str]:
    """`flags` with those that serve adapters, as a fat image has them in its entrypoint; what is there stays."""
    if not adapters:
        return flags
    names = {name_of(flag) for flag in flags}
    modules = [f"{adapter.name}={adapter.files.dir}" for adapter in adapters]
    own = [] if names & {ENABLE, "--no-enable-lora", "--disable-lora"} else [ENABLE]
    if MODULES not in names:
        own += [MODULES, *modules]
    if RANK not in names and max_rank is not None:
        own += [RANK, str(max_rank)]
    return own + add_modules(flags, modules)


def add_modules(flags: list[str], modules: list[str]) -> list[str]:
    """The adapters among the modules that `flags` name."""
    at = max((index for index, flag in enumerate(flags) if name_of(flag) == MODULES), default=None)
    if at is None:
        return flags
    _, is_joined, joined = flags[at].partition("=")
    end = next((index for index in range(at + 1, len(flags)) if flags[index].startswith("-")), len(flags))
    theirs = ([joined] if is_joined else []) + flags[at + 1 : end]
    named = {module_name(module) for module in theirs}
    missing = [module for module in modules if module_name(module) not in named]
    return [*flags[:at], MODULES, *missing, *theirs, *flags[end:]]


def name_of(flag: str) -> str:
    return flag.partition("=")[0].replace("_", "-")


def module_name(module: str) -> str:
    """`name=path`, or JSON with a `name`."""
    try:
        return str(json.loads(module)["name"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return module.partition("=")[0]
