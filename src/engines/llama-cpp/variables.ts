import { closeName } from '../../domain/close-name.ts';
import { flags } from './flags.ts';

const prefix = 'LLAMA_ARG_';

/** Once read; builds since `--load-mode` take no notice of them. */
const gone: ReadonlyMap<string, string> = new Map([
  ['LLAMA_ARG_MLOCK', 'LLAMA_ARG_LOAD_MODE'],
  ['LLAMA_ARG_NO_MMAP', 'LLAMA_ARG_LOAD_MODE'],
]);

/** Names that the server has and that are no options of berth: close to others, and right all the same. */
const further = [
  'NO_WEBUI',
  'UI',
  'WEBUI',
  'HF_FILE',
  'HF_REPO_FILE',
  'CTX_CHECKPOINTS',
  'N_PREDICT',
  'STATIC_PATH',
];

/** A variable one or two letters from one that is read, or one that is read no longer. Names that are like nothing are not judged. */
export function meantVariable(name: string): string | null {
  if (!name.startsWith(prefix)) return null;
  const instead = gone.get(name);
  if (instead !== undefined) return instead;
  const own = name.slice(prefix.length);
  const known = flags.flatMap((row) => (row.env?.startsWith(prefix) ? [row.env.slice(prefix.length)] : []));
  const close = further.includes(own) ? null : closeName(own, known, 5);
  return close === null ? null : `${prefix}${close}`;
}
