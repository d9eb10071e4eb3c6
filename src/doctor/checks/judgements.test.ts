import { expect, test } from 'vitest';
import type { World } from '../../io/world.ts';
import type { Verdict, Wants } from '../contract.ts';
import { amd } from './amd.ts';
import { cgroups } from './cgroups.ts';
import { disk } from './disk.ts';
import { kernel } from './kernel.ts';
import { limitOf, limits } from './limits.ts';
import { memory } from './memory.ts';
import { nvidia } from './nvidia.ts';
import { ports } from './ports.ts';
import { systemd } from './systemd.ts';
import { vulkan } from './vulkan.ts';

const nothing: Wants = {
  targets: [],
  gpus: 0,
  programs: [],
  ports: [],
  pool: { from: 1, to: 2 },
  models: [],
  givesFiles: false,
  mlock: false,
  cluster: null,
};

function said(verdicts: readonly Verdict[]): string[] {
  return verdicts.map(({ state, cure }) => `${state}: ${cure ?? '-'}`);
}

const card = { address: '0000:01:00.0', vendor: 'nvidia', driver: null } as const;
const noTool = { code: null, signal: null, stdout: '', stderr: 'spawn nvidia-smi ENOENT' };
const broken = { bus: [card], smi: noTool, page: '', module: null, modules: '', fabric: '' };

test('what is wrong with a driver of NVIDIA is told apart by what bus, module and tool say', () => {
  expect(said(nvidia.judge({ ...broken, bus: [] }, nothing))).toEqual(['absent: -']);
  expect(nvidia.judge({ ...broken, bus: [] }, { ...nothing, gpus: 6 })).toEqual([
    expect.objectContaining({ state: 'critical', message: expect.stringContaining('want 6 GPUs') }),
  ]);
  const other = { ...card, vendor: 'amd' } as const;
  expect(said(nvidia.judge({ ...broken, bus: [other] }, { ...nothing, gpus: 1 }))).toEqual(['absent: -']);
  expect(said(nvidia.judge(broken, nothing))).toEqual([
    expect.stringMatching(/^warning: Install the driver/),
  ]);
  expect(said(nvidia.judge(broken, { ...nothing, gpus: 1 }))).toEqual([expect.stringMatching(/^critical: /)]);
  const mismatch = {
    ...noTool,
    code: 18,
    stdout: 'Failed to initialize NVML: Driver/library version mismatch\n',
  };
  const loaded = 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05\n';
  expect(said(nvidia.judge({ ...broken, smi: mismatch, module: loaded }, nothing))).toEqual([
    expect.stringMatching(/^warning: sudo reboot/),
  ]);
  expect(
    nvidia.judge({ ...broken, modules: 'nouveau 3000000 1 - Live 0x0\n' }, nothing)[0]?.message,
  ).toContain('nouveau');
  expect(nvidia.judge({ ...broken, module: loaded }, nothing)[0]?.cure).toContain(
    'tools of the same version',
  );
  expect(nvidia.judge({ ...broken, smi: { ...noTool, signal: 'SIGKILL' } }, nothing)[0]?.message).toBe(
    'nvidia-smi does not answer.',
  );
});

test('eight GPUs joined by switches need their service, an old driver and a divided GPU are told', () => {
  function row(index: number, mig: string, driver: string): string {
    return `${index}, GPU-${index}, 00000000:0${index}:00.0, NVIDIA H100 80GB HBM3, 81559, 0, 500, 0, 30, 70.0, ${mig}, ${driver}, 9.0`;
  }
  const eight = Array.from({ length: 8 }, (_, i) =>
    row(i, i === 0 ? 'Enabled' : 'Disabled', '515.65.01'),
  ).join('\n');
  const smi = { code: 0, signal: null, stdout: eight, stderr: '' };
  const facts = { ...broken, smi, page: 'CUDA Version: 11.7', fabric: 'inactive' };
  expect(said(nvidia.judge(facts, nothing))).toEqual([
    'good: -',
    expect.stringContaining('Install driver 525'),
    'warning: sudo systemctl enable --now nvidia-fabricmanager',
    expect.stringMatching(/^info: Name the part/),
  ]);
});

test('a GPU of AMD needs its driver, the device of ROCm and the right group', () => {
  const served = { ...card, vendor: 'amd', driver: 'amdgpu' } as const;
  const facts = { bus: [served], gpus: [], rocm: '6.2.0', kfd: true, groups: ['me'], uid: 1000 };
  expect(said(amd.judge(facts, nothing))).toEqual([expect.stringContaining('usermod -aG render,video')]);
  expect(said(amd.judge({ ...facts, groups: ['me', 'render'] }, nothing))).toEqual(['good: -']);
  expect(said(amd.judge({ ...facts, kfd: false, uid: 0 }, nothing))).toEqual([
    expect.stringContaining('/dev/kfd'),
  ]);
  expect(said(amd.judge({ ...facts, bus: [{ ...served, driver: null }] }, nothing))).toEqual([
    expect.stringContaining('modprobe amdgpu'),
  ]);
});

