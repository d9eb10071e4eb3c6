import { posix } from 'node:path';
import type { FleetFile } from '../../fleet-schema.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';

type InClaim = Extract<FleetFile['models'][string]['at'][string], { pvc: string }>;

const kserveImage = 'kserve/kserve-storage-initializer:v0.17.0';
const kserveProgram = ['/storage-initializer/scripts/initializer-entrypoint'];

/** How a source gets into a claim of a cluster, and at which path of it; undefined where nobody fetches it. Pure. */
export function fetchedInto(
  { pvc, path = '', fetch }: InClaim,
  from: string,
  { image: gateway }: FleetFile['gateway'],
): LaunchSpec['fetched'] {
  if (!fetch) return undefined;
  const { berth, image, entrypoint, ...rest } = fetch;
  // A file is fetched into its folder.
  const folder = /\.gguf$/i.test(path) ? posix.dirname(path) : path;
  const into = { from, claim: pvc, folder: folder === '.' ? '' : folder, ...rest };
  const own = berth ?? (image === undefined && entrypoint === undefined ? gateway : undefined);
  return own === undefined
    ? { ...into, image: image ?? kserveImage, entrypoint: entrypoint ?? kserveProgram }
    : { ...into, image: own, entrypoint: [], pulledTo: path };
}
