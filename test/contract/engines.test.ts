import { describe, expect, test } from 'vitest';
import { endpoints } from '../../src/domain/endpoints.ts';
import { fillArgs } from '../../src/domain/fill-args.ts';
import { LaunchSpec } from '../../src/domain/launch-spec.ts';
import type { Hole } from '../../src/domain/launch-spec.ts';
import type { ProcessFacts } from '../../src/domain/process-facts.ts';
import { programPath } from '../../src/io/program.ts';
import { engineOf, enginePaths, engines, recognize } from '../../src/engines/registry.ts';
import { commandLines, otherCommandLines } from './command-lines.ts';
import { lessKnownLines } from './less-known-lines.ts';
import { lookalikeLines } from './lookalike-lines.ts';
import { oddLines } from './odd-lines.ts';
import { postedLines } from './posted-lines.ts';
import { realLines } from './real-lines.ts';
import { wordsOf } from './words-of.ts';
import { wrappedLines } from './wrapped-lines.ts';

/** The least that a fleet file may say of each engine. */
const least: Readonly<Record<string, Record<string, unknown>>> = {
  'llama-router': { modelsDir: '/m' },
  openai: { url: 'https://api.example.com/v1/' },
  command: { command: ['/opt/server', '--listen', '{host}:{port}', '--model', '{model}'] },
};

const kinds = engines.map((engine) => engine.kind);

function processOf(argv: readonly string[], env: Record<string, string> | null = null): ProcessFacts {
  return { pid: 100, ppid: 1, argv, exe: null, env, cwd: '/' };
}

function parse(kind: string, given: Record<string, unknown> = least[kind] ?? {}): { kind: string } | null {
  return engineOf(kind).options?.parse({ kind, ...given }) ?? null;
}

function fill(hole: Hole): string {
  if (hole.hole === 'file') return hole.path;
  const filled = { model: '/m/x.gguf', mmproj: '/m/mm.gguf', host: '127.0.0.1', port: '18400' };
  return hole.hole === 'secret' || hole.hole === 'cache' ? `/run/${hole.name}` : filled[hole.hole];
}

function launchOf(kind: string): LaunchSpec {
  const engine = engineOf(kind);
  const options = parse(kind);
  if (!engine.launch || !options) throw new Error(`${kind} launches nothing`);
  const key = { env: 'ENGINE_KEY' };
  return engine.launch({
    deployment: 'd',
    options,
    model: '/m/x.gguf',
    mmproj: null,
    gpus: 0,
    cores: 4,
    key,
  });
}

test.each(kinds)('%s has a title, and only endpoints that the gateway forwards', (kind) => {
  const engine = engineOf(kind);
  expect(engine.title).not.toBe('');
  const known = ['/v1/models', ...endpoints.map(({ path }) => path)];
  expect(engine.paths.filter((path) => !known.includes(path))).toEqual([]);
});

test.each(['openai', 'command'])(
  '%s has the endpoints that the fleet file says, and no made-up ones',
  (kind) => {
    const said = parse(kind, { ...least[kind], endpoints: ['/v1/responses', '/rerank'] });
    expect(said && enginePaths(said)).toEqual(['/v1/responses', '/rerank']);
    expect(enginePaths({ ...parse(kind), kind })).toEqual([]);
    const made = engineOf(kind).options?.safeParse({ kind, ...least[kind], endpoints: ['/v1/made-up'] });
    expect(made?.success).toBe(false);
  },
);

test.each(kinds.filter((kind) => engineOf(kind).options))('%s refuses keys that it does not know', (kind) => {
  const issues = engineOf(kind).options?.safeParse({ kind, ...least[kind], bogus: 1 }).error?.issues ?? [];
  expect(issues.some((issue) => issue.code === 'unrecognized_keys')).toBe(true);
});

const launching = kinds.filter((kind) => engineOf(kind).launch);

