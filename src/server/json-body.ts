import { BerthError } from '../domain/errors/berth-error.ts';
import { BodyTooLarge } from '../io/http-server/serve.ts';
import type { Inbound } from '../io/http-server/types.ts';

const mostBytes = 1024 * 1024;

/** The body of a request as JSON. Throws CONTROL_BODY_REFUSED, or CONTROL_BODY_TOO_LARGE. */
export async function jsonBody(inbound: Inbound): Promise<unknown> {
  try {
    return JSON.parse((await inbound.body(mostBytes)).toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new BerthError('CONTROL_BODY_REFUSED', { reason: 'it is not JSON' }, { cause: error });
    if (error instanceof BodyTooLarge)
      throw new BerthError('CONTROL_BODY_TOO_LARGE', { reason: error.message }, { cause: error });
    throw error;
  }
}
