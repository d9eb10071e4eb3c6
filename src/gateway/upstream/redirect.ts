import type { UpstreamHead } from '../../io/upstream-pool/types.ts';
import type { Call } from '../front/call.ts';
import { withoutQuery } from './upstream-path.ts';
import type { Exact } from './upstream-path.ts';

/**
 * The head of a redirect with the address that a client reaches through the gateway, seen from the path that it asked for, so that it
 * holds behind a proxy with a prefix; one that leads elsewhere stays as it is.
 */
export function redirectForClient(
  head: UpstreamHead,
  {
    endpoint,
    exact,
    inbound,
  }: Pick<Call, 'endpoint' | 'exact'> & { readonly inbound: { readonly url: string } },
  engine: string,
): UpstreamHead {
  const at = head.headers.findIndex((text, i) => i % 2 === 0 && text.toLowerCase() === 'location');
  const base = new URL(engine);
  const folder = base.pathname.replace(/\/$/, '');
  const asked = new URL(`${base.origin}${folder}${exact?.target ?? endpoint.path}`);
  const given = at < 0 ? '' : (head.headers[at + 1] ?? '');
  if (given === '' || !URL.canParse(given, asked.href)) return head;
  const to = new URL(given, asked);
  if (to.origin !== base.origin || !to.pathname.startsWith(`${folder}/`)) return head;
  const below = to.pathname.slice(folder.length + 1);
  const location = `${rootOf(exact, inbound.url)}${below}${to.search}${to.hash}`;
  return { ...head, likeness: null, headers: head.headers.toSpliced(at + 1, 1, location) };
}

/** From the path that was asked for to where the engine's own begin. Never empty: what follows may begin with a slash, or hold a colon. */
function rootOf(exact: Exact | null, url: string): string {
  if (exact?.slashed) return withoutQuery(exact.slashed);
  const path = withoutQuery(exact?.target ?? url);
  const folders = path.split('/').length - 2;
  return folders > 0 ? '../'.repeat(folders) : './';
}
