import { z } from 'zod';
import { answerAt, VersionAnswer } from '../domain/server-answers.ts';
import type { Answers, Identity } from '../domain/server-answers.ts';
import { flagNumber, flagValue, hasFlag, toNumber } from '../domain/command-line/flags.ts';
import { unwrap } from '../domain/command-line/unwrap.ts';
import type { ProcessFacts, Recognized } from '../domain/process-facts.ts';
import type { Engine } from './contract.ts';

/** Text Generation Inference: a launcher that starts a router, which holds the port, and a model server per shard. */
export const tgi = {
  kind: 'tgi',
  title: 'Text Generation Inference',
  paths: ['/v1/models', '/v1/completions', '/v1/chat/completions'],
  options: null,
  recognize,
  identify: { paths: ['/info'], read: identify },
} as const satisfies Engine<'tgi'>;

function recognize(facts: ProcessFacts): Recognized | null {
  for (const { program, args, env } of unwrap(facts.argv)) {
    if (hasFlag(args, '--help', '-h', '--version', '-V')) continue;
    const all = { ...facts.env, ...env };
    if (program === 'text-generation-launcher' || program === 'tgi-entrypoint.sh') {
      return server(flagValue(args, '--model-id') ?? all['MODEL_ID'] ?? null, args, all);
    }
    // Backends of their own make routers of their own, which need no launcher.
    if (/^text-generation-router(-\w+)?$/.test(program)) {
      const model = flagValue(args, '--model-id');
      return { ...server(model, args, {}), child: model === null };
    }
    if (program === 'text-generation-server' && args[0] === 'serve') {
      return { ...server(args[1] ?? null, [], {}), child: true };
    }
  }
  return null;
}

function server(
  model: string | null,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Recognized {
  const shards = flagNumber(args, '--num-shard') ?? toNumber(env['NUM_SHARD']);
  return {
    engine: 'tgi',
    model,
    host: flagValue(args, '--hostname') ?? env['HOSTNAME'] ?? null,
    port: flagNumber(args, '--port', '-p') ?? toNumber(env['PORT']),
    options: shards === null || shards < 2 ? {} : { tensorParallel: shards },
    child: false,
    keyed: hasFlag(args, '--api-key') || Boolean(env['API_KEY']),
  };
}

const Info = VersionAnswer.extend({ model_id: z.string() });

function identify(answers: Answers): Identity | null {
  const info = answerAt(answers, '/info', Info);
  return info && { version: info.version, modelPath: null, served: [info.model_id] };
}
