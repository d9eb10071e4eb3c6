import { describe, expect, test } from 'vitest';
import { installCure, installIsCurrent, refusePlatform } from './bootstrap.mjs';

describe('the platform', () => {
  test('Linux with glibc on x64 and arm64 is accepted', () => {
    expect(() => refusePlatform('linux', 'x64', '2.36')).not.toThrow();
    expect(() => refusePlatform('linux', 'arm64', '2.36')).not.toThrow();
  });

  test.each([
    ['darwin', 'arm64', undefined, 'virtual machine'],
    ['win32', 'x64', undefined, 'WSL 2'],
    ['linux', 'arm', '2.36', 'x64 or arm64'],
    ['linux', 'x64', undefined, 'another C library'],
  ])('%s on %s is refused with what works', (platform, arch, glibc, hint) => {
    expect(() => refusePlatform(platform, arch, glibc)).toThrow(hint);
  });
});

describe('an install', () => {
  const lock = {
    packages: {
      '': {},
      'node_modules/a': { version: '1.0.0', integrity: 'x' },
      'node_modules/other-platform': { version: '1.0.0', optional: true },
    },
  };

  test('is needed when nothing is there, or a version differs', () => {
    expect(installIsCurrent(lock, undefined)).toBe(false);
    expect(installIsCurrent(lock, { packages: {} })).toBe(false);
    const older = { packages: { 'node_modules/a': { version: '0.9.0', integrity: 'x' } } };
    expect(installIsCurrent(lock, older)).toBe(false);
  });

  test('is not needed when all that this platform takes is there', () => {
    expect(
      installIsCurrent(lock, { packages: { 'node_modules/a': { version: '1.0.0', integrity: 'x' } } }),
    ).toBe(true);
  });

  test.each([
    ['npm error code ENOTFOUND', 'check the network'],
    ['npm error code EACCES', 'may not write'],
    ['npm error code ENOSPC', 'disk is full'],
    ['npm error code EUSAGE', 'disagree'],
    ['spawn npm ENOENT', 'not on PATH'],
    ['something else', 'npm ci'],
  ])('that failed with "%s" is told with its cure', (output, cure) => {
    expect(installCure(output)).toContain(cure);
  });
});
