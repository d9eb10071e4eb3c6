import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../src/kube/object.ts';
import { fakeEngine, freePorts, makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { filledByKserve } from '../support/go-template.ts';
import { kubeFaults, specsFolder } from '../support/kube-schema.ts';

vi.setConfig({ testTimeout: 240_000 });

const template = '{% for m in messages %}{{ m.content }}{% endfor %}\n';

let place: Place;

beforeEach(() => {
  place = makePlace();
  place.write(template, 'chat.jinja');
});
afterEach(async () => {
  await place.berth('down');
  await place.close();
});

/** What an engine was given: it keeps the place and the text of its template beside itself. */
function engine(): string {
  const program = join(place.folder, 'vllm');
  writeFileSync(
    program,
    `#!/bin/sh
port= template=
while [ $# -gt 0 ]; do
  case $1 in --port) port=$2 ;; --chat-template) template=$2 ;; esac
  shift
done
[ -z "$template" ] || { echo "$template"; cat "$template"; } >"$0.seen"
# What a target takes away with its unit is gone by the time that the next engine crashes.
[ -z "$template" ] || ! grep -q broken "$template" || { rm -f "$(dirname "$template")"/*; exit 3; }
exec '${process.execPath}' '${fakeEngine}' "$port"
`,
  );
  chmodSync(program, 0o755);
  return program;
}

function seen(): { path: string; text: string } {
  const [path = '', ...lines] = readFileSync(join(place.folder, 'vllm.seen'), 'utf8').split('\n');
  return { path, text: lines.join('\n') };
}

function fleet(engineText: string, more = ''): void {
  place.write(`version: 1
fleet: lab
id: k3x9
hosts: {local: {local: true}${more.includes('host: k') ? ', k: {kubernetes: {context: k, namespace: llm}}' : ''}}
gateway: {listen: ["127.0.0.1:0"]}
console: {listen: "127.0.0.1:0"}
models: {m: {source: /srv/models/m.gguf}, h: {source: "hf://a/b"}}
deployments:
  chat: {model: ${engineText.includes('vllm') ? 'h' : 'm'}, engine: ${engineText}${more}}
`);
}

async function said(...args: string[]): Promise<string> {
  const { stdout, stderr } = await place.berth(...args);
  return stdout + stderr;
}

test('an engine opens what lay beside the fleet file when it was started, and another text is a restart', async () => {
  fleet(`{kind: vllm, binary: ${engine()}, chatTemplate: ./chat.jinja, startTimeout: 60s}`);
  expect((await place.berth('apply')).code).toBe(0);
  expect(seen().text).toBe(template);
  expect(seen().path).toMatch(/file-[0-9a-f]{8}-chat\.jinja$/);
  expect(seen().path.startsWith(join(place.folder, 'state'))).toBe(true);
  expect(await said('plan')).toContain('1 unchanged');

  place.write('another\n', 'chat.jinja');
  // A start that nobody asked for has what the engine had before.
  expect((await place.berth('plan')).stdout).toContain(
    `file ${join(place.folder, 'chat.jinja')} changed: restart`,
  );
  expect((await place.berth('apply')).code).toBe(0);
  expect(seen().text).toBe('another\n');
  const back = await place.berth('rollback', 'chat');
  expect(back.code, back.stdout + back.stderr).toBe(0);
  expect(seen().text).toBe(template);
});

test('an engine whose next template never works serves again with the one before, though nobody but berth has that text any more', async () => {
  const [port = 0] = await freePorts(1);
  const settings = `{kind: vllm, binary: ${engine()}, chatTemplate: ./chat.jinja, startTimeout: 60s}`;
  fleet(settings, `, port: ${port}`);
  expect((await place.berth('apply')).code).toBe(0);
  place.write('broken\n', 'chat.jinja');
  const failed = await place.berth('apply', '--json');
  expect(failed.code, failed.stderr).toBe(7);
  const { back } = failed.json() as { back: object[] };
  expect(back).toMatchObject([{ deployment: 'chat', failure: null }]);
  expect(seen().text).toBe(template);
  expect((await fetch(`http://127.0.0.1:${port}/health`)).ok).toBe(true);
});

test('an engine to which there is no way back is not stopped for it', async () => {
  const [port = 0] = await freePorts(1);
  fleet(
    `{kind: vllm, binary: ${engine()}, chatTemplate: ./chat.jinja, startTimeout: 60s}`,
    `, port: ${port}`,
  );
  for (const text of ['one\n', 'two\n']) {
    place.write(text, 'chat.jinja');
    expect((await place.berth('apply')).code).toBe(0);
  }
  const state = join(place.folder, 'state/state/lab-k3x9');
  for (const folder of ['given', 'secrets']) rmSync(join(state, folder), { recursive: true });
  // Where root's processes have it too.
  rmSync('/run/berth/ran/lab-k3x9', { recursive: true, force: true });
  const before = await pidAt(port);
  const back = await place.berth('rollback', 'chat');
  expect(back.stdout + back.stderr).toContain('no longer holds what the engine is to be given');
  expect(back.code).not.toBe(0);
  expect(back.stdout).not.toContain('Stopping');
  expect(await pidAt(port)).toBe(before);
});

async function pidAt(port: number): Promise<number> {
  const url = `http://127.0.0.1:${port}/v1/chat/completions`;
  const answer = await fetch(url, { method: 'POST', body: '{}' });
  return Number(/hello from (\d+)/.exec(await answer.text())?.[1]);
}

test('what was kept of a template goes with the last state that had it', async () => {
  fleet(`{kind: vllm, binary: ${engine()}, chatTemplate: ./chat.jinja, startTimeout: 60s}`);
  for (const text of ['one\n', 'two\n', 'three\n']) {
    place.write(text, 'chat.jinja');
    expect((await place.berth('apply')).code).toBe(0);
  }
  const kept = join(place.folder, 'state/state/lab-k3x9/given/chat-0');
  const texts = readdirSync(kept).map((name) => readFileSync(join(kept, name), 'utf8'));
  expect(texts.toSorted()).toEqual(['three\n', 'two\n']);
  // So do the files that its engines opened, and no secret does.
  const secrets = join(place.folder, 'state/state/lab-k3x9/secrets');
  place.write('a secret\n', 'state/state/lab-k3x9/secrets/chat-0-file-of-another-0-key');
  place.write('four\n', 'chat.jinja');
  expect((await place.berth('apply')).code).toBe(0);
  const opened = readdirSync(secrets).map((name) => readFileSync(join(secrets, name), 'utf8'));
  expect(opened.toSorted()).toEqual(['a secret\n', 'four\n', 'three\n']);
});

test('a path that begins with "/" is one of the host, and nothing is copied', async () => {
  const path = join(place.folder, 'chat.jinja');
  fleet(`{kind: vllm, binary: ${engine()}, chatTemplate: ${path}, startTimeout: 60s}`);
  expect((await place.berth('apply')).code).toBe(0);
  expect(seen()).toEqual({ path, text: template });
});

test('what is missing, no text, or too large for where it goes is told before anything is done', async () => {
  fleet('{kind: llama.cpp, chatTemplateFile: none.jinja}');
  expect(await said('render', '--format', 'kubernetes')).toContain(
    `The file ${join(place.folder, 'none.jinja')} does not exist.`,
  );
  fleet('{kind: vllm, chatTemplate: ./none.jinja}');
  expect(await said('render', '--format', 'kserve')).toContain('or pass it through args');
  fleet('{kind: llama.cpp, chatTemplateFile: chat.jinja}');
  writeFileSync(join(place.folder, 'chat.jinja'), Buffer.from([0x47, 0xff, 0xfe, 0x41]));
  expect(await said('render', '--format', 'kubernetes')).toContain('is no text in UTF-8');
  // A sign of four bytes that was cut has as many bytes as the sign that stands for what cannot be read.
  writeFileSync(join(place.folder, 'chat.jinja'), Buffer.from([0x47, 0xf0, 0x9f, 0x98]));
  expect(await said('render', '--format', 'kubernetes')).toContain('is no text in UTF-8');
  place.write('x'.repeat(1_000_001), 'chat.jinja');
  expect(await said('plan')).toContain('has 1000001 bytes, and 1000000 are the most');
});

test('rendered for a cluster it is a ConfigMap that the pods mount, by the rules of an API server', async () => {
  fleet('{kind: llama.cpp, chatTemplateFile: chat.jinja}', ', replicas: 2');
  const { stdout, code, stderr } = await place.berth('render', '--format', 'kubernetes');
  expect(code, stderr).toBe(0);
  const objects = parseAllDocuments(stdout).map((one) => one.toJS() as KubeObject);
  const maps = objects.filter(({ kind }) => kind === 'ConfigMap');
  expect(maps.map(({ metadata }) => metadata.name)).toEqual([
    expect.stringMatching(/^chat-files-[0-9a-f]{8}$/),
    expect.stringMatching(/^chat-1-files-[0-9a-f]{8}$/),
  ]);
  const [key = ''] = Object.keys(maps[0]?.['data'] as object);
  expect(maps[0]).toMatchObject({
    immutable: true,
    metadata: { labels: { 'berth.dev/fleet': 'lab', 'berth.dev/fleet-id': 'k3x9' } },
    data: { [key]: template },
  });
  const [deployment] = objects.filter(({ kind }) => kind === 'Deployment');
  if (!deployment) throw new Error('there is no Deployment');
  const { template: pod } = deployment['spec'] as {
    template: { spec: { containers: { args: string[] }[]; volumes: object[] } };
  };
  const { containers, volumes } = pod.spec;
  expect(containers[0]?.args).toContain(`/run/secrets/berth/${key}`);
  expect(volumes).toContainEqual({
    name: 'secrets',
    projected: {
      defaultMode: 0o440,
      sources: [{ configMap: { name: maps[0]?.metadata.name, items: [{ key, path: key, mode: 0o444 }] } }],
    },
  });
  expect(specsFolder === undefined ? [] : objects.flatMap(kubeFaults)).toEqual([]);

  // Another text is another ConfigMap, so that other pods come.
  place.write('another\n', 'chat.jinja');
  expect(await said('render', '--format', 'kubernetes')).not.toContain(maps[0]?.metadata.name);
});

test('InferenceServices, charts and kustomize trees have it too, and words of Helm in it stay as they are', async () => {
  fleet('{kind: vllm, chatTemplate: ./chat.jinja}', ', host: k, target: {kind: kserve}');
  const served = await said('render', '--format', 'kserve');
  const objects = parseAllDocuments(served).map((one) => one.toJS() as KubeObject);
  expect(objects.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['ConfigMap', 'InferenceService']));
  expect(specsFolder === undefined ? [] : objects.flatMap(kubeFaults)).toEqual([]);
  expect(served).toMatch(/--chat-template\n +- \/run\/secrets\/berth\/file-[0-9a-f]{8}-chat\.jinja/);
  fleet('{kind: llama.cpp, chatTemplateFile: chat.jinja}');
  const chart = await said('render', '--format', 'helm');
  expect(chart).toContain('{{ "{{" }} m.content }}');
  expect(await said('render', '--format', 'kustomize')).toContain('{{ m.content }}');
});