test.each(launching)('%s writes a launch spec of plain data, with every secret by reference', (kind) => {
  const spec = launchOf(kind);
  expect(LaunchSpec.parse(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
  expect(spec.engine).toBe(kind);
  expect(spec.secrets).toEqual({ key: { env: 'ENGINE_KEY' } });
  expect(spec.args.some((arg) => JSON.stringify(arg).includes('"port"'))).toBe(true);
});

const recognising = kinds.filter((kind) => engineOf(kind).recognize);

test.each(launching.filter((kind) => recognising.includes(kind)))(
  '%s is known again once launched',
  (kind) => {
    const spec = launchOf(kind);
    const front = spec.program.entry
      ? [process.execPath, programPath(spec.program.entry)]
      : [spec.program.binary ?? ''];
    const found = recognize(processOf([...front, ...fillArgs(spec.args, fill)]));
    const model = engineOf(kind).needsModel ? '/m/x.gguf' : null;
    const place = { engine: kind, model, host: '127.0.0.1', port: 18400, child: false };
    expect(found).toMatchObject(place);
    const stated = parse(kind) as Record<string, unknown>;
    const readBack = Object.keys(found?.options ?? {}).filter(
      (name) => stated[name] !== undefined && name !== 'args',
    );
    expect(pick(found?.options ?? {}, readBack)).toEqual(pick(stated, readBack));
  },
);

function pick(from: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, from[name]]));
}

describe.each(recognising)('the engine %s', (kind) => {
  const lines = [commandLines, realLines, oddLines, lessKnownLines].flatMap((table) => table[kind] ?? []);

  test('has command lines in test/contract/command-lines.ts', () => {
    expect(lines.length).toBeGreaterThan(0);
  });

  test.each(lines)('is known by "$argv", and no other engine claims that', ({ argv, env, is }) => {
    const facts = processOf(argv, env ?? null);
    expect(engineOf(kind).recognize?.(facts)).toMatchObject(is);
    expect(recognising.filter((other) => engineOf(other).recognize?.(facts))).toEqual([kind]);
  });
});

test.each(otherCommandLines.map((argv) => [argv.join(' '), argv] as const))(
  '"%s" is no model server',
  (_, argv) => {
    expect(recognize(processOf(argv))).toBeNull();
  },
);

const allPosted = [...postedLines, ...wrappedLines].map(([line, is, env]) => ({ line, is, env }));

test.each(allPosted)('"$line" is a model server of one engine alone', ({ line, is, env }) => {
  const facts = processOf(wordsOf(line), env ?? null);
  expect(recognize(facts)).toMatchObject(is);
  expect(recognising.filter((kind) => engineOf(kind).recognize?.(facts))).toHaveLength(1);
});

test.each(lookalikeLines)('"%s" serves no model', (line) => {
  expect(recognize(processOf(wordsOf(line)))).toBeNull();
});

test('what an openai deployment names is reached, never launched', () => {
  const engine = engineOf('openai');
  const options = parse('openai', {
    url: 'http://box:8000/v1',
    key: '${env:K}',
    servedModel: 'm',
    slots: 4,
  });
  expect(options && engine.external?.(options)).toEqual({
    url: 'http://box:8000',
    key: { env: 'K' },
    servedModel: 'm',
    slots: 4,
    healthPath: null,
    metricsPath: null,
    caFile: null,
  });
  expect(() => parse('openai', { url: 'ftp://box' })).toThrow('Invalid URL');
});

test('a command has its holes filled, in arguments and variables', () => {
  const options = parse('command', {
    command: ['./serve', '--at=http://{host}:{port}/x', '{model}', '{other}', '{"json": 1}'],
    env: { PORT: '{port}', HOME: '{cache}' },
    workdir: '/srv',
  });
  const spec =
    options &&
    engineOf('command').launch?.({
      deployment: 'd',
      options,
      model: '/m/x.gguf',
      mmproj: null,
      gpus: 0,
      cores: null,
      key: null,
    });
  expect(spec && fillArgs(spec.args, fill)).toEqual([
    '--at=http://127.0.0.1:18400/x',
    '/m/x.gguf',
    '{other}',
    '{"json": 1}',
  ]);
  expect(spec).toMatchObject({ env: { PORT: { hole: 'port' } }, workdir: '/srv', writable: ['cache'] });
});

test('an engine that does not exist is refused with the list of those that do', () => {
  expect(() => engineOf('gpt')).toThrow('There is no engine named gpt.');
});
