import { BerthError } from '../../domain/errors/berth-error.ts';
import type { TlsFiles } from '../../domain/gateway-config.ts';
import type { Files } from '../../io/files.ts';
import { readTls } from '../../io/tls/material.ts';
import type { TlsMaterial } from '../../io/tls/material.ts';
import type { World } from '../../io/world.ts';

/** How often the files are looked at. Programs that renew certificates swap links, which no watch of a file notices. */
const lookMs = 1_000;

/** A certificate with its key, and the files that it came from. */
export interface Certificate {
  readonly files: TlsFiles;
  readonly material: TlsMaterial;
  /** Differs when one of the files does. */
  readonly stamp: string;
}

/** Null without TLS. Throws TLS_UNUSABLE. */
export async function readCertificate(
  world: Pick<World, 'files' | 'clock'>,
  files: TlsFiles | undefined,
): Promise<Certificate | null> {
  if (!files) return null;
  const stamp = await stampOf(world.files, files);
  return { files, stamp, material: await readTls(world.files, files, world.clock.wall()) };
}

/**
 * Looks for files that change by themselves, until the signal aborts. What cannot be used is told in the log, once, and the old
 * certificate stays. A change is taken in at the second look that finds the same files: certificate and key are rarely replaced at once.
 */
export async function watchCertificate(
  world: Pick<World, 'files' | 'log' | 'clock'>,
  held: { readonly get: () => Certificate | null; readonly set: (next: Certificate) => void },
  signal: AbortSignal,
): Promise<void> {
  let seen = '';
  while (!signal.aborted) {
    await world.clock.sleep(lookMs, signal).catch(() => {});
    const now = held.get();
    if (signal.aborted || !now) continue;
    const stamp = await stampOf(world.files, now.files).catch(() => '');
    const steady = stamp === seen;
    seen = stamp;
    if (!steady || stamp === now.stamp) continue;
    held.set(await renewed(world, now, stamp));
  }
}

/** What the files hold now; the old certificate under the new stamp when that cannot be used. */
async function renewed(
  world: Pick<World, 'files' | 'log' | 'clock'>,
  old: Certificate,
  stamp: string,
): Promise<Certificate> {
  try {
    const material = await readTls(world.files, old.files, world.clock.wall());
    world.log.info('The TLS certificate has changed and was read again.');
    return { ...old, material, stamp };
  } catch (error) {
    const cure = error instanceof BerthError ? error.cure : '';
    const reason = error instanceof Error ? error.message : String(error);
    world.log.error('A changed TLS certificate cannot be used; the old one stays.', { reason, cure });
    return { ...old, stamp };
  }
}

async function stampOf(files: Files, names: TlsFiles): Promise<string> {
  const paths = [names.certFile, names.keyFile, names.clientCaFile];
  const stats = await Promise.all(paths.map(async (path) => (path === null ? null : files.stat(path))));
  return stats.map((stat) => (stat ? `${stat.size} ${stat.mtimeMs}` : '-')).join(', ');
}
