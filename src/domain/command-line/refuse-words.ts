import type { z } from 'zod';
import { flagName } from './flag-rows.ts';
import type { FlagStyle } from './flag-rows.ts';
import { isWrittenSecret } from './written-secret.ts';

/** Words of `args` that the file says elsewhere, and words that would put a secret into the process list. */
export function refuseOwnedFlags(table: {
  /** Spelling by the key of the fleet file that sets it; "berth" where no key does. */
  readonly owned: ReadonlyMap<string, string>;
  readonly secret: ReadonlySet<string>;
  readonly style: FlagStyle;
  /** What the key of a flag takes, where that is some words alone; with others the flag may stand here. */
  readonly wordsOf?: (flag: string) => readonly string[] | undefined;
}): (args: string[], context: z.core.$RefinementCtx) => void {
  return (args, context) => {
    args.forEach((word, index) => {
      const flag = flagName(word.split('=')[0] ?? '', table.style);
      const owner = table.owned.get(flag);
      if (table.secret.has(flag)) {
        refuse(context, [index], {
          message: `${flag} would show a secret in the process list.`,
          cure: 'Leave it out: berth keeps the server on loopback, and the gateway asks clients for keys.',
        });
      } else if (owner && !isBeyond(table.wordsOf?.(flag), word.split('=')[1] ?? args[index + 1])) {
        const cure = owner === 'berth' ? 'Leave it out.' : `Leave it out, and set ${owner}.`;
        refuse(context, [index], { message: `${flag} is set by berth.`, cure });
      }
    });
  };
}

function isBeyond(known: readonly string[] | undefined, value: string | undefined): boolean {
  return known !== undefined && value !== undefined && !value.split(',').every((one) => known.includes(one));
}

/** Variables of `env` that are secrets. */
export function refuseSecretEnv(env: Record<string, unknown>, context: z.core.$RefinementCtx): void {
  for (const [name, value] of Object.entries(env)) {
    if (typeof value !== 'string' || !isWrittenSecret(name, value)) continue;
    refuse(context, [name], {
      message: `${name} would put a secret into the fleet file.`,
      cure: 'Leave it out: a process inherits it from the shell that runs berth, and others can read a file. In a cluster write {secret: …}.',
    });
  }
}

function refuse(
  context: z.core.$RefinementCtx,
  path: (string | number)[],
  fault: { message: string; cure: string },
): void {
  context.addIssue({ code: 'custom', path, message: fault.message, params: { cure: fault.cure } });
}
