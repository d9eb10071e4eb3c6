import { expect, test } from 'vitest';
import type { Option } from '../../fleet/relocate/option.ts';
import { optionsText, stepsText } from './option-text.ts';

const GiB = 1024 ** 3;

function option(change: Partial<Option>): Option {
  return {
    name: 'box/process',
    now: false,
    refusals: [],
    notes: [],
    hosts: [],
    requests: [],
    steps: [],
    plan: null,
    ...change,
  };
}

test('options stand side by side with what each takes, frees and asks of the requests, and what cannot be says why', () => {
  const far = {
    host: 'far',
    freeBytes: null,
    takesBytes: 4 * GiB,
    freesBytes: 0,
    peakBytes: 4 * GiB,
    gpus: { takes: 1, frees: 0 },
    ports: { takes: [8081], frees: [] },
  };
  const box = {
    ...far,
    host: 'box',
    freeBytes: 2 * GiB,
    takesBytes: 0,
    freesBytes: 4 * GiB,
    peakBytes: 0,
    gpus: { takes: 0, frees: 1 },
    ports: { takes: [], frees: [8080] },
  };
  const text = optionsText([
    option({ now: true }),
    option({
      name: 'far/process',
      hosts: [far, box],
      notes: ['not started again by its target after a crash and a reboot'],
      requests: [{ deployment: 'a', requests: 'go on' }],
    }),
    option({ name: 'box/docker', refusals: ['No container engine answers.'] }),
  ]);
  expect(text.split('\n')).toEqual([
    'OPTION       HOST  TAKES    FREES    AT MOST  FREE NOW  GPUS  PORTS  REQUESTS',
    'box/process                                                          as it is',
    'far/process  far   4.0 GiB  0 B      4.0 GiB  -         +1    +8081  go on',
    '             box   0 B      4.0 GiB  0 B      2.0 GiB   -1    -8080',
    'far/process: not started again by its target after a crash and a reboot.',
    'Not possible: box/docker: No container engine answers.',
  ]);
});

test('each step says what it takes of the memory that is free, and who waits', () => {
  const step = { deployment: 'a', replica: 0, meanwhileBytes: GiB, afterBytes: 0, freeBytes: 2 * GiB };
  const text = stepsText(
    option({
      requests: [{ deployment: 'a', requests: 'wait' }],
      steps: [
        { ...step, do: 'start', host: 'far', afterBytes: GiB },
        { ...step, do: 'replace', host: 'box', replica: 1 },
        { ...step, do: 'stop', host: 'box', meanwhileBytes: 0, afterBytes: -GiB, freeBytes: null },
        { ...step, do: 'start', host: 'box', meanwhileBytes: null },
      ],
    }),
  );
  expect(text.split('\n')).toEqual([
    'Step by step:',
    '  1. start a on far (+1.0 GiB of 2.0 GiB free, +1.0 GiB afterwards)',
    '  2. replace a-1 on box, its requests wait meanwhile (+1.0 GiB of 2.0 GiB free, +0 B afterwards)',
    '  3. stop a on box (+0 B, -1.0 GiB afterwards)',
    '  4. start a on box (memory not known)',
  ]);
  expect(stepsText(option({}))).toBe('');
});
