"""What the tests of the bootstrap's modules share: a folder, a fake library, and the lines that were said."""

import importlib
import json
import os
import pkgutil
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

from fake_hub import CONTENT, REVISION, FakeHub, listed

SOURCE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bootstrap")
sys.dont_write_bytecode = True
sys.path.insert(0, SOURCE)

import weighbridge_bootstrap
from weighbridge_bootstrap import failures, pool, transfer
from weighbridge_bootstrap.delivery import bring
from weighbridge_bootstrap.model import Model, to_file

MODULES = [
    importlib.import_module("weighbridge_bootstrap." + module.name)
    for module in pkgutil.iter_modules(weighbridge_bootstrap.__path__)
]


def write_image(path, **changes):
    """A `model.json` as the image has it."""
    image = {
        "schemaVersion": 1,
        "id": "org/x",
        "short": "x",
        "revision": REVISION,
        "command": ["vllm", "serve"],
        "serveArgs": [],
    }
    with open(path, "w") as out:
        json.dump(dict(image, **changes), out)


class BootstrapTest(unittest.TestCase):
    def setUp(self):
        root = tempfile.TemporaryDirectory()
        self.addCleanup(root.cleanup)
        self.root, self.folder = root.name, os.path.join(root.name, "x")
        self.hub, self.lines, self.pools = FakeHub(CONTENT), [], []
        for patch in (
            mock.patch.object(pool, "ThreadPoolExecutor", self.new_pool),
            mock.patch.dict(sys.modules, self.hub.modules()),
            mock.patch.dict(os.environ, {"HOME": root.name}, clear=True),
            mock.patch.object(transfer, "RETRY_WAITS_SECONDS", (0, 0, 0)),
            *(mock.patch.object(module, "say", self.lines.append) for module in MODULES if hasattr(module, "say")),
        ):
            patch.start()
            self.addCleanup(patch.stop)

    def new_pool(self, workers):
        self.pools.append(ThreadPoolExecutor(workers))
        return self.pools[-1]

    def model(self, content=CONTENT, revision=REVISION, model_id="org/x"):
        files = [to_file(f["path"], f["size"], f.get("sha256"), f.get("gitOid")) for f in listed(content)]
        return Model(model_id, revision, self.folder, files)

    def bring(self, verify="size", **kind):
        self.hub.requests.clear()
        bring(self.model(**kind), [], verify)
        return json.loads(self.lines[-1])

    def fails(self, status, **kind):
        with self.assertRaises(failures.Fail) as caught:
            self.bring(**kind)
        for pool in self.pools:  # a process would be gone by now
            pool.shutdown()
        self.assertEqual(caught.exception.status, status, str(caught.exception))
        return str(caught.exception)

    def put(self, path, data):
        target = os.path.join(self.folder, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as out:
            out.write(data)

    def content(self):
        found = {}
        for folder, folders, names in os.walk(self.folder):
            folders[:] = [name for name in folders if name != ".weighbridge"]
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    found[os.path.relpath(os.path.join(folder, name), self.folder)] = file.read()
        found.pop(".weighbridge.json", None)
        return found

    def part(self, path):
        model = self.model()
        return model.part_of(next(file for file in model.files if file.path == path))
