import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../src/kube/object.ts';
import { KserveOptions } from '../../src/targets/kserve/options.ts';
import { KubernetesOptions } from '../../src/targets/kubernetes/options.ts';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { clusterTargets, drawnFleet } from '../support/drawn-fleet.ts';
import { hasKind, kubeFaults, specsFolder } from '../support/kube-schema.ts';
import { setFaults } from '../support/kube-rules.ts';

const seeds = [1, 2, 3];
const count = 50;
const schemas = { kubernetes: KubernetesOptions, kserve: KserveOptions } as const;

/** Keys of a target that some of the drawn deployments state. */
function drawnKeys(kind: string): Set<string> {
  const Drawn = z.object({
    deployments: z.record(z.string(), z.object({ target: z.record(z.string(), z.unknown()) })),
  });
  const targets = seeds.flatMap((seed) =>
    Object.values(Drawn.parse(drawnFleet(seed, count)).deployments).map(({ target }) => target),
  );
  return new Set(targets.filter((one) => one['kind'] === kind).flatMap(Object.keys));
}

test.each(clusterTargets)('the drawn fleets say every key of the target %s', (kind) => {
  const drawn = drawnKeys(kind);
  expect(Object.keys(schemas[kind].shape).filter((key) => !drawn.has(key))).toEqual([]);
});

describe.each(seeds)('the objects of fleet %i, of deployments with keys of all kinds', (seed) => {
  let place: Place;
  let objects: KubeObject[];

  beforeAll(async () => {
    place = makePlace();
    for (const name of ['HF_TOKEN', 'S3_KEYS', 'LAPTOP']) place.env[name] = 'x'.repeat(40);
    place.write(JSON.stringify(drawnFleet(seed, count)));
    const ran = await place.berth('render', '--format', 'kubernetes');
    if (ran.code !== 0) throw new Error(ran.stderr + ran.stdout);
    objects = parseAllDocuments(ran.stdout).map((one) => one.toJS() as KubeObject);
  });
  afterAll(() => place.close());

  test('know each other, and say nothing twice', () => {
    expect(objects.length).toBeGreaterThan(2 * count);
    expect(setFaults(objects)).toEqual([]);
  });

  test.skipIf(specsFolder === undefined)('are what strict definitions of their kinds take', () => {
    // Of kinds that others bring, those whose definitions lie there.
    const known = objects.filter(({ apiVersion, kind }) => isOwn(apiVersion) || hasKind(apiVersion, kind));
    expect(known.length).toBeGreaterThan(2 * count);
    expect(known.flatMap((one) => kubeFaults(one).map((fault) => `${one.metadata.name}: ${fault}`))).toEqual(
      [],
    );
  });
});

/** Kubernetes' own kinds are all there. */
function isOwn(apiVersion: string): boolean {
  return !/^(gateway\.networking\.k8s\.io|monitoring\.coreos\.com|keda\.sh)\//.test(apiVersion);
}