test('Vulkan that only draws with the processor is no GPU', () => {
  const facts = {
    bus: [card],
    drivers: ['lvp_icd.json'],
    loader: true,
    summary: '\tdeviceName         = llvmpipe (LLVM 15)\n',
  };
  expect(said(vulkan.judge(facts, nothing))).toEqual([expect.stringMatching(/^warning: /)]);
  expect(said(vulkan.judge({ ...facts, summary: 'deviceName = NVIDIA A10' }, nothing))).toEqual(['good: -']);
  expect(said(vulkan.judge({ ...facts, drivers: [] }, nothing))).toEqual([
    expect.stringContaining('libvulkan1'),
  ]);
});

test('versions of control groups are told apart, and what a user may not limit', () => {
  const two = {
    mounts: 'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n',
    delegated: 'memory pids',
    uid: 1000,
    pastSystemd: null,
  };
  expect(said(cgroups.judge(two, { ...nothing, targets: ['systemd'] }))).toEqual([
    expect.stringContaining('Delegate=cpu'),
  ]);
  expect(said(cgroups.judge(two, nothing))).toEqual(['good: -']);
  const hybrid = { ...two, mounts: `${two.mounts}cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n` };
  expect(cgroups.judge(hybrid, nothing)[0]?.evidence).toEqual(['version: hybrid']);
  expect(said(cgroups.judge({ ...two, mounts: '' }, nothing))).toEqual([expect.stringMatching(/^warning/)]);
  const pods = { ...two, pastSystemd: '/sys/fs/cgroup/kubepods' };
  expect(said(cgroups.judge(pods, nothing))).toEqual([
    'good: -',
    expect.stringContaining('cgroupDriver: systemd'),
  ]);
});

test('limits are read as the kernel prints them, and judged by what the fleet wants', () => {
  const text = [
    'Limit                     Soft Limit           Hard Limit           Units',
    'Max open files            1024                 4096                 files',
    'Max locked memory         8388608              unlimited            bytes',
  ].join('\n');
  expect(limitOf(text, 'Max open files')).toEqual({ soft: 1024, hard: 4096 });
  expect(limitOf(text, 'Max locked memory')).toEqual({ soft: 8_388_608, hard: Number.POSITIVE_INFINITY });
  const facts = { nofile: { soft: 1024, hard: 4096 }, memlock: { soft: 65_536, hard: 65_536 } };
  expect(said(limits.judge(facts, { ...nothing, mlock: true }))).toEqual([
    expect.stringContaining('nofile'),
    expect.stringContaining('memlock unlimited'),
  ]);
  expect(said(limits.judge({ ...facts, nofile: null }, nothing))).toEqual(['good: -']);
});

test('settings of the kernel that hurt engines are told with the command that mends them', () => {
  const facts = {
    'vm/overcommit_memory': '2',
    'vm/max_map_count': '65530',
    'kernel/numa_balancing': '1',
    'net/ipv4/ip_forward': '0',
  };
  expect(kernel.judge(facts, nothing).map(({ cure }) => cure?.split('   ')[0])).toEqual([
    'sudo sysctl -w vm.overcommit_memory=0',
    'sudo sysctl -w kernel.numa_balancing=0',
  ]);
  expect(kernel.judge(facts, { ...nothing, targets: ['docker'] })).toHaveLength(3);
  expect(said(kernel.judge({ 'vm/overcommit_memory': '0' }, nothing))).toEqual(['good: -']);
});

test('models that cannot fit into the memory are critical, where no GPU holds them', () => {
  const GiB = 1024 ** 3;
  const facts = { totalBytes: 16 * GiB, availableBytes: 8 * GiB, limitBytes: null, modelBytes: 20 * GiB };
  expect(said(memory.judge(facts, nothing))).toEqual([expect.stringMatching(/^critical/)]);
  expect(said(memory.judge({ ...facts, modelBytes: 9 * GiB }, nothing))).toEqual([
    expect.stringMatching(/^warning/),
  ]);
  expect(said(memory.judge(facts, { ...nothing, gpus: 1 }))).toEqual(['good: -']);
  expect(said(memory.judge({ ...facts, modelBytes: 9 * GiB, limitBytes: 8 * GiB }, nothing))).toEqual([
    expect.stringMatching(/^critical/),
  ]);
});

