"""The real parser of `vllm serve`: reads a JSON list of command lines, prints what it makes of each.

Printed is one JSON document: `accepts`, a list of true or the refusal's text, and `architectures`.
"""

import contextlib
import io
import json
import os
import sys

os.environ.setdefault("VLLM_LOGGING_LEVEL", "CRITICAL")
os.environ.setdefault("VLLM_TARGET_DEVICE", "cpu")


def serve_parser():
    import torch

    # Some releases ask a torch older than the one that is here what the processor has.
    for name in ("_is_avx512_supported", "_is_avx2_supported"):
        if not hasattr(torch._C._cpu, name):
            setattr(torch._C._cpu, name, lambda: False)
    try:
        from vllm.utils.argparse_utils import FlexibleArgumentParser
    except ImportError:
        from vllm.utils import FlexibleArgumentParser
    from vllm.entrypoints.cli import serve

    main = FlexibleArgumentParser(description="vLLM CLI")
    commands = main.add_subparsers(required=True, dest="subparser")
    command = serve.ServeSubcommand()
    command.subparser_init(commands)
    return main


def verdict(parser, args):
    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
            sys.argv = ["vllm", "serve", "/models/x", *args]
            parser.parse_args(sys.argv[1:])
        return True
    except SystemExit as exit:
        return True if exit.code in (0, None) else errors.getvalue().strip().splitlines()[-1][:300]
    except Exception as error:  # what a type raises that argparse does not expect
        return f"{type(error).__name__}: {error}"[:300]


def main():
    lines = json.load(sys.stdin)
    with contextlib.redirect_stdout(sys.stderr):
        parser = serve_parser()
        from vllm.model_executor.models.registry import ModelRegistry

        result = {
            "accepts": [verdict(parser, line) for line in lines],
            "architectures": sorted(ModelRegistry.get_supported_archs()),
        }
    json.dump(result, sys.stdout)


main()
