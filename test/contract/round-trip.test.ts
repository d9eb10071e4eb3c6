import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { fillArgs } from '../../src/domain/fill-args.ts';
import type { Hole, LaunchSpec } from '../../src/domain/launch-spec.ts';
import type { Recognized } from '../../src/domain/process-facts.ts';
import { engineOf, engines, recognize } from '../../src/engines/registry.ts';
import { programPath } from '../../src/io/program.ts';
import { drawFrom } from './draw.ts';
import type { Draw } from './draw.ts';
import { foreignArgs, madeUpOptions, unknownFlags } from './engine-options.ts';

const rounds = 500;
const kinds = engines
  .map((engine) => engine.kind)
  .filter((kind) => engineOf(kind).launch && engineOf(kind).recognize);

test('every engine that is launched and recognised has made-up options', () => {
  expect(Object.keys(madeUpOptions).toSorted()).toEqual(kinds.toSorted());
});

describe.each(kinds)('the engine %s', (kind) => {
  const made = madeUpOptions[kind];
  if (!made) return;

  test('has every one of its options made up here, but for those that no command line shows', () => {
    const keys = Object.keys((engineOf(kind).options as unknown as z.ZodObject).shape);
    const known = [...Object.keys(made.make(drawFrom(1))), ...made.unseen];
    expect(keys.filter((key) => !known.includes(key))).toEqual([]);
  });

  test('reads back every command line that it writes', () => {
    const draw = drawFrom(20_26);
    for (let round = 0; round < rounds; round += 1) expectSame(kind, someOf(kind, draw), draw);
    expect.hasAssertions();
  });
});

test.each([
  ['llama.cpp', 'hf://o/n-GGUF/deep/f.gguf', 'hf://o/n-GGUF/deep/f.gguf', {}],
  ['llama.cpp', 'hf://o/n-GGUF:Q8_0', 'o/n-GGUF:Q8_0', {}],
  ['vllm', 'hf://o/n@refs%2Fpr%2F7', 'o/n', { revision: 'refs/pr/7' }],
])('%s reads back what it fetches itself: %s', (kind, source, model, options) => {
  const place = { gpus: 0, key: null, mmproj: null };
  const words = argvOf(kind, {}, { ...place, model: source });
  const found = recognize({ pid: 1, ppid: 0, argv: words, exe: null, env: null, cwd: null }) as Recognized;
  expect(found).toMatchObject({ engine: kind, model, options: { ...options, args: [] } });
  const again = model.startsWith('hf://') ? model : `hf://${model}`;
  expect(argvOf(kind, { ...found.options }, { ...place, model: again })).toEqual(words);
});

/** About half of the options, and for engines that take them some flags of the user's own. */
function someOf(kind: string, draw: Draw): Record<string, unknown> {
  const all = madeUpOptions[kind]?.make(draw) ?? {};
  const chosen = Object.fromEntries(Object.entries(all).filter(() => draw.chance() < 0.5));
  if (kind === 'llama-router' && !chosen['modelsDir']) chosen['modelsPreset'] = all['modelsPreset'];
  const takesArgs = Object.hasOwn((engineOf(kind).options as unknown as z.ZodObject).shape, 'args');
  const args = draw.chance() < 0.5 ? draw.one(foreignArgs) : unknownFlags(draw);
  return takesArgs ? { ...chosen, args: [...args] } : chosen;
}

function expectSame(kind: string, given: Record<string, unknown>, draw: Draw): void {
  const place = {
    gpus: draw.one([0, 0, 1, 4]),
    key: draw.one([null, { env: 'KEY' }]),
    mmproj: kind === 'llama.cpp' ? draw.one([null, '/m/mm.gguf']) : null,
  };
  const model = kind === 'llama-router' ? null : draw.one(['/m/x.gguf', '/m/with space/x.gguf']);
  const words = argvOf(kind, given, { ...place, model });
  const found = recognize({ pid: 1, ppid: 0, argv: words, exe: null, env: null, cwd: null }) as Recognized;
  expect(found).toMatchObject({ engine: kind, model, host: '127.0.0.1', port: 18400, child: false });
  // What the file states comes back as the file states it, unknown flags verbatim and in order.
  expect(pick(found.options, Object.keys(given))).toEqual(given);
  // What berth filled in comes back as well: launched from what was read, the command line is the same.
  expect(argvOf(kind, { ...found.options }, { ...place, model })).toEqual(words);
}

interface Place {
  readonly gpus: number;
  readonly key: { env: string } | null;
  readonly mmproj: string | null;
  readonly model: string | null;
}

function argvOf(kind: string, given: Record<string, unknown>, place: Place): string[] {
  const engine = engineOf(kind);
  const options = engine.options?.parse({ kind, ...given });
  const spec = engine.launch?.({
    deployment: 'd',
    options: options as never,
    cores: null,
    ...place,
  }) as LaunchSpec;
  const front = spec.program.entry
    ? [process.execPath, programPath(spec.program.entry)]
    : [spec.program.binary ?? ''];
  function fill(hole: Hole): string {
    if (hole.hole === 'file') return hole.path;
    if (hole.hole === 'secret' || hole.hole === 'cache') return `/run/${hole.name}`;
    return { model: place.model ?? '', mmproj: place.mmproj ?? '', host: '127.0.0.1', port: '18400' }[
      hole.hole
    ];
  }
  return [...front, ...fillArgs(spec.args, fill)];
}

function pick(from: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    names.filter((name) => from[name] !== undefined).map((name) => [name, from[name]]),
  );
}
