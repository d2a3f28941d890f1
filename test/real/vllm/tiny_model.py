"""Writes a small Llama model of random weights that vLLM serves: `tiny_model.py FOLDER`.

The numbers come from a fixed seed, so its answers at temperature 0 are the same wherever it is served: 4 layers of float32,
17 MB in two files, and a tokenizer of single letters.
"""

import json
import os
import sys

import numpy as np
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

HIDDEN, LAYERS, HEADS, INNER = 256, 4, 4, 1024
SPACE = "\u0120"
SPECIAL = ["<|end|>", "<|user|>", "<|assistant|>"]
TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def write_tokenizer(folder):
    letters = sorted(letter for letter in pre_tokenizers.ByteLevel.alphabet() if letter.isascii() or letter == SPACE)
    tokenizer = Tokenizer(models.BPE(vocab={letter: index for index, letter in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(word, special=True) for word in SPECIAL])
    tokenizer.save(os.path.join(folder, "tokenizer.json"))
    write_json(folder, "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": SPECIAL[0],
        "chat_template": TEMPLATE,
        "model_max_length": 512,
    })
    return tokenizer.get_vocab_size()


def tensors(vocabulary):
    rng = np.random.default_rng(16)

    def matrix(rows, columns):
        return (rng.standard_normal((rows, columns)) * 0.4 / columns**0.5 * 4).astype(np.float32)

    made = {"model.embed_tokens.weight": matrix(vocabulary, HIDDEN)}
    for number in range(LAYERS):
        layer = f"model.layers.{number}"
        for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
            made[f"{layer}.self_attn.{name}.weight"] = matrix(HIDDEN, HIDDEN)
        made[f"{layer}.mlp.gate_proj.weight"] = matrix(INNER, HIDDEN)
        made[f"{layer}.mlp.up_proj.weight"] = matrix(INNER, HIDDEN)
        made[f"{layer}.mlp.down_proj.weight"] = matrix(HIDDEN, INNER)
        made[f"{layer}.input_layernorm.weight"] = np.ones(HIDDEN, np.float32)
        made[f"{layer}.post_attention_layernorm.weight"] = np.ones(HIDDEN, np.float32)
    made["model.norm.weight"] = np.ones(HIDDEN, np.float32)
    made["lm_head.weight"] = matrix(vocabulary, HIDDEN)
    return made


def write_weights(folder, made):
    names = list(made)
    weight_map = {}
    for number, part in enumerate((names[: len(names) // 2], names[len(names) // 2 :]), 1):
        file = f"model-{number:05}-of-00002.safetensors"
        save_file({name: made[name] for name in part}, os.path.join(folder, file), metadata={"format": "pt"})
        weight_map.update({name: file for name in part})
    total = sum(tensor.nbytes for tensor in made.values())
    write_json(folder, "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": weight_map})


def write_json(folder, name, value):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        json.dump(value, file, indent=1)


def main(folder):
    os.makedirs(folder, exist_ok=True)
    vocabulary = write_tokenizer(folder)
    write_json(folder, "config.json", {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": vocabulary,
        "hidden_size": HIDDEN,
        "intermediate_size": INNER,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": HEADS,
        "max_position_embeddings": 512,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "hidden_act": "silu",
        "tie_word_embeddings": False,
        "eos_token_id": vocabulary - len(SPECIAL),
        "torch_dtype": "float32",
    })
    write_weights(folder, tensors(vocabulary))


main(*sys.argv[1:])
