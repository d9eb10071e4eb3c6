import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';
import { contentOfBytes, startHub } from '../../support/hub-server.ts';
import type { HubServer } from '../../support/hub-server.ts';

const toy = join(import.meta.dirname, '../../../examples/quickstart/model/berth-toy.Q8_0.gguf');
let place: Place;
let hub: HubServer;

beforeEach(async () => {
  place = makePlace();
  hub = await startHub();
  hub.files.set('toy.gguf', contentOfBytes(readFileSync(toy)));
  place.env['HF_ENDPOINT'] = hub.url;
});

afterEach(async () => {
  await place.close();
  await hub.stop();
});

const image = 'target: {kind: docker, image: "r/llama:1"}';

function write(deployments: string): void {
  place.write(`version: 1
fleet: lab
id: render-pulled
hosts: {local: {ports: 18000-18099}, far: {ssh: op@far}}
models: {toy: {source: "${hub.url}/lab/tiny/resolve/main/toy.gguf"}, hub: {source: "hf://lab/tiny/toy.gguf"}}
deployments:
${deployments}
`);
}

test.each(['systemd', 'quadlet', 'compose'])(
  'a model at an address is written as %s by its path in the store, and before it was pulled not at all',
  async (format) => {
    write(`  a: {model: toy, engine: {kind: llama.cpp, binary: /opt/llama-server}, host: local, ${image}}`);
    const before = await place.berth('render', '--format', format);
    expect(before.code).toBe(2);
    expect(before.stderr).toContain('toy.gguf has not been fetched; "berth pull a" does so');
    expect((await place.berth('pull')).code).toBe(0);
    const rendered = await place.berth('render', '--format', format);
    expect(rendered.code, rendered.stderr).toBe(0);
    expect(rendered.stdout).toMatch(/\/trees\/http[^\s:"]*\/toy\.gguf/);
    expect(rendered.stdout).not.toContain('./http');
    expect(rendered.stdout).not.toMatch(/"--model" "https?:/);
  },
);

test('what is pulled here is nothing to another machine: it is refused there, or its engine fetches it', async () => {
  write('  a: {model: toy, engine: {kind: llama.cpp, binary: /opt/llama-server}, host: far}');
  expect((await place.berth('pull')).code).toBe(0);
  const refused = await place.berth('render', '--format', 'systemd');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('toy.gguf there; write the path that it has on far as the source');
  write(`  here: {model: hub, engine: {kind: llama.cpp, binary: /opt/llama-server}, host: local, ${image}}
  far: {model: hub, engine: {kind: llama.cpp, binary: /opt/llama-server}, host: far, ${image}}`);
  const far = await place.berth('render', '--format', 'compose', '--host', 'far');
  const here = await place.berth('render', '--format', 'compose', '--host', 'local');
  expect(far.code, far.stderr).toBe(0);
  expect(commandOf(far.stdout, 'far')).toEqual(['--hf-repo', 'lab/tiny', '--hf-file', 'toy.gguf']);
  expect(commandOf(here.stdout, 'here')[0]).toBe('--model');
});

function commandOf(text: string, name: string): string[] {
  const { services } = parse(text) as { services: Record<string, { command: string[] }> };
  return services[name]?.command.slice(0, 4) ?? [];
}
