import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

let place: Place;

beforeEach(() => {
  place = makePlace();
});

afterEach(() => place.close());

test('init writes a file that is valid, and never writes over one', async () => {
  const made = await place.berth('init', '--model', './m.gguf');
  expect([made.code, made.stdout]).toEqual([0, expect.stringContaining('m.gguf does not exist')]);
  const written = readFileSync(join(place.folder, 'berth.yaml'), 'utf8');
  expect((await place.berth('validate')).code).toBe(0);
  // The file lies elsewhere, and the model stays the one that was named from here.
  expect((await place.berth('init', '--model', './m.gguf', '--file', 'below/berth.yaml')).code).toBe(0);
  const below = readFileSync(join(place.folder, 'below/berth.yaml'), 'utf8');
  expect(below).toContain(`source: "${join(place.folder, 'm.gguf')}"`);
  const again = await place.berth('init');
  expect([again.code, readFileSync(join(place.folder, 'berth.yaml'), 'utf8')]).toEqual([2, written]);
});

test('validate tells every fault at once with line, column and cure, and ends with code 2', async () => {
  place.write(
    'version: 1\nfleet: lab\nmodels: {m: {source: ./m.gguf}}\ndeployments:\n  a:\n    modle: m\n    engine: {kind: embedded, slots: many}\n',
  );
  const text = await place.berth('validate');
  expect(text.code).toBe(2);
  expect(text.stderr).toContain('berth.yaml:6:5: deployments.a.modle: Unknown key "modle".');
  expect(text.stderr).toContain('Did you mean "model"?');
  expect(text.stderr).toContain('berth.yaml:7:37: deployments.a.engine.slots: "many" is not allowed here.');
  const json = (await place.berth('validate', '--json')).json() as {
    error: { code: string; facts: { faults: { line: number; column: number }[] } };
  };
  expect(json.error.code).toBe('CONFIG_INVALID');
  expect(json.error.facts.faults.map((fault) => [fault.line, fault.column])).toEqual([
    [6, 5],
    [7, 37],
  ]);
});

test('a file that is no YAML at all is told by its first faults, and not line by line', async () => {
  place.write('{a: ]\n'.repeat(500));
  const text = await place.berth('validate');
  expect([text.code, text.stderr.match(/: Not YAML: /g)?.length]).toEqual([2, 5]);
});

test('a fleet file or a plan that is named and does not exist is a fault of the command line', async () => {
  place.write('version: 1\nfleet: lab\n');
  const calls = [
    ['validate', '-f', 'nope.yaml'],
    ['status', '-f', '.'],
    ['apply', 'nope.json'],
  ];
  for (const args of calls) {
    const refused = await place.berth(...args);
    expect([refused.code, args.join(' ')]).toEqual([2, args.join(' ')]);
  }
});

test('a wrong command line is told with the command whose help says what is right', async () => {
  const unknown = await place.berth('up', '--detatch');
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('See "berth up --help".')]);
  expect((await place.berth('bench', 'selftest', '--fast')).stderr).toContain(
    '"berth bench selftest --help"',
  );
});

test('several files lie over each other in the order they are named', async () => {
  place.write(
    'version: 1\nfleet: lab\ndeployments: {a: {engine: {kind: openai, url: "http://a.example"}}, b: {engine: {kind: openai, url: "http://b.example"}}}\n',
  );
  place.write('deployments: {b: ~, c: {engine: {kind: openai, url: "http://c.example"}}}\n', 'more.yaml');
  const both = (await place.berth('validate', '--json', '-f', 'berth.yaml', '-f', 'more.yaml')).json() as {
    deployments: string[];
  };
  expect(both.deployments).toEqual(['a', 'c']);
});

test('schema prints the JSON Schema that the examples name', async () => {
  const schema = (await place.berth('schema')).json() as { title: string; required: string[] };
  expect(schema).toMatchObject({ title: 'Berth fleet file', required: ['version', 'fleet'] });
});
