import type { ExactLine } from './exact-line.ts';

const b = { binary: 'llama-server', args: [] };
const v = { binary: 'vllm', args: [] };

/** Words that a shell, a wrapper or the server itself puts together before they are options. */
export const exactHandedLines: readonly ExactLine[] = [
  // What a shell hands on.
  [
    "bash -c 'set -eu; export LLAMA_ARG_PORT=8111 LLAMA_ARG_MODEL=/m/a.gguf; exec llama-server -ngl 99'",
    'llama.cpp /m/a.gguf - 8111',
    { ...b, gpuLayers: 99 },
  ],
  ["sh -c 'set -a; LLAMA_ARG_MODEL=/m/a.gguf; exec llama-server'", 'llama.cpp /m/a.gguf - -', b],
  ["sh -c 'LLAMA_ARG_MODEL=/m/a.gguf; export LLAMA_ARG_MODEL; llama-server'", 'llama.cpp /m/a.gguf - -', b],
  ["sh -c 'declare -x VLLM_API_KEY=s3cr3t; vllm serve org/m'", 'vllm org/m - - keyed', v],
  ["sh -c 'LLAMA_ARG_PORT=8111; exec llama-server -m /m/a.gguf'", 'llama.cpp /m/a.gguf - -', b],
  [`sh -c 'exec llama-server -m "$0" --port "$1"' /m/a.gguf 8074`, 'llama.cpp /m/a.gguf - 8074', b],
  [`sh -c 'exec llama-server -m "$1" --port=\${2}' sh /m/a.gguf 8074`, 'llama.cpp /m/a.gguf - 8074', b],
  [
    "bash -c 'nvidia-smi && vllm serve org/m -tp $(nvidia-smi -L | wc -l) --port 8006'",
    'vllm org/m - 8006',
    { ...v, args: ['-tp', '$(nvidia-smi -L | wc -l)'] },
  ],
  [
    "sh -c 'llama-server -m /m/a.gguf -t `nproc --ignore 2` --port 8006'",
    'llama.cpp /m/a.gguf - 8006',
    { ...b, args: ['-t', '`nproc --ignore 2`'] },
  ],
  ["bash -c 'cat <<EOF > run.sh\nexec llama-server -m /m/a.gguf\nEOF'", null],
  [
    "bash -c 'cat > /tmp/p.ini <<-END\n[a]\nm = /m/a.gguf; llama-server -m /m/x.gguf\nEND\nexec llama-server --models-preset /tmp/p.ini'",
    'llama-router - - -',
    { ...b, modelsPreset: '/tmp/p.ini' },
  ],
  // Arrays, and what is added to a variable.
  [
    `bash -c 'ARGS=(--port 8000 --served-model-name "a b"); vllm serve org/m "\${ARGS[@]}"'`,
    'vllm org/m - 8000',
    { ...v, servedModel: 'a b', aliases: [] },
  ],
  [
    `bash -c 'ARGS=(\n  serve org/m # the model\n  --port 8000\n)\nARGS+=(-tp "$TP")\nexec vllm "\${ARGS[@]}"'`,
    'vllm org/m - 8000',
    { ...v, tensorParallel: 2 },
    { TP: '2' },
  ],
  [
    `bash -c 'ARGS="--port 8080"; [ -n "$GPU" ] && ARGS+=" -ngl 9"; exec llama-server -m /m/a.gguf $ARGS'`,
    'llama.cpp /m/a.gguf - 8080',
    { ...b, gpuLayers: 9 },
  ],
  ["bash -c 'exec llama-server -m /m/a.gguf 2> >(tee err.log) # on a GPU'", 'llama.cpp /m/a.gguf - -', b],
  ["bash -c 'llama-server -m /m/a.gguf --alias a#1'", 'llama.cpp /m/a.gguf - -', { ...b, alias: 'a#1' }],
  // What a wrapper takes.
  ['mpirun -np 1 --bind-to none --mca btl ^openib -x A vllm serve org/m', 'vllm org/m - -', v],
  ['mpiexec -n 1 -genv OMP_NUM_THREADS 8 vllm serve org/m', 'vllm org/m - -', v],
  ['s6-env LLAMA_ARG_PORT=8111 llama-server -m /m/a.gguf', 'llama.cpp /m/a.gguf - 8111', b],
  ['arch -arm64 llama-server -m /m/a.gguf', 'llama.cpp /m/a.gguf - -', b],
  ['sem -j1 llama-server -m /m/a.gguf', 'llama.cpp /m/a.gguf - -', b],
  ['uv run -m vllm.entrypoints.openai.api_server --model org/m', 'vllm org/m - -', v],
  [
    'python -m debugpy --listen 5678 --wait-for-client -m vllm.entrypoints.openai.api_server --model org/m',
    'vllm org/m - -',
    v,
  ],
  ['hatch run gpu:vllm serve org/m', 'vllm org/m - -', v],
  ['hatch run vllm serve org/m --port 8000', 'vllm org/m - 8000', v],
  ['nsys profile -o /tmp/r --trace cuda,nvtx --force-overwrite true vllm serve org/m', 'vllm org/m - -', v],
  ['torchrun --standalone --nproc_per_node=2 --no-python vllm serve org/m', 'vllm org/m - -', v],
  [
    'daemonize -u llm -o /var/log/l.log /usr/bin/llama-server -m /m/a.gguf',
    'llama.cpp /m/a.gguf - -',
    { ...b, binary: '/usr/bin/llama-server' },
  ],
  // Flags of vLLM by as much of their names as tells them apart.
  [
    'vllm serve org/m --tensor-parallel 4 --gpu-memory 0.8',
    'vllm org/m - -',
    { ...v, tensorParallel: 4, gpuMemoryUtilization: 0.8 },
  ],
  [
    'vllm serve org/m --max_model=8k --no-enable-prefix',
    'vllm org/m - -',
    { ...v, context: 8000, prefixCaching: false },
  ],
  ['vllm serve org/m --max-num 8192', 'vllm org/m - -', { ...v, args: ['--max-num', '8192'] }],
  [
    'vllm serve --served-model x y --model org/m',
    'vllm org/m - -',
    { ...v, servedModel: 'x', aliases: ['y'] },
  ],
  // A llama-server without a model is a router over what it has fetched.
  ['llama-server --port 8088 --host 127.0.0.1', 'llama-router - 127.0.0.1 8088', b],
  ['llama-server', 'llama-router - 0.0.0.0 -', b, { LLAMA_ARG_HOST: '0.0.0.0' }],
  [
    'llama-server --fim-qwen-7b-default --port 8012',
    'llama.cpp - - 8012',
    { ...b, args: ['--fim-qwen-7b-default'] },
  ],
  [
    './a.llamafile --server --port 8085',
    'llama.cpp ./a.llamafile - 8085',
    { binary: './a.llamafile', args: ['--server'] },
  ],
  ['llama-server -m /m/a.gguf --host :: --port 08080', 'llama.cpp /m/a.gguf :: 8080', b],
];
