import { line } from './real-lines.ts';
import type { RealLine } from './real-lines.ts';

const served = '-m /m/a.gguf --port 8080';
const isServed = { model: '/m/a.gguf', port: 8080 };

/** Command lines as they are met less often: other wrappers, other spellings, forks. */
export const oddLines: Readonly<Record<string, readonly RealLine[]>> = {
  'llama.cpp': [
    line(`sudo -Hu llm llama-server ${served}`, isServed),
    line(`sudo -E -u llm env HF_HOME=/cache llama-server ${served}`, isServed),
    line(`docker-init -- /app/llama-server ${served}`, isServed),
    line(`/dev/init -- /app/llama-server ${served}`, isServed),
    line(`catatonit -P -- /app/llama-server ${served}`, isServed),
    line(`numactl --cpubind 0 --membind 0 llama-server ${served}`, isServed),
    line(`numactl --interleave all llama-server ${served} --numa distribute`, {
      ...isServed,
      options: { numa: 'distribute' },
    }),
    line(`systemd-run --uid 1000 --working-directory /srv --scope llama-server ${served}`, isServed),
    line(`cpulimit -l 400 -- llama-server ${served}`, isServed),
    line(`direnv exec /srv/llm llama-server ${served}`, isServed),
    line(`caffeinate -i llama-server ${served}`, isServed),
    line(`nice -10 llama-server ${served}`, isServed),
    line(`ionice -c2 -n7 nice -n10 llama-server ${served}`, isServed),
    line(`taskset -ac 0-7,16-23 llama-server ${served}`, isServed),
    line(`chroot --userspec=llm:llm /srv/jail /usr/bin/llama-server ${served}`, isServed),
    line(`sh -c 'exec "$@"' sh llama-server ${served}`, isServed),
    line(`sh -c 'exec "$@"' -- llama-server ${served}`, isServed),
    line(`bash -c 'ulimit -n 65536; exec /opt/llama-server "$@"' -- ${served}`, isServed),
    line(`sh -c 'exec "$0" "$@"' llama-server ${served}`, isServed),
    line(`bash -euo pipefail -c 'export GGML_X=1; exec $(command -v llama-server) ${served}'`, isServed),
    line(`bash -lic 'cd /srv/llm && nohup ./llama-server ${served} >log 2>&1 &'`, isServed),
    line(`env -u LD_PRELOAD -C /srv llama-server ${served}`, isServed),
    line(`LD_LIBRARY_PATH=/x CUDA_VISIBLE_DEVICES=0 /x/llama-server ${served}`, isServed),
    line('llama-server --model=/m/a.gguf --port=8080 --ctx-size=8192 --alias=chat', {
      ...isServed,
      options: { context: 8192, alias: 'chat' },
    }),
    line(`llama-server ${served} -ot blk.1.=CUDA0 -ot exps=CPU -fa 1 -fmoe -mla 3 -amb 512 -rtr -ser 6,1`, {
      ...isServed,
      options: {
        overrideTensor: 'blk.1.=CUDA0,exps=CPU',
        flashAttention: 'on',
        args: ['-fmoe', '-mla', '3', '-amb', '512', '-rtr', '-ser', '6,1'],
      },
    }),
    line(`llama-server ${served} --cache-ram -1 --seed -1 -n -1 --reasoning-budget -1 -ngl -1`, {
      ...isServed,
      options: { cacheRam: -1, gpuLayers: -1, reasoningBudget: -1, args: ['--seed', '-1', '-n', '-1'] },
    }),
    line(`llama-server ${served} --chat-template-kwargs '{"enable_thinking": false}' --jinja`, {
      ...isServed,
      options: { jinja: true, args: ['--chat-template-kwargs', '{"enable_thinking": false}'] },
    }),
    line('llama-server --hf-repo unsloth/Qwen3-8B-GGUF --hf-file Qwen3-8B-Q4_K_M.gguf --port 8080', {
      model: 'hf://unsloth/Qwen3-8B-GGUF/Qwen3-8B-Q4_K_M.gguf',
      options: { args: [] },
    }),
    line('llama-server -mu https://models.example/a.gguf -a small --port 8080', {
      model: 'https://models.example/a.gguf',
      options: { alias: 'small' },
    }),
    line(
      '/app/llama-server',
      { model: 'ggml-org/gemma-3-1b-it-GGUF', port: 9000, options: { slots: 4 } },
      {
        LLAMA_ARG_HF_REPO: 'ggml-org/gemma-3-1b-it-GGUF',
        LLAMA_ARG_PORT: '9000',
        LLAMA_ARG_N_PARALLEL: '4',
      },
    ),
    line(
      '/app/llama-server --port 8080',
      { port: 8080, keyed: true, options: { flashAttention: 'on' } },
      {
        LLAMA_ARG_MODEL: '/m/a.gguf',
        LLAMA_ARG_PORT: '9000',
        LLAMA_ARG_FLASH_ATTN: '1',
        LLAMA_API_KEY: 's',
      },
    ),
    line(`runuser -l llm -c 'llama-server ${served}'`, isServed),
    line(`script -qfc 'llama-server ${served}' /dev/null`, isServed),
    line(`start-stop-daemon --start --chuid llm --exec /usr/bin/llama-server -- ${served}`, isServed),
    line(`infisical run --env=prod -- llama-server ${served}`, isServed),
    line(`aws-vault exec prod -- llama-server ${served}`, isServed),
    line(`chamber exec llm -- llama-server ${served}`, isServed),
    line(`hwloc-bind core:0-7 -- llama-server ${served}`, isServed),
    line(`prime-run llama-server ${served}`, isServed),
    line(`setarch x86_64 -R llama-server ${served}`, isServed),
    line(`strace -f -o /tmp/trace llama-server ${served}`, isServed),
    line(`faketime -f +1d llama-server ${served}`, isServed),
    line(`nsenter --target 1 --net -- llama-server ${served}`, isServed),
    line(`op run --env-file=.env -- llama-server ${served}`, isServed),
    line(`bash -c 'set -a; . /etc/llm.env; set +a; exec llama-server ${served}'`, isServed),
    line(`bash -c 'for i in 1 2 3; do llama-server ${served} && break; done'`, isServed),
    line(`bash -c 'until llama-server ${served}; do sleep 1; done'`, isServed),
    line(`llama-server ${served} --override-kv a=int:1 --override-kv b=int:2`, {
      ...isServed,
      options: { args: ['--override-kv', 'a=int:1', '--override-kv', 'b=int:2'] },
    }),
    line('./gemma-3-4b-it.Q6_K.llamafile', { model: './gemma-3-4b-it.Q6_K.llamafile', port: null }),
    line('./gemma-3-4b-it.Q6_K.llamafile -ngl 999', { options: { gpuLayers: 999 } }),
  ],
  vllm: [
    line('vllm serve --enable-log-outputs --disable-fastapi-docs org/m --port 8000', {
      model: 'org/m',
      port: 8000,
      options: { args: ['--enable-log-outputs', '--disable-fastapi-docs'] },
    }),
    line('vllm serve --model org/m --port=8000', { model: 'org/m', port: 8000 }),
    line('vllm serve -tp=2 -q=awq org/m -O3 --port 8000', {
      model: 'org/m',
      options: { tensorParallel: 2, quantization: 'awq', args: ['-O3'] },
    }),
    line('vllm serve org/m --max-model-len -1 --gpu-memory-utilization .9 --seed -1', {
      model: 'org/m',
      options: { gpuMemoryUtilization: 0.9, seed: -1, args: ['--max-model-len', '-1'] },
    }),
    line(`vllm serve org/m --compilation-config '{"level": 3}' --limit-mm-per-prompt image=4,video=1`, {
      model: 'org/m',
      options: {
        args: ['--compilation-config', '{"level": 3}', '--limit-mm-per-prompt', 'image=4,video=1'],
      },
    }),
    line('vllm serve org/m --speculative-config.method ngram --speculative-config.num_speculative_tokens 3', {
      model: 'org/m',
      options: {
        args: ['--speculative-config.method', 'ngram', '--speculative-config.num_speculative_tokens', '3'],
      },
    }),
    line('python3 -sP /usr/bin/vllm serve org/m --enable_prefix_caching --no-enable-chunked-prefill', {
      model: 'org/m',
      options: { prefixCaching: true, chunkedPrefill: false },
    }),
    line('python3.13t -X faulthandler -W ignore -m vllm.entrypoints.openai.api_server org/m --port 8000', {
      model: 'org/m',
      port: 8000,
    }),
    line('uv run -m vllm.entrypoints.openai.api_server --model org/m --port 8000', { model: 'org/m' }),
    line('uv --directory /srv/llm run --torch-backend auto vllm serve org/m --port 8000', { model: 'org/m' }),
    line('uv tool run --from vllm vllm serve org/m --port 8000', { model: 'org/m', port: 8000 }),
    line('uvx --torch-backend auto vllm serve org/m --port 8000', { model: 'org/m', port: 8000 }),
    line('micromamba run -n llm -e HF_HOME=/cache vllm serve org/m --port 8000', { model: 'org/m' }),
    line('/app/.venv/bin/python /app/.venv/bin/vllm serve org/m --served-model-name chat gpt-4o', {
      model: 'org/m',
      options: { servedModel: 'chat', aliases: ['gpt-4o'] },
    }),
    line('tini-static -s -- vllm serve org/m --port 8000', { model: 'org/m', port: 8000 }),
    line('xvfb-run -s nothing vllm serve org/m --port 8000', { model: 'org/m' }),
    line('timeout --signal INT --kill-after 10s 8h vllm serve org/m --port 8000', { model: 'org/m' }),
    line(`bash -c 'trap "kill 0" EXIT; vllm serve org/m --port 8000 & wait'`, { model: 'org/m', port: 8000 }),
    line(
      'torchrun --nproc-per-node 1 --standalone -m vllm.entrypoints.openai.api_server --model org/m --port 8000',
      { model: 'org/m', port: 8000 },
    ),
    line('accelerate launch -m vllm.entrypoints.openai.api_server --model org/m --port 8000', {
      model: 'org/m',
    }),
    line(`bash -lc 'ray start --head --port=6379 && vllm serve org/m --distributed-executor-backend ray'`, {
      model: 'org/m',
      options: { executor: 'ray' },
    }),
    line(`nix-shell --run 'vllm serve org/m --port 8000'`, { model: 'org/m', port: 8000 }),
    line('nix develop -c vllm serve org/m --port 8000', { model: 'org/m', port: 8000 }),
    line('mise exec python@3.12 -- vllm serve org/m --port 8000', { model: 'org/m', port: 8000 }),
    line('apptainer exec --nv --bind /m:/m vllm.sif vllm serve org/m --port 8000', { model: 'org/m' }),
    line('singularity exec --nv vllm.sif vllm serve org/m --port 8000', { model: 'org/m', port: 8000 }),
    line('nsys profile -o x --trace=cuda vllm serve org/m --port 8000', { model: 'org/m', port: 8000 }),
    line('/bin/bash /opt/nvidia/nvidia_entrypoint.sh vllm serve org/m --port 8000', { model: 'org/m' }),
    line('pixi run -e gpu vllm serve org/m --port 8000', { model: 'org/m', port: 8000 }),
    line('vllm serve org/m -tp 4 --tensor-parallel-size=2 --port 8000', { options: { tensorParallel: 2 } }),
    line('vllm serve org/m --headless -dp 4 -dpl 2 --data-parallel-start-rank 2', {
      model: 'org/m',
      options: { dataParallel: 4, args: ['--headless', '-dpl', '2', '--data-parallel-start-rank', '2'] },
    }),
  ],
  'llama-cpp-python': [
    line('python3 -m llama_cpp.server --model /m/a.gguf --n_gpu_layers -1 --n_ctx 8192 --port 8000', {
      model: '/m/a.gguf',
      port: 8000,
      options: { gpuLayers: -1, context: 8192 },
    }),
    line(
      '/opt/venv/bin/python -m llama_cpp.server',
      { model: '/m/a.gguf', host: '0.0.0.0', port: 8000 },
      {
        MODEL: '/m/a.gguf',
        HOST: '0.0.0.0',
        PORT: '8000',
      },
    ),
  ],
  'mlx-lm': [
    line('mlx_lm.server --model mlx-community/Qwen3-8B-4bit --port 8080', {
      model: 'mlx-community/Qwen3-8B-4bit',
      port: 8080,
    }),
    line('python3.12 -m mlx_lm server --model=org/m --host=0.0.0.0', { model: 'org/m', host: '0.0.0.0' }),
    line('uv run mlx_vlm.server --model org/m --port 8081', { model: 'org/m', port: 8081 }),
  ],
  aphrodite: [
    line('aphrodite run org/m --port 2242 -tp 2 --api-keys s', {
      model: 'org/m',
      port: 2242,
      keyed: true,
      options: { tensorParallel: 2 },
    }),
    line('python -m aphrodite.endpoints.openai.api_server --model org/m --max-model-len=8192', {
      model: 'org/m',
      options: { context: 8192 },
    }),
  ],
  lmdeploy: [
    line('lmdeploy serve api_server org/m --server-name 0.0.0.0 --server-port 23333 --tp 2', {
      model: 'org/m',
      host: '0.0.0.0',
      port: 23333,
      options: { tensorParallel: 2 },
    }),
  ],
  'tensorrt-llm': [
    line('mpirun -n 1 trtllm-serve org/m --host 0.0.0.0 --port 8000 --tp_size 4', {
      model: 'org/m',
      port: 8000,
      options: { tensorParallel: 4 },
    }),
    line('trtllm-serve serve org/m --port 8000', { model: 'org/m', port: 8000 }),
  ],
  tabbyapi: [
    line('/opt/tabbyAPI/venv/bin/python /opt/tabbyAPI/main.py --host 0.0.0.0 --port 5000 --model-name m', {
      model: 'm',
      host: '0.0.0.0',
      port: 5000,
    }),
  ],
  sglang: [
    line('python -m sglang.launch_server --model-path org/m --tensor-parallel-size=8 --dp 8 --port=30000', {
      model: 'org/m',
      port: 30000,
      options: { tensorParallel: 8 },
    }),
    line('torchrun --nproc_per_node=1 -m sglang.launch_server --model-path org/m --port 30000', {
      model: 'org/m',
      port: 30000,
    }),
    line(
      'env SGLANG_X=1 nice -n 5 python3 -m sglang.launch_server --model org/m --host 0.0.0.0 --port 30000',
      {
        model: 'org/m',
        host: '0.0.0.0',
        port: 30000,
      },
    ),
  ],
  tgi: [
    line('/tgi-entrypoint.sh --model-id org/m --port 8080', { model: 'org/m', port: 8080 }),
    line('/tini -- text-generation-launcher --model-id org/m -p 8080 --max-input-length 4096', {
      model: 'org/m',
      port: 8080,
    }),
  ],
  ollama: [
    line('sudo -u ollama OLLAMA_HOST=http://10.0.0.1:11435 /usr/bin/ollama serve', {
      host: '10.0.0.1',
      port: 11435,
    }),
    line("sh -c 'ollama serve & sleep 5 && ollama pull gemma3 && wait'", { child: false }),
    line('/usr/bin/env OLLAMA_HOST=[::]:11434 /usr/local/bin/ollama serve', { host: '::', port: 11434 }),
    line('/usr/bin/ollama runner --model /x/sha256-aa --ctx-size 8192 --port 35123', {
      child: true,
      port: 35123,
    }),
  ],
  koboldcpp: [
    line('./koboldcpp-linux-x64-cuda1210 --usecublas --nommap --quiet /m/a.gguf 5001', {
      model: '/m/a.gguf',
      port: 5001,
    }),
  ],
  localai: [
    line('tini -- local-ai run --address=0.0.0.0:8080 --models-path=/models', {
      host: '0.0.0.0',
      port: 8080,
    }),
  ],
  'llama-swap': [
    line('/app/llama-swap --config /app/config.yaml --listen 0.0.0.0:8080 --watch-config', { port: 8080 }),
  ],
};
