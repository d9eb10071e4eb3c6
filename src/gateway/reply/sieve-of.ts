import type { UpstreamHead } from '../../io/upstream-pool/types.ts';
import { headerValues } from '../front/header-values.ts';
import { EventFilter } from './event-filter.ts';
import { NamedEvents, NamedReply } from './named-reply.ts';
import type { Sieve } from './sieve.ts';

/** `name`: replies are to name this one as their model; null: what the engine wrote. Null: the reply passes as it comes. */
export function sieveOf(
  head: UpstreamHead,
  { stripUsage, name }: { readonly stripUsage: boolean; readonly name: string | null },
): Sieve | null {
  const isNamed = name !== null && head.status < 300;
  if (head.eventStream) {
    const filter = new EventFilter({ stripUsage });
    return isNamed ? new NamedEvents(filter, name) : filter;
  }
  return isNamed && isJson(head) ? new NamedReply(name) : null;
}

function isJson({ headers }: UpstreamHead): boolean {
  return /^application\/json\b/i.test(headerValues(headers, 'content-type')[0] ?? '');
}
