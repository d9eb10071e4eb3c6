import { posix } from 'node:path';
import type { DefinedServer } from '../../domain/audit/observation.ts';
import { flagValue } from '../../domain/command-line/flags.ts';
import { amountOf } from '../../domain/kube-amount.ts';
import type { ForeignEngine, ForeignWorkload } from '../../targets/kubernetes/foreign.ts';
import { sized } from './pod-amounts.ts';

type Pod = ForeignWorkload['spec']['template']['spec'];
type Volume = NonNullable<Pod['volumes']>[number];

export interface Places {
  readonly model: { readonly source: string; readonly mmproj?: string } | null;
  /** Shared memory; null: nothing is said of it. */
  readonly shm: string | null;
}

interface Mount {
  readonly at: string;
  /** Where a file below it lies, for a fleet file; null: in none that one can name. */
  readonly outside: ((rest: string) => string) | null;
  /** What is in it is lost with the pod. */
  readonly passing: boolean;
}

/** Where the files that an engine opens lie outside of its pod, or why that cannot be said. Pure. */
export function placesOf(pod: Pod, container: ForeignEngine, server: DefinedServer): Places | string {
  const shared = sharedMemory(pod, container);
  const mounts = mountsOf(pod, container).filter(({ at }) => at !== '/dev/shm');
  const projector = flagValue(server.command, '--mmproj', '-mm');
  const files = [server.model, projector].flatMap((one) => (one?.startsWith('/') ? [one] : []));
  for (const path of files)
    if (!mountOf(mounts, path)?.outside) return `its model ${path} lies where a fleet file cannot name it`;
  const unused = mounts.find((one) => !one.passing && !files.some((path) => mountOf(mounts, path) === one));
  if (unused) return `its container has a volume at ${unused.at}, which a change would take away`;
  const words = [
    ...(container.command ?? []),
    ...(container.args ?? []),
    ...(container.env ?? []).map(({ value }) => value ?? ''),
  ]
    .flatMap((one) => [one, one.slice(one.indexOf('=') + 1)])
    .filter((one) => one.startsWith('/') && !files.includes(one));
  const beside = words.find((one) => mountOf(mounts, one)?.passing === false);
  if (beside !== undefined) return `${beside} lies beside its model, which alone would be mounted`;
  const { model } = server;
  if (model === null) return { model: null, shm: shared };
  const source = model.startsWith('/') ? outsideOf(mounts, model) : hubSource(model);
  if (source === null) return `its model ${model} is named by a path that begins nowhere`;
  return {
    model: { source, ...(projector?.startsWith('/') ? { mmproj: outsideOf(mounts, projector) } : {}) },
    shm: shared,
  };
}

function mountsOf({ volumes }: Pod, { volumeMounts }: ForeignEngine): Mount[] {
  return (volumeMounts ?? []).map(({ name, mountPath, subPath, subPathExpr }) => {
    const volume = (volumes ?? []).find((one) => one.name === name);
    const outside = volume && !subPathExpr ? outsideBy(volume, subPath ?? '') : null;
    return { at: mountPath.replace(/(.)\/$/, '$1'), outside, passing: Boolean(volume?.emptyDir) };
  });
}

function outsideBy({ hostPath, persistentVolumeClaim: claim }: Volume, subPath: string): Mount['outside'] {
  if (hostPath) return (rest) => posix.join(hostPath.path, subPath, rest).replace(/(.)\/$/, '$1');
  if (claim) return (rest) => `pvc://${claim.claimName}${posix.join('/', subPath, rest)}`.replace(/\/$/, '');
  return null;
}

/** The innermost, as the container sees it. */
function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  return mounts
    .filter(({ at }) => path === at || path.startsWith(at.endsWith('/') ? at : `${at}/`))
    .toSorted((a, b) => b.at.length - a.at.length)[0];
}

function outsideOf(mounts: readonly Mount[], path: string): string {
  const mount = mountOf(mounts, path);
  return mount?.outside?.(path.slice(mount.at.length)) ?? path;
}

function hubSource(model: string): string | null {
  if (/^[a-z0-9+]+:\/\//i.test(model)) return model;
  return /^[\w.-]+\/[\w.-]+(:[\w.-]+)?$/.test(model) && !/\.gguf$/i.test(model) ? `hf://${model}` : null;
}

function sharedMemory({ volumes }: Pod, { volumeMounts }: ForeignEngine): string | null {
  const name = (volumeMounts ?? []).find(({ mountPath }) => mountPath === '/dev/shm')?.name;
  const bytes = amountOf((volumes ?? []).find((one) => one.name === name)?.emptyDir?.sizeLimit);
  return bytes === null ? null : sized(Math.round(bytes));
}
