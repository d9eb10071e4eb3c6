import type { Command } from 'commander';
import { exitCodes } from '../../domain/exit-codes.ts';
import type { ExitCode } from '../../domain/exit-codes.ts';
import type { Check, Verification } from '../../domain/verification.ts';
import { readUpState } from '../../fleet/up/up-state.ts';
import type { LoadedFleet } from '../../fleet/file/resolve.ts';
import type { Door } from '../../fleet/verify/options.ts';
import { verifyFleet } from '../../fleet/verify/verify.ts';
import { tokenOfFile } from '../../io/token-file.ts';
import { consoleTokenFile } from '../console-address.ts';
import type { CliContext } from '../context.ts';
import { countOption } from '../count-option.ts';
import { addFileOption, loadWithoutSecrets } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';
import { table } from '../output.ts';

export const examples = [
  ['berth verify', 'Asks every engine and every route for one token, and holds what runs against the file.'],
  ['berth verify mistral --json', 'One deployment, for a script; the exit code tells whether all is well.'],
  ['berth verify --direct', 'Without the gateway, as after "berth apply" alone.'],
] as const;

interface VerifyCommandOptions extends FileOptions {
  readonly direct?: boolean;
  readonly timeout: number;
}

export function configure(command: Command, context: CliContext): void {
  addFileOption(command)
    .argument('[names...]', 'deployments; without any, all of the fleet')
    .option('--direct', 'leave the gateway out')
    .option('--timeout <seconds>', 'how long each answer may take', countOption(1, 3_600), 120)
    .action(async (names: string[], options: VerifyCommandOptions) => {
      const { world, output, signal } = context;
      const loaded = await loadWithoutSecrets(context, options);
      const verification = await verifyFleet(world, loaded, {
        names,
        ...(options.direct ? {} : { door: await doorOf(context, loaded) }),
        timeoutMs: options.timeout * 1000,
        signal,
      });
      output.result(verification, () => verificationText(verification));
      context.exit(codeOf(verification));
    });
}

/** Berth's own key passes whatever keys the gateway wants. */
async function doorOf({ world }: CliContext, loaded: LoadedFleet): Promise<Door | null> {
  const gateway = (await readUpState(world, loaded))?.gateway;
  if (!gateway) return null;
  const token = await tokenOfFile(world.files, consoleTokenFile(world, loaded));
  return { url: gateway.insideUrl ?? gateway.url, token };
}

/** What does not answer comes before what answers and is not as it should be. */
function codeOf({ checks }: Verification): ExitCode {
  const failed = checks.filter((one) => one.outcome === 'failed');
  if (failed.length === 0) return exitCodes.done;
  return failed.every(({ check }) => check === 'current' || check === 'model')
    ? exitCodes.findings
    : exitCodes.targetDown;
}

const signs = { passed: 'ok', failed: 'FAILED', skipped: 'skipped' } as const;

function verificationText({ fleet, checks, passed }: Verification): string {
  function count(outcome: Check['outcome']): number {
    return checks.filter((one) => one.outcome === outcome).length;
  }
  const rows = checks.map((one) => [
    signs[one.outcome],
    one.replica ? `${one.deployment}-${one.replica}` : one.deployment,
    one.check,
    one.at,
    one.evidence,
  ]);
  const cures = checks.flatMap((one) =>
    one.cure === null ? [] : [`${one.deployment}, ${one.check}: ${one.cure}`],
  );
  const counts = `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`;
  return [
    ...(rows.length > 0 ? [table(rows)] : []),
    `Fleet ${fleet} ${passed ? 'is as it should be' : 'is not as it should be'}: ${counts}.`,
    ...cures,
  ].join('\n');
}
