import { endpointAt } from '../front/endpoints.ts';

/** Where engines compute under names of their own, by POST: nothing stays of it. */
const computing = new Set([
  // llama-server, and what it has of Ollama's API
  '/completion',
  '/completions',
  '/chat/completions',
  '/embedding',
  '/embeddings',
  '/responses',
  '/api/chat',
  '/api/generate',
  '/api/embed',
  '/api/embeddings',
  '/api/show',
  // SGLang, TGI, TEI, vLLM
  '/generate',
  '/generate_stream',
  '/encode',
  '/embed',
  '/embed_all',
  '/embed_sparse',
  '/predict',
  '/similarity',
  '/v1/classify',
  '/v1/pooling',
  '/invocations',
  // whisper.cpp, stable-diffusion.cpp
  '/inference',
  '/sdapi/v1/txt2img',
  '/sdapi/v1/img2img',
]);

/** Parts of paths by which a GET changes an engine (SGLang), or shows what others ask it (llama-server's slots). */
const telling = new Set([
  'slots',
  'flush_cache',
  'freeze_gc',
  'slow_down',
  'configure_logging',
  'open_session',
  'close_session',
  'pause_generation',
  'continue_generation',
  'release_memory_occupation',
  'resume_memory_occupation',
  'get_weights_by_name',
  'start_profile',
  'stop_profile',
  'start_expert_distribution_record',
  'stop_expert_distribution_record',
  'dump_expert_distribution_record',
  'clear_hicache_storage_backend',
  'shutdown',
]);

/** What may be read of a server elsewhere: its models and its state, nothing that it keeps for the operator. */
const reading =
  /^\/(?:(?:v1\/)?models(?:\/[^/]+)?|api\/(?:tags|ps|version)|v1\/health|health|healthz|ping|version|props|metrics|load)?$/;

/** What a request that goes to an engine as it is may do there. */
export interface ExactAsk {
  readonly method: string;
  /** At the engine, without a query. */
  readonly path: string;
  /** Requests want no key, so that the engine is as open as its own port. */
  readonly open: boolean;
  /** Some engine that it may reach is a server elsewhere, with the operator's key. */
  readonly lent: boolean;
}

/**
 * It may change the engine, show what others ask it, or use the operator's account at a server elsewhere: that is for keys of control.
 * What is not known to be harmless counts as such. Pure.
 */
export function wantsControl({ method, path, open, lent }: ExactAsk): boolean {
  if (method === 'POST' && (endpointAt.has(path) || computing.has(path))) return false;
  const reads = method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
  if (lent) return !reads || !reading.test(path);
  return !open && !(reads && !path.split(/[/\\]|%2f|%5c/i).some(isTelling));
}

function isTelling(part: string): boolean {
  let name = part;
  try {
    name = decodeURIComponent(part);
  } catch {
    // As it stands.
  }
  return telling.has((name.split(';', 1)[0] ?? '').toLowerCase());
}
