"""Writes a model with the format's own library, and reads one back as programs do that load models.

`write FOLDER` makes a file of weights and one of two shards with an index; `compare SOURCE FOLDER` holds every tensor of
the folder's index against those of the source, bit for bit, and prints how many there were.
"""

import json
import os
import sys

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

DTYPES = ["float32", "float16", "int64", "uint8", "bool", "float64", "int8"]


def tensors(count, rng):
    made = {"empty": np.zeros((0, 4), np.float32), "scalar": np.array(3, np.int64)}
    for number in range(count):
        shape = (int(rng.integers(1, 200)), int(rng.integers(1, 2000)))
        values = rng.integers(0, 2**8, size=shape, dtype=np.uint8)
        made[f"model.layers.{number}.wéight"] = values.astype(DTYPES[number % len(DTYPES)])
    return made


def write(folder):
    rng = np.random.default_rng(7)
    lone = os.path.join(folder, "lone")
    os.makedirs(lone)
    save_file(tensors(80, rng), os.path.join(lone, "model.safetensors"), metadata={"format": "pt"})
    shards = os.path.join(folder, "shards")
    os.makedirs(shards)
    weight_map = {}
    for number, count in ((1, 3), (2, 70)):
        name = f"model-{number:05}-of-00002.safetensors"
        own = {f"shard{number}.{key}": value for key, value in tensors(count, rng).items()}
        save_file(own, os.path.join(shards, name))
        weight_map.update({key: name for key in own})
    with open(os.path.join(shards, "model.safetensors.index.json"), "w") as file:
        json.dump({"metadata": {"total_size": 0}, "weight_map": weight_map}, file)


def read_index(folder):
    with open(os.path.join(folder, "model.safetensors.index.json")) as file:
        return json.load(file)["weight_map"]


def read_all(folder, weight_map=None):
    """Every tensor of the files that the map names, or of all safetensors files."""
    names = set(weight_map.values()) if weight_map else {n for n in os.listdir(folder) if n.endswith(".safetensors")}
    found = {}
    for name in names:
        with safe_open(os.path.join(folder, name), framework="np") as file:
            for key in file.keys():
                assert key not in found, f"{key} is in two files"
                assert weight_map is None or weight_map[key] == name, f"{key} is not where the index has it"
                found[key] = file.get_tensor(key)
    return found


def compare(source, folder):
    expected = read_all(source)
    weight_map = read_index(folder)
    actual = read_all(folder, weight_map)
    assert set(weight_map) == set(expected) == set(actual)
    for key, value in expected.items():
        other = actual[key]
        assert value.dtype == other.dtype and value.shape == other.shape, key
        assert value.tobytes() == other.tobytes(), key
    print(len(actual))


{"write": write, "compare": compare}[sys.argv[1]](*sys.argv[2:])
