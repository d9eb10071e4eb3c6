import { randomBytes } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { isAddress } from '../../domain/model-source.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Conversion } from '../../fleet/convert/conversion.ts';
import { firstFleetFile } from '../../fleet/file/first-file.ts';
import { loadFleet } from '../../fleet/file/load.ts';
import { detectHardware } from '../../hardware/detect.ts';
import type { CliContext } from '../context.ts';
import { schemaFile } from '../schema-file.ts';

export const examples = [
  ['berth init', 'Writes ./berth.yaml, with comments; an existing one is left alone.'],
  ['berth init --model ./mistral.gguf', 'The same for a model file that you have.'],
  [
    'berth init --from llama-swap.yaml',
    'Makes it from a file of llama-swap or LiteLLM, and lists what has no counterpart.',
  ],
] as const;

interface InitOptions {
  readonly file: string;
  readonly model?: string;
  readonly fleet: string;
  readonly from?: string;
}

export function configure(command: Command, context: CliContext): void {
  command
    .option('-f, --file <file>', 'where to write', 'berth.yaml')
    .option('--model <file>', 'a GGUF file to serve')
    .option('--fleet <name>', 'name of the fleet', 'home')
    .option('--from <file>', 'a configuration of llama-swap or LiteLLM to take over')
    .action(async (options: InitOptions) => {
      const { world, output, cwd } = context;
      const path = resolve(cwd, options.file);
      if (await world.files.stat(path)) throw new BerthError('FILE_EXISTS', { path });
      if (options.from !== undefined)
        return await takeOver(context, path, { ...options, from: options.from });
      const { model = null } = options;
      const text = firstFleetFile({
        schema: schemaFile,
        fleet: options.fleet,
        id: randomBytes(4).toString('hex'),
        model: sourceOf(context, model, path),
        hardware: await detectHardware(world),
      });
      await world.files.write(path, text, 0o644);
      const next = await nextText(context, model);
      output.result({ path }, () => `${path} is written. ${next}`);
    });
}

/** A relative path was meant from where the command runs, and counts from the folder of the file. */
function sourceOf({ cwd }: CliContext, model: string | null, path: string): string | null {
  return model === null || isAddress(model) || dirname(path) === cwd ? model : resolve(cwd, model);
}

/** An address is fetched later, and a file may come later. */
async function nextText({ world, cwd }: CliContext, model: string | null): Promise<string> {
  if (model === null) return 'Put in the path of a model, then run "berth up".';
  const path = resolve(cwd, model);
  if (isAddress(model) || (await world.files.stat(path))) return 'Run "berth up".';
  return `${path} does not exist: put it there or correct models.main.source, then run "berth up".`;
}

/** Writes a fleet file made from the file of another program, and says what of it was left. */
async function takeOver(
  { world, output, cwd }: CliContext,
  path: string,
  options: InitOptions & { readonly from: string },
): Promise<void> {
  const source = resolve(cwd, options.from);
  const text = await world.files.read(source);
  if (text === null) throw new BerthError('FILE_MISSING', { path: source, what: 'configuration' });
  const { convert, convertedText } = await import('../../fleet/convert/convert.ts');
  const made = convert(options.from, text, { folder: dirname(source), env: world.env });
  const id = randomBytes(4).toString('hex');
  const head = { schema: schemaFile, fleet: options.fleet, id, source: options.from };
  await world.files.write(path, convertedText(made, head), 0o644);
  try {
    await loadFleet(world, { files: [path], cwd, secrets: 'unused' });
  } catch (error) {
    await world.files.remove(path);
    throw error;
  }
  const { from, left } = made;
  output.result({ path, from, left }, () => takenOverText(path, made));
}

function takenOverText(path: string, { from, fleet, left }: Conversion): string {
  const count = Object.keys(fleet.deployments).length;
  return [
    `${path} is written from a file of ${from}: ${count} ${count === 1 ? 'deployment' : 'deployments'}.`,
    ...(left.length > 0 ? ['Not carried over as it stands there:'] : []),
    ...left.map(({ line, path: at, reason }) => `  line ${line}, ${at}: ${reason}`),
    'Look it through, then run "berth plan".',
  ].join('\n');
}
