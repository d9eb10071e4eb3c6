import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { findLlamaServer } from '../hosts/llama-server.ts';
import { freePorts, until } from '../support/berth.ts';
import { allWithKey, askRouterBehindServe, engineKey } from '../support/router-behind-serve.ts';
import { selfStarting } from '../support/self-starting.ts';

const binary = findLlamaServer();
const missing = binary ? '' : ' (no llama-server: tools/live/llama-server.sh gets one)';

test.skipIf(binary === null)(
  `berth serve asks all of a real llama-server that routes and has a key with that key${missing}`,
  { timeout: 300_000 },
  async () => {
    expect(await askRouterBehindServe(await startRouter(binary ?? ''))).toEqual(allWithKey);
  },
);

/** Started as berth starts one in a pod. */
async function startRouter(program: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'berth router '));
  for (const name of ['one', 'two'])
    await makeModel(localFiles, {
      size: '1M',
      type: 'q8_0',
      seed: 1,
      path: join(folder, 'models', name, `${name}.gguf`),
    });
  const keyFile = join(folder, 'key');
  writeFileSync(keyFile, engineKey);
  const [port = 0] = await freePorts(1);
  const words = ['--host', '127.0.0.1', '--port', String(port), '--models-dir', join(folder, 'models')];
  const limits = ['--models-max', '1', '--metrics', '--threads', '1', '-c', '512', '-np', '1'];
  const child = spawn(selfStarting(program, folder), [...words, ...limits, '--api-key-file', keyFile], {
    stdio: 'ignore',
  });
  const ended = new Promise((done) => child.once('exit', done));
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true });
  });
  const url = `http://127.0.0.1:${port}`;
  await until(
    () =>
      fetch(`${url}/health`).then(
        (reply) => reply.ok,
        () => false,
      ),
    'the llama-server',
  );
  return url;
}
