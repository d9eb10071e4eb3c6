"""Byte-level BPE in the manner of GPT-2, so that llama.cpp reads it as `gpt2` with the pre-tokenizer `gpt-2`.

It is written out here, rather than taken from a library, because the toy needs one thing that libraries do not
all offer (merges that are skipped at random while training) and nothing else that they do.
"""

import random
import re
from collections import Counter, defaultdict

# Python's re has no \p{L}; [^\W\d_] is the same set for all text that we meet.
PIECES = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|pad|>"]


def byte_letters() -> list[str]:
    """The printable stand-in that GPT-2 gives to each byte; GGUF stores tokens and merges in these letters."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters, extra = [""] * 256, 0
    for byte in range(256):
        if byte in printable:
            letters[byte] = chr(byte)
        else:
            letters[byte] = chr(256 + extra)
            extra += 1
    return letters


class Tokenizer:
    """A vocabulary: 256 bytes, then one token for each merge, then the four special tokens."""

    def __init__(self, merges: list[tuple[int, int]]):
        self.merges = merges
        self.rank = {pair: index for index, pair in enumerate(merges)}
        self.letters = byte_letters()
        self.tokens = list(self.letters)
        for left, right in merges:
            self.tokens.append(self.tokens[left] + self.tokens[right])
        self.bos, self.start, self.end, self.pad = range(len(self.tokens), len(self.tokens) + 4)
        self.size = len(self.tokens) + 4
        self.known: dict[str, list[int]] = {}

    def encode(self, text: str, dropout: float = 0.0, rng: random.Random | None = None) -> list[int]:
        """Token ids of plain text. With dropout, merges are skipped at random: the same word then comes in many
        pieces, and the model learns to know a word by its letters, also one with a typo or a new ending."""
        ids: list[int] = []
        for piece in PIECES.findall(text):
            if dropout:
                ids += self._merge(piece, dropout, rng)
            else:
                if piece not in self.known:
                    self.known[piece] = self._merge(piece, 0.0, None)
                ids += self.known[piece]
        return ids

    def decode(self, ids: list[int]) -> str:
        byte_of = {letter: byte for byte, letter in enumerate(self.letters)}
        text = "".join(self.tokens[i] for i in ids if i < len(self.tokens))
        return bytes(byte_of[letter] for letter in text).decode("utf-8", errors="replace")

    def _merge(self, piece: str, dropout: float, rng: random.Random | None) -> list[int]:
        ids = list(piece.encode())
        while len(ids) > 1:
            best, where = None, -1
            for i in range(len(ids) - 1):
                rank = self.rank.get((ids[i], ids[i + 1]))
                if rank is None or (best is not None and rank >= best):
                    continue
                if dropout and rng.random() < dropout:
                    continue
                best, where = rank, i
            if best is None:
                break
            ids[where : where + 2] = [256 + best]
        return ids


def learn(texts: list[str], size: int) -> Tokenizer:
    """Learn merges from texts until the vocabulary, special tokens included, has `size` entries."""
    words = Counter(piece for text in texts for piece in PIECES.findall(text))
    spelled = [list(word.encode()) for word in words]
    weights = list(words.values())
    counts: Counter[tuple[int, int]] = Counter()
    places: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
    for index, ids in enumerate(spelled):
        for pair in zip(ids, ids[1:]):
            counts[pair] += weights[index]
            places[pair].add(index)
    merges: list[tuple[int, int]] = []
    while len(merges) < size - 256 - len(SPECIAL):
        # Ties go to the smaller pair, so that the vocabulary does not depend on the order of a dictionary.
        pair = max(counts, key=lambda p: (counts[p], -p[0], -p[1]), default=None)
        if pair is None or counts[pair] < 2:
            raise ValueError(f"the text is too small for {size} tokens; it gives {256 + len(merges)}")
        new = 256 + len(merges)
        merges.append(pair)
        for index in list(places[pair]):
            before = spelled[index]
            for old in zip(before, before[1:]):
                counts[old] -= weights[index]
                if counts[old] <= 0:
                    del counts[old]
            after, i = [], 0
            while i < len(before):
                if i + 1 < len(before) and (before[i], before[i + 1]) == pair:
                    after.append(new)
                    i += 2
                else:
                    after.append(before[i])
                    i += 1
            spelled[index] = after
            for fresh in zip(after, after[1:]):
                counts[fresh] += weights[index]
                places[fresh].add(index)
    return Tokenizer(merges)
