import { posix } from 'node:path';
import type { FleetFile } from '../../fleet-schema.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import { isAddress } from '../../domain/model-source.ts';

type InClaim = Extract<FleetFile['models'][string]['at'][string], { pvc: string }>;

const kserveImage = 'kserve/kserve-storage-initializer:v0.17.0';
const kserveProgram = ['/storage-initializer/scripts/initializer-entrypoint'];

/** How a model gets into a claim of a cluster, and at which paths of it; undefined where nobody fetches it. Pure. */
export function fetchedInto(
  { pvc, path = '', fetch }: InClaim,
  { source, mmproj }: Pick<FleetFile['models'][string], 'source' | 'mmproj'>,
  {
    image: gateway,
    pullSecrets,
    anyUser,
  }: { image?: string | undefined; pullSecrets: readonly string[]; anyUser: boolean },
): LaunchSpec['fetched'] {
  if (!fetch) return undefined;
  const { berth, image, entrypoint, ...rest } = fetch;
  const projector = projectorIn({ path, fetch }, mmproj);
  const into = {
    from: source,
    claim: pvc,
    folder: folderOf(path),
    ...rest,
    ...(mmproj === undefined || projector === null ? {} : { also: [{ from: mmproj, path: projector }] }),
    ...(pullSecrets.length === 0 ? {} : { pullSecrets: [...pullSecrets] }),
    ...(anyUser ? { anyUser } : {}),
  };
  const own = berth ?? (image === undefined && entrypoint === undefined ? gateway : undefined);
  return own === undefined
    ? { ...into, image: image ?? kserveImage, entrypoint: entrypoint ?? kserveProgram }
    : { ...into, image: own, entrypoint: [], pulledTo: path };
}

/** Where a projector that is fetched lies in the claim, which is beside its model; null where nobody fetches it. Pure. */
export function projectorIn(
  { path = '', fetch }: Pick<InClaim, 'path' | 'fetch'>,
  mmproj: string | undefined,
): string | null {
  return fetch && mmproj !== undefined ? projectorBeside(path, mmproj) : null;
}

/** Where a projector is put beside the model at this path; null for one that has no address. Pure. */
export function projectorBeside(path: string, mmproj: string): string | null {
  if (!isAddress(mmproj)) return null;
  return posix.join(folderOf(path), posix.basename(mmproj.replace(/[?#].*$/, '')));
}

/** A file is fetched into its folder. */
function folderOf(path: string): string {
  const folder = /\.gguf$/i.test(path) ? posix.dirname(path) : path;
  return folder === '.' ? '' : folder;
}
