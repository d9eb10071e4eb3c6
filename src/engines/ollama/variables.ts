import { closeName } from '../../domain/close-name.ts';

const prefix = 'OLLAMA_';

/** What people set of what the daemon reads. */
const known = [
  'AUTH',
  'CONTEXT_LENGTH',
  'DEBUG',
  'DEBUG_LOG_REQUESTS',
  'EDITOR',
  'FLASH_ATTENTION',
  'GPU_OVERHEAD',
  'HOST',
  'INTEL_GPU',
  'KEEP_ALIVE',
  'KV_CACHE_TYPE',
  'LIBRARY_PATH',
  'LLM_LIBRARY',
  'LOAD_TIMEOUT',
  'MAX_LOADED_MODELS',
  'MAX_QUEUE',
  'MODELS',
  'MULTIUSER_CACHE',
  'NEW_ENGINE',
  'NEW_ESTIMATES',
  'NOHISTORY',
  'NOPRUNE',
  'NO_CLOUD',
  'NUM_PARALLEL',
  'ORIGINS',
  'SCHED_SPREAD',
  'VULKAN',
];

/** Names that people give it for those of its options. */
const instead: ReadonlyMap<string, string> = new Map([
  ['NUM_CTX', 'CONTEXT_LENGTH'],
  ['CONTEXT_SIZE', 'CONTEXT_LENGTH'],
  ['FLASH_ATTN', 'FLASH_ATTENTION'],
]);

/** A variable that Ollama does not read, by what is meant. Shorter names, such as OLLAMA_MODEL, are those of scripts around it. */
export function meantVariable(name: string): string | null {
  if (!name.startsWith(prefix)) return null;
  const own = name.slice(prefix.length);
  const meant = instead.get(own) ?? closeName(own, known, 6);
  return meant === null ? null : `${prefix}${meant}`;
}
