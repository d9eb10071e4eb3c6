import type { ExactLine } from './exact-line.ts';

const b = { binary: 'llama-server', args: [] };
const v = { binary: 'vllm', args: [] };
const isLlama = 'llama.cpp /m/a.gguf - 8080';
const isVllm = 'vllm org/m - 8000';
const llama = 'llama-server -m /m/a.gguf --port 8080';
const vllm = 'vllm serve org/m --port 8000';

/** What a shell is told around a server: "LLAMA" stands for its line. */
const around: readonly string[] = [
  `bash -xc 'LLAMA'`,
  `bash -o pipefail -c 'LLAMA'`,
  `bash --login -c 'LLAMA'`,
  `bash --norc --noprofile -c 'LLAMA'`,
  `fish -c 'LLAMA'`,
  `zsh -ic 'LLAMA'`,
  `dash -c 'LLAMA'`,
  `ash -c 'LLAMA'`,
  `busybox sh -c 'LLAMA'`,
  `su - llm -s /bin/bash -c 'LLAMA'`,
  `sudo bash -c 'LLAMA'`,
  `bash -c 'if [ -f /m/a.gguf ]; then exec LLAMA; else exec sleep infinity; fi'`,
  `bash -c 'test -d /m || exit 1; LLAMA &>/var/log/llama.log'`,
  `bash -c '(cd /srv && LLAMA) &'`,
  `bash -c '{ LLAMA; } 2>&1 | tee /var/log/llama.log'`,
  `bash -c 'exec -a kimi LLAMA'`,
  `bash -c 'case $KIND in a) LLAMA;; esac'`,
  `bash -c 'time LLAMA'`,
  `bash -c '! LLAMA'`,
  `bash -c 'LLAMA || mail -s down me'`,
  `bash -c 'while :; do LLAMA; done'`,
  `bash -c 'run() { LLAMA; }; run'`,
  `bash -c 'eval "LLAMA"'`,
  `bash -c 'git pull && make -j8 && LLAMA'`,
  `bash -c 'pgrep -f llama-server || LLAMA'`,
  `bash -c 'set -e; ulimit -l unlimited; umask 077; LLAMA'`,
  `bash -c 'LLAMA < /dev/null > /tmp/out 2> /tmp/err & disown'`,
  `bash -c 'coproc LLAMA; wait'`,
  `bash -c 'trap cleanup EXIT; LLAMA & wait $!'`,
  `bash -c 'sleep 10 && LLAMA'`,
  `bash -c '[ -z "$OFF" ] && LLAMA'`,
  `bash -c '[[ -e /dev/nvidia0 ]] && exec LLAMA'`,
  `bash -c 'systemd-notify --ready; LLAMA'`,
  `bash -c 'builtin exec LLAMA'`,
  `bash -c 'command LLAMA'`,
];

/** What only speaks of a server. */
const nothing: readonly string[] = [
  `bash -c 'true # LLAMA'`,
  `bash -c "echo 'LLAMA'"`,
  `bash -c 'until curl -s localhost:8080/health; do sleep 1; done; echo "LLAMA is up"'`,
  `bash -c 'ssh gpu1 LLAMA'`,
  `bash -c 'docker run --rm x LLAMA'`,
  `bash -c 'kubectl exec x -- LLAMA'`,
  `bash -c 'cmd="LLAMA"; echo $cmd'`,
  `bash -c 'grep -c "LLAMA" /etc/units'`,
  `bash -c 'systemctl restart llama; journalctl -f | grep "LLAMA"'`,
];

/** Lines of shells with all that they say. */
export const exactShellLines: readonly ExactLine[] = [
  ...around.map((line): ExactLine => [line.replace('LLAMA', llama), isLlama, b]),
  ...nothing.map((line): ExactLine => [line.replace('LLAMA', llama), null]),
  ["bash -c 'PORT=8080; exec llama-server -m /m/a.gguf --port $PORT'", isLlama, b],
  [`bash -c 'export PORT=8080 && llama-server -m /m/a.gguf --port "$PORT"'`, isLlama, b],
  [`bash -c 'args="-m /m/a.gguf --port 8080"; llama-server $args'`, isLlama, b],
  ["sh -c 'vllm serve org/m --port ${PORT:=8000}'", isVllm, v],
  ["bash -c 'MODEL=org/m; vllm serve ${MODEL} --port 8000'", isVllm, v],
  [`bash -c 'vllm serve "$MODEL" --port 8000'`, isVllm, v, { MODEL: 'org/m' }],
  [`bash -c 'vllm serve org/m \\\n  --port 8000'`, isVllm, v],
  [`bash -c '# start it\n${vllm}'`, isVllm, v],
  [`bash -c 'HF_HOME=/x exec ${vllm}'`, isVllm, v],
  [`bash -c 'source /opt/v/bin/activate && ${vllm}'`, isVllm, v],
  [`bash -c 'nvidia-smi; ${vllm} 2>&1 | ts | tee /var/log/vllm.log'`, isVllm, v],
  [
    "bash -c 'nvidia-smi && python3 -m sglang.launch_server --model-path org/m --port 30000'",
    'sglang org/m - 30000',
    {},
  ],
  ["bash -c 'ollama serve & pid=$!; sleep 5; ollama pull llama3.2; wait $pid'", 'ollama - - -', {}],
  ["bash -c 'OLLAMA_HOST=0.0.0.0 ollama serve'", 'ollama - 0.0.0.0 -', {}],
  [
    'bash -c \'A=(-m /m/a.gguf -t $(nproc) --port 8080); llama-server "${A[@]}"\'',
    isLlama,
    {
      ...b,
      args: ['-t', '$(nproc)'],
    },
  ],
  [`bash -c "A=(\n serve org/m # don't\n --port 8000)\nvllm \\"\${A[@]}\\""`, isVllm, v],
];
