import type { Section } from './unit-text.ts';

export interface Sandbox {
  readonly level: 'strict' | 'basic' | 'off';
  readonly scope: 'system' | 'user';
  readonly gpus: boolean;
}

/** Below these a unit sees nothing of the host but what it is given. */
export const hiddenFolders = ['/home', '/root', '/run/user', '/tmp', '/var/tmp'] as const;

const basic: Section = [
  ['NoNewPrivileges', 'yes'],
  ['LockPersonality', 'yes'],
  ['RestrictRealtime', 'yes'],
  ['RestrictSUIDSGID', 'yes'],
  ['UMask', '0077'],
];

/** What needs no rights but a filter of system calls, so that a user's manager can do it. */
const filters: Section = [
  ['RestrictAddressFamilies', 'AF_UNIX AF_INET AF_INET6 AF_NETLINK'],
  ['RestrictNamespaces', 'yes'],
  ['SystemCallArchitectures', 'native'],
  ['SystemCallFilter', '@system-service'],
  ['SystemCallFilter', '~@privileged @resources'],
  // An engine asks for its share of the processor and of memory.
  ['SystemCallFilter', 'sched_setaffinity set_mempolicy mbind setpriority mlock mlock2'],
  ['SystemCallErrorNumber', 'EPERM'],
];

const walls: Section = [
  ['CapabilityBoundingSet', ''],
  ['AmbientCapabilities', ''],
  ['ProtectSystem', 'strict'],
  ['ProtectHome', 'tmpfs'],
  ['PrivateTmp', 'yes'],
  ['ProtectClock', 'yes'],
  ['ProtectControlGroups', 'yes'],
  ['ProtectHostname', 'yes'],
  ['ProtectKernelLogs', 'yes'],
  ['ProtectKernelModules', 'yes'],
  ['ProtectKernelTunables', 'yes'],
  ['RemoveIPC', 'yes'],
];

/** A driver finds its GPUs by device files, and NVIDIA's library looks at the processes of others. */
const withGpus: Section = [
  ['DevicePolicy', 'closed'],
  ['DeviceAllow', 'char-nvidia* rw'],
  ['DeviceAllow', 'char-nvidia-uvm rw'],
  ['DeviceAllow', 'char-drm rw'],
  ['DeviceAllow', '/dev/kfd rw'],
];

const withoutGpus: Section = [
  ['PrivateDevices', 'yes'],
  ['DevicePolicy', 'closed'],
  ['ProtectProc', 'invisible'],
  ['ProcSubset', 'all'],
];

/**
 * What is shut off. `MemoryDenyWriteExecute` is in none: engines make code as they run (torch, Triton, CUDA, V8). With GPUs
 * the device files of their makers and the processes of others stay visible.
 */
export function hardening({ level, scope, gpus }: Sandbox): Section {
  if (level === 'off') return [];
  if (level === 'basic') return basic;
  if (scope === 'user') return [...basic, ...filters];
  return [...basic, ...filters, ...walls, ...(gpus ? withGpus : withoutGpus)];
}
