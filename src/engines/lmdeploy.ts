import { recognizeForeign } from '../domain/command-line/foreign-server.ts';
import type { Engine } from './contract.ts';

/** LMDeploy's server. */
export const lmdeploy = {
  kind: 'lmdeploy',
  title: 'LMDeploy',
  paths: ['/v1/models', '/v1/completions', '/v1/chat/completions'],
  options: null,
  recognize: (facts) =>
    recognizeForeign(facts, {
      engine: 'lmdeploy',
      argsOf: ({ program, args }) => {
        if (program === 'lmdeploy.serve.openai.api_server') return args;
        return program === 'lmdeploy' && args[0] === 'serve' && args[1] === 'api_server'
          ? args.slice(2)
          : null;
      },
      model: ['--model-path'],
      modelFirst: true,
      host: ['--server-name'],
      port: ['--server-port'],
      key: ['--api-keys'],
      options: { context: ['--session-len'], tensorParallel: ['--tp'] },
    }),
} as const satisfies Engine<'lmdeploy'>;
