import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { configFor, front, sha256, until } from '../gateway/harness.ts';
import { findLlamaServer } from '../hosts/llama-server.ts';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { openaiClientScenario } from './openai-client.ts';

const binary = findLlamaServer();

test.skipIf(binary === null)(
  `OpenAI's own client does the same with a real llama-server behind the gateway${binary ? '' : ' (no llama-server: tools/live/llama-server.sh gets one)'}`,
  { timeout: 180_000 },
  async () => {
    // Large enough that an answer is still being written when it is to be aborted.
    const folder = await mkdtemp(join(tmpdir(), 'berth-llama-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, 'random.gguf');
    await makeModel(localFiles, { size: '15M', type: 'q8_0', seed: 1, path });
    const url = `http://127.0.0.1:${await freePort()}`;
    const args = [
      '-m',
      path,
      '-c',
      '16384',
      '--parallel',
      '2',
      '--host',
      '127.0.0.1',
      '--threads',
      '1',
      '--slots',
    ];
    const child = spawn(binary ?? '', [...args, '--port', new URL(url).port], { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await ended;
    });
    await until('llama-server answers', () =>
      fetch(`${url}/health`).then(
        (reply) => reply.ok,
        () => false,
      ),
    );
    const gateway = await front(
      configFor([{ url, slots: 2 }], { keys: [{ id: 'test', name: 'test', sha256: sha256('test-key') }] }),
    );
    const steps = await openaiClientScenario({
      url: gateway.url,
      key: 'test-key',
      model: 'm',
      embeddingModel: null,
      slots: 2,
      busy: async () => {
        const slots = (await (await fetch(`${url}/slots`)).json()) as { is_processing: boolean }[];
        return slots.filter((slot) => slot.is_processing).length;
      },
      long: { ignore_eos: true },
      longPrompt: 'a long story about berths and ships '.repeat(60),
    });
    expect(steps).toBe(8);
  },
);

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
