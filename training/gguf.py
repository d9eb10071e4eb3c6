"""Writes the trained network as one GGUF file (version 3, little endian) with Q8_0 matrices."""

import struct
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch

from model import Model
from tokenizer import SPECIAL, Tokenizer

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
DESCRIPTION = (
    "A toy: it answers short questions about berth and about serving language models with sentences that it has "
    "learned by heart, and says so. Trained on text written for it. Not for real use."
)
ALIGNMENT = 32
U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
TYPE_F32, TYPE_Q8_0 = 0, 8


def string(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def field(name: str, kind: int, value: bytes) -> bytes:
    return string(name) + struct.pack("<I", kind) + value


def strings(name: str, values: list[str]) -> bytes:
    head = struct.pack("<IQ", STRING, len(values))
    return field(name, ARRAY, head + b"".join(map(string, values)))


def number(name: str, value: int) -> bytes:
    return field(name, U32, struct.pack("<I", value))


def metadata(model: Model, tokenizer: Tokenizer) -> list[bytes]:
    shape = model.shape
    tokens = tokenizer.tokens + SPECIAL
    types = [1] * len(tokenizer.tokens) + [3] * len(SPECIAL)
    merges = [f"{tokenizer.tokens[left]} {tokenizer.tokens[right]}" for left, right in tokenizer.merges]
    return [
        field("general.architecture", STRING, string("llama")),
        field("general.type", STRING, string("model")),
        field("general.name", STRING, string("berth toy")),
        field("general.description", STRING, string(DESCRIPTION)),
        field("general.license", STRING, string("apache-2.0")),
        field("general.size_label", STRING, string("2M")),
        number("general.file_type", 7),
        number("general.quantization_version", 2),
        number("llama.context_length", shape.context),
        number("llama.embedding_length", shape.width),
        number("llama.block_count", shape.layers),
        number("llama.feed_forward_length", shape.hidden),
        number("llama.attention.head_count", shape.heads),
        number("llama.attention.head_count_kv", shape.heads),
        field("llama.attention.layer_norm_rms_epsilon", F32, struct.pack("<f", shape.epsilon)),
        number("llama.rope.dimension_count", shape.width // shape.heads),
        field("llama.rope.freq_base", F32, struct.pack("<f", shape.rope_base)),
        number("llama.vocab_size", shape.vocab),
        field("tokenizer.ggml.model", STRING, string("gpt2")),
        field("tokenizer.ggml.pre", STRING, string("gpt-2")),
        strings("tokenizer.ggml.tokens", tokens),
        field(
            "tokenizer.ggml.token_type",
            ARRAY,
            struct.pack("<IQ", I32, len(types)) + struct.pack(f"<{len(types)}i", *types),
        ),
        strings("tokenizer.ggml.merges", merges),
        number("tokenizer.ggml.bos_token_id", tokenizer.bos),
        number("tokenizer.ggml.eos_token_id", tokenizer.end),
        number("tokenizer.ggml.padding_token_id", tokenizer.pad),
        field("tokenizer.ggml.add_bos_token", BOOL, b"\1"),
        field("tokenizer.chat_template", STRING, string(CHAT_TEMPLATE)),
    ]


def q8_0(matrix: np.ndarray) -> bytes:
    """Blocks of 32 weights along a row: one half-precision scale, then 32 signed bytes."""
    blocks = matrix.reshape(-1, 32)
    scale = (np.abs(blocks).max(axis=1, keepdims=True) / 127).astype(np.float16)
    divisor = np.where(scale == 0, 1, scale).astype(np.float32)
    whole = np.clip(np.rint(blocks / divisor), -127, 127).astype(np.int8)
    return np.concatenate([scale.view(np.uint8), whole.view(np.uint8)], axis=1).tobytes()


def padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % ALIGNMENT)


def write_gguf(path: Path, model: Model, tokenizer: Tokenizer) -> int:
    """The output matrix is left out: llama.cpp then uses the embedding, to which it was tied in training."""
    infos, data, count = b"", b"", 0
    for name, weight in model.state_dict().items():
        array = np.ascontiguousarray(weight.detach().cpu().numpy(), dtype=np.float32)
        kind = TYPE_Q8_0 if array.ndim == 2 else TYPE_F32
        dimensions = struct.pack(f"<I{array.ndim}Q", array.ndim, *reversed(array.shape))
        infos += string(name) + dimensions + struct.pack("<IQ", kind, len(data))
        data += padded(q8_0(array) if kind == TYPE_Q8_0 else array.tobytes())
        count += 1
    fields = metadata(model, tokenizer)
    head = b"GGUF" + struct.pack("<IQQ", 3, count, len(fields)) + b"".join(fields) + infos
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.write_bytes(padded(head) + data)


def read_value(file: BinaryIO, kind: int) -> Any:
    def number_of(form: str) -> Any:
        return struct.unpack(form, file.read(struct.calcsize(form)))[0]

    if kind == STRING:
        return file.read(number_of("<Q")).decode()
    if kind == ARRAY:
        inner, count = number_of("<I"), number_of("<Q")
        return [read_value(file, inner) for _ in range(count)]
    return number_of({U32: "<I", I32: "<i", F32: "<f", BOOL: "<?"}[kind])


def read_gguf(path: Path, model: Model) -> Tokenizer:
    """Fills the network with the weights of a file that write_gguf made, and returns the file's vocabulary. Weights
    come back as rounded, which training on from them does not mind."""
    weights, infos, fields = {}, [], {}
    with path.open("rb") as file:
        _, _, tensors, count = struct.unpack("<4sIQQ", file.read(24))
        for _ in range(count):
            name = read_value(file, STRING)
            fields[name] = read_value(file, read_value(file, U32))
        for _ in range(tensors):
            name = read_value(file, STRING)
            rank = read_value(file, U32)
            shape = struct.unpack(f"<{rank}Q", file.read(8 * rank))[::-1]
            infos.append((name, shape, *struct.unpack("<IQ", file.read(12))))
        file.seek(-file.tell() % ALIGNMENT, 1)
        start = file.tell()
        for name, shape, kind, offset in infos:
            file.seek(start + offset)
            size = int(np.prod(shape))
            if kind == TYPE_F32:
                values = np.frombuffer(file.read(4 * size), np.float32)
            else:
                blocks = np.frombuffer(file.read(size // 32 * 34), np.uint8).reshape(-1, 34)
                scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
                values = blocks[:, 2:].view(np.int8) * scale
            weights[name] = torch.from_numpy(values.reshape(shape).copy())
    model.load_state_dict(weights)
    place = {token: index for index, token in enumerate(fields["tokenizer.ggml.tokens"])}
    pairs = (merge.split(" ") for merge in fields["tokenizer.ggml.merges"])
    return Tokenizer([(place[left], place[right]) for left, right in pairs])
