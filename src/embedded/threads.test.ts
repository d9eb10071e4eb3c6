import { expect, test } from 'vitest';
import { cpuQuota, physicalCores, threadsFor } from './threads.ts';

test('one core is left free, and the CPU quota is never exceeded', () => {
  expect(threadsFor({ cores: 8, quota: null })).toBe(7);
  expect(threadsFor({ cores: 8, quota: 4 })).toBe(4);
  expect(threadsFor({ cores: 8, quota: 2.5 })).toBe(2);
  expect(threadsFor({ cores: 1, quota: null })).toBe(1);
  expect(threadsFor({ cores: 4, quota: 0.5 })).toBe(1);
});

test('hyperthreads of one core count once', () => {
  function cpu(n: number, socket: number, core: number): string {
    return `processor\t: ${n}\nphysical id\t: ${socket}\ncore id\t\t: ${core}\n\n`;
  }
  expect(physicalCores(cpu(0, 0, 0) + cpu(1, 0, 1) + cpu(2, 0, 0) + cpu(3, 0, 1))).toBe(2);
  expect(physicalCores(cpu(0, 0, 0) + cpu(1, 1, 0))).toBe(2);
  expect(physicalCores('processor\t: 0\n\nprocessor\t: 1\n')).toBe(2);
});

test('cpu.max is a quota per period, or no limit', () => {
  expect(cpuQuota('400000 100000\n')).toBe(4);
  expect(cpuQuota('max 100000\n')).toBeNull();
});
