"""Reads a few files of a large wheel over HTTP: a wheel is a zip, its table of contents is at its end."""

import re
import urllib.request
import zipfile

BLOCK_BYTES = 256 * 1024
TRIES = 4

# What the parser of `vllm serve`, the registry of architectures and the lists of parsers are made of.
WANTED = re.compile(
    r"vllm/(?:"
    r"envs|scripts|sampling_params|pooling_params|version|logger"
    r"|engine/[^/]*|entrypoints/.*|config|config/.*|utils|utils/.*"
    r"|model_executor/models/.*|model_executor/layers/quantization/(?:__init__|base_config)"
    r"|model_executor/guided_decoding/.*|model_executor/model_loader/(?:__init__|loader)"
    r"|lora/request|tool_parsers/.*|reasoning/.*|parser/.*|tokenizers/registry|transformers_utils/(?:utils|config)"
    r"|renderers/__init__|renderers/chat_utils(?:/.*)?"
    r"|v1/attention/(?:backends/)?registry|attention/(?:backends/)?registry"
    r")\.py|vllm-[^/]*\.dist-info/METADATA"
)


class RangedFile:
    """A remote file as `zipfile` wants it: `seek`, `tell` and `read`, by ranges of whole blocks."""

    def __init__(self, url: str, size: int):
        self.url, self.size, self.position, self.blocks = url, size, 0, {}

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.position

    def seek(self, offset: int, whence: int = 0) -> int:
        self.position = offset + (0, self.position, self.size)[whence]
        return self.position

    def read(self, count: int = -1) -> bytes:
        end = self.size if count < 0 else min(self.size, self.position + count)
        parts = []
        while self.position < end:
            number, skip = divmod(self.position, BLOCK_BYTES)
            part = self._block(number)[skip : skip + end - self.position]
            parts.append(part)
            self.position += len(part)
        return b"".join(parts)

    def _block(self, number: int) -> bytes:
        if number not in self.blocks:
            start = number * BLOCK_BYTES
            self.blocks[number] = _fetch(self.url, start, min(self.size, start + BLOCK_BYTES))
        return self.blocks[number]


def _fetch(url: str, start: int, end: int) -> bytes:
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-{end - 1}"})
    for attempt in range(TRIES):
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                # A server that ignores the range would send the whole wheel.
                if answer.status != 206:
                    raise OSError(f"{url}: status {answer.status} for a range")
                content = answer.read()
            if len(content) != end - start:
                raise OSError(f"{url}: {len(content)} bytes for a range of {end - start}")
            return content
        except OSError:
            if attempt == TRIES - 1:
                raise
    raise AssertionError("unreachable")


def wanted_files(url: str, size: int, wanted: re.Pattern = WANTED) -> dict[str, bytes]:
    """Returns the wanted files of a wheel by path."""
    with zipfile.ZipFile(RangedFile(url, size)) as wheel:
        members = [member for member in wheel.infolist() if wanted.fullmatch(member.filename)]
        # In the order of their bytes, so that neighbors share a range.
        return {member.filename: wheel.read(member) for member in sorted(members, key=lambda m: m.header_offset)}
