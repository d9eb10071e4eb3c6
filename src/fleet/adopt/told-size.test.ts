import { describe, expect, test } from 'vitest';
import type { ScannedServer } from '../../domain/scan-report.ts';
import { launch } from '../../engines/llama-cpp/launch.ts';
import { LlamaCppOptions } from '../../engines/llama-cpp/options.ts';
import { recognize } from '../../engines/llama-cpp/recognize.ts';
import { optionsOf } from './entries.ts';

const trained = 40_960;

function padded(tokens: number): number {
  return Math.ceil(tokens / 256) * 256;
}

/** What a llama-server makes of its command line: what it tells, and the tokens that its caches hold. */
function llamaServer(argv: readonly string[]): { slots: number; context: number; cells: number } {
  function valueOf(flag: string, long: string): number | null {
    const at = argv.findIndex((word) => word === flag || word === long);
    return at < 0 ? null : Number(argv[at + 1]);
  }
  const asked = valueOf('-np', '--parallel') ?? -1;
  const slots = asked < 1 ? 4 : asked;
  const unified = asked < 1 || argv.includes('-kvu') || argv.includes('--kv-unified');
  const total = padded(valueOf('-c', '--ctx-size') || trained);
  const each = unified ? total : padded(Math.floor(total / slots));
  return { slots, context: Math.min(each, trained), cells: unified ? total : each * slots };
}

const process = { pid: 1, ppid: 0, exe: null, cwd: '/', env: {} };

function adopted(argv: readonly string[]): LlamaCppOptions {
  const recognized = recognize({ ...process, argv });
  const { slots, context } = llamaServer(argv);
  const server = {
    ...recognized,
    served: [],
    told: { slots, context, tokens: null },
  } as unknown as ScannedServer;
  return LlamaCppOptions.parse(optionsOf(server, '/'));
}

function startOf(options: LlamaCppOptions): string[] {
  const input = { deployment: 'x', model: '/m/x.gguf', mmproj: null, gpus: 0, cores: 2, key: null };
  const { args } = launch({ ...input, options });
  return ['llama-server', ...args.map((word) => (typeof word === 'string' ? word : '/m/x.gguf'))];
}

describe('a llama-server that was adopted starts with the slots and the memory that it had', () => {
  const grid = ['', '-c 0', '-c 4096', '-c 5000', '-c 32768', '-c 131072'].flatMap((context) =>
    ['', '-np -1', '-np 1', '-np 3', '-np 4'].flatMap((slots) =>
      ['', '-kvu'].map((unified) => [context, slots, unified].filter(Boolean).join(' ')),
    ),
  );
  test.each(grid)('llama-server %s', (flags) => {
    const argv = ['llama-server', '-m', '/m/x.gguf', ...flags.split(' ').filter(Boolean)];
    const options = adopted(argv);
    const [before, after] = [llamaServer(argv), llamaServer(startOf(options))];
    expect(after.slots).toBe(before.slots);
    expect(after.context).toBe(before.context);
    // Caches of their own that no request can fill, as the model was trained for less, may shrink.
    const cells =
      before.context < trained || options.kvUnified === true ? before.cells : before.slots * trained;
    expect(after.cells).toBe(cells);
  });

  test('what such a start is read back as is what was written', () => {
    for (const flags of grid) {
      const options = adopted(['llama-server', '-m', '/m/x.gguf', ...flags.split(' ').filter(Boolean)]);
      const { slots, context, kvUnified } = recognize({ ...process, argv: startOf(options) })?.options ?? {};
      expect({ slots, context, kvUnified }).toEqual({
        slots: options.slots,
        context: options.context,
        kvUnified: options.kvUnified,
      });
    }
  });
});

test('slots that share one cache say so, and those with caches of their own do not', () => {
  const start = ['llama-server', '-m', '/m/x.gguf', '-c', '32768'];
  expect(adopted(start)).toMatchObject({ slots: 4, context: 8192, kvUnified: true });
  expect(adopted([...start, '-np', '4', '-kvu'])).toMatchObject({ slots: 4, context: 8192, kvUnified: true });
  const apart = adopted([...start, '-np', '4']);
  expect(apart).toMatchObject({ slots: 4, context: 8192 });
  expect(apart.kvUnified).toBeUndefined();
});
