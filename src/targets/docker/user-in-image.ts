import type { DockerApi } from '../../io/docker-api.ts';

/** The number of a user in a container that need not run; null where its image knows no such name. */
export async function uidIn(api: DockerApi, id: string, user: string): Promise<number | null> {
  if (user === '') return 0;
  if (/^\d+$/.test(user)) return Number(user);
  const passwd = await fileIn(api, id, '/etc/passwd');
  if (passwd === null) return user === 'root' ? 0 : null;
  const line = passwd.split('\n').find((one) => one.startsWith(`${user}:`));
  const uid = Number(line?.split(':')[2] || Number.NaN);
  return Number.isInteger(uid) ? uid : null;
}

const timeoutMs = 20_000;
const maxBytes = 1024 * 1024;

/** Null where there is no such file; a link is not followed. */
async function fileIn(api: DockerApi, id: string, path: string): Promise<string | null> {
  const { status, body } = await api.open(
    'GET',
    `/containers/${id}/archive?path=${encodeURIComponent(path)}`,
    {
      signal: AbortSignal.timeout(timeoutMs),
    },
  );
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size <= maxBytes) parts.push(part);
  }
  return status === 200 ? firstOfTar(Buffer.concat(parts)) : null;
}

const block = 512;

/** Text of the first file of an archive; headers that only add to the next one are passed over. */
export function firstOfTar(tar: Buffer): string | null {
  for (let at = 0; at + block <= tar.length && tar[at] !== 0;) {
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 136), 8) || 0;
    const kind = tar.toString('latin1', at + 156, at + 157);
    if (kind === '0' || kind === '\0') return tar.toString('utf8', at + block, at + block + size);
    at += block + Math.ceil(size / block) * block;
  }
  return null;
}
