import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { withEntries } from './edit-file.ts';
import type { Entry } from './entries.ts';

const entry = {
  name: 'kimi',
  from: 'process 7',
  pid: 7,
  engine: 'llama.cpp',
  model: { name: 'kimi', source: '/m/kimi.gguf' },
  deployment: { model: 'kimi', port: 8080, engine: { kind: 'llama.cpp', slots: 2 } },
  mark: null,
} as unknown as Entry;

const files = [
  'version: 1\nfleet: lab\n',
  'version: 1\nfleet: lab',
  'fleet: lab # at home\n\nmodels:\n    other: {source: /m/o.gguf}   # not served\n\n# the end\n',
  'models: {}\ndeployments: {} # none yet\nfleet: lab\n',
  'models: {a: {source: /m/a.gguf}}\nfleet: lab\n',
  'models:\nfleet: lab\n',
  'deployments:\n  a:\n    engine:\n      kind: openai\n      url: "http://127.0.0.1:1"\n\n  # the last\n  b: {engine: {kind: embedded}}\n# below\nfleet: lab\n',
  'deployments:\n  a:\n    # long\n    engine: {kind: command, command: [sh, -c, "sleep 1"]}\n    memory: >-\n      2Gi\n',
];

test.each(files)('entries are added, and all else stays: %j', (text) => {
  const edited = withEntries(text, [entry, { ...entry, name: 'mistral', model: null }], 'box');
  const plain = parse(edited) as Record<string, Record<string, unknown>>;
  const before = parse(text) as Record<string, Record<string, unknown> | null>;
  expect(plain).toEqual({
    ...before,
    models: { ...before['models'], kimi: { source: '/m/kimi.gguf' } },
    deployments: {
      ...before['deployments'],
      kimi: { ...entry.deployment, host: 'box' },
      mistral: { ...entry.deployment, host: 'box' },
    },
  });
  expect(edited.match(/Adopted, from process 7/g)).toHaveLength(2);
  const lines = edited.split('\n');
  const changed = /^(models|deployments):( \{|$)/;
  for (const line of text.split('\n').filter((one) => !changed.test(one))) expect(lines).toContain(line);
});
