import { expect, test } from 'vitest';
import type { ScannedServer } from '../../domain/scan-report.ts';
import type { Deployment } from '../file/resolve.ts';
import { consolidationOf } from './steps.ts';
import type { Known } from './steps.ts';

function deployment(
  name: string,
  { path, mmproj = null, ...engine }: { path: string; mmproj?: string | null } & Record<string, unknown>,
): Deployment {
  return {
    name,
    host: 'local',
    model: { name, path, mmproj },
    engine: { kind: 'llama.cpp', slots: 1, context: 4096, args: [], ...engine },
    target: { kind: 'process' },
    port: null,
    gpus: 0,
    onDemand: null,
  } as unknown as Deployment;
}

function knownOf(deployments: readonly Deployment[], change: Partial<Known> = {}): Known {
  const text = `deployments: {${deployments.map(({ name }) => `${name}: {}`).join(', ')}}\n`;
  const loaded = { deployments, hosts: {} } as unknown as Known['loaded'];
  return { text, loaded, reached: new Map(), fileIds: new Map(), ...change };
}

const nothing = { to: null, ports: new Map<string, number>(), reserve: [], keep: [] };

test('what does something else with its model is no duplicate of it', () => {
  const path = '/m/kimi.gguf';
  const known = knownOf([
    deployment('chat', { path }),
    deployment('second', { path }),
    deployment('vectors', { path, embeddings: true }),
    deployment('order', { path, rerank: true }),
    deployment('styled', { path, lora: ['/m/style.gguf'] }),
    deployment('eyes', { path, mmproj: '/m/eyes.gguf' }),
    deployment('plain', { path, chatTemplate: 'chatml' }),
  ]);
  expect(consolidationOf(known, nothing).duplicates).toEqual([{ keep: 'chat', drop: ['second'] }]);
});

test('two paths of one file are one model, and of two machines they are not', () => {
  const two = [deployment('a', { path: '/m/a.gguf' }), deployment('b', { path: '/link/a.gguf' })];
  const fileIds = new Map([
    ['/m/a.gguf', '8:1'],
    ['/link/a.gguf', '8:1'],
  ]);
  expect(consolidationOf(knownOf(two), nothing).duplicates).toEqual([]);
  expect(consolidationOf(knownOf(two, { fileIds }), nothing).duplicates).toEqual([
    { keep: 'a', drop: ['b'] },
  ]);
});

test('a server that is only reached is held against the others by what its command line says', () => {
  const own = deployment('own', { path: '/m/kimi.gguf' });
  const reached = {
    ...deployment('pod', { path: '' }),
    model: null,
    engine: { kind: 'openai', url: 'http://x' },
  };
  function duplicatesWith(options: Record<string, unknown>, context: number | null = 4096) {
    const server = {
      engine: 'llama.cpp',
      options,
      command: ['llama-server'],
      gpus: [],
      told: { slots: 1, context, tokens: null },
      process: { pid: 7 },
      owner: { name: 'pod' },
    } as unknown as ScannedServer;
    const pod = { server, folder: null, model: '/m/kimi.gguf' };
    const known = knownOf([own, reached], { reached: new Map([['pod', pod]]) });
    return consolidationOf(known, nothing);
  }
  expect(duplicatesWith({}).duplicates).toEqual([{ keep: 'own', drop: ['pod'] }]);
  expect(duplicatesWith({ embeddings: true }).duplicates).toEqual([]);
  const larger = duplicatesWith({}, 32_768);
  expect(larger.duplicates).toEqual([]);
  expect(larger.notes.join()).toContain(
    'pod is not merged: pod takes requests of 32768 tokens and own of 4096',
  );
});
