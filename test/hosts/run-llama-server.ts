import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { until } from '../gateway/harness.ts';

export interface RunningLlama {
  readonly url: string;
  /** Slots at work. */
  readonly busy: () => Promise<number>;
}

/**
 * Starts a real llama-server with two slots and a model of random weights, large enough that an answer is still being
 * written when it is to be aborted; gone when the test ends.
 */
export async function runLlamaServer(binary: string, flags: readonly string[] = []): Promise<RunningLlama> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-llama-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'random.gguf');
  await makeModel(localFiles, { size: '15M', type: 'q8_0', seed: 1, path });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const args = ['-m', path, '-c', '16384', '--parallel', '2', '--threads', '1', '--slots', ...flags];
  const child = spawn(binary, [...args, '--host', '127.0.0.1', '--port', String(port)], { stdio: 'ignore' });
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
  return { url, busy: () => busySlots(url) };
}

async function busySlots(url: string): Promise<number> {
  const slots = (await (await fetch(`${url}/slots`)).json()) as { is_processing: boolean }[];
  return slots.filter((slot) => slot.is_processing).length;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
