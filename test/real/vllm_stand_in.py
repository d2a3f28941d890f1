#!/usr/bin/env python3
"""A STAND-IN for vLLM in tests: takes vLLM's command line, tells what it was given, and serves nothing but a greeting.

It prints on stdout: a line that says what it is; its argv as JSON; the model folder with sizes and sha256 as JSON.
Then it answers /health and /v1/models, or exits where --stand-in-exit or VLLM_STAND_IN_EXIT=1 asks for it.
`vllm serve DIR …` and `python3 -m vllm.entrypoints.openai.api_server --model DIR …` are told apart as in vLLM.
"""
import argparse
import hashlib
import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def main(argv, is_module=False):
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: os._exit(0))
    tell("vllm STAND-IN (not vLLM)")
    parser = argparse.ArgumentParser(prog="api_server" if is_module else "vllm serve", allow_abbrev=False)
    if is_module:
        parser.add_argument("model_tag", nargs="?")
        parser.add_argument("--model", default="facebook/opt-125m")
    else:
        parser.add_argument("command", choices=["serve"])
        parser.add_argument("model")
    parser.add_argument("--host", default="0.0.0.0")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--served-model-name", action="append")
    parser.add_argument("--stand-in-exit", action="store_true")
    options, others = parser.parse_known_args(argv)
    if others and not others[0].startswith("-"):
        parser.error("unrecognized arguments: " + " ".join(others))
    tell(json.dumps({"argv": argv}))
    tell(json.dumps({"model": options.model, "files": list_files(options.model)}))
    if not options.stand_in_exit and os.environ.get("VLLM_STAND_IN_EXIT") != "1":
        serve(options.host, options.port, (options.served_model_name or [options.model])[-1])


def list_files(root):
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name != ".weighbridge")
        for name in sorted(names):
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                digest = hashlib.sha256()
                for chunk in iter(lambda: file.read(1 << 20), b""):
                    digest.update(chunk)
            found.append({"path": os.path.relpath(path, root), "size": os.path.getsize(path), "sha256": digest.hexdigest()})
    return sorted(found, key=lambda entry: entry["path"])


def serve(host, port, name):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            bodies = {"/health": {}, "/v1/models": {"object": "list", "data": [{"id": name, "object": "model"}]}}
            body = json.dumps(bodies.get(self.path, {"error": "the stand-in has no such page"})).encode()
            self.send_response(200 if self.path in bodies else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer((host, port), Handler)
    tell("stand-in listening on %s:%d" % server.server_address[:2])
    server.serve_forever()


def tell(line):
    print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
