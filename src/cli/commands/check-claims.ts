import type { Command } from 'commander';
import { checkClaim } from '../../bench/claims/check-claim.ts';
import { readClaims } from '../../bench/claims/read-claims.ts';
import { exitCodes } from '../../domain/exit-codes.ts';
import type { CliContext } from '../context.ts';

export const examples = [
  ['berth check-claims figures.yaml', 'Recomputes published figures and shows the arithmetic.'],
] as const;

export function configure(command: Command, context: CliContext): void {
  command.argument('<file>', 'YAML with the published figures').action(async (path: string) => {
    const file = await readClaims(context.world.files, path);
    const checked = Object.entries(file.claims).map(([name, claim]) => ({
      name,
      source: claim.source ?? null,
      ...checkClaim(claim),
    }));
    context.output.result({ claims: checked }, () =>
      checked
        .map((one) =>
          [
            `${one.name}: ${one.verdict}. ${one.conclusion}`,
            ...(one.source === null ? [] : [`  source: ${one.source}`]),
            ...one.arithmetic.map((line) => `  ${line}`),
          ].join('\n'),
        )
        .join('\n\n'),
    );
    if (checked.some((one) => one.verdict === 'contradicted')) context.exit(exitCodes.findings);
  });
}