test('a disk without room, without inodes, and one in memory are told', () => {
  const place = { what: 'models', path: '/m', freeBytes: 100 * 1024 ** 3, freeInodes: 1000, type: 'ext4' };
  function states(more: object): string[] {
    return disk.judge([{ ...place, ...more }], nothing).map(({ state }) => state);
  }
  expect(
    [
      {},
      { freeBytes: 1e9 },
      { freeBytes: 1e6 },
      { freeInodes: 0 },
      { type: 'tmpfs' },
      { freeBytes: null },
    ].map(states),
  ).toEqual([['good'], ['warning'], ['critical'], ['critical'], ['warning'], ['info']]);
});

test('whether units last is judged by whose they are', () => {
  const facts = {
    version: 252,
    system: 'running',
    user: 'running',
    lingers: false,
    userName: 'me',
    root: false,
    sudo: null,
    failed: [],
  };
  const wants = { ...nothing, targets: ['systemd'] };
  expect(said(systemd.judge(facts, wants))).toEqual(['good: -', 'warning: sudo loginctl enable-linger me']);
  expect(said(systemd.judge({ ...facts, lingers: true }, wants))).toEqual(['good: -']);
  expect(said(systemd.judge({ ...facts, user: null }, wants))).toEqual([
    expect.stringMatching(/^critical: sudo loginctl enable-linger me/),
  ]);
  expect(said(systemd.judge({ ...facts, user: null }, nothing))).toEqual(['absent: -']);
  expect(said(systemd.judge({ ...facts, sudo: 'a password is required' }, wants))).toEqual([
    expect.stringMatching(/^critical: Allow it/),
  ]);
  expect(
    said(systemd.judge({ ...facts, sudo: '', failed: ['berth-lab-a.service', 'x.service'] }, wants)),
  ).toEqual(['good: -', 'warning: journalctl -u berth-lab-a.service']);
});

test('cards in slots need no service for switches, and a tool that lists no GPU is not taken for one that works', () => {
  function row(index: number, name: string): string {
    return `${index}, GPU-${index}, 00000000:0${index}:00.0, ${name}, 81559, 0, 500, 0, 30, 70.0, Disabled, 550.54.15, 9.0`;
  }
  for (const name of [
    'NVIDIA A100 80GB PCIe',
    'NVIDIA A100-PCIE-40GB',
    'NVIDIA H100 NVL',
    'NVIDIA H200 NVL',
  ]) {
    const stdout = [0, 1, 2, 3].map((index) => row(index, name)).join('\n');
    const smi = { code: 0, signal: null, stdout, stderr: '' };
    expect(said(nvidia.judge({ ...broken, smi, page: '', fabric: 'inactive' }, nothing))).toEqual([
      'good: -',
    ]);
  }
  const none = { code: 0, signal: null, stdout: 'No devices were found\n', stderr: '' };
  const module = 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05\n';
  const [found] = nvidia.judge({ ...broken, smi: none, module }, { ...nothing, gpus: 1 });
  expect(found).toMatchObject({ state: 'critical' });
  expect(found?.evidence).toContain('nvidia-smi: No devices were found');
});

test('ports that the kernel keeps back from clients are not warned of, and one port counts once', () => {
  const clients = { from: 32_768, to: 60_999 };
  const wants = { ...nothing, pool: { from: 40_000, to: 40_001 } };
  const twice = ['0.0.0.0', '::'].map((address) => ({
    address,
    port: 40_000,
    holder: 'process 1',
    ours: false,
  }));
  const facts = { listeners: twice, clients, reserved: '' };
  expect(ports.judge(facts, wants).map(({ state }) => state)).toEqual(['warning', 'good']);
  for (const reserved of ['40000-40001', '8080,40000,40001-40009'])
    expect(ports.judge({ ...facts, reserved }, wants).map(({ message }) => message)).toEqual([
      '1 of 2 ports for engines are free.',
    ]);
  expect(ports.judge({ ...facts, reserved: '40000' }, wants)[0]?.state).toBe('warning');
});

test('a file system that counts no inodes has room', async () => {
  const rows = {
    '-PTk':
      'Filesystem Type 1024-blocks Used Available Capacity Mounted on\n/dev/sda2 btrfs 488386584 9 99999999 3% /\n',
    '-Pi': 'Filesystem Inodes IUsed IFree IUse% Mounted on\n/dev/sda2 0 0 0 - /\n',
  };
  const world = {
    places: { models: '/m', state: '/s' },
    files: { stat: async () => ({}) },
    exec: {
      run: async ([, how]: readonly string[]) => ({ code: 0, stdout: rows[how as keyof typeof rows] }),
    },
  } as unknown as World;
  expect((await disk.look(world, nothing)).map(({ state }) => state)).toEqual(['good', 'good']);
});
