"""Prints what one release of vLLM knows, as JSON: `release.py FOLDER`, the folder holding the wanted files of its wheel.

The parser of `vllm serve` is made by the release's own code, since flags come from types of dataclasses in ways that
change from release to release; torch and the rest are stand-ins (stubs.py), and an audit hook refuses that code every
process, connection and file to write. Everything else is read from the syntax tree and not run.
"""

import argparse
import contextlib
import importlib
import json
import os
import pathlib
import re
import sys

# An isolated Python does not look beside the script.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import catalog  # noqa: E402
import stubs  # noqa: E402

# What a type makes of these tells which type it is, whatever it is called in that release.
PROBES = ("abc", "1", "1.5", "1k", "2.5k", "1K", "auto", "None", "", "{}", "[]", "{bad", "{a: 1}", '{"a": 1}')
KINDS = {
    "int": lambda text: int(text),
    "float": lambda text: float(text),
    "json": lambda text: json.loads(text),
    "object": lambda text: _object(text),
    "size": lambda text: _size(text),
    "size-or-auto": lambda text: -1 if text == "auto" else _size(text),
    "text-or-json": lambda text: json.loads(text) if re.match(r"(?s)^\s*{.*}\s*$", text) else text,
    "text": lambda text: text,
}


def _object(text: str) -> dict:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError
    return value


def _size(text: str) -> int:
    if re.fullmatch(r"\d+(\.\d+)?[kmgt]|\d+[KMGT]", text):
        return 1
    return int(text)


def _accepted(convert) -> tuple[bool, ...]:
    results = []
    for probe in PROBES:
        try:
            convert(probe)
            results.append(True)
        except Exception:
            results.append(False)
    return tuple(results)


def _optional(convert):
    return lambda text: None if text in ("", "None") else convert(text)


def _closed_object(text: str) -> dict:
    """Of a class that takes its own keys alone."""
    value = _object(text)
    if value:
        raise TypeError
    return value


KNOWN = {_accepted(convert): name for name, convert in KINDS.items()} | {_accepted(_closed_object): "object"} | {
    _accepted(_optional(convert)): f"{name}?" for name, convert in KINDS.items() if name != "text"
}


def kind_of(action: argparse.Action) -> str:
    if action.choices is not None or action.type is None:
        return "text"
    # Which of the two it takes cannot be told from a type, and does not matter: both take any text.
    return KNOWN.get(_accepted(action.type), "text")


def keys_of(action: argparse.Action) -> tuple[str, ...]:
    """What an object may have, if it is checked."""
    stubs.TypeAdapter.keys = ()
    with contextlib.suppress(Exception):
        action.type("{}")
    return stubs.TypeAdapter.keys


def choices_of(action: argparse.Action) -> list[str]:
    """The texts that become one of the choices: a release may list `"None"` and turn it into None, which is none of them."""
    texts = dict.fromkeys(str(choice) for choice in action.choices)
    return [text for text in texts if _converted(action, text) in action.choices]


def _converted(action: argparse.Action, text: str):
    with contextlib.suppress(Exception):
        return action.type(text) if callable(action.type) else text
    return text


def is_folding(action: argparse.Action) -> bool:
    """Whether the letters' case and `-` for `_` make no difference."""
    if not callable(action.type):
        return False
    with contextlib.suppress(Exception):
        return any(
            isinstance(choice, str) and choice.upper() != choice and action.type(choice.upper().replace("_", "-")) == choice
            for choice in action.choices or []
        )
    return False


def is_deprecated(parser, action: argparse.Action) -> bool:
    if getattr(action, "deprecated", False) or action in getattr(parser, "_deprecated", ()):
        return True
    return bool(re.match(r"\W*deprecated\b|.{0,60}\bis deprecated\b", action.help or "", re.I | re.S))


def flag(parser, action: argparse.Action, names: list[str]) -> tuple[str, str]:
    """Returns a flag's name and its definition, `KIND[NARGS][~][!] [ALIAS...] [=CHOICE|CHOICE]`.

    What follows the = of an object are its keys.
    """
    name = next((text for text in names if text.startswith("--")), names[0])
    others = [text for text in names if text != name]
    if action.nargs == 0:
        kind = "flag"
        if f"--no-{name[2:]}" in others:
            kind = "bool"
            others.remove(f"--no-{name[2:]}")
    else:
        kind = kind_of(action) + ("" if action.nargs is None else f"*{action.nargs}")
    marks = ("~" if is_folding(action) else "") + ("!" if is_deprecated(parser, action) else "")
    choices = choices_of(action) if action.choices is not None else keys_of(action) if kind.startswith("object") else []
    return name, " ".join(filter(None, [kind + marks, *sorted(others), "=" + "|".join(choices) if choices else ""]))


def serve_parser() -> argparse.ArgumentParser:
    sys.argv = ["vllm", "--help"]
    module = None
    for name in ("vllm.utils.argparse_utils", "vllm.utils"):
        with contextlib.suppress(ModuleNotFoundError):
            module = importlib.import_module(name)
        if module and not isinstance(module, stubs.StubModule) and hasattr(module, "FlexibleArgumentParser"):
            break
    main = module.FlexibleArgumentParser(description="vLLM CLI")
    commands = main.add_subparsers(required=True)
    serve = importlib.import_module("vllm.entrypoints.cli.serve")
    if not isinstance(serve, stubs.StubModule):
        return serve.ServeSubcommand().subparser_init(commands)
    # Before 0.7.3 the command was made inside of a function of vllm/scripts.py.
    parser = commands.add_parser("serve")
    parser.add_argument("model_tag", type=str)
    parser.add_argument("--config", type=str, default="")
    return importlib.import_module("vllm.entrypoints.openai.cli_args").make_arg_parser(parser)


def flags_of(parser: argparse.ArgumentParser) -> dict[str, str]:
    names: dict[int, list[str]] = {}
    actions = {}
    for text, action in parser._option_string_actions.items():
        names.setdefault(id(action), []).append(text)
        actions[id(action)] = action
    return dict(sorted(flag(parser, actions[key], texts) for key, texts in names.items()))


def refuse(event: str, arguments: tuple) -> None:
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if writes or event.partition(".")[0] in ("socket", "subprocess", "ctypes", "shutil") or event in (
        "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.remove", "os.rename", "os.mkdir", "os.rmdir", "pty.spawn",
    ):
        raise PermissionError(f"the code of a release may not do this: {event}")


def main() -> None:
    root = pathlib.Path(sys.argv[1])
    sys.dont_write_bytecode = True
    os.environ.clear()
    output = sys.stdout
    sys.addaudithook(refuse)
    facts = catalog.facts_of(root)
    stubs.install(root)
    with contextlib.redirect_stdout(sys.stderr):
        parser = serve_parser()
        for action in parser._actions:
            # Parsers register themselves as modules that are not loaded here.
            if action.choices is not None and not list(action.choices) and action.dest == "reasoning_parser":
                action.choices = facts["reasoningParsers"]
        flags = flags_of(parser)
    json.dump({"flags": flags, **facts}, output, sort_keys=True)


if __name__ == "__main__":
    main()
