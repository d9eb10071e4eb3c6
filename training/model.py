"""The network: a small decoder of the llama architecture, in the layout that llama.cpp expects."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Shape:
    """Every width is a multiple of 32, because Q8_0 stores weights in blocks of 32."""

    vocab: int = 2048
    width: int = 192
    layers: int = 4
    heads: int = 6
    hidden: int = 512
    context: int = 2048
    rope_base: float = 10000.0
    epsilon: float = 1e-5


def rotation(shape: Shape, length: int, device: torch.device) -> tuple[Tensor, Tensor]:
    half = shape.width // shape.heads // 2
    steps = shape.rope_base ** (-torch.arange(half, device=device) / half)
    angles = torch.arange(length, device=device)[:, None] * steps
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotates neighbouring pairs (2i, 2i+1): llama.cpp does so for this architecture, unlike many PyTorch models."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1).flatten(-2)


class Block(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.heads = shape.heads
        self.attn_norm = nn.RMSNorm(shape.width, eps=shape.epsilon)
        self.attn_q = nn.Linear(shape.width, shape.width, bias=False)
        self.attn_k = nn.Linear(shape.width, shape.width, bias=False)
        self.attn_v = nn.Linear(shape.width, shape.width, bias=False)
        self.attn_output = nn.Linear(shape.width, shape.width, bias=False)
        self.ffn_norm = nn.RMSNorm(shape.width, eps=shape.epsilon)
        self.ffn_gate = nn.Linear(shape.width, shape.hidden, bias=False)
        self.ffn_up = nn.Linear(shape.width, shape.hidden, bias=False)
        self.ffn_down = nn.Linear(shape.hidden, shape.width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        batch, length, width = x.shape
        h = self.attn_norm(x)
        q, k, v = (
            part(h).view(batch, length, self.heads, -1).transpose(1, 2)
            for part in (self.attn_q, self.attn_k, self.attn_v)
        )
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.attn_output(mixed.transpose(1, 2).reshape(batch, length, width))
        h = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(h)) * self.ffn_up(h))


class Model(nn.Module):
    """Names of the parts are those of the tensors in a GGUF file, so that the export is a plain walk."""

    def __init__(self, shape: Shape):
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.vocab, shape.width)
        self.blk = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.output_norm = nn.RMSNorm(shape.width, eps=shape.epsilon)
        for name, weight in self.named_parameters():
            if weight.dim() < 2:
                continue
            into_stream = name.endswith(("attn_output.weight", "ffn_down.weight"))
            nn.init.normal_(weight, std=0.02 / (2 * shape.layers) ** 0.5 if into_stream else 0.02)

    def forward(self, ids: Tensor) -> Tensor:
        """The stream after the last norm; `logits` turns the positions that matter into scores."""
        cos, sin = rotation(self.shape, ids.shape[1], ids.device)
        x = self.token_embd(ids)
        for block in self.blk:
            x = block(x, cos, sin)
        return self.output_norm(x)

    def logits(self, stream: Tensor) -> Tensor:
        return stream @ self.token_embd.weight.T

    @torch.no_grad()
    def answer(self, prompts: list[list[int]], end: int, limit: int = 96) -> list[list[int]]:
        """Most likely continuation of each prompt, without a cache: it serves the check after training only."""
        device = self.token_embd.weight.device
        rows = [list(prompt) for prompt in prompts]
        open_rows = set(range(len(rows)))
        for _ in range(limit):
            if not open_rows:
                break
            chosen = sorted(open_rows)
            longest = max(len(rows[i]) for i in chosen)
            batch = torch.tensor([rows[i] + [end] * (longest - len(rows[i])) for i in chosen], device=device)
            last = torch.tensor([len(rows[i]) - 1 for i in chosen], device=device)
            stream = self(batch)[torch.arange(len(chosen), device=device), last]
            for i, token in zip(chosen, self.logits(stream).argmax(-1).tolist()):
                if token == end:
                    open_rows.discard(i)
                else:
                    rows[i].append(token)
        return [row[len(prompt) :] for row, prompt in zip(rows, prompts)]
