import { expect, test } from 'vitest';
import type { ScannedServer } from '../../domain/scan-report.ts';
import { entriesOf } from './entries.ts';
import type { EntryContext } from './entries.ts';

const context: EntryContext = {
  taken: new Set(),
  here: true,
  folderOf: () => '/srv',
  envOf: () => null,
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
    options: { args: [] },
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

test('a server that its answers alone tell is only reached: nothing is known of its start', () => {
  const { entries } = entriesOf([{ ...serverOf('llama.cpp'), options: {} }], context);
  expect(entries).toMatchObject([
    {
      mark: null,
      because: expect.stringContaining('answers alone'),
      deployment: { engine: { kind: 'openai' } },
    },
  ]);
});

test('variables that an engine was started with are kept, and what goes is told', () => {
  const env = {
    PATH: '/bin',
    HOME: '/root',
    EDITOR: 'vi',
    INVOCATION_ID: '1',
    LD_LIBRARY_PATH: '/opt/lib',
    HF_HOME: '/srv/hub',
    GGML_CUDA_NO_PINNED: '1',
    LLAMA_ARG_THREADS: '4',
    HF_TOKEN: 'hf_abcdefghijklmnopqrstuvwxyz012345',
    CUDA_VISIBLE_DEVICES: '1',
  };
  function adopted(change: Partial<ScannedServer>) {
    const { entries } = entriesOf([{ ...serverOf('llama.cpp'), ...change }], {
      ...context,
      envOf: () => env,
    });
    const [{ deployment, goes } = { deployment: {} }] = entries;
    return { env: (deployment as { engine?: { env?: unknown } }).engine?.env, goes };
  }
  const kept = { LD_LIBRARY_PATH: '/opt/lib', HF_HOME: '/srv/hub', GGML_CUDA_NO_PINNED: '1' };
  const goes = ['its variable HF_TOKEN, which has no place in a fleet file'];
  expect(adopted({})).toEqual({ env: { ...kept, CUDA_VISIBLE_DEVICES: '1' }, goes });
  expect(adopted({ gpus: [{ index: 1, memoryBytes: 1 }] })).toEqual({ env: kept, goes });
  const owner = { kind: 'system-unit', name: 'kimi.service', user: null } as const;
  expect(adopted({ owner, gpus: [{ index: 1, memoryBytes: 1 }] })).toEqual({
    env: { ...kept, EDITOR: 'vi' },
    goes,
  });
  const open = { endpoints: [{ address: '0.0.0.0', port: 8080, netns: '1', here: true }] };
  expect(adopted(open).goes).toEqual([...goes, expect.stringContaining('its port 8080 at 0.0.0.0')]);
});

test.each([
  [
    'a supervisor keeps',
    { owner: { kind: 'supervisor', name: 'runit llama', user: 'me' } },
    'runit llama keeps it, and would start it again',
  ],
  [
    'a unit keeps beside others',
    { owner: { kind: 'system-unit', name: 'ray.service', user: 'me' }, shared: true },
    'its unit ray keeps something else too',
  ],
] as const)('what %s is only reached: berth could not end it by itself', (_, change, because) => {
  const { entries } = entriesOf([{ ...serverOf('llama.cpp'), ...change }], context);
  expect(entries).toMatchObject([{ mark: null, because, deployment: { engine: { kind: 'openai' } } }]);
});
