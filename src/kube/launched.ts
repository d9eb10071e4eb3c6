import type { Accelerator } from '../domain/accelerators.ts';
import type { LaunchSpec } from '../domain/launch-spec.ts';
import { cpuText, sizeText } from '../domain/resources.ts';
import type { GivenResources } from '../domain/resources.ts';
import { isOfCluster, secretTitle } from '../domain/secret.ts';
import type { PodOptions } from './pod-options.ts';

const byVendor = { none: 'cpu', nvidia: 'cuda', amd: 'rocm', intel: 'vulkan', any: 'vulkan' } as const;

/** The image that is taken; null when neither file nor engine name one. */
export function imageOf(spec: LaunchSpec, { image }: Pick<PodOptions, 'image'>): string | null {
  const accelerator: Accelerator = byVendor[spec.devices.vendor];
  return image ?? spec.program.images?.[accelerator] ?? null;
}

/** What is run in the image, before the arguments; null when nobody says. */
export function entrypointOf(
  spec: LaunchSpec,
  options: Pick<PodOptions, 'entrypoint'>,
): readonly string[] | null {
  const { imageCommand, binary } = spec.program;
  return options.entrypoint ?? imageCommand ?? (binary === undefined ? null : [binary]);
}

const gpuResources = {
  nvidia: 'nvidia.com/gpu',
  amd: 'amd.com/gpu',
  intel: 'gpu.intel.com/i915',
  // Refused without a word of the file since; marks of before say it.
  any: 'nvidia.com/gpu',
} as const;

/** Why no GPU can be asked for, as the end of a sentence; null: one can, or none is wanted. */
export function gpuRefusal(
  { devices: { vendor } }: LaunchSpec,
  { gpuResource }: Pick<PodOptions, 'gpuResource'>,
): string | null {
  return vendor === 'any' && gpuResource === undefined
    ? 'Vulkan computes on GPUs of every maker, and target.gpuResource does not say which are asked for: nvidia.com/gpu, amd.com/gpu, gpu.intel.com/i915 or gpu.intel.com/xe'
    : null;
}

/** What is asked of the cluster's scheduler; null without GPUs. A cluster cannot give "all there are", so that is one. */
export function gpusOf(
  { devices: { vendor, count } }: LaunchSpec,
  { gpuResource }: Pick<PodOptions, 'gpuResource'>,
): { resource: string; count: number } | null {
  if (vendor === 'none') return null;
  return { resource: gpuResource ?? gpuResources[vendor], count: Math.max(1, count) };
}

const driverParts = 'NVIDIA_DRIVER_CAPABILITIES';

/**
 * The spec with what its container says to the runtime of its GPUs: NVIDIA's gives a container the part of the driver that computes,
 * and Vulkan lies in the one that draws.
 */
export function withDriver(spec: LaunchSpec, options: Pick<PodOptions, 'gpuResource'>): LaunchSpec {
  const isNvidia = gpusOf(spec, options)?.resource.startsWith('nvidia.com/') ?? false;
  if (spec.devices.vendor !== 'any' || !isNvidia) return spec;
  return { ...spec, env: { [driverParts]: 'compute,utility,graphics', ...spec.env } };
}

/** Amounts of a container, with its GPUs in both, as Kubernetes wants of what it cannot divide. */
export function resourcesOf(
  spec: LaunchSpec,
  options: Pick<PodOptions, 'gpuResource'>,
): { requests: Record<string, string>; limits: Record<string, string> } {
  const gpus = gpusOf(spec, options);
  const counted = gpus ? { [gpus.resource]: String(gpus.count) } : {};
  const { requests, limits } = amountsOf(spec.resources ?? { requests: {}, limits: {} });
  return { requests: { ...requests, ...counted }, limits: { ...limits, ...counted } };
}

/** CPU and memory as Kubernetes writes them. */
export function amountsOf({ requests, limits }: GivenResources): {
  requests: Record<string, string>;
  limits: Record<string, string>;
} {
  return { requests: stated(requests), limits: stated(limits) };
}

function stated({
  cpu,
  memory,
}: {
  cpu?: number | undefined;
  memory?: number | undefined;
}): Record<string, string> {
  return {
    ...(cpu === undefined ? {} : { cpu: cpuText(cpu) }),
    ...(memory === undefined ? {} : { memory: sizeText(memory) }),
  };
}

/** What a pod runs as: what the file says, else the account whose token it is given; absent: the namespace's own. */
export function serviceAccountOf(
  spec: LaunchSpec,
  { serviceAccount }: Pick<PodOptions, 'serviceAccount'>,
): string | undefined {
  return serviceAccount ?? tokenAccounts(spec)[0];
}

function tokenAccounts({ secrets }: LaunchSpec): string[] {
  return Object.values(secrets).flatMap((ref) => ('serviceAccount' in ref ? (ref.serviceAccount ?? []) : []));
}

/** Why a pod cannot be given these secrets, as the end of a sentence; null: it can. */
export function podSecretRefusal(
  spec: LaunchSpec,
  { serviceAccount }: Pick<PodOptions, 'serviceAccount'>,
): string | null {
  const [account, other] = new Set([serviceAccount ?? [], tokenAccounts(spec)].flat());
  if (other !== undefined) return `a pod runs as one service account, not as ${account} and ${other}`;
  const variables = Object.values(spec.secretEnv ?? {});
  const token = Object.entries(spec.secrets).find(
    ([name, ref]) => variables.includes(name) && isOfCluster(ref) && ref.serviceAccount !== undefined,
  );
  if (token) return 'a token of a service account is renewed in its file, and no variable can hold it';
  const whole = Object.values(spec.secrets).find(
    (ref) => 'secretRef' in ref && ref.secretRef && ref.secretRef.key === undefined,
  );
  return whole ? `the ${secretTitle(whole)} has several values, and one is wanted: name its key` : null;
}

/** Taints of nodes with GPUs are borne by what has been given some. A part of one (MIG) is counted by another name than its node is tainted by. */
export function tolerationsOf(
  spec: LaunchSpec,
  options: Pick<PodOptions, 'tolerations' | 'gpuResource'>,
): Record<string, unknown>[] {
  const gpus = gpusOf(spec, options);
  const keys = gpus
    ? [gpus.resource, ...(gpus.resource.startsWith('nvidia.com/') ? [gpuResources.nvidia] : [])]
    : [];
  const usual = [...new Set(keys)].map((key) => ({ key, operator: 'Exists', effect: 'NoSchedule' }));
  return [...usual, ...options.tolerations];
}
