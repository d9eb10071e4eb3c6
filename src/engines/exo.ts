import { recognizeForeign } from '../domain/command-line/foreign-server.ts';
import type { Unwrapped } from '../domain/command-line/unwrap.ts';
import type { Engine } from './contract.ts';

/** exo: machines that serve a model together; each of them is a door. Which model it serves stands in no command line. */
export const exo = {
  kind: 'exo',
  title: 'exo',
  paths: ['/v1/models', '/v1/chat/completions'],
  options: null,
  recognize: (facts) =>
    recognizeForeign(facts, {
      engine: 'exo',
      argsOf,
      model: ['--default-model'],
      host: [],
      port: ['--api-port', '--chatgpt-api-port'],
      usualPort: 52_415,
      key: [],
      options: {},
    }),
} as const satisfies Engine<'exo'>;

/** Its commands (`exo run MODEL`, `exo eval`) compute and end; another program of this name has words of its own behind it. */
function argsOf({ program, args }: Unwrapped): readonly string[] | null {
  if (!/^exo(\.main)?$/.test(program)) return null;
  return args.every((word, at) => word.startsWith('-') || args[at - 1]?.startsWith('-')) ? args : null;
}
