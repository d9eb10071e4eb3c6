import { z } from 'zod';
import type { KubeApi } from '../io/kube/kube-api.ts';
import type { Place } from './client.ts';

const Version = z.object({ major: z.string(), minor: z.string() });

const sleepers = new WeakMap<KubeApi, boolean>();

/** Whether the server takes `preStop.sleep`, which is refused before 1.30; false where it does not tell its version. */
export async function knowsSleep({ api }: Pick<Place, 'api'>): Promise<boolean> {
  const known = sleepers.get(api);
  if (known !== undefined) return known;
  const { status, json } = await api.ask('GET', '/version');
  const version = status === 200 ? Version.safeParse(json).data : undefined;
  if (!version) return false;
  const is = isFrom(version, 1, 30);
  sleepers.set(api, is);
  return is;
}

/** Clouds write a "+" behind the minor version. */
function isFrom(version: z.infer<typeof Version>, major: number, minor: number): boolean {
  const [a, b] = [Number.parseInt(version.major, 10), Number.parseInt(version.minor, 10)];
  return a > major || (a === major && b >= minor);
}
