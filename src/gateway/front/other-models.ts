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

/**
 * Of a request whose caller is bounded, or where a model is, at an engine that may have several models: no others than the one that it was
 * judged by. The body has been scanned. Throws ApiError 400.
 */
export function requireOneModel(
  body: Buffer,
  caller: Caller,
  snapshot: Pick<Snapshot, 'boundsModels'>,
  engines: () => readonly Pick<Upstream, 'asItIs'>[],
): void {
  if (caller.control || (caller.models === null && !snapshot.boundsModels)) return;
  for (const { asItIs } of engines()) {
    if (asItIs?.oneModel) continue;
    const key = keyOrFault(body);
    if (key !== null) throw otherModels(key);
    return;
  }
}

function keyOrFault(body: Buffer): string | null {
  try {
    return fallbackKeyIn(body);
  } catch (error) {
    if (error instanceof ScanFault) throw badRequest(error.message, null, 'invalid_json');
    throw error;
  }
}
