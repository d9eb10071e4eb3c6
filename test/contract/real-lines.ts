/** A process as its command line shows it: words between blanks, single quotes around what is one word. */
export interface RealLine {
  readonly argv: readonly string[];
  readonly env?: Record<string, string>;
  readonly is: Record<string, unknown>;
}

/** Words between blanks; what stands in single quotes is one word. */
export function line(text: string, is: Record<string, unknown>, env?: Record<string, string>): RealLine {
  const argv = [...text.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '');
  return env ? { argv, is, env } : { argv, is };
}

/** Command lines as people, units, images and operators write them, wrappers included, by the engine that must know them. */
export const realLines: Readonly<Record<string, readonly RealLine[]>> = {
  'llama.cpp': [
    line(
      'llama-server -m /models/mistral-7b-openorca.Q5_K_M.gguf --host 0.0.0.0 --port 8081 -c 4096 -np 2 -t 8 -b 512 -ngl 35 --metrics',
      {
        model: '/models/mistral-7b-openorca.Q5_K_M.gguf',
        host: '0.0.0.0',
        port: 8081,
        options: {
          context: 2048,
          slots: 2,
          threads: 8,
          batch: 512,
          gpuLayers: 35,
          binary: 'llama-server',
          args: [],
        },
      },
    ),
    line(
      '/opt/llama.cpp/build/bin/llama-server --model /srv/kimi-vl.gguf --mmproj /srv/mmproj.gguf --n-gpu-layers 45 --port 8080',
      {
        model: '/srv/kimi-vl.gguf',
        port: 8080,
        options: { gpuLayers: 45 },
      },
    ),
    line("sh -c 'exec /usr/local/bin/llama-server -m /m/a.gguf --port 8080 2>&1 | tee /var/log/llama.log'", {
      model: '/m/a.gguf',
      port: 8080,
    }),
    line("/bin/bash -c 'cd /srv && LLAMA_ARG_PORT=9000 ./llama-server -m models/a.gguf'", {
      model: 'models/a.gguf',
      port: 9000,
    }),
    line("bash -lc 'source ~/.bashrc; llama-server -m /m/a.gguf --port 8083'", {
      model: '/m/a.gguf',
      port: 8083,
    }),
    line('env CUDA_VISIBLE_DEVICES=0,1 llama-server -m /m/a.gguf -sm row -ts 3,1 -mg 0 --port 8080', {
      port: 8080,
      options: { splitMode: 'row', tensorSplit: [3, 1], mainGpu: 0 },
    }),
    line('env -i LLAMA_ARG_MODEL=/m/e.gguf LLAMA_ARG_PORT=8090 /usr/bin/llama-server', {
      model: '/m/e.gguf',
      port: 8090,
    }),
    line("env -S 'GGML_CUDA_NO_VMM=1 llama-server -m /m/a.gguf --port 8080'", {
      model: '/m/a.gguf',
      port: 8080,
    }),
    line('nice -n 10 llama-server -m /m/a.gguf --port 8080', { model: '/m/a.gguf' }),
    line('nice -n 5 ionice -c 2 -n 7 llama-server -m /m/a.gguf --port 8080', { model: '/m/a.gguf' }),
    line('numactl --cpunodebind=0 --membind=0 llama-server -m /m/a.gguf --numa numactl --port 8080', {
      model: '/m/a.gguf',
      options: { numa: 'numactl' },
    }),
    line('numactl -N 1 -m 1 /usr/bin/llama-server -m /m/b.gguf --port 8080', { model: '/m/b.gguf' }),
    line('taskset -c 0-7 llama-server -m /m/a.gguf -t 8 --port 8080', { options: { threads: 8 } }),
    line('taskset 0xff llama-server -m /m/a.gguf --port 8080', { model: '/m/a.gguf', port: 8080 }),
    line('chrt -f 50 llama-server -m /m/a.gguf --port 8080', { model: '/m/a.gguf' }),
    line(
      '/tmp/x/lib64/ld-linux-x86-64.so.2 --library-path /x/lib:/x/lib/ggml --argv0 llama-server /x/bin/llama-server -m /m/a.gguf --port 8080',
      {
        model: '/m/a.gguf',
      },
    ),
    line('/lib/ld-musl-x86_64.so.1 --library-path /x /x/llama-server -m /m/a.gguf', { model: '/m/a.gguf' }),
    line('nohup ./llama-server -m a.gguf -fa --port 8080', { options: { flashAttention: 'on' } }),
    line('stdbuf -oL llama-server -m /m/a.gguf -fa on -ctk q8_0 -ctv q8_0 --port 8080', {
      options: { flashAttention: 'on', cacheTypeK: 'q8_0', cacheTypeV: 'q8_0' },
    }),
    line('timeout -k 5 3600 llama-server -m /m/a.gguf --port 8080', { model: '/m/a.gguf' }),
    line('sudo -u llama /usr/local/bin/llama-server -m /m/a.gguf --port 8080', { model: '/m/a.gguf' }),
    line("su llama -c 'llama-server -m /m/a.gguf --port 8084'", { port: 8084 }),
    line('gosu 1000:1000 /app/llama-server -m /models/a.gguf --port 8080', { model: '/models/a.gguf' }),
    line('tini -- /app/llama-server -m /models/a.gguf --port 8080', { model: '/models/a.gguf' }),
    line('ip netns exec llm /usr/bin/llama-server -m /m/a.gguf --port 8081', { port: 8081 }),
    line('systemd-run --user --unit llama -p MemoryMax=12G llama-server -m /m/a.gguf --port 8080', {
      model: '/m/a.gguf',
    }),
    line('cgexec -g memory:llm llama-server -m /m/a.gguf --port 8080', { model: '/m/a.gguf' }),
    line('/app/llama-server --port 8081 --model /models/a.gguf --host 0.0.0.0 --no-mmap', {
      model: '/models/a.gguf',
      options: { loadMode: 'none' },
    }),
    line(
      '/app/llama-server',
      { model: '/models/a.gguf', host: '0.0.0.0', port: 8081 },
      {
        LLAMA_ARG_MODEL: '/models/a.gguf',
        LLAMA_ARG_HOST: '0.0.0.0',
        LLAMA_ARG_PORT: '8081',
      },
    ),
    line(
      'llama-server -hf Qwen/Qwen3-Embedding-0.6B-GGUF:Q8_0 --embedding --pooling last -ub 8192 --port 8021',
      {
        model: 'Qwen/Qwen3-Embedding-0.6B-GGUF:Q8_0',
        options: { embeddings: true, pooling: 'last', ubatch: 8192 },
      },
    ),
    line('llama-server -m /m/bge-reranker.gguf --reranking --port 8022', { options: { rerank: true } }),
    line(
      'llama-server -m /m/big.gguf -md /m/small.gguf -ngld 99 --draft-max 16 --draft-min 4 --draft-p-min 0.8 --port 8080',
      {
        options: {
          draftModel: '/m/small.gguf',
          draftGpuLayers: 99,
          draftMax: 16,
          draftMin: 4,
          draftProbability: 0.8,
        },
      },
    ),
    line(
      'llama-server -m /m/a.gguf --lora /m/l1.gguf --lora /m/l2.gguf --lora-scaled /m/l3.gguf:0.5 --port 8080',
      {
        options: { lora: ['/m/l1.gguf', '/m/l2.gguf'], loraScaled: ['/m/l3.gguf:0.5'] },
      },
    ),
    line(
      'llama-server -m /m/a.gguf --jinja -ncmoe 20 -ot exps=CPU --temp 0.6 --top-p 0.95 --min-p 0 --port 8080',
      {
        options: {
          jinja: true,
          cpuMoeLayers: 20,
          overrideTensor: 'exps=CPU',
          args: ['--temp', '0.6', '--top-p', '0.95', '--min-p', '0'],
        },
      },
    ),
    line('llama-server -m /m/a.gguf --api-key sk-1 --port 8080', {
      keyed: true,
      options: { args: ['--api-key', '***'] },
    }),
    line('llama-server-cuda -m /m/a.gguf --port 8080', { model: '/m/a.gguf' }),
    line('setpriv --reuid llm --regid llm --init-groups llama-server -m /m/a.gguf --port 8080', {
      port: 8080,
    }),
    line('flock -n /run/llm.lock llama-server -m /m/a.gguf --port 8080', { model: '/m/a.gguf' }),
    line('firejail --noprofile llama-server -m /m/a.gguf --port 8080', { model: '/m/a.gguf' }),
    line('SCREEN -dmS llm llama-server -m /m/a.gguf --port 8080', { model: '/m/a.gguf' }),
    line("env '--split-string=GGML_X=1 llama-server -m /m/a.gguf --port 8080'", { model: '/m/a.gguf' }),
    line("bash -c 'while true; do llama-server -m /m/a.gguf --port 8085; sleep 1; done'", { port: 8085 }),
    line("bash -c 'if [ -f /m/a.gguf ]; then exec llama-server -m /m/a.gguf --port 8086; fi'", {
      port: 8086,
    }),
    line("bash -c 'ulimit -l unlimited && (llama-server -m /m/a.gguf --port 8087)'", {
      port: 8087,
      options: { args: [] },
    }),
    line("bash -c '{ ./llama-server -m /m/a.gguf --port 8088; }'", { port: 8088 }),
    line('llamafile --server --nobrowser -m /m/a.gguf --host 0.0.0.0 --port 8080 -ngl 99', {
      model: '/m/a.gguf',
      host: '0.0.0.0',
      options: { gpuLayers: 99 },
    }),
    line('/usr/bin/ape ./mistral.Q4_0.llamafile --server --port 8081', {
      model: './mistral.Q4_0.llamafile',
      port: 8081,
    }),
    line('sh ./llava.llamafile --host 0.0.0.0 --port 8082', { model: './llava.llamafile', port: 8082 }),
    line('/snap/llama/current/bin/llama-server -m /m/a.gguf -c 8192 -c 4096 --port 8080', {
      options: { context: 4096 },
    }),
  ],
  'llama-router': [
    line("sh -c 'llama-server --models-dir /srv/models --models-max 2 --no-models-autoload --port 8080'", {
      port: 8080,
      options: { modelsDir: '/srv/models', modelsMax: 2, autoload: false },
    }),
  ],
  vllm: [
    line(
      '/usr/bin/python3 /usr/local/bin/vllm serve mistralai/Mistral-7B-Instruct-v0.2 --host 0.0.0.0 --port 8000',
      {
        model: 'mistralai/Mistral-7B-Instruct-v0.2',
        host: '0.0.0.0',
        port: 8000,
      },
    ),
    line(
      'vllm serve TheBloke/mixtral-8x7b-v0.1-AWQ --quantization awq --tensor-parallel-size 4 --gpu-memory-utilization 0.95 --enforce-eager',
      {
        model: 'TheBloke/mixtral-8x7b-v0.1-AWQ',
        options: {
          binary: 'vllm',
          quantization: 'awq',
          tensorParallel: 4,
          gpuMemoryUtilization: 0.95,
          enforceEager: true,
          args: [],
        },
      },
    ),
    line(
      'python3 -m vllm.entrypoints.openai.api_server --port=8080 --model=/mnt/models --served-model-name=mistral-24b --tensor-parallel-size=4 --max-model-len=16384 --max-num-seqs=24 --dtype=bfloat16',
      {
        model: '/mnt/models',
        port: 8080,
        options: {
          servedModel: 'mistral-24b',
          tensorParallel: 4,
          context: 16384,
          maxSeqs: 24,
          dtype: 'bfloat16',
        },
      },
    ),
    line(
      'python -m vllm.entrypoints.openai.api_server --model meta-llama/Llama-3.1-8B --max_model_len 8192 --gpu_memory_utilization 0.9',
      {
        options: { context: 8192, gpuMemoryUtilization: 0.9 },
      },
    ),
    line('python3.12 -u -m vllm.entrypoints.cli.main serve Qwen/Qwen3-8B -tp 2 -pp 2 --max-model-len 32k', {
      model: 'Qwen/Qwen3-8B',
      options: { tensorParallel: 2, pipelineParallel: 2, context: 32000 },
    }),
    line('conda run -n vllm --no-capture-output vllm serve Qwen/Qwen3-0.6B --port 8001', {
      model: 'Qwen/Qwen3-0.6B',
      port: 8001,
    }),
    line('micromamba run -n llm vllm serve org/m --port 8002', { model: 'org/m', port: 8002 }),
    line('uv run vllm serve org/m --port 8003', { model: 'org/m', port: 8003 }),
    line('uv run --with vllm --python 3.12 vllm serve org/m --port 8004', { port: 8004 }),
    line('uvx vllm serve org/m --port 8005', { port: 8005 }),
    line('poetry run vllm serve org/m --port 8006', { port: 8006 }),
    line("bash -c 'source /opt/venv/bin/activate && exec vllm serve org/m --port 8007'", { port: 8007 }),
    line('env HF_HOME=/cache VLLM_API_KEY=s vllm serve org/m --port 8008', { port: 8008, keyed: true }),
    line(
      'nohup vllm serve org/m --enable-prefix-caching --enable-chunked-prefill --no-enable-log-requests --port 8009',
      {
        model: 'org/m',
        options: { prefixCaching: true, chunkedPrefill: true, args: ['--no-enable-log-requests'] },
      },
    ),
    line('vllm serve org/m --enable-chunked-prefill False --trust-remote-code --swap-space 16', {
      options: { chunkedPrefill: false, trustRemoteCode: true, swapSpace: 16 },
    }),
    line('vllm serve --disable-log-requests org/m --port 8010', {
      model: 'org/m',
      options: { args: ['--disable-log-requests'] },
    }),
    line(
      `vllm serve org/m --speculative-config '{"method":"ngram","num_speculative_tokens":4}' --limit-mm-per-prompt '{"image":4}'`,
      {
        options: {
          speculative: { method: 'ngram', num_speculative_tokens: 4 },
          multimodalLimits: { image: 4 },
        },
      },
    ),
    line('vllm serve org/m --enable-lora --lora-modules sql=/m/sql de=org/de --max-lora-rank 64', {
      options: { lora: ['sql=/m/sql', 'de=org/de'], maxLoraRank: 64 },
    }),
    line(
      'vllm serve org/m --enable-auto-tool-choice --tool-call-parser hermes --reasoning-parser qwen3 --kv-cache-dtype fp8',
      {
        options: {
          autoToolChoice: true,
          toolCallParser: 'hermes',
          reasoningParser: 'qwen3',
          kvCacheDtype: 'fp8',
        },
      },
    ),
    line('python3 -mvllm.entrypoints.openai.api_server --model org/m --port 8014', { port: 8014 }),
    line('srun --gres=gpu:2 vllm serve org/m --port 8015', { model: 'org/m', port: 8015 }),
    line('pipx run vllm serve org/m --port 8016', { port: 8016 }),
    line('doppler run -- vllm serve org/m --port 8017', { port: 8017 }),
    line('numactl -N 0 -m 0 vllm serve org/m --port 8011', { model: 'org/m', port: 8011 }),
    line('tini -g -- vllm serve org/m --port 8012', { port: 8012 }),
    line('dumb-init -- python3 -m vllm.entrypoints.openai.api_server --model org/m --port 8013', {
      port: 8013,
    }),
  ],
  sglang: [
    line('sglang serve Qwen/Qwen3-8B --port 30001 --tp 2', {
      model: 'Qwen/Qwen3-8B',
      port: 30001,
      options: { tensorParallel: 2 },
    }),
    line('python3 -m sglang.launch_server --model-path=org/m --port=30000 --context-length=8192', {
      model: 'org/m',
      port: 30000,
      options: { context: 8192 },
    }),
  ],
  tgi: [
    line('text-generation-launcher --model-id=org/m --port=8080 --hostname 0.0.0.0 --num-shard 2', {
      model: 'org/m',
      port: 8080,
      host: '0.0.0.0',
    }),
  ],
  koboldcpp: [
    line('python3 koboldcpp.py /m/a.gguf 5002 --gpulayers=20', {
      model: '/m/a.gguf',
      port: 5002,
      options: { gpuLayers: 20 },
    }),
  ],
  ollama: [line("sh -c 'OLLAMA_HOST=0.0.0.0:11500 ollama serve'", { host: '0.0.0.0', port: 11500 })],
};
