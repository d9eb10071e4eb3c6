import { z } from 'zod';
import { answerAt, VersionAnswer } from '../domain/server-answers.ts';
import type { Answers, Identity } from '../domain/server-answers.ts';
import { flagNumber, flagValue, hasFlag, parseHostPort } from '../domain/command-line/flags.ts';
import { unwrap } from '../domain/command-line/unwrap.ts';
import type { ProcessFacts, Recognized } from '../domain/process-facts.ts';
import type { Engine } from './contract.ts';
import { meantVariable } from './ollama/variables.ts';

/** Ollama: one daemon that starts a runner per loaded model. */
export const ollama = {
  kind: 'ollama',
  title: 'Ollama',
  paths: [
    '/v1/models',
    '/v1/completions',
    '/v1/chat/completions',
    '/v1/embeddings',
    '/v1/responses',
    '/v1/messages',
  ],
  options: null,
  recognize,
  meantVariable,
  identify: { paths: ['/api/version', '/api/ps'], read: identify },
} as const satisfies Engine<'ollama'>;

/** `ollama run`, `ollama pull` and the like are clients of the daemon, no servers. */
function recognize(facts: ProcessFacts): Recognized | null {
  for (const { program, args, env } of unwrap(facts.argv)) {
    const own = /^ollama(-linux-\w+)?$/.test(program);
    const isRunner = (own && args[0] === 'runner') || program === 'ollama_llama_server';
    if (isRunner) return runner(args);
    if (own && (args[0] === 'serve' || args[0] === 'start') && !hasFlag(args, '--help', '-h')) {
      const { host, port } = hostOf({ ...facts.env, ...env }['OLLAMA_HOST'] ?? '');
      return { engine: 'ollama', model: null, host, port, options: {}, child: false, keyed: false };
    }
  }
  return null;
}

/** Blanks and quotes around it count for nothing; with a scheme, the usual port is that of the scheme. */
function hostOf(given: string): { host: string | null; port: number | null } {
  const bare = given.trim().replace(/^["']+|["']+$/g, '');
  const { host: named, port } = parseHostPort(bare);
  // A port alone (":11434") is one of all addresses.
  const host = named ?? (/^(\w+:\/\/)?:/.test(bare) ? '0.0.0.0' : null);
  const schemePort = bare.startsWith('https://') ? 443 : bare.startsWith('http://') ? 80 : null;
  return { host, port: port ?? schemePort };
}

function runner(args: readonly string[]): Recognized {
  return {
    engine: 'ollama',
    model: flagValue(args, '--model', '-model'),
    host: null,
    port: flagNumber(args, '--port', '-port'),
    options: {},
    child: true,
  };
}

const Running = z.object({ models: z.array(z.object({ name: z.string() })) });

/** Its /v1/models lists what lies on the disk; only /api/ps tells what is loaded. /api/version alone has many a program. */
function identify(answers: Answers): Identity | null {
  const version = answerAt(answers, '/api/version', VersionAnswer)?.version;
  const running = answerAt(answers, '/api/ps', Running);
  if (version === undefined || !running) return null;
  return { version, modelPath: null, served: running.models.map((model) => model.name) };
}
