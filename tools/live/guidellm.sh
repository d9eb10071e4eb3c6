#!/bin/sh
# Puts GuideLLM into a cache folder, for live tests and benchmarks that hold berth against it.
#
#   tools/live/guidellm.sh                prints the path of the program: FOLDER/guidellm/bin/guidellm
#
# Beside it in FOLDER/guidellm: bin/python, which can import guidellm, and tokenizer/, a tokenizer of one token a byte, so
# that nothing has to come from a hub: --tokenizer kind=huggingface_auto,model=FOLDER/guidellm/tokenizer
#
# GuideLLM wants torch, of which it uses the data loader alone. torch with its libraries is some gigabytes; a stand-in of
# a few lines takes its place. It loads in GuideLLM's main process where torch has one of its own: a run that is to be
# timed should have its prompts made beforehand (--data-loader kind=pytorch,samples=N).
#
# BERTH_LIVE_CACHE: the cache (default ~/.cache/berth-live). Running it again fetches nothing that is there already.
set -eu

version=0.8.1
cache=${BERTH_LIVE_CACHE:-$HOME/.cache/berth-live}
home=$cache/guidellm

say() { echo "guidellm.sh: $*" >&2; }
fail() { say "$*"; exit 1; }

if [ "$(cat "$home/complete" 2>/dev/null)" = "$version" ]; then
  echo "$home/bin/guidellm"
  exit 0
fi

command -v python3 >/dev/null || fail "python3 is missing"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || fail "GuideLLM wants Python 3.10 or newer"
mkdir -p "$cache"
rm -rf "$home"
python3 -m venv "$home" >"$cache/guidellm.log" 2>&1 || fail "python3 has no venv; the reason is in $cache/guidellm.log"

pip() { "$home/bin/python" -m pip --disable-pip-version-check -q install "$@" >>"$cache/guidellm.log" 2>&1; }

pip --no-deps "guidellm==$version" || fail "guidellm $version cannot be fetched; the reason is in $cache/guidellm.log"
"$home/bin/python" - >"$home/requirements.txt" <<'PYTHON'
import importlib.metadata
import re

for requirement in importlib.metadata.requires("guidellm"):
    if "extra ==" not in requirement and re.match(r"[\w-]+", requirement).group() != "torch":
        print(requirement)
# Imported by GuideLLM without being asked for: it comes with torch.
print("jinja2")
PYTHON
pip -r "$home/requirements.txt" || fail "what guidellm needs cannot be fetched; the reason is in $cache/guidellm.log"

"$home/bin/python" - "$home/tokenizer" <<'PYTHON'
import json
import os
import sysconfig
import sys

site = sysconfig.get_path("purelib")


def write(name, text):
    path = os.path.join(site, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


write("torch/__init__.py", '''"""A stand-in for torch: the data loader that GuideLLM uses, and nothing else."""
from . import utils


class Tensor:
    pass


class Generator:
    def manual_seed(self, seed):
        return self
''')
write("torch/utils/__init__.py", "from . import data\n")
write("torch/utils/data/__init__.py", '''from . import dataloader, dataset
from .dataset import IterableDataset


def get_worker_info():
    return None
''')
write("torch/utils/data/dataset.py", '''class IterableDataset:
    def __class_getitem__(cls, _):
        return cls
''')
write("torch/utils/data/dataloader.py", '''class DataLoader:
    def __class_getitem__(cls, _):
        return cls

    def __init__(self, dataset, collate_fn, **_):
        self.dataset, self.collate_fn = dataset, collate_fn

    def __iter__(self):
        for item in self.dataset:
            yield self.collate_fn([item])
''')
# Other packages ask whether torch is there, and would then want all of it.
write("no-torch.pth", "import os; os.environ.setdefault('USE_TORCH', 'NO')\n")

from tokenizers import Tokenizer, decoders, models, pre_tokenizers

alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
tokenizer = Tokenizer(models.BPE(vocab={char: i for i, char in enumerate(alphabet)}, merges=[]))
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
tokenizer.save(os.path.join(folder, "tokenizer.json"))
with open(os.path.join(folder, "tokenizer_config.json"), "w") as file:
    json.dump({"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 1_000_000}, file)
PYTHON
"$home/bin/guidellm" --version >>"$cache/guidellm.log" 2>&1 || fail "guidellm does not start; the reason is in $cache/guidellm.log"
"$home/bin/python" -c 'import guidellm.benchmark' >>"$cache/guidellm.log" 2>&1 ||
  fail "guidellm cannot be imported; the reason is in $cache/guidellm.log"
echo "$version" >"$home/complete"
say "guidellm $version"
echo "$home/bin/guidellm"
