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
    line('/opt/tabbyAPI/venv/bin/python3 main.py --model-name x --port 5050', { model: 'x', port: 5050 }),
  ],
  'tensorrt-llm': [
    line('python3 -m tensorrt_llm.commands.serve a/b --port 8000', { model: 'a/b', port: 8000 }),
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
