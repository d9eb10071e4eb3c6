import { isLoopback } from '../../domain/loopback.ts';
import type { ApiFault } from '../../domain/openai.ts';
import type { Handler, Inbound } from '../../io/http-server/types.ts';
import { dialectOf } from './endpoints.ts';
import { requestIdOf } from './request-ids.ts';
import { sendFault } from '../reply/send-fault.ts';

/** Told of each refusal. */
export type OnRefused = (inbound: Inbound | null, fault: ApiFault, requestId: string) => void;

/**
 * Refuses requests for a name that is not ours. A page can have its own name point to 127.0.0.1 and is then of one origin
 * with a gateway there, so that no rule of browsers keeps it out; but it cannot change the name that it asks for.
 */
export function withHosts(
  allowed: () => ReadonlySet<string> | null,
  handler: Handler,
  onRefused: OnRefused,
): Handler {
  let latest: { readonly names: ReadonlySet<string>; readonly host: string } | null = null;
  return (inbound, reply) => {
    const names = allowed();
    if (names === null) return handler(inbound, reply);
    const host = inbound.header('host') ?? '';
    if (latest?.host !== host || latest.names !== names) {
      if (!isOurs(host, names)) {
        const dialect = dialectOf(inbound);
        const requestId = requestIdOf(inbound);
        const fault = refusal(host);
        onRefused(inbound, fault, requestId);
        sendFault(reply, fault, { requestId, dialect });
        return undefined;
      }
      latest = { names, host };
    }
    return handler(inbound, reply);
  };
}

/** HTTP/1.0 has no name to ask for, and no browser speaks it. */
function isOurs(host: string, names: ReadonlySet<string>): boolean {
  if (host === '') return true;
  const name = host.replace(/:\d*$/, '').toLowerCase();
  return isLoopback(name.replace(/^\[|\]$/g, '')) || names.has(name);
}

function refusal(host: string): ApiFault {
  return {
    status: 403,
    type: 'permission_error',
    code: 'host_not_allowed',
    message: `This gateway wants no key and does not answer to the name ${JSON.stringify(host.slice(0, 200))}. Name it in gateway.hosts, or make a key.`,
  };
}
