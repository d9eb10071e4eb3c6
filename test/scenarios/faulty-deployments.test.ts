import { createServer } from 'node:http';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { makePlace } from '../support/berth.ts';

vi.setConfig({ testTimeout: 120_000 });

/** So long is the help page of a server, and no error text. */
const others = Array.from({ length: 30 }, (_, at) => `echo '--flag-${at} N    what it does'`);

test('flags that engines do not know and targets that cannot run an engine are told together', async () => {
  const place = makePlace();
  // A daemon that runs no containers.
  const daemon = createServer((request, response) => {
    const isList = request.url?.includes('/containers/json');
    response.writeHead(200, { 'content-type': 'application/json' }).end(isList ? '[]' : '{}');
  });
  const socket = join(place.folder, 'd.sock');
  await new Promise<void>((done) => daemon.listen(socket, done));
  place.env['DOCKER_HOST'] = `unix://${socket}`;
  onTestFinished(async () => {
    await place.close();
    daemon.close();
    daemon.closeAllConnections();
  });
  const program = join(place.folder, 'llama-server');
  const own = 'model alias host port parallel n-gpu-layers metrics threads'.split(' ');
  const known = own.map((flag) => `echo '--${flag} N    what it does'`);
  writeFileSync(program, ['#!/bin/sh', ...others, ...known].join('\n'));
  chmodSync(program, 0o755);
  function deployment(name: string, args: string, target = ''): string {
    return `  ${name}: {model: m, ${target}engine: {kind: llama.cpp, binary: ${program}, args: [${args}]}}`;
  }
  function write(...lines: string[]): void {
    const models = 'models: {m: {source: ./m.gguf}}';
    place.write(['version: 1', 'fleet: lab', models, 'deployments:', ...lines].join('\n'));
  }
  const boxed =
    '  boxed: {engine: {kind: command, command: [serve, "{port}"]}, target: {kind: docker, entrypoint: [serve]}}';
  write(deployment('a', '--flagg-1'), deployment('b', '--nonsense'), boxed);
  const several = await place.berth('plan');
  expect(several.code).toBe(2);
  expect(several.stderr).toContain('3 deployments cannot be started as the file has them:');
  expect(several.stderr).toMatch(/a: .*does not know .*--flagg-1/);
  expect(several.stderr).toMatch(/b: .*does not know .*--nonsense/);
  expect(several.stderr).toContain('boxed: The target docker cannot run boxed');
  expect(several.stderr).toContain('did you mean --flag-1?');

  // What is found of one without such a fault is told with it, as that its program is not there.
  write('  c: {engine: {kind: command, command: [/nowhere/serve, "{port}"]}}', boxed);
  const both = await place.berth('plan');
  expect([both.code, both.stderr]).toEqual([2, expect.stringContaining('2 deployments cannot be started')]);
  expect(both.stderr).toMatch(/c: .*\/nowhere\/serve/);

  write(boxed);
  const one = await place.berth('plan');
  expect([one.code, one.stderr]).toEqual([2, expect.stringContaining('The target docker cannot run boxed')]);
});
