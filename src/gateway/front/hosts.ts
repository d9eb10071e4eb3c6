import { isLoopback } from '../../domain/loopback.ts';
import type { ApiFault } from '../../domain/openai.ts';
import type { Handler } from '../../io/http-server/types.ts';
import { dialectOf } from './endpoints.ts';
import { requestIdOf } from './request-ids.ts';
import { sendFault } from '../reply/send-fault.ts';

/**
 * Refuses requests for a name that is not ours. A page can have its own name point to 127.0.0.1 and is then of one origin
 * with a gateway there, so that no rule of browsers keeps it out; but it cannot change the name that it asks for.
 */
export function withHosts(allowed: () => ReadonlySet<string> | null, handler: Handler): Handler {
  let latest: { readonly names: ReadonlySet<string>; readonly host: string } | null = null;
  return (inbound, reply) => {
    const names = allowed();
    if (names === null) return handler(inbound, reply);
    const host = inbound.header('host') ?? '';
    if (latest?.host !== host || latest.names !== names) {
      if (!isOurs(host, names)) {
        const dialect = dialectOf(inbound, inbound.url.split('?')[0] ?? '');
        sendFault(reply, refusal(host), { requestId: requestIdOf(inbound), dialect });
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
