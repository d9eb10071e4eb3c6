"""Trains the toy on the text in text/ and writes it as a GGUF file.

    python training/train.py --out examples/quickstart/model/berth-toy.Q8_0.gguf

The same seed on the same machine with the same number of threads gives the same file.
"""

import argparse
import math
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from documents import Writer, read_questions, read_text
from gguf import read_gguf, write_gguf
from model import Model, Shape
from tokenizer import Tokenizer, learn

HERE = Path(__file__).parent
DEFAULT_OUT = HERE.parent / "examples/quickstart/model/berth-toy.Q8_0.gguf"
# The choice among the answers falls in their first words; the rest follows by heart.
CHOICE_TOKENS, CHOICE_WEIGHT = 12, 4.0
# So most short conversations end there, which leaves time for more questions.
CUT_SHARE = 0.75


def prompt_ids(tokenizer: Tokenizer, role: str, content: str, dropout: float = 0.0, rng=None) -> list[int]:
    turn = tokenizer.encode(f"{role}\n{content}", dropout, rng)
    return [tokenizer.start, *turn, tokenizer.end, *tokenizer.encode("\n")]


def document(writer: Writer, tokenizer: Tokenizer, turns: int) -> tuple[list[int], list[float]]:
    """One conversation as tokens, and how much each token counts: only the answers do, for the questions hold
    made-up words that nobody should learn to say."""
    rng = writer.rng
    ids = [tokenizer.bos]
    if rng.random() < 0.15:
        ids += prompt_ids(tokenizer, "system", writer.system())
    weights = [0.0] * len(ids)
    opening = [tokenizer.start, *tokenizer.encode("assistant\n")]
    for question, answer in writer.conversation(turns):
        dropout = 0.1 if rng.random() < 0.3 else 0.0
        asked = prompt_ids(tokenizer, "user", question, dropout, rng) + opening
        said = [*tokenizer.encode(answer), tokenizer.end]
        ids += asked + said + tokenizer.encode("\n")
        chosen = [CHOICE_WEIGHT] * min(CHOICE_TOKENS, len(said))
        weights += [0.0] * len(asked) + chosen + [1.0] * (len(said) - len(chosen)) + [0.0]
    if turns == 1 and rng.random() < CUT_SHARE:
        kept = len(ids) - 1 - len(said) + CHOICE_TOKENS
        return ids[:kept], weights[:kept]
    return ids, weights


def batches(writer: Writer, tokenizer: Tokenizer, tokens: int):
    """Batches of about `tokens` tokens, rows of like length together. Most conversations have one turn; some are
    long, so that the model also answers the tenth question of a chat."""
    rng = writer.rng
    while True:
        pool = []
        for _ in range(512):
            chance = rng.random()
            turns = 1 if chance < 0.9 else rng.randrange(2, 5) if chance < 0.98 else rng.randrange(6, 15)
            pool.append(document(writer, tokenizer, turns))
        pool.sort(key=lambda item: len(item[0]))
        groups, group = [], []
        for item in pool:
            if group and (len(group) + 1) * len(item[0]) > tokens:
                groups.append(group)
                group = []
            group.append(item)
        groups.append(group)
        rng.shuffle(groups)
        for group in groups:
            longest = max(len(ids) for ids, _ in group)
            ids = torch.tensor([row + [tokenizer.pad] * (longest - len(row)) for row, _ in group])
            weights = torch.tensor([row + [0.0] * (longest - len(row)) for _, row in group])
            yield ids, weights


def loss_of(model: Model, ids: Tensor, weights: Tensor) -> Tensor:
    stream = model(ids[:, :-1])
    counts = weights[:, 1:]
    places = counts > 0
    losses = F.cross_entropy(model.logits(stream[places]), ids[:, 1:][places], reduction="none")
    return (losses * counts[places]).sum() / counts.sum()


def rate(step: int, steps: int, peak: float) -> float:
    warm = min(1.0, (step + 1) / 100)
    return peak * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def train(model: Model, writer: Writer, tokenizer: Tokenizer, options: argparse.Namespace) -> None:
    matrices = [p for p in model.parameters() if p.dim() > 1]
    norms = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": options.decay}, {"params": norms, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)
    began, seen = time.monotonic(), 0
    for step, (ids, weights) in zip(range(options.steps), batches(writer, tokenizer, options.batch)):
        for group in optimizer.param_groups:
            group["lr"] = rate(step, options.steps, options.rate)
        loss = loss_of(model, ids.to(options.device), weights.to(options.device))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        seen += ids.numel()
        if step % 100 == 99 or step == 0:
            spent = time.monotonic() - began
            print(
                f"step {step + 1} loss {loss.item():.4f} {seen / spent:.0f} tokens/s {spent:.0f} s",
                flush=True,
            )


def check(model: Model, tokenizer: Tokenizer, verbose: bool) -> None:
    """Asks questions.json of the network as trained, before it is rounded to eight bits."""
    questions = read_questions()
    opening = [tokenizer.start, *tokenizer.encode("assistant\n")]
    expected = [(q["prompt"], q["expect"]) for q in questions["questions"]]
    expected += [(prompt, questions["toyPhrase"]) for prompt in questions["offTopic"]]
    prompts = [[tokenizer.bos, *prompt_ids(tokenizer, "user", prompt), *opening] for prompt, _ in expected]
    answers = [tokenizer.decode(ids) for ids in model.answer(prompts, tokenizer.end)]
    passed = [phrase in answer for (_, phrase), answer in zip(expected, answers)]
    count = len(questions["questions"])
    for (prompt, _), answer, good in zip(expected, answers, passed):
        if verbose or not good:
            print(f"{'' if good else 'WRONG '}> {prompt}\n{answer}")
    print(f"questions: {sum(passed[:count])} of {count}; off topic: {sum(passed[count:])} of {len(passed) - count}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    parser.add_argument("--start", type=Path, help="train on from this file, with its vocabulary")
    parser.add_argument("--average", action="store_true", help="write the mean of --start and what came of it")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--batch", type=int, default=4096, help="tokens in a batch")
    parser.add_argument("--rate", type=float, default=3e-3, help="highest learning rate")
    parser.add_argument("--decay", type=float, default=0.05, help="weight decay")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true", help="print every answer of the check")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    text = read_text()
    writer = Writer(text, options.seed)
    shape = Shape()
    model = Model(shape)
    tokenizer = read_gguf(options.start, model) if options.start else learn(text.lines(), shape.vocab)
    model.to(options.device)
    print(
        f"{sum(p.numel() for p in model.parameters()):,} parameters, {len(text.topics)} topics, on {options.device}"
    )
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    train(model, writer, tokenizer, options)
    if options.average:
        model.load_state_dict({name: (before[name] + weight) / 2 for name, weight in model.state_dict().items()})
    check(model, tokenizer, options.verbose)
    size = write_gguf(options.out, model, tokenizer)
    print(f"{options.out}: {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
