"""Downloads that were interrupted."""

import os

from fake_hub import CONTENT, HfHubHTTPError, RequestException, Response
from support import BootstrapTest
from weighbridge_bootstrap import failures
from weighbridge_bootstrap.marker import Marker


class Resuming(BootstrapTest):
    def test_part_is_resumed_after_a_broken_connection(self):
        self.hub.faults = [(1000, RequestException("reset")), (2000, RequestException("reset"))]
        self.hub.content = {"w.safetensors": os.urandom(10_000)}
        self.bring(content=self.hub.content)
        self.assertEqual(self.hub.requests, [("w.safetensors", 0), ("w.safetensors", 1000), ("w.safetensors", 3000)])

    def test_part_of_an_earlier_run_is_resumed(self):
        part = self.part("weights/part-1.safetensors")
        os.makedirs(os.path.dirname(part))
        with open(part, "wb") as out:
            out.write(CONTENT["weights/part-1.safetensors"][:200_000])
        ready = self.bring()
        self.assertIn(("weights/part-1.safetensors", 200_000), self.hub.requests)
        self.assertEqual(ready["downloadedBytes"], sum(map(len, CONTENT.values())) - 200_000)
        self.assertEqual(self.content(), CONTENT)

    def test_wrong_part_is_fetched_again_from_its_start(self):
        part = self.part("weights/part-1.safetensors")
        os.makedirs(os.path.dirname(part))
        with open(part, "wb") as out:
            out.write(b"?" * 200_000)
        self.bring()
        self.assertEqual(self.content(), CONTENT)

    def test_parts_that_are_too_long_or_of_other_files_are_dropped(self):
        part = self.part("part-2.safetensors")
        os.makedirs(os.path.dirname(part))
        for path in (part, os.path.join(os.path.dirname(part), "other")):
            with open(path, "wb") as out:
                out.write(b"?" * 400_000)
        self.bring()
        self.assertEqual(self.content(), CONTENT)

    def test_file_in_place_but_not_yet_in_the_marker_is_kept(self):
        self.bring()
        marker = Marker(self.folder)
        marker.revision = None
        del marker.files["config.json"]
        marker.save()
        self.bring()
        self.assertEqual(self.hub.requests, [])

    def test_half_a_folder_is_not_whole(self):
        self.hub.faults = [(0, RequestException("down"))] * 40
        self.fails(failures.UNREACHABLE)
        self.assertNotEqual(self.content(), CONTENT)
        self.fails(failures.UNREACHABLE, verify="off")
        self.hub.faults.clear()
        self.bring()
        self.assertEqual(self.content(), CONTENT)

    def test_refused_link_is_asked_for_again(self):
        os.environ["HF_TOKEN"] = "hf_secret"
        self.hub.faults = [(0, HfHubHTTPError("expired", Response(403, url="https://cdn.example/x?Signature=y")))]
        self.bring()
        self.assertEqual(self.content(), CONTENT)
        self.assertIn("the link that the Hub gave for config.json was refused (403); trying again in 0 s", self.lines)
