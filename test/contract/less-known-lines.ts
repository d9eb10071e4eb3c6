import { line } from './real-lines.ts';
import type { RealLine } from './real-lines.ts';

const served = '-m /m/a.gguf --port 8080';
const isServed = { model: '/m/a.gguf', port: 8080 };

/** Servers that are met less often, and wrappers that watch, confine or start what Python runs. */
export const lessKnownLines: Readonly<Record<string, readonly RealLine[]>> = {
  'llama.cpp': [
    line(`/app/tools.sh --server ${served}`, isServed),
    line(`python3 /usr/libexec/ramalama/ramalama-serve-core llama-server ${served}`, isServed),
    line(`strace -f -o /tmp/x.log -e trace=openat llama-server ${served}`, isServed),
    line(`perf record -g -o p.data -- llama-server ${served}`, isServed),
    line(`valgrind --leak-check=full ./llama-server ${served}`, isServed),
    line(`gdb -batch -ex run -ex bt --args ./build/bin/llama-server ${served}`, isServed),
    line(`bwrap --ro-bind / / --dev /dev --setenv A b --unshare-pid llama-server ${served}`, isServed),
    line(`chrt -b 0 schedtool -B -e llama-server ${served}`, isServed),
    line(`apptainer exec --nv -B /srv:/srv llama.sif llama-server ${served}`, isServed),
    line(`'llama-server ${served}' '' ''`, isServed),
    line(`distrobox enter llm -- llama-server ${served}`, isServed),
    line(`toolbox run -c llm llama-server ${served}`, isServed),
    line(`nix run nixpkgs#llama-cpp -- llama-server ${served}`, isServed),
    line(`/nix/store/abc-llama-cpp/bin/.llama-server-wrapped ${served}`, isServed),
    line(`nixGLNvidia-550 llama-server ${served}`, isServed),
    line(`flatpak run --command=llama-server ai.example.App ${served}`, isServed),
    line(`snap run llama-server ${served}`, isServed),
    line(`tini -sv -- /entrypoint.sh llama-server ${served}`, isServed),
    line(`/bin/sh /wait-for-it.sh db:5432 -- llama-server ${served}`, isServed),
    line(`/sbin/my_init -- llama-server ${served}`, isServed),
    line(`dotenvx run -f .env -- llama-server ${served}`, isServed),
    line(`sops exec-env secrets.yaml 'llama-server ${served}'`, isServed),
    line(`capsh --drop=all -- -c 'exec llama-server ${served}'`, isServed),
    line(`supervise-daemon llm --start --pidfile /run/l.pid /usr/bin/llama-server -- ${served}`, isServed),
    line(`sh -c 'case $1 in serve) exec llama-server ${served};; esac'`, isServed),
    line(`s6-envdir /env llama-server ${served}`, isServed),
    line(`wine llama-server.exe ${served}`, isServed),
    line(`run0 --user=llm llama-server ${served}`, isServed),
    line(`bash -c 'eval "exec llama-server ${served}"'`, isServed),
    line(`sh -c 'exec llama-server -m /m/a.gguf --port \${PORT:-8080}'`, isServed),
    line(`bash -c 'MODEL=/m/a.gguf; export PORT=8080; exec llama-server -m "$MODEL" --port $PORT'`, isServed),
    line(`sh -c 'A="${served}"; exec llama-server $A'`, isServed),
    line(`sh -c 'exec llama-server -m a.gguf --api-key $API_KEY'`, {
      model: 'a.gguf',
      keyed: true,
      options: { args: ['--api-key', '$API_KEY'] },
    }),
    line(
      'llama-server-vulkan',
      { model: 'a/b-GGUF', port: 8080 },
      { LLAMA_ARG_HF_REPO: 'a/b-GGUF', LLAMA_ARG_PORT: '8080' },
    ),
    line('llama-server --docker-repo ai/smollm2 --port 8080', { model: 'ai/smollm2', port: 8080 }),
    line(`./llamafile-0.9.3 --server ${served}`, isServed),
  ],
  vllm: [
    line(
      '/opt/nim/llm/.venv/bin/python3 -m vllm_nvext.entrypoints.openai.api_server --model a/b --port 8000',
      {
        model: 'a/b',
        port: 8000,
      },
    ),
    line('nsys profile -o rep --trace=cuda,nvtx vllm serve a/b --port 8033', { model: 'a/b', port: 8033 }),
    line('opentelemetry-instrument --service_name llm vllm serve a/b --port 8033', {
      model: 'a/b',
      port: 8033,
    }),
    line('python -m debugpy --listen 5678 -m vllm.entrypoints.openai.api_server --model a/b', {
      model: 'a/b',
    }),
    line('/docker-entrypoint.sh vllm serve a/b --port 8055', { model: 'a/b', port: 8055 }),
    line('srun --gpus 4 --container-image=/x.sqsh vllm serve a/b --port 8055', { model: 'a/b', port: 8055 }),
    line('apptainer run --nv vllm.sif vllm serve a/b --port 8055', { model: 'a/b', port: 8055 }),
    line('uvx vllm@0.11.0 serve a/b --port 8055', { model: 'a/b', port: 8055 }),
    line('vllm-omni serve a/b --port 8055', { model: 'a/b', port: 8055 }),
    line('python -m vllm_tgis_adapter --model /mnt/models --port 8080 --grpc-port 8033', {
      model: '/mnt/models',
      port: 8080,
    }),
    line('vllm serve --served-model-name x y z --port 8055 --model a/b', { model: 'a/b', port: 8055 }),
  ],
  sglang: [
    line('python3 /sgl-workspace/sglang/python/sglang/launch_server.py --model-path a/b --port 30000', {
      model: 'a/b',
      port: 30_000,
    }),
    line(
      '/opt/conda/bin/python /opt/conda/bin/conda run --live-stream -p /envs/sg python -m sglang.launch_server --model-path a/b --port 30001',
      { model: 'a/b', port: 30_001 },
    ),
    line('python -m sglang_router.launch_server --model-path a/b --dp 2 --port 30020', {
      model: 'a/b',
      port: 30_020,
    }),
  ],
  lmdeploy: [
    line('python3 -m lmdeploy.serve.openai.api_server a/b --server-port 23334', {
      model: 'a/b',
      port: 23_334,
    }),
    line('torchrun --nproc_per_node=2 -m lmdeploy serve api_server a/b --server-port 23334', {
      model: 'a/b',
      port: 23_334,
    }),
  ],
  tgi: [
    line('text-generation-router-llamacpp --model-id a/b --port 3000', { model: 'a/b', port: 3000 }),
    line('tini -g -- /tgi-entrypoint.sh --model-id a/b --port 80', { model: 'a/b', port: 80 }),
  ],
  tabbyapi: [
    line('python3 main.py --host 0.0.0.0 --port 5000 --model-dir /m --model-name x --max-seq-len 4096', {
      model: 'x',
      port: 5000,
      options: { context: 4096 },
    }),
    line('/opt/tabbyAPI/venv/bin/python3 main.py --model-name x --port 5050', { model: 'x', port: 5050 }),
  ],
  'tensorrt-llm': [
    line('python3 -m tensorrt_llm.commands.serve a/b --port 8000', { model: 'a/b', port: 8000 }),
    line('trtllm-serve --port 8000 --trust_remote_code a/b', { model: 'a/b', port: 8000 }),
    line('trtllm-serve disaggregated -c d.yaml --port 8000', { model: null, port: 8000 }),
    line('trtllm-llmapi-launch trtllm-serve serve /m --tp_size 4', {
      model: '/m',
      options: { tensorParallel: 4 },
    }),
  ],
  'text-generation-webui': [
    line('python server.py --model foo --api --api-port 5002 --listen --listen-port 7861', {
      model: 'foo',
      port: 5002,
    }),
    line('/srv/text-generation-webui/installer_files/env/bin/python server.py --api', { port: 5000 }),
    line('micromamba run -n tgw python server.py --listen --api --model x --loader exllamav2', {
      model: 'x',
    }),
  ],
  triton: [
    line('tritonserver --model-repository=/models --grpc-port=8001', { model: '/models', port: 8000 }),
    line('/opt/tritonserver/bin/tritonserver --model-store /repo --http-port 9000', {
      model: '/repo',
      port: 9000,
    }),
    line('python3 /opt/scripts/launch_triton_server.py --world_size 1 --model_repo=/m', {
      model: '/m',
      port: 8000,
    }),
    line('python3 openai_frontend/main.py --model-repository /m --openai-port 9003', {
      model: '/m',
      port: 9003,
    }),
  ],
  'text-embeddings-inference': [
    line('text-embeddings-router --model-id BAAI/bge-m3 --port 8047', { model: 'BAAI/bge-m3', port: 8047 }),
    line(
      'text-embeddings-router --json-output',
      { model: 'BAAI/bge-m3', port: 80 },
      {
        MODEL_ID: 'BAAI/bge-m3',
        PORT: '80',
      },
    ),
  ],
  infinity: [
    line('/app/.venv/bin/python /app/.venv/bin/infinity_emb v2 --model-id BAAI/bge-m3 --port 7998', {
      model: 'BAAI/bge-m3',
      port: 7998,
    }),
  ],
  'mlc-llm': [
    line('mlc_llm serve HF://mlc-ai/x-MLC --port 8050', { model: 'HF://mlc-ai/x-MLC', port: 8050 }),
    line('python -m mlc_llm serve /m --host 0.0.0.0', { model: '/m', host: '0.0.0.0' }),
  ],
  'mistral.rs': [
    line('mistralrs-server --port 1234 plain -m microsoft/Phi-3.5-mini-instruct', {
      model: 'microsoft/Phi-3.5-mini-instruct',
      port: 1234,
    }),
  ],
  xinference: [
    line('python -m xinference.deploy.local --port 9998', { port: 9998 }),
    line('xinference-local --host 0.0.0.0 --port 9997', { host: '0.0.0.0', port: 9997 }),
  ],
  openllm: [
    line('/srv/venv/bin/python /srv/venv/bin/openllm serve llama3.2:1b', {
      model: 'llama3.2:1b',
      port: 3000,
    }),
    line('python -m openllm start opt --model-id facebook/opt-1.3b --port 3001', {
      model: 'facebook/opt-1.3b',
      port: 3001,
    }),
  ],
  llamafiler: [
    line('llamafiler -m /m/a.gguf -l 0.0.0.0:8080 -c 4096 -s 4', {
      model: '/m/a.gguf',
      host: '0.0.0.0',
      port: 8080,
      options: { context: 4096, slots: 4 },
    }),
    line('/usr/local/bin/llamafiler-0.9.3 --model /m/a.gguf --listen=127.0.0.1:8081', { port: 8081 }),
    line('/usr/bin/ape ./llamafiler -m /m/a.gguf', { model: '/m/a.gguf', port: null }),
  ],
  exo: [
    line('exo --chatgpt-api-port 8000 --disable-tui', { port: 8000 }),
    line('uv run exo', { port: 52_415 }),
    line('/home/me/exo/.venv/bin/python3 -m exo --api-port 52416', { port: 52_416 }),
  ],
  fastchat: [
    line('python3 -m fastchat.serve.openai_api_server --host 0.0.0.0 --port 8001', {
      host: '0.0.0.0',
      port: 8001,
      child: false,
    }),
    line('python3 -m fastchat.serve.model_worker --model-path a/b --port 21002', {
      model: 'a/b',
      child: true,
    }),
    line('python3 -m fastchat.serve.vllm_worker --model-path a/b', { model: 'a/b', child: true }),
  ],
  openvino: [
    line('/ovms/bin/ovms --model_path /m --model_name x --rest_port 8000 --port 9000', {
      model: '/m',
      port: 8000,
    }),
    line('ovms --source_model OpenVINO/x --model_repository_path /m --rest_port=8000', {
      model: 'OpenVINO/x',
      port: 8000,
    }),
    line('ovms --config_path /m/config.json --port 9000', { model: null, port: null }),
  ],
  nim: [
    line('/bin/bash /opt/nvidia/nvidia_entrypoint.sh /opt/nim/start-server.sh', { port: 8000 }),
    line(
      '/opt/nim/start_server.sh',
      { model: 'a/b', port: 9000 },
      { NIM_MODEL_NAME: 'a/b', NIM_SERVER_PORT: '9000' },
    ),
    line('/opt/nim/llm/.venv/bin/python3 -m nim_llm_sdk.entrypoints.launch', { port: 8000 }),
  ],
  'kserve-huggingface': [
    line('python3 -m huggingfaceserver --model_name=x --model_id=a/b --max_model_len=4096', {
      model: 'a/b',
      port: 8080,
      options: { context: 4096 },
    }),
    line('python3 -m huggingfaceserver --model_dir=/mnt/models --model_name=x --http_port=8085', {
      model: '/mnt/models',
      port: 8085,
    }),
  ],
  lemonade: [
    line('lemonade-server serve --port 13305 --ctx-size 8192', {
      model: null,
      port: 13_305,
      options: { context: 8192 },
    }),
    line('lemonade-server run Qwen3-0.6B-GGUF --host 0.0.0.0', { model: 'Qwen3-0.6B-GGUF', host: '0.0.0.0' }),
    line('/opt/lemonade/lemond', { port: 8001 }, { LEMONADE_PORT: '8001' }),
  ],
  dynamo: [
    line('python3 -m dynamo.frontend --http-port 8100 --router-mode kv', { port: 8100, child: false }),
    line('python -m dynamo.frontend', { port: 8200 }, { DYN_HTTP_PORT: '8200' }),
    line('python3 -m dynamo.vllm --model a/b --tensor-parallel-size 2', { model: 'a/b', child: true }),
    line('python3 -m dynamo.sglang --model-path a/b --tp 2', { model: 'a/b', child: true }),
  ],
  jan: [
    line('jan serve a/b --port 1338', { model: 'a/b', port: 1338 }),
    line('cortex-server --port 39281', { port: 39_281 }),
    line('/opt/Jan/Jan', { port: null }),
  ],
  transformers: [line('transformers serve --port 8052', { port: 8052 })],
  localai: [line('./local-ai-Linux-x86_64 run hermes --address :8084', { model: 'hermes', port: 8084 })],
  'llama-cpp-python': [
    line(
      'uvicorn --factory llama_cpp.server.app:create_app --host 0.0.0.0 --port 8000',
      { model: '/m.gguf', port: 8000 },
      { MODEL: '/m.gguf' },
    ),
  ],
};
