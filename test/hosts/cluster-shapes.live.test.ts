import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../src/kube/object.ts';
import { makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { drawnFleet } from '../support/drawn-fleet.ts';
import { specsFolder } from '../support/kube-schema.ts';
import { missingForKserve } from './kserve-stand-in.ts';
import { startCluster } from './kube-box.ts';
import type { KubeBox } from './kube-box.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 });

const missing = missingForKserve();
const why = missing === null ? '' : ` (skipped: ${missing})`;

/** What a real server says to objects that only its schemas were asked of before: names, quantities, mounts, rules of definitions. */
describe.skipIf(missing !== null)(`deployments with keys of all kinds, in a real cluster${why}`, () => {
  let box: KubeBox;
  let place: Place;
  let served: string[];

  beforeAll(async () => {
    box = await startCluster();
    const folder = specsFolder ?? '';
    const definitions = readdirSync(folder).filter((name) => /^[a-z.0-9-]+_[a-z]+\.yaml$/.test(name));
    for (const name of definitions)
      if (existsSync(join(folder, name))) box.kubectl('apply', '--server-side', '-f', join(folder, name));
    box.kubectl('create', 'namespace', 'shapes');
    place = makePlace();
    for (const name of ['HF_TOKEN', 'S3_KEYS', 'LAPTOP']) place.env[name] = 'x'.repeat(40);
    await until(() => {
      served = box.kubectl('api-resources', '--no-headers', '-o', 'wide').split('\n');
      const known = ['InferenceService', 'ServingRuntime'];
      return Promise.resolve(known.every((kind) => served.some((line) => line.includes(` ${kind} `))));
    }, 'the definitions to be served');
  });
  afterAll(async () => {
    await place?.close();
    box?.stop();
  });

  function isServed({ apiVersion, kind }: KubeObject): boolean {
    return served.some(
      (line) => line.split(/\s+/).join(' ').includes(`${apiVersion} `) && line.includes(` ${kind} `),
    );
  }

  test.each([11, 12, 13, 14])('the server takes all that fleet %i is rendered to', async (seed) => {
    place.write(JSON.stringify(drawnFleet(seed, 60)));
    const rendered = await place.berth('render', '--format', 'kubernetes');
    expect(rendered.code, rendered.stderr).toBe(0);
    const objects = parseAllDocuments(rendered.stdout).map((one) => one.toJS() as KubeObject);
    const known = objects.filter(isServed);
    console.info(
      `fleet ${seed}: ${known.length} of ${objects.length} objects, not of ${[...new Set(objects.filter((one) => !known.includes(one)).map(({ kind }) => kind))].join(', ') || 'no kind'}`,
    );
    expect(known.length).toBeGreaterThan(120);
    place.write(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: known }), 'all.json');
    const words = ['apply', '--server-side', '--validate=strict', '--dry-run=server'];
    const told = box.kubectl(...words, '-f', join(place.folder, 'all.json'));
    expect(told.match(/serverside-applied/g)?.length).toBe(known.length);
  });
});
