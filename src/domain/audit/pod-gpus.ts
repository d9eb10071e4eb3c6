import type { Container, PodSpec } from './kube-object.ts';

/** Devices that are given whole or in parts: "nvidia.com/gpu", "nvidia.com/mig-1g.10gb", "gpu.intel.com/i915". */
const devices =
  /(^|[./])(gpus?(\.shared)?|mig-[\w.]+|vgpu(-number)?|i915|xe|gaudi|tpu|npu|dcu|gcu|mlu\w*|qaic|ascend\w+|neuron(core|device)?)$/i;

/** What counts their memory: where it stands, there is a device. */
const parts = /gpu[-_.]?(mem|memory|core)/i;

/** The node's own device, mounted as it is. */
const devicePath = /^\/dev(\/(dri|kfd|nvidia|dxg|accel).*)?\/?$/;

/** How many GPUs a container is given, or one where it only shows that there is one. */
export function podGpus(pod: PodSpec, { resources, env, volumeMounts, securityContext }: Container): number {
  const limits = Object.entries(resources?.limits ?? {}).filter(([, count]) => Number(count) !== 0);
  const given = limits.filter(([name]) => devices.test(name));
  const count = given.reduce((sum, [, amount]) => sum + Number(amount), 0);
  if (count > 0) return count;
  const visible = env?.find(({ name }) => /^(NVIDIA|AMD|ROCR|HABANA)_VISIBLE_DEVICES$/.test(name))?.value;
  const shown = visible !== undefined && visible !== null && !/^(none|void|-1)?$/.test(visible);
  const claimed = (resources?.claims ?? []).length > 0;
  const ofRuntime = /nvidia|gpu|amd|habana/i.test(pod.runtimeClassName ?? '');
  const mounted = (pod.volumes ?? []).some(
    ({ name, hostPath }) =>
      devicePath.test(hostPath?.path ?? '') && volumeMounts?.some((mount) => mount.name === name),
  );
  const all = securityContext?.privileged ?? false;
  return shown || claimed || ofRuntime || mounted || all || limits.some(([name]) => parts.test(name)) ? 1 : 0;
}
