import { expect, test } from 'vitest';
import { fleetFindings } from '../../../test/support/fleet-faults.ts';

async function told(words: string, target = 'kind: docker', host = 'here'): Promise<string[]> {
  return toldOf(`kind: llama.cpp, args: [${words}]`, target, host);
}

async function toldOf(engine: string, target: string, host: string): Promise<string[]> {
  const findings = await fleetFindings(`version: 1
fleet: lab
hosts: {k: {kubernetes: {context: k}}, there: {ssh: a@b}, here: {}}
models: {m: {source: /m/m.gguf}}
deployments: {a: {model: m, host: ${host}, engine: {${engine}}, target: {${target}}}}`);
  return findings
    .filter(({ rule }) => rule === 'file-not-given')
    .map(({ severity, evidence, message, cure }) => {
      expect([severity, message]).toEqual(['warning', expect.stringContaining('berth does not give it')]);
      return `${evidence.join(', ')}. ${cure}`;
    });
}

test('files in words are told where an image, a cluster or another machine has none of them', async () => {
  const words = '--grammar-file, ./own.gbnf, --ssl-key-file=/srv/tls/k.pem, --no-perf';
  expect(await told(words)).toEqual([
    expect.stringMatching(
      /^--grammar-file \.\/own\.gbnf, --ssl-key-file \/srv\/tls\/k\.pem\. .*target\.hostConfig\.Binds/,
    ),
  ]);
  expect(await told(words, 'kind: kubernetes, image: "e:1"', 'k')).toEqual([
    expect.stringContaining('(target.patch)'),
  ]);
  expect(await told(words, 'kind: systemd, container: {image: "e:1"}')).toEqual([
    expect.stringContaining('(target.unit)'),
  ]);
  for (const kind of ['process', 'systemd']) {
    expect(await told(words, `kind: ${kind}`)).toEqual([]);
    expect(await told(words, `kind: ${kind}`, 'there')).toEqual([
      expect.stringMatching(/^--grammar-file \.\/own\.gbnf\. .*write its whole path/),
    ]);
  }
});

test('what a mount or an image is meant to have, and what is no file, is no matter', async () => {
  expect(
    await told('--grammar-file, /g/own.gbnf', 'kind: docker, hostConfig: {Binds: ["/srv:/g:ro"]}'),
  ).toEqual([]);
  expect(await told('--grammar-file, examples/own.gbnf, --api-prefix, /v2, --slot-save-path, /tmp')).toEqual(
    [],
  );
  expect(
    await told('--chat-template-kwargs, "{a: /b.c}", --rpc, "box:50052", --override-kv, lab/toy'),
  ).toEqual([]);
  const command = 'kind: command, command: [/lib/ld.so, --library-path, /lib/x, serve, --tokens, ./own.json]';
  expect(await toldOf(command, 'kind: docker, image: "e:1", entrypoint: [sh]', 'here')).toEqual([
    expect.stringMatching(/^--tokens \.\/own\.json\. /),
  ]);
});