test('what KServe would take for templates of its own reaches the engine as it stands', async () => {
  const inline =
    "{{- '<b>' -}}{% for m in messages %}{{ m.content }}{{{ x }}}{{/* no */}}`{{`{{{{ '}}' }}{% endfor %} & \"{{.Name}}\"";
  const own = `{kind: vllm, chatTemplate: ${JSON.stringify(inline)}, env: {GREETING: "{{ .Name }}"}}`;
  const target = 'kind: kserve, image: "r/x:1", entrypoint: ["/bin/serve", "{{x"]';
  fleet(own, `, host: k, target: {${target}}`);
  const made = await filledIn();
  expect(made).toMatchObject({
    command: ['/bin/serve', '{{x'],
    args: expect.arrayContaining([inline]) as string[],
  });
  expect(made.env).toContainEqual({ name: 'GREETING', value: '{{ .Name }}' });
  // What a patch says is the user's own word to KServe.
  const patch = 'patch: {spec: {predictor: {model: {env: [{name: WHO, value: "{{ .Name }}"}]}}}}';
  fleet(own, `, host: k, target: {${target}, ${patch}}`);
  expect((await filledIn()).env).toEqual([{ name: 'WHO', value: 'chat' }]);
});

interface Container {
  readonly command: string[];
  readonly args: string[];
  readonly env: object[];
}

