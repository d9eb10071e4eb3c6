import { expect, test } from 'vitest';
import { embedded } from './embedded.ts';

const facts = { pid: 7, ppid: 1, exe: '/usr/bin/node', env: null, cwd: null };

function launchArgs(options: Record<string, unknown>): string[] {
  const spec = embedded.launch?.({
    deployment: 'toy',
    options: embedded.options?.parse({ kind: 'embedded', ...options }) as never,
    model: '/m/toy.gguf',
    mmproj: null,
    gpus: 0,
    cores: 4,
    key: { env: 'KEY' },
  });
  return (spec?.args ?? []).map((arg) =>
    typeof arg === 'string' ? arg : 'hole' in arg ? `<${arg.hole}>` : '',
  );
}

test('a command line that the engine wrote is read back with the same options', () => {
  const args = launchArgs({ slots: 2, context: 1024, threads: 3, embeddings: false });
  const words = args.map((arg) => (arg === '<port>' ? '18400' : arg));
  const found = embedded.recognize?.({
    ...facts,
    argv: ['/opt/node24/bin/node', '/opt/berth/dist/programs/embedded.js', ...words],
  });
  expect(found).toMatchObject({
    engine: 'embedded',
    model: '<model>',
    port: 18400,
    options: {
      slots: 2,
      context: 1024,
      threads: 3,
      batch: 512,
      flashAttention: 'auto',
      embeddings: false,
      queue: 256,
    },
  });
});

test('the key of the engine reaches it as a file and never as an argument', () => {
  expect(launchArgs({}).join(' ')).toMatch(/--api-key-file <secret>/);
});

test('a Node process with another script is none of ours', () => {
  expect(embedded.recognize?.({ ...facts, argv: ['node', '/srv/app/embedded.js'] })).toBeNull();
  expect(embedded.recognize?.({ ...facts, argv: ['vim', 'src/programs/embedded.ts'] })).toBeNull();
});
