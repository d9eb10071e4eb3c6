import { recognizeForeign } from '../domain/command-line/foreign-server.ts';
import type { Unwrapped } from '../domain/command-line/unwrap.ts';
import type { Engine } from './contract.ts';

/** Jan, the desktop program, and Cortex, the server that it had. Its models run as processes of llama-server. */
export const jan = {
  kind: 'jan',
  title: 'Jan',
  paths: ['/v1/models', '/v1/chat/completions'],
  options: null,
  recognize: (facts) =>
    recognizeForeign(facts, {
      engine: 'jan',
      argsOf,
      model: ['--model'],
      modelFirst: true,
      host: ['--host', '--address'],
      port: ['--port', '-p'],
      key: ['--api-key'],
      options: {},
    }),
} as const satisfies Engine<'jan'>;

function argsOf({ program, path, args }: Unwrapped): readonly string[] | null {
  if (/^cortex-server(-(beta|nightly))?$/.test(program)) return args;
  if (/^jan(-cli)?$/.test(program) && args[0] === 'serve') return args.slice(1);
  if (/^cortex(-(beta|nightly))?$/.test(program) && args[0] === 'start') return args.slice(1);
  const desktop =
    /^Jan([-_][\w.-]+\.AppImage)?$/.test(program) ||
    (program === 'jan' && /(^|\/)((\.mount_)?Jan[^/]*|jan)\/jan$|^\/usr\/bin\/jan$/.test(path));
  return desktop && !args.some((word) => word.startsWith('--type=')) ? [] : null;
}