/** The container that KServe makes of what is rendered. */
async function filledIn(): Promise<Container> {
  const text = await said('render', '--format', 'kserve');
  const objects = parseAllDocuments(text).map((one) => one.toJS() as KubeObject);
  function specOf(of: string): Record<string, unknown> {
    return (objects.find(({ kind }) => kind === of)?.['spec'] ?? {}) as Record<string, unknown>;
  }
  const [runtime] = specOf('ServingRuntime')['containers'] as Container[];
  const { model } = specOf('InferenceService')['predictor'] as { model: Container };
  const meta = { Name: 'chat', Namespace: 'llm', Labels: {}, Annotations: {} };
  return filledByKserve({ command: runtime?.command ?? [], args: model.args, env: model.env }, meta);
}

test('rendered for machines it lies in the tree, where the engine reads it once that is copied, or as compose mounts it', async () => {
  fleet('{kind: llama.cpp, chatTemplateFile: chat.jinja}');
  const systemd = await written('systemd');
  const [unit = ''] = [...systemd.keys()].filter((path) => path.endsWith('.jinja'));
  expect(unit).toMatch(/^etc\/berth\/units\/berth-lab-chat\/file-[0-9a-f]{8}-chat\.jinja$/);
  expect(systemd.get(unit)).toBe(template);
  const text = systemd.get('etc/systemd/system/berth-lab-chat.service');
  expect(text).toMatch(/"--chat-template-file" "\$\{CREDENTIALS_DIRECTORY\}\/file-[0-9a-f]{8}-chat\.jinja/);
  expect(text).toContain(`:/${unit}`);

  const quadlet = await written('quadlet');
  expect(quadlet.get(unit)).toBe(template);
  expect(quadlet.get('etc/containers/systemd/berth-lab-chat.container')).toMatch(
    new RegExp(`^Volume=/${unit}:/run/secrets/\\S+:ro$`, 'm'),
  );

  const composed = await written('compose');
  const { secrets } = parse(composed.get('compose.yaml') ?? '') as {
    secrets: Record<string, { file: string }>;
  };
  const [{ file } = { file: '' }] = Object.values(secrets);
  expect(composed.get(file.replace(/^\.\//, ''))).toBe(template);
  // What is printed is one file.
  const printed = await place.berth('render', '--format', 'compose');
  expect(parseAllDocuments(printed.stdout)).toHaveLength(1);
});

/** What `render` writes, by its path below the folder. */
async function written(format: string, folder = ''): Promise<Map<string, string>> {
  const out = `${folder === '' ? 'here' : folder}-${format}`;
  const file = join(folder, 'berth.yaml');
  const ran = await place.berth('render', '--file', file, '--format', format, '--out', out);
  expect(ran.code, ran.stderr).toBe(0);
  expect(ran.stderr).not.toContain(place.folder);
  const below = join(place.folder, out);
  const names = readdirSync(below, { recursive: true, withFileTypes: true });
  return new Map(
    names.flatMap((one) => {
      const path = join(one.parentPath, one.name);
      return one.isFile() ? [[path.slice(below.length + 1), readFileSync(path, 'utf8')] as const] : [];
    }),
  );
}

/** The same fleet in a folder beside, as another clone has it. */
function clone(): void {
  mkdirSync(join(place.folder, 'clone'), { recursive: true });
  for (const name of ['chat.jinja', 'berth.yaml'])
    place.write(readFileSync(join(place.folder, name), 'utf8'), `clone/${name}`);
}

test('rendered from another clone every file is the same, and tells nothing of where the clone lies', async () => {
  fleet('{kind: llama.cpp, chatTemplateFile: chat.jinja, env: {SEARCH: "file:///opt/x"}}');
  clone();
  for (const format of ['kubernetes', 'systemd', 'quadlet', 'compose']) {
    const here = await written(format);
    expect(here, format).toEqual(await written(format, 'clone'));
    const text = [...here.values()].join('\n');
    expect(text, format).not.toContain(place.folder);
    expect(text, format).toContain('file:///opt/x');
    expect(text, format).not.toMatch(/\.\.\/opt\/x/);
  }
});

test('who restarts it from another clone brings nothing new, and rollback goes past that', async () => {
  fleet(`{kind: vllm, binary: ${engine()}, chatTemplate: ./chat.jinja, startTimeout: 60s}`);
  for (const text of ['one\n', 'two\n']) {
    place.write(text, 'chat.jinja');
    expect((await place.berth('apply')).code).toBe(0);
  }
  clone();
  expect((await place.berth('apply', '--file', 'clone/berth.yaml', '--restart', 'chat')).code).toBe(0);
  const back = await place.berth('rollback', 'chat');
  expect(back.code, back.stdout + back.stderr).toBe(0);
  expect(seen().text).toBe('one\n');
});

test('a list of models that holds a key is not given, since others could read it', async () => {
  place.write('[m]\nmodel = /srv/m.gguf\napi-key = abc\n', 'chat.jinja');
  fleet('{kind: llama.cpp, chatTemplateFile: chat.jinja}');
  expect(await said('render', '--format', 'kubernetes')).toContain('has a secret in line 3');
});

test('two clones of one repository have the same engine: where the file lies is no difference', async () => {
  const program = engine();
  fleet(`{kind: vllm, binary: ${program}, chatTemplate: ./chat.jinja, startTimeout: 60s}`);
  expect((await place.berth('apply')).code).toBe(0);
  mkdirSync(join(place.folder, 'clone'));
  place.write(template, 'clone/chat.jinja');
  place.write(readFileSync(join(place.folder, 'berth.yaml'), 'utf8'), 'clone/berth.yaml');
  const other = await place.berth('plan', '--file', 'clone/berth.yaml', '--json');
  expect(other.code, other.stderr).toBe(0);
  const plan = other.json() as { actions: { do: string }[]; findings: { rule: string }[] };
  expect(plan.actions.map((one) => one.do)).toEqual(['keep']);
  expect(plan.findings.map(({ rule }) => rule)).not.toContain('rendered-otherwise');
});
