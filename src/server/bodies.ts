import { BerthError } from '../domain/errors/berth-error.ts';
import { BodyTooLarge } from '../io/http-server/serve.ts';
import type { Inbound } from '../io/http-server/types.ts';

const jsonBytes = 64 * 1024;

/** The body of a request up to `limitBytes`. Throws CONTROL_BODY_TOO_LARGE. */
export async function bodyOf(inbound: Inbound, limitBytes: number): Promise<Uint8Array> {
  try {
    return await inbound.body(limitBytes);
  } catch (error) {
    if (error instanceof BodyTooLarge)
      throw new BerthError('CONTROL_BODY_TOO_LARGE', { reason: error.message }, { cause: error });
    throw error;
  }
}

/** A small JSON body, not yet checked; none is an empty object. Throws CONTROL_BODY_REFUSED, CONTROL_BODY_TOO_LARGE. */
export async function jsonOf(inbound: Inbound): Promise<unknown> {
  const text = Buffer.from(await bodyOf(inbound, jsonBytes)).toString('utf8');
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new BerthError('CONTROL_BODY_REFUSED', { reason: 'it is not JSON' });
  }
}
