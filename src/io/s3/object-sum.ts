import { crcKinds } from '../../domain/listed-model.ts';
import type { CrcKind } from '../../domain/listed-model.ts';
import { proxyFor } from '../proxy.ts';
import type { World } from '../world.ts';
import type { S3Settings } from './settings.ts';
import { signed } from './sign.ts';

/** A sum of a whole object. */
export type ObjectSum =
  | { readonly kind: 'sha256'; /** In hexadecimal. */ readonly value: string }
  | { readonly kind: CrcKind; /** In base64. */ readonly value: string };

/** What the store tells of a whole object; null where it tells no sum of it, or is not to be asked. */
export async function objectSum(
  world: World,
  url: URL,
  settings: S3Settings,
  signal: AbortSignal,
): Promise<ObjectSum | null> {
  const { url: at, headers } = await signed(url, settings, {
    method: 'HEAD',
    headers: { 'x-amz-checksum-mode': 'ENABLED' },
  });
  const asked = { method: 'HEAD', headers: { ...headers }, timeoutMs: 30_000, signal, ...settings.trust };
  try {
    const reply = await world.http.request(at, { ...asked, proxy: proxyFor(world.env, at) });
    return reply.status === 200 ? sumIn(reply.headers) : null;
  } catch (error) {
    if (signal.aborted) throw error;
    return null;
  }
}

/** One that is made of the sums of parts says nothing of the whole: it is marked so, or ends in the number of parts. Pure. */
export function sumIn(headers: Readonly<Record<string, string | string[] | undefined>>): ObjectSum | null {
  if (headers['x-amz-checksum-type'] === 'COMPOSITE') return null;
  const sha256 = bytesIn(headers['x-amz-checksum-sha256'], 32);
  if (sha256 !== null) return { kind: 'sha256', value: sha256.toString('hex') };
  for (const kind of crcKinds) {
    const crc = bytesIn(headers[`x-amz-checksum-${kind}`], kind === 'crc64nvme' ? 8 : 4);
    if (crc !== null) return { kind, value: crc.toString('base64') };
  }
  return null;
}

function bytesIn(text: string | string[] | undefined, length: number): Buffer | null {
  if (typeof text !== 'string' || !/^[A-Za-z0-9+/]+=*$/.test(text)) return null;
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === length ? bytes : null;
}
