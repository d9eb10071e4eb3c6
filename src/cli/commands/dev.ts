import { resolve } from 'node:path';
import type { Command } from 'commander';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { makeModel, modelShapes } from '../../model-files/make-model.ts';
import type { ModelSize, WeightType } from '../../model-files/make-model.ts';
import type { CliContext } from '../context.ts';

export const examples = [
  [
    'berth dev make-model --params 100M --out model.gguf',
    'A model with random weights, for load and benchmarks.',
  ],
] as const;

/** Tools for developing and measuring; nothing that a fleet needs. */
export function configure(command: Command, context: CliContext): void {
  command
    .command('make-model')
    .description(
      'Write a GGUF model with random weights, and its tokenizer.json beside it, for load and benchmarks.',
    )
    .requiredOption('--out <file>', 'where to write; "tokenizer.json" goes into the same folder')
    .option('--params <size>', `count of weights: ${Object.keys(modelShapes).join(', ')}`, '100M')
    .option('--type <type>', 'weights as q8_0 or f16', 'q8_0')
    .option('--seed <number>', 'the same seed gives the same file', '1')
    .option('--json', 'print the result as JSON')
    .action(async (options: { out: string; params: string; type: string; seed: string }) => {
      const made = await makeModel(context.world.files, {
        size: sizeOf(options.params),
        type: typeOf(options.type),
        seed: seedOf(options.seed),
        path: resolve(context.cwd, options.out),
      });
      context.output.result(made, () => {
        const weights = `${(made.parameters / 1e6).toFixed(1)} million weights`;
        return `${made.path}: ${weights}, ${(made.bytes / 1e6).toFixed(1)} MB\n${made.tokenizer}`;
      });
    });
}

function sizeOf(word: string): ModelSize {
  const size = word.toUpperCase();
  if (size in modelShapes) return size as ModelSize;
  throw usage(`--params is one of ${Object.keys(modelShapes).join(', ')}, not ${word}`);
}

function typeOf(word: string): WeightType {
  if (word === 'q8_0' || word === 'f16') return word;
  throw usage(`--type is q8_0 or f16, not ${word}`);
}

function seedOf(word: string): number {
  const seed = Number(word);
  if (Number.isInteger(seed) && seed >= 0 && seed <= 1_000_000) return seed;
  throw usage(`--seed is a whole number from 0 to 1000000, not ${word}`);
}

function usage(detail: string): BerthError {
  return new BerthError('USAGE', { detail, command: 'dev make-model' });
}
