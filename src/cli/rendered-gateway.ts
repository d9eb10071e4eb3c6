import type { ClusterGateway } from '../domain/cluster-gateway.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import { clusterGateway, usualPods } from '../fleet/cluster-gateway/wanted.ts';
import type { LoadedFleet } from '../fleet/file/resolve.ts';
import { insideFile } from '../fleet/gateway/inside-file.ts';
import type { RenderFormat } from '../render/contract.ts';
import type { CliContext } from './context.ts';

/** What the command line says of the gateway. */
export interface GatewayOptions {
  readonly file: readonly string[];
  readonly gateway?: string;
  readonly gatewayReplicas?: number;
}

/** Whether the gateway is written at all: it is named, or the file has it in a cluster and all of the file is written for one. */
export function writesGateway(
  { gateway: { image } }: Pick<LoadedFleet, 'gateway'>,
  { gateway: named }: Pick<GatewayOptions, 'gateway'>,
  { format, names }: { format: Pick<RenderFormat, 'gateway'>; names: readonly string[] },
): boolean {
  return named !== undefined || (format.gateway !== undefined && names.length === 0 && image !== undefined);
}

/** The one that the command line names, else that of the file. Throws GATEWAY_NOT_WRITTEN. */
export async function renderedGateway(
  { world, cwd }: CliContext,
  loaded: LoadedFleet,
  {
    format,
    namespace,
    file: files,
    gateway: named,
    gatewayReplicas,
  }: GatewayOptions & { format: RenderFormat; namespace: string | null },
): Promise<ClusterGateway | null> {
  const image = named ?? loaded.gateway.image;
  if (image === undefined) return null;
  const inside = loaded.inside ?? (await insideFile(world, loaded, { files, cwd }));
  const refused = format.gateway?.(namespace) ?? null;
  const reason = format.gateway ? (refused ?? inside.obstacles[0]) : 'only formats of a cluster have one';
  if (reason !== undefined) throw new BerthError('GATEWAY_NOT_WRITTEN', { format: format.kind, reason });
  return clusterGateway(world, loaded, {
    inside,
    image,
    replicas: gatewayReplicas ?? loaded.gateway.replicas ?? usualPods,
  });
}
