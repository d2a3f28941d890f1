"""A huggingface_hub without network: it serves a model from memory, with the faults that a test asks for."""

import hashlib
import os
import types

REVISION, OTHER_REVISION = "a" * 40, "b" * 40
CONTENT = {
    "config.json": b'{"model_type":"x"}',
    "empty.txt": b"",
    "weights/part-1.safetensors": os.urandom(300_000),
    "part-2.safetensors": os.urandom(100_000),
}


def git_oid(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def listed(content):
    """As model.json has it: sha256 for weights, the git blob id for small files."""
    return [
        dict(
            path=path,
            size=len(data),
            **(
                {"sha256": hashlib.sha256(data).hexdigest()}
                if path.endswith("safetensors")
                else {"gitOid": git_oid(data)}
            ),
        )
        for path, data in content.items()
    ]


class Response:
    def __init__(self, status_code, headers=None, url="https://huggingface.co/org/x"):
        self.status_code, self.headers, self.url = status_code, headers or {}, url


class HfHubHTTPError(OSError):
    def __init__(self, message, response):
        super().__init__(message)
        self.response = response


class RepositoryNotFoundError(HfHubHTTPError):
    pass


class GatedRepoError(RepositoryNotFoundError):
    pass


class RevisionNotFoundError(HfHubHTTPError):
    pass


class RequestException(OSError):
    pass


class FakeHub(types.ModuleType):
    """Acts like the library: errors by class, http_get appends from `resume_size`; `faults` are raised in order."""

    def __init__(self, content):
        super().__init__("huggingface_hub")
        self.content, self.requests, self.faults = dict(content), [], []
        self.is_xet, self.is_xet_broken = False, False
        self.file_download = types.ModuleType("huggingface_hub.file_download")
        self.file_download.http_get = self.http_get
        self.utils = types.ModuleType("huggingface_hub.utils")
        self.utils.build_hf_headers = lambda: {"authorization": "Bearer " + os.environ.get("HF_TOKEN", "none")}

    def hf_hub_url(self, repo_id, filename, *, revision):
        return "https://hub.example/%s/resolve/%s/%s" % (repo_id, revision, filename)

    def get_hf_file_metadata(self, url):
        return types.SimpleNamespace(xet_file_data="x" if self.is_xet else None)

    def http_get(self, url, out, *, resume_size, headers, expected_size):
        path = url.split("/resolve/")[1].split("/", 1)[1]
        self.requests.append((path, resume_size))
        data = self.content[path][resume_size:]
        if self.faults:
            fault = self.faults.pop(0)
            out.write(data[: fault[0]])
            raise fault[1]
        out.write(data)
        if out.tell() != expected_size:
            raise EnvironmentError("Consistency check failed: file should be of size %d" % expected_size)

    def hf_hub_download(self, repo_id, filename, *, revision, local_dir):
        self.requests.append((filename, "library"))
        if self.is_xet_broken:
            raise RuntimeError("no CAS server")
        target = os.path.join(local_dir, filename)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as out:
            out.write(self.content[filename])
        return target

    def modules(self):
        return {
            "huggingface_hub": self,
            "huggingface_hub.file_download": self.file_download,
            "huggingface_hub.utils": self.utils,
        }
