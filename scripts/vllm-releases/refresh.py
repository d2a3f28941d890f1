"""Writes what every release of vLLM knows to src/fit/vllm-releases.json, from the wheels on the package index.

Reads a few MB of each wheel by ranges. Releases that are in the file already stay as they are, unless --all is given.
The index is the one that pip is configured for.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import urllib.request

import wheel

HERE = pathlib.Path(__file__).resolve().parent
OUTPUT = HERE.parent.parent / "src/fit/vllm-releases.json"
OLDEST = (0, 6)
TABLES = ("architectures", "configTypes", "flags", "quantization", "reasoningParsers", "toolParsers")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="read the releases again that are in the file already")
    parser.add_argument("--jobs", type=int, default=2, help="releases at once")
    parser.add_argument("--only", action="append", help="just this release, for a look at it; prints it and writes nothing")
    options = parser.parse_args()
    wheels = wheels_of("vllm", OLDEST)
    transformers = Transformers()
    if options.only:
        for version in options.only:
            print(json.dumps(read_release(wheels[version], transformers), indent=1, sort_keys=True))
        return
    known = {} if options.all or not OUTPUT.exists() else unfold(json.loads(OUTPUT.read_text(encoding="utf-8")))
    missing = [version for version in wheels if version not in known]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for version, facts in zip(missing, pool.map(lambda version: read_release(wheels[version], transformers), missing)):
            print(f"{version}: {', '.join(f'{len(facts[table])} {table}' for table in TABLES)}", file=sys.stderr)
            known[version] = facts
    text = document(fold(known))
    if OUTPUT.exists() and OUTPUT.read_text(encoding="utf-8") == text:
        print("Nothing has changed.", file=sys.stderr)
        return
    OUTPUT.write_text(text, encoding="utf-8")
    print(f"{len(known)} releases, {len(text.encode())} bytes", file=sys.stderr)


def index_address() -> str:
    if address := os.environ.get("PIP_INDEX_URL"):
        return address
    configured = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True, check=False
    ).stdout.strip()
    if configured:
        return configured
    from pip._internal.models.index import PyPI

    return PyPI.simple_url


def wheels_of(package: str, oldest: tuple[int, ...]) -> dict[str, dict]:
    """Returns the wheel to read of each final release, the oldest release first."""
    request = urllib.request.Request(
        f"{index_address().rstrip('/')}/{package}/", headers={"Accept": "application/vnd.pypi.simple.v1+json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        files = json.load(answer)["files"]
    wheels = {}
    for file in files:
        parts = file["filename"].removesuffix(".whl").split("-")
        is_wheel = file["filename"].endswith(".whl") and len(parts) == 5 and "aarch64" not in parts[4]
        if is_wheel and re.fullmatch(r"[\d.]+(?:\.?post\d+)?", parts[1]) and order(parts[1]) >= oldest:
            wheels[parts[1]] = file
    return dict(sorted(wheels.items(), key=lambda entry: order(entry[0])))


class Transformers:
    """The model types that a release of Transformers has a configuration for."""

    FILES = re.compile(r"transformers/models/auto/(?:configuration_auto|auto_mappings)\.py")
    ENTRY = re.compile(r"""["']([\w.-]+)["']\s*[:,]\s*["']\w+Config["']""")

    def __init__(self):
        self.wheels = wheels_of("transformers", (4, 40))
        self.types: dict[str, set[str]] = {}
        self.lock = threading.Lock()

    def types_for(self, facts: dict, uploaded: str) -> set[str]:
        """Returns those of the newest release that an image made on that day could have got."""
        lowest = order(facts["transformers"] or "0")
        below = order(facts["transformersBelow"] or "9999")
        fitting = [
            version
            for version, file in self.wheels.items()
            if order(version) < below and (file["upload-time"] <= uploaded or order(version) <= lowest)
        ]
        with self.lock:
            version = fitting[-1]
            if version not in self.types:
                file = self.wheels[version]
                contents = wheel.wanted_files(file["url"], file["size"], self.FILES).values()
                self.types[version] = {name for text in contents for name in self.ENTRY.findall(text.decode())}
            return self.types[version]


def order(version: str) -> tuple[int, ...]:
    base, _, post = version.partition(".post")
    numbers = [int(part) for part in base.split(".")]
    return (*numbers, *[0] * (4 - len(numbers)), int(post or 0))


def read_release(file: dict, transformers: Transformers) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, content in wheel.wanted_files(file["url"], file["size"]).items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        # -I and -S: neither this machine's packages nor its settings have a say.
        command = [sys.executable, "-I", "-S", str(HERE / "release.py"), str(root)]
        result = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]})
    if result.returncode != 0:
        raise SystemExit(f"{file['filename']}: {result.stderr[-2000:]}")
    facts = json.loads(result.stdout)
    types = transformers.types_for(facts, file["upload-time"])
    return {**facts, "date": file["upload-time"][:10], "configTypes": sorted({*facts["configTypes"], *types})}


def fold(releases: dict[str, dict]) -> dict:
    """Each item once, with the releases that changed it: `{"0.6.0": VALUE, "0.9.0": null}`."""
    ordered = dict(sorted(releases.items(), key=lambda entry: order(entry[0])))
    folded: dict = {"releases": {version: [facts["date"], facts["transformers"]] for version, facts in ordered.items()}}
    for table in TABLES:
        items: dict[str, dict] = {}
        for version, facts in ordered.items():
            now = as_map(facts[table])
            for name in items.keys() | now.keys():
                changes = items.setdefault(name, {})
                last = next(reversed(changes.values()), None)
                if now.get(name) != last:
                    changes[version] = now.get(name)
        folded[table] = dict(sorted(items.items()))
    return folded


def as_map(table) -> dict:
    return table if isinstance(table, dict) else {name: 1 for name in table}


def unfold(folded: dict) -> dict[str, dict]:
    releases = {}
    for version, (date, transformers) in folded["releases"].items():
        facts: dict = {"date": date, "transformers": transformers}
        for table in TABLES:
            facts[table] = {}
            for name, changes in folded[table].items():
                value = None
                for since, changed in changes.items():
                    if order(since) <= order(version):
                        value = changed
                if value is not None:
                    facts[table][name] = value
        releases[version] = facts
    return releases


def document(folded: dict) -> str:
    """One line for each item, so that a new release is a short diff."""
    tables = []
    for table, items in folded.items():
        lines = ",\n".join(f"{json.dumps(name)}:{json.dumps(value, separators=(',', ':'))}" for name, value in items.items())
        tables.append(f"{json.dumps(table)}:{{\n{lines}\n}}")
    return "{\n" + ",\n".join(tables) + "\n}\n"


if __name__ == "__main__":
    main()
