import { expect, test } from 'vitest';
import type { ScannedServer } from '../../domain/scan-report.ts';
import { entriesOf } from './entries.ts';
import type { EntryContext } from './entries.ts';

const context: EntryContext = {
  taken: new Set(),
  here: true,
  folderOf: () => '/srv',
  addressOf: () => null,
  contained: () => false,
  containerOf: () => null,
  unitFile: () => 'own',
  keyFileOf: () => null,
  system: true,
  user: null,
};

function serverOf(engine: string): ScannedServer {
  return {
    engine,
    model: '/srv/kimi.gguf',
    options: {},
    told: { slots: null, context: null },
    served: ['kimi'],
    command: ['node', '-m', '/srv/kimi.gguf'],
    wantedPort: 8080,
    endpoints: [{ address: '127.0.0.1', port: 8080, netns: '1', here: true }],
    owner: { kind: 'session', name: 'berth', user: 'root' },
    process: { pid: 7, startTicks: 1, bootId: 'b' },
    gpus: [],
    keyed: false,
    mark: null,
  } as unknown as ScannedServer;
}

test("berth's own engine of another machine is refused beside others that are adopted there", () => {
  const servers = [serverOf('embedded'), serverOf('llama.cpp')];
  const { entries, refused } = entriesOf(servers, { ...context, here: false });
  expect(entries.map(({ deployment }) => deployment['engine'])).toMatchObject([{ kind: 'llama.cpp' }]);
  expect(refused.map(({ reason }) => reason)).toEqual([
    "it is berth's own engine, and berth installs nothing on another machine",
  ]);
  expect(entriesOf(servers, context).entries).toHaveLength(2);
});

test('a server that answers to one name alone keeps it, be it the path of its model', () => {
  const vllm = { ...serverOf('vllm'), options: { context: 4096 }, served: ['/srv/qwen', 'lora'] };
  const named = { ...vllm, options: { servedModel: 'qwen' } };
  const quiet = { ...vllm, served: [], model: '/srv/other' };
  const { entries } = entriesOf([vllm, named, quiet, serverOf('llama.cpp')], context);
  const engines = entries.map(({ deployment }) => deployment['engine'] as { servedModel?: string });
  expect(engines.map(({ servedModel }) => servedModel)).toEqual([
    '/srv/qwen',
    'qwen',
    '/srv/other',
    undefined,
  ]);
});
