import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeProcTree } from '../../test/support/proc-tree.ts';
import { usableCores } from '../domain/hardware.ts';
import type { ExecResult } from '../io/exec.ts';
import { localWorld } from '../io/local-world.ts';
import type { World } from '../io/world.ts';
import { detectHardware } from './detect.ts';

/** Two sockets of two cores with two threads each. */
const cpuInfo = Array.from({ length: 8 }, (_, n) =>
  [
    `processor\t: ${n}`,
    'model name\t: Example CPU',
    `physical id\t: ${n % 2}`,
    `core id\t\t: ${(n >> 1) % 2}`,
    'flags\t\t: fpu avx avx2 fma avx512f amx_int8',
  ].join('\n'),
).join('\n\n');

const memInfo = 'MemTotal:       32768000 kB\nMemFree: 1 kB\nMemAvailable:   16384000 kB\n';

/** A machine in a folder: /proc, /sys/fs/cgroup and tools that answer as told. */
async function detectIn(options: {
  cgroup: string;
  cgroupFiles?: Record<string, string>;
  allowed?: string;
  cpu?: string;
  tools?: Record<string, ExecResult>;
  files?: Record<string, string>;
}): ReturnType<typeof detectHardware> {
  using tree = writeProcTree([{ pid: 1 }], {
    cpuinfo: options.cpu ?? cpuInfo,
    meminfo: memInfo,
    ...options.files,
  });
  writeFileSync(join(tree.path, '1/cgroup'), options.cgroup);
  writeFileSync(join(tree.path, '1/status'), `Uid:\t0\nCpus_allowed_list:\t${options.allowed ?? '0-7'}\n`);
  for (const [name, text] of Object.entries(options.cgroupFiles ?? {})) {
    const path = join(tree.path, 'sys/fs/cgroup', name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, text);
  }
  const missing: ExecResult = { code: null, signal: null, stdout: '', stderr: 'spawn ENOENT' };
  const world: World = {
    ...localWorld(),
    proc: tree.path,
    exec: { ...localWorld().exec, run: async ([program = '']) => options.tools?.[program] ?? missing },
  };
  return await detectHardware(world, { sys: join(tree.path, 'sys') });
}

test('threads of one core count once, and only processors that we may run on', async () => {
  const all = await detectIn({ cgroup: '0::/\n' });
  expect(all.cpu).toMatchObject({
    model: 'Example CPU',
    physicalCores: 4,
    logicalCores: 8,
    quotaCores: null,
  });
  expect(all.cpu.features).toEqual(['avx', 'avx2', 'fma', 'avx512f', 'amx_int8']);
  expect(all.memory).toEqual({
    totalBytes: 32_768_000 * 1024,
    availableBytes: 16_384_000 * 1024,
    limitBytes: null,
  });
  const some = await detectIn({ cgroup: '0::/\n', allowed: '0,4-5' });
  expect(some.cpu).toMatchObject({ physicalCores: 2, logicalCores: 3 });
});

test('a processor without core numbers is a core of its own', async () => {
  const arm = Array.from({ length: 4 }, (_, n) => `processor\t: ${n}\nFeatures\t: fp asimd asimddp`).join(
    '\n\n',
  );
  const { cpu } = await detectIn({ cgroup: '0::/\n', cpu: arm });
  expect(cpu).toMatchObject({ physicalCores: 4, logicalCores: 4, features: ['asimd', 'asimddp'] });
});

test('the tightest limit above counts, in version 2', async () => {
  const found = await detectIn({
    cgroup: '0::/system.slice/llama.service\n',
    cgroupFiles: {
      'system.slice/cpu.max': '150000 100000\n',
      'system.slice/memory.max': '8589934592\n',
      'system.slice/llama.service/cpu.max': 'max 100000\n',
      'system.slice/llama.service/memory.max': 'max\n',
    },
  });
  expect(found.cpu.quotaCores).toBe(1.5);
  expect(found.memory.limitBytes).toBe(8 * 1024 ** 3);
  expect(usableCores(found.cpu)).toBe(1);
});

test('in a container that shows the path of the host, the root of what is mounted counts', async () => {
  const found = await detectIn({
    cgroup: '0::/kubepods/podx/abc\n',
    cgroupFiles: { 'cpu.max': '200000 100000', 'memory.max': '1024' },
  });
  expect(found.cpu.quotaCores).toBe(2);
  expect(found.memory.limitBytes).toBe(1024);
});

test('version 1 and hybrid systems are read where the controller is', async () => {
  const found = await detectIn({
    cgroup: '9:name=systemd:/\n4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/\n',
    cgroupFiles: {
      'cpu,cpuacct/docker/abc/cpu.cfs_quota_us': '50000\n',
      'cpu,cpuacct/docker/abc/cpu.cfs_period_us': '100000\n',
      'memory/docker/abc/memory.limit_in_bytes': '4294967296\n',
      'memory/memory.limit_in_bytes': '9223372036854771712\n',
      'cpu.max': '1 1',
    },
  });
  expect(found.cpu.quotaCores).toBe(0.5);
  expect(usableCores(found.cpu)).toBe(1);
  expect(found.memory.limitBytes).toBe(4 * 1024 ** 3);
  const free = await detectIn({
    cgroup: '3:cpu:/\n',
    cgroupFiles: { 'cpu/cpu.cfs_quota_us': '-1\n', 'cpu/cpu.cfs_period_us': '100000\n' },
  });
  expect(free.cpu.quotaCores).toBeNull();
});

test('a GPU tool that is missing, broken or slow is said where it matters', async () => {
  const driver = { 'driver/nvidia/version': 'NVRM version' };
  const nothing = await detectIn({ cgroup: '' });
  expect(nothing).toMatchObject({ gpus: [], notes: [] });
  async function notes(tools: Record<string, ExecResult>, files = {}): Promise<string[]> {
    return (await detectIn({ cgroup: '', tools, files })).notes;
  }
  expect(await notes({}, driver)).toEqual(['The NVIDIA driver is loaded, but nvidia-smi is not on PATH.']);
  const broken = { code: 9, signal: null, stdout: "couldn't communicate with the driver\n", stderr: '' };
  expect(await notes({ 'nvidia-smi': broken })).toEqual([
    "nvidia-smi failed: couldn't communicate with the driver",
  ]);
  const slow = { code: null, signal: 'SIGKILL', stdout: '', stderr: '' };
  expect(await notes({ 'nvidia-smi': slow })).toEqual(['nvidia-smi did not answer within 1500 ms.']);
});

test('an AMD card is found by the kernel, and named by its tool where there is one', async () => {
  const files = { 'sys/class/drm/card1/device/mem_info_vram_total': '1000\n', 'sys/class/drm/card0/x': '' };
  const bare = await detectIn({ cgroup: '', files });
  expect(bare.gpus).toMatchObject([{ vendor: 'amd', index: 1, name: 'AMD GPU', memoryBytes: 1000 }]);
  const told = { code: 0, signal: null, stdout: '{"card1": {"Card Series": "Instinct MI300X"}}', stderr: '' };
  const named = await detectIn({ cgroup: '', files, tools: { 'rocm-smi': told } });
  expect(named.gpus).toMatchObject([{ name: 'Instinct MI300X' }]);
});
