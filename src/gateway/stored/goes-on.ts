import { ClientGone } from '../front/call.ts';
import type { Call } from '../front/call.ts';
import { previousResponseOf } from '../front/request-body.ts';
import { ScanFault } from '../front/scan.ts';
import { badRequest } from '../reply/faults.ts';
import { withoutQuery } from '../upstream/upstream-path.ts';
import { responseUnknown } from './stored-responses.ts';
import type { Holder, StoredResponses } from './stored-responses.ts';

/** Endpoints whose body may name a response that they go on from; engines have them below other bases as well. */
const goingOn = /\/responses(?:\/input_tokens)?$/;

/**
 * A response that goes on from a stored one is best made where that lies, and not at all from somebody else's: an engine has one store
 * for all, and would tell this caller what that one has said. One that nobody knows here is for the engine to judge. Throws, or rejects
 * with, ApiError 400 or 404, or ClientGone.
 */
export function noteHolder(stored: StoredResponses, call: Call): Promise<void> | undefined {
  if (stored.none || call.inbound.method !== 'POST' || !goingOn.test(pathOf(call))) return undefined;
  const id = call.body && previousIn(call.body.bytes);
  if (!id) return undefined;
  function note(found: Holder | null): void {
    if (found && found.key !== call.key) throw responseUnknown(id as string, stored);
    call.holder = found?.instance || null;
  }
  const found = stored.find(id);
  if (found instanceof Promise)
    return found.then((one) => {
      note(one);
      if (call.gone) throw new ClientGone();
    });
  note(found);
  return undefined;
}

/** As the engine sees it. */
function pathOf({ endpoint, exact }: Call): string {
  return exact ? withoutQuery(exact.target) : endpoint.path;
}

function previousIn(bytes: Buffer): string | null {
  try {
    return previousResponseOf(bytes);
  } catch (error) {
    if (error instanceof ScanFault) throw badRequest(error.message, null, 'invalid_json');
    throw error;
  }
}
