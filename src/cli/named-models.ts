import { isAddress } from '../domain/model-source.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import type { AnySecret } from '../domain/secret.ts';
import type { LoadedFleet } from '../fleet/file/resolve.ts';
import type { ModelSource } from '../model-sources/contract.ts';
import { sourceOf } from '../model-sources/registry.ts';
import type { CliContext } from './context.ts';
import { loadWithoutSecrets } from './fleet-file.ts';
import type { FileOptions } from './fleet-file.ts';

export interface NamedSource {
  readonly source: string;
  readonly secret: AnySecret | null;
  /** A projector, which nobody has named himself. */
  readonly beside?: true;
}

/** What a user names to be fetched: sources as they are, models or deployments of the fleet file by name, or without a name all of its models but those that clusters alone serve or bring; with each its projector. */
export async function namedSources(
  context: CliContext,
  options: FileOptions,
  names: readonly string[],
): Promise<NamedSource[]> {
  const plain = names.filter(isAddress);
  const others = names.filter((name) => !isAddress(name));
  const fromFile =
    others.length > 0 || names.length === 0
      ? fromFleet(await loadWithoutSecrets(context, options), others)
      : [];
  return [...plain.map((source) => ({ source, secret: null })), ...fromFile];
}

function fromFleet(loaded: LoadedFleet, names: readonly string[]): NamedSource[] {
  const models = new Map(Object.entries(loaded.models));
  const wanted =
    names.length === 0
      ? [...models.keys()].filter((name) => !isOfClusters(loaded, name))
      : names.map((name) => loaded.deployments.find((one) => one.name === name)?.model?.name ?? name);
  return [...new Set(wanted)].flatMap((name) => {
    const model = models.get(name);
    if (!model) throw new BerthError('MODEL_UNNAMED', { name, models: [...models.keys()] });
    const { source, mmproj, secret = null } = model;
    const taken = names.length > 0 || isFetched(source) ? [source] : [];
    // A projector is fetched beside its model, wherever that lies.
    const beside = mmproj !== undefined && isFetched(mmproj) ? [mmproj] : [];
    return [
      ...taken.map((one) => ({ source: one, secret })),
      ...beside.map((one) => ({ source: one, secret, beside: true as const })),
    ];
  });
}

/** Whoever serves it has no use for what this machine has. */
function isOfClusters({ deployments, hosts }: LoadedFleet, name: string): boolean {
  const users = deployments.filter(({ model }) => model?.name === name);
  return users.length > 0 && users.every(({ host }) => hosts[host]?.kubernetes !== undefined);
}

function isFetched(source: string): boolean {
  if (!isAddress(source)) return false;
  const kind: ModelSource = sourceOf(source);
  return kind.clusterBrings !== true;
}
