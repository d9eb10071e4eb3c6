import type { Accelerator, LaunchSpec } from '../domain/launch-spec.ts';
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
  any: 'nvidia.com/gpu',
} as const;

/** What is asked of the cluster's scheduler; null without GPUs. A cluster cannot give "all there are", so that is one. */
export function gpusOf(
  { devices: { vendor, count } }: LaunchSpec,
  { gpuResource }: Pick<PodOptions, 'gpuResource'>,
): { resource: string; count: number } | null {
  if (vendor === 'none') return null;
  return { resource: gpuResource ?? gpuResources[vendor], count: Math.max(1, count) };
}

/** Amounts of a container, with its GPUs in both, as Kubernetes wants of what it cannot divide. */
export function resourcesOf(
  spec: LaunchSpec,
  options: Pick<PodOptions, 'resources' | 'gpuResource'>,
): { requests: Record<string, string>; limits: Record<string, string> } {
  const gpus = gpusOf(spec, options);
  const counted = gpus ? { [gpus.resource]: String(gpus.count) } : {};
  return {
    requests: { ...stated(options.resources.requests), ...counted },
    limits: { ...stated(options.resources.limits), ...counted },
  };
}

function stated(amounts: { cpu?: string | undefined; memory?: string | undefined }): Record<string, string> {
  return Object.fromEntries(
    Object.entries(amounts).flatMap(([name, amount]) => (amount === undefined ? [] : [[name, amount]])),
  );
}

/** Taints of nodes with GPUs are borne by what has been given some. */
export function tolerationsOf(
  spec: LaunchSpec,
  options: Pick<PodOptions, 'tolerations' | 'gpuResource'>,
): Record<string, unknown>[] {
  const gpus = gpusOf(spec, options);
  const usual = gpus ? [{ key: gpus.resource, operator: 'Exists', effect: 'NoSchedule' }] : [];
  return [...usual, ...options.tolerations];
}

/** Threads beyond the limit would be throttled. */
export function coresOf(limit: string | undefined): number | null {
  if (limit === undefined) return null;
  const cpus = limit.endsWith('m') ? Number.parseInt(limit, 10) / 1000 : Number(limit);
  return Number.isFinite(cpus) ? Math.max(1, Math.floor(cpus)) : null;
}
