import { amd } from './checks/amd.ts';
import { cgroups } from './checks/cgroups.ts';
import { clock } from './checks/clock.ts';
import { containerGpus } from './checks/container-gpus.ts';
import { containers } from './checks/containers.ts';
import { cpu } from './checks/cpu.ts';
import { disk } from './checks/disk.ts';
import { kernel } from './checks/kernel.ts';
import { kubernetes } from './checks/kubernetes.ts';
import { limits } from './checks/limits.ts';
import { memory } from './checks/memory.ts';
import { nvidia } from './checks/nvidia.ts';
import { ports } from './checks/ports.ts';
import { programs } from './checks/programs.ts';
import { systemd } from './checks/systemd.ts';
import { vulkan } from './checks/vulkan.ts';

/** What `berth doctor` looks at, in this order. Add one: write its file in checks/, then name it here. */
export const checks = [
  cpu,
  memory,
  disk,
  nvidia,
  amd,
  vulkan,
  programs,
  containers,
  containerGpus,
  systemd,
  cgroups,
  limits,
  kernel,
  ports,
  kubernetes,
  clock,
] as const;
