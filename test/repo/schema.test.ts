import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { RequestRecord } from '../../src/domain/run/record.ts';
import { Report } from '../../src/domain/run/report.ts';
import { ServerSample } from '../../src/domain/run/server-sample.ts';
import { jsonSchema } from '../../src/fleet/file/json-schema.ts';
import { loadFleet } from '../../src/fleet/file/load.ts';
import { localWorld } from '../../src/io/local-world.ts';

const root = resolve(import.meta.dirname, '../..');
const examples = readdirSync(join(root, 'examples'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => join('examples', entry.name, 'berth.yaml'));

interface Part {
  description?: string;
  properties?: Record<string, Part>;
  additionalProperties?: Part | boolean;
  items?: Part;
  anyOf?: Part[];
  oneOf?: Part[];
}

test('the JSON Schema in the repository is what the registries give; "berth schema --json > schema/berth.schema.json" writes it anew', () => {
  const kept: unknown = JSON.parse(readFileSync(join(root, 'schema/berth.schema.json'), 'utf8'));
  expect(kept).toEqual(jsonSchema());
});

test.each([
  ['report', Report],
  ['record', RequestRecord],
  ['server', ServerSample],
] as const)(
  'the JSON Schema of a %s is kept; "berth schema NAME > schema/NAME.schema.json" writes it anew',
  (name, of) => {
    const kept: unknown = JSON.parse(readFileSync(join(root, `schema/${name}.schema.json`), 'utf8'));
    expect(kept).toEqual({ ...z.toJSONSchema(of, { reused: 'ref' }), title: expect.any(String) });
  },
);

test('every key of the fleet file is described', () => {
  const silent: string[] = [];
  function walk(part: Part, path: string): void {
    for (const [name, below] of Object.entries(part.properties ?? {})) {
      const here = `${path}.${name}`;
      if (!below.description && name !== 'kind' && !/warmup/.test(here)) silent.push(here);
      walk(below, here);
    }
    for (const branch of [...(part.anyOf ?? []), ...(part.oneOf ?? [])]) walk(branch, path);
    if (part.items) walk(part.items, `${path}[]`);
    if (typeof part.additionalProperties === 'object') walk(part.additionalProperties, `${path}.*`);
  }
  walk(jsonSchema(), '');
  expect(silent).toEqual([]);
});

/** The examples as somebody has them who has copied each `.env.example`. */
function copied(): string {
  const folder = mkdtempSync(join(tmpdir(), 'berth-examples-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync(join(root, 'examples'), join(folder, 'examples'), { recursive: true });
  for (const path of examples) {
    const env = join(folder, path, '../.env');
    if (existsSync(`${env}.example`)) cpSync(`${env}.example`, env);
  }
  return folder;
}

test.each(examples)('%s is valid and names the schema in its first line', async (path) => {
  const [first] = readFileSync(join(root, path), 'utf8').split('\n');
  expect(first).toBe('# yaml-language-server: $schema=../../schema/berth.schema.json');
  const world = { ...localWorld(), env: { OPENAI_API_KEY: 'x', BERTH_KEY: 'y', HF_TOKEN: 'z' } };
  const loaded = await loadFleet(world, { files: [path], cwd: copied() });
  expect(loaded.deployments.length).toBeGreaterThan(0);
});
