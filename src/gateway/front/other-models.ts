import type { Upstream } from '../../domain/gateway-config.ts';
import { badRequest, otherModels } from '../reply/faults.ts';
import type { Snapshot } from '../observe/snapshot.ts';
import type { Caller } from './caller.ts';
import { ScanFault, scanObject } from './scan.ts';

/** Where servers elsewhere take the names of models that are to answer where the first one fails: OpenRouter, LiteLLM. */
const fallbackKeys = ['models', 'fallbacks', 'context_window_fallbacks', 'content_policy_fallbacks'];
const nothing = /^(?:null|\[\s*\])$/;

/** The key of a JSON object that names other models than "model" does; null for none. Throws ScanFault. */
export function fallbackKeyIn(body: Buffer): string | null {
  for (const [key, { start, end }] of scanObject(body, fallbackKeys))
    if (end - start > 64 || !nothing.test(body.toString('latin1', start, end))) return key;
  return null;
}

/** The caller is bounded, or a model is: what a request has computed must be what it was judged by. */
export function holdsToModel(
  { control, models }: Caller,
  { boundsModels }: Pick<Snapshot, 'boundsModels'>,
): boolean {
  return !control && (models !== null || boundsModels);
}

/** Of a request that is held to its model, at these engines: it names no others where one may have several. The body has been scanned. Throws ApiError 400. */
export function requireOneModel(body: Buffer, engines: readonly Pick<Upstream, 'asItIs'>[]): void {
  if (engines.every(({ asItIs }) => asItIs?.oneModel)) return;
  const key = keyOrFault(body);
  if (key !== null) throw otherModels(key);
}

function keyOrFault(body: Buffer): string | null {
  try {
    return fallbackKeyIn(body);
  } catch (error) {
    if (error instanceof ScanFault) throw badRequest(error.message, null, 'invalid_json');
    throw error;
  }
}
