import { expect, test } from 'vitest';
import type { Option } from '../../fleet/relocate/option.ts';
import { optionsText } from './option-text.ts';

const GiB = 1024 ** 3;

function option(change: Partial<Option>): Option {
  return {
    name: 'box/process',
    now: false,
    refusals: [],
    notes: [],
    hosts: [],
    requests: [],
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
