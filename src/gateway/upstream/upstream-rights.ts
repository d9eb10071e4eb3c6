import { endpointAt } from '../front/endpoints.ts';
import { isHarmlessRead, isReading } from './harmless-reads.ts';

/** Where engines compute under names of their own, by POST: nothing stays of it. */
const computing = new Set([
  // llama-server
  '/completion',
  '/completions',
  '/chat/completions',
  '/embedding',
  '/embeddings',
  '/responses',
  // Ollama, of whose own API the rest takes "keep_alive", which unloads, and loads whatever model the body names
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
  if (open && !lent) return false;
  return !(isReading(method) && isHarmlessRead(path, lent));
}
