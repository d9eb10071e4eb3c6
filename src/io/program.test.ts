import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { programArgv, programPath } from './program.ts';

/** Makes garbage that lives for a while, and tells how large the young generation has become, in MiB. */
const youngAfterWork = `
  let kept = [];
  for (let i = 0; i < 3e6; i += 1) {
    kept.push({ i, text: [i] });
    if (kept.length > 5e4) kept = kept.slice(2.5e4);
  }
  const young = require('node:v8').getHeapSpaceStatistics().find((one) => one.space_name === 'new_space');
  console.log(young.space_size / 2 ** 20);
`;

function young(argv: readonly string[]): number {
  const [program = '', ...args] = argv;
  const { stdout } = spawnSync(program, [...args, '-e', youngAfterWork], { encoding: 'utf8' });
  return Number(stdout);
}

test("the gateway's young generation stays small, that of the others is V8's own", () => {
  const flags = programArgv('gateway', ['--config', 'x']).slice(0, -3);
  expect(programArgv('gateway', ['--config', 'x'])).toEqual([
    ...flags,
    programPath('gateway'),
    '--config',
    'x',
  ]);
  expect(young(flags)).toBeLessThanOrEqual(8);
  expect(programArgv('bench-worker')).toEqual([process.execPath, programPath('bench-worker')]);
  expect(young([process.execPath])).toBeGreaterThan(8);
});
