import type { UpstreamHead } from '../../io/upstream-pool/types.ts';
import type { Call } from '../front/call.ts';
import { upstreamEndpoint, upstreamPrefix } from './upstream-path.ts';

/** The head of a redirect with the address that a client reaches through the gateway; one that leads elsewhere stays as it is. */
export function redirectForClient(
  head: UpstreamHead,
  { endpoint, exact }: Pick<Call, 'endpoint' | 'exact'>,
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
  const prefix =
    exact && endpoint === upstreamEndpoint ? upstreamPrefix + encodeURIComponent(exact.model) : '';
  const location = `${prefix}${to.pathname.slice(folder.length)}${to.search}${to.hash}`;
  return { ...head, likeness: null, headers: head.headers.toSpliced(at + 1, 1, location) };
}
