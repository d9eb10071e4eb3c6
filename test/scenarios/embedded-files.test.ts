import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startProgram, randomModel, until } from '../support/embedded.ts';

let model: Awaited<ReturnType<typeof randomModel>>;
let bytes: Buffer;

beforeAll(async () => {
  model = await randomModel();
  bytes = readFileSync(model.path);
});

afterAll(() => model?.remove());

/** The file with one key renamed to another of the same length, which is as good as dropped. */
function without(key: string): Buffer {
  const copy = Buffer.from(bytes);
  const at = copy.indexOf(key);
  copy.write('x', at, 'latin1');
  return copy;
}

async function refusal(name: string, content: Uint8Array | string): Promise<string> {
  const path = join(model.folder, name);
  writeFileSync(path, content);
  try {
    const running = await startProgram(path);
    running.kill('SIGKILL');
    return 'it started';
  } catch (error) {
    return error instanceof Error ? error.message : 'no error';
  }
}

const broken: readonly (readonly [string, () => Uint8Array | string, RegExp])[] = [
  [
    'garbage',
    () => 'this is no model, it is a text',
    /is not a GGUF model: it begins with the bytes 74686973/,
  ],
  ['an empty file', () => '', /is not a GGUF model: it is empty/],
  ['a file cut in the header', () => bytes.subarray(0, 5000), /is cut short: it ends within the header/],
  [
    'a file cut in the weights',
    () => bytes.subarray(0, -70_000),
    /is cut short: tensor .* ends at byte \d+, the file at \d+/,
  ],
  [
    'a missing head count',
    () => without('llama.attention.head_count'),
    /lacks the key llama.attention.head_count/,
  ],
  [
    'a missing feed-forward length',
    () => without('llama.feed_forward_length'),
    /lacks the key llama.feed_forward_length/,
  ],
  ['missing merges', () => without('tokenizer.ggml.merges'), /lacks the key tokenizer.ggml.merges/],
];
test.each(broken)(
  '%s ends the program with one clear line, before a port is open',
  async (name, content, line) => {
    expect(await refusal(`${name.replaceAll(' ', '-')}.gguf`, content())).toMatch(line);
  },
);

test('a header of random bytes is refused, whatever they are', async () => {
  for (let seed = 1; seed <= 3; seed += 1) {
    const copy = Buffer.from(bytes);
    for (let at = 8; at < 200; at += 1) copy[at] = (at * 7919 * seed) % 251;
    expect(await refusal('noise.gguf', copy)).toMatch(/damaged header|cut short|lacks the key/);
  }
});

test('a file that is not there is named', async () => {
  await expect(startProgram(join(model.folder, 'nowhere.gguf'))).rejects.toThrow(
    /The model file .*nowhere\.gguf does not exist/,
  );
});

test('a model that the library cannot load ends with its reason and an exit code, not with an abort', async () => {
  const path = join(model.folder, 'odd.gguf');
  const copy = Buffer.from(bytes);
  copy.write('blk.0.attn_x', copy.indexOf('blk.0.attn_q'), 'latin1');
  writeFileSync(path, copy);
  const running = await startProgram(path);
  expect(await running.exited).toEqual({ code: 1, signal: null });
  await until(() => running.said.length > 0);
  expect(running.said.at(-1)).toMatch(/could not be loaded: .*blk\.0\.attn_q/);
});

test('a file that is cut while it is served does not matter to the next start', async () => {
  const path = join(model.folder, 'cut-later.gguf');
  writeFileSync(path, bytes);
  truncateSync(path, bytes.length - 40_000);
  await expect(startProgram(path)).rejects.toThrow(/is cut short/);
});

test('a GPU build that is not installed is said to be missing', async () => {
  const running = await startProgram(model.path, ['--gpu', 'cuda']);
  expect(await running.exited).toEqual({ code: 1, signal: null });
  expect(running.said.join('\n')).toMatch(/no build for this machine with gpu "cuda"/);
});

test('an unknown flag ends the program with exit code 2', async () => {
  await expect(startProgram(model.path, ['--shiny'])).rejects.toThrow(
    /cannot be started like this: .*--shiny/,
  );
});
