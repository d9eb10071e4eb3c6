import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { convert, convertedText } from './convert.ts';

test('an id that reads like a number stays an id', () => {
  const made = convert('theirs.yaml', 'models: {a: {cmd: "llama-server -m a.gguf"}}', {
    folder: '/',
    env: {},
  });
  for (const id of ['12345678', '1e234567']) {
    const text = convertedText(made, { schema: '/schema.json', fleet: 'home', id, source: 'theirs.yaml' });
    expect((parse(text) as { id: unknown }).id).toBe(id);
  }
});

test('another server that is named without models is told, and not passed over in silence', () => {
  const made = convert(
    'theirs.yaml',
    'models: {a: {cmd: "llama-server -m a.gguf -c 4096"}}\npeers:\n  box: {proxy: "http://box:1"}\n  empty: {proxy: "http://e:1", models: []}',
    { folder: '/', env: {} },
  );
  const told = made.left.filter(({ path }) => path.startsWith('peers.'));
  expect(told.map(({ path, line }) => [path, line])).toEqual([
    ['peers.box', 3],
    ['peers.empty', 4],
  ]);
  expect(Object.keys(made.fleet.deployments)).toEqual(['a']);
});
