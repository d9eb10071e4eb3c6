import { closeName } from '../../domain/close-name.ts';

const prefix = 'VLLM_';

/** Those that people set, of many more that it reads: with a name of their own, or as long, others are not judged. */
const known = [
  'ALL2ALL_BACKEND',
  'ALLOW_LONG_MAX_MODEL_LEN',
  'ALLOW_RUNTIME_LORA_UPDATING',
  'ATTENTION_BACKEND',
  'CACHE_ROOT',
  'CONFIGURE_LOGGING',
  'CPU_KVCACHE_SPACE',
  'CPU_OMP_THREADS_BIND',
  'DO_NOT_TRACK',
  'ENGINE_ITERATION_TIMEOUT_S',
  'EXECUTE_MODEL_TIMEOUT_SECONDS',
  'FLASH_ATTN_VERSION',
  'HTTP_TIMEOUT_KEEP_ALIVE',
  'KV_CACHE_LAYOUT',
  'LOGGING_CONFIG_PATH',
  'LOGGING_LEVEL',
  'MM_INPUT_CACHE_GIB',
  'NCCL_SO_PATH',
  'NIXL_SIDE_CHANNEL_HOST',
  'NIXL_SIDE_CHANNEL_PORT',
  'NO_USAGE_STATS',
  'PP_LAYER_PARTITION',
  'RPC_BASE_PATH',
  'SERVER_DEV_MODE',
  'SLEEP_WHEN_IDLE',
  'TARGET_DEVICE',
  'TORCH_PROFILER_DIR',
  'USAGE_SOURCE',
  'USE_DEEP_GEMM',
  'USE_FLASHINFER_SAMPLER',
  'USE_MODELSCOPE',
  'WORKER_MULTIPROC_METHOD',
];

/** Whoever writes these believes that a key is asked for. */
const keys = ['APIKEY', 'API_KEYS', 'API_TOKEN', 'APIKEYS'];

/** A variable of vLLM one or two letters from one that it reads. Names that are like nothing are not judged. */
export function meantVariable(name: string): string | null {
  if (!name.startsWith(prefix)) return null;
  const own = name.slice(prefix.length);
  const meant = keys.includes(own) ? 'API_KEY' : closeName(own, known, 8);
  return meant === null ? null : `${prefix}${meant}`;
}
