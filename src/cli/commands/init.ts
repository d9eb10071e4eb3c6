import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { firstFleetFile } from '../../fleet/first-file.ts';
import { detectHardware } from '../../hardware/detect.ts';
import type { CliContext } from '../context.ts';

export const examples = [
  ['berth init', 'Writes ./berth.yaml, with comments; an existing one is left alone.'],
  ['berth init --model ./mistral.gguf', 'The same for a model file that you have.'],
] as const;

/** Lies beside the sources and beside the build alike. */
const schemaFile = fileURLToPath(new URL('../../../schema/berth.schema.json', import.meta.url));

interface InitOptions {
  readonly file: string;
  readonly model?: string;
  readonly fleet: string;
}

export function configure(command: Command, context: CliContext): void {
  command
    .option('-f, --file <file>', 'where to write', 'berth.yaml')
    .option('--model <file>', 'a GGUF file to serve')
    .option('--fleet <name>', 'name of the fleet', 'home')
    .action(async (options: InitOptions) => {
      const { world, output, cwd } = context;
      const path = resolve(cwd, options.file);
      if (await world.files.stat(path)) throw new BerthError('FILE_EXISTS', { path });
      const text = firstFleetFile({
        schema: schemaFile,
        fleet: options.fleet,
        id: randomBytes(4).toString('hex'),
        model: options.model ?? null,
        hardware: await detectHardware(world),
      });
      await world.files.write(path, text, 0o644);
      output.result({ path }, () => `${path} is written. Put in the path of a model, then run "berth up".`);
    });
}
