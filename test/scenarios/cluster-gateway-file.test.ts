import { afterEach, beforeEach, expect, test } from 'vitest';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

let place: Place;

beforeEach(() => {
  place = makePlace();
  place.env['CI_KEY'] = 'sk-canary';
});

afterEach(() => place.close());

function fleet(gateway: string): string {
  return `version: 1
fleet: lab
id: k3x9
hosts: {k3s: {kubernetes: {context: k3s, namespace: llm}}, box: {local: true}}
models: {m: {source: /srv/models/m.gguf}}
deployments: {toy: {model: m, host: k3s, engine: {kind: llama.cpp}}}
gateway: {keys: {ci: "\${env:CI_KEY}"}, ${gateway}}
`;
}

test('a gateway in a cluster names a cluster and its image, all faults at once, and keys of it stand with a host', async () => {
  place.write(fleet('host: box'));
  const machine = await place.berth('validate');
  expect(machine.code).toBe(2);
  expect(machine.stdout + machine.stderr).toContain('Host box is a machine');
  expect(machine.stdout + machine.stderr).toContain('The gateway in a cluster needs "image"');
  place.write(fleet('replicas: 3, image: "x:1"'));
  const alone = await place.berth('validate');
  expect(alone.stdout + alone.stderr).toContain('"replicas" counts for a gateway in a cluster alone');
});

test('render writes the gateway that the file names, into the namespace of its host, and no secret', async () => {
  place.write(fleet('host: k3s, replicas: 3, image: "registry.lab/berth:1"'));
  const ran = await place.berth('render', '--format', 'kubernetes');
  expect(ran.code, ran.stderr).toBe(0);
  expect(ran.stdout).toContain('image: registry.lab/berth:1');
  expect(ran.stdout).toContain('replicas: 3');
  expect(ran.stdout).toContain('namespace: llm');
  expect(ran.stdout + ran.stderr).not.toContain('sk-canary');
});
