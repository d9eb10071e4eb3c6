import type { DefinedServer } from '../../domain/audit/observation.ts';
import { isEntrypoint } from '../../domain/audit/image-command.ts';
import { baseName } from '../../domain/command-line/unwrap.ts';
import { definedServer } from './defined-server.ts';

/** Engines that serve nothing where they are told no model. */
const needModel = ['vllm', 'sglang', 'aphrodite'];

/** Where they publish their own images, which hold nothing else. */
const ownRepositories =
  /(^|\/)(vllm\/vllm-openai(-[\w.-]+)?|lmsysorg\/sglang|alpindale\/aphrodite-(openai|engine))([:@]|$)/;

/**
 * The server of a container whose first program is a script that prepares its image's own. Null where it is given another command, and
 * where the image has only the name of an engine that would lack a model.
 */
export function preparedServer(
  command: readonly string[],
  what: { image: string | null; env: Readonly<Record<string, string>> },
): DefinedServer | null {
  const [script, ...args] = withoutShell(command);
  if (!isEntrypoint(script ?? '')) return null;
  const found = definedServer({ ...what, command: [], args });
  const isSure = ownRepositories.test(what.image ?? '');
  const lacksModel =
    !isSure && needModel.includes(found?.engine ?? '') && found?.model === null && args.length === 0;
  // "/entrypoint.sh jupyter lab": a bare word is a command. LocalAI alone has models of such names.
  const isCommand = found?.model !== null && found?.model === args[0] && /^[\w.-]+$/.test(args[0] ?? '');
  return lacksModel || (isCommand && found?.engine !== 'localai') ? null : found;
}

function withoutShell(command: readonly string[]): readonly string[] {
  const [shell = '', ...words] = command;
  if (!/^(ba|da|a)?sh$/.test(baseName(shell))) return command;
  return /^-l?c$/.test(words[0] ?? '') && !/\s/.test(words[1] ?? '') ? words.slice(1) : words;
}
