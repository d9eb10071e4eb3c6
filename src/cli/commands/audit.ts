import { resolve } from 'node:path';
import type { Command } from 'commander';
import { auditReport } from '../../audit/audit.ts';
import { readObjects } from '../../audit/read-objects.ts';
import type { AuditReport } from '../../domain/audit/report.ts';
import type { Observation } from '../../domain/audit/observation.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { exitCodes } from '../../domain/exit-codes.ts';
import { severities } from '../../domain/finding.ts';
import { quoteWord } from '../../domain/command-line/quote-word.ts';
import { berthVersion } from '../../io/version.ts';
import { auditText } from '../text/audit-text.ts';
import type { CliContext } from '../context.ts';
import { addFileOption } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';
import { fleetIfAny, observeHere } from '../observe-here.ts';
import { readObservation } from '../read-observation.ts';

export const examples = [
  ['berth audit', 'What is wrong here, worst first; with a fleet file also in what the two differ.'],
  ['berth audit --json', 'The same for machines; --sarif for tools that read that form.'],
  [
    'berth audit --host a10',
    'Looks at that host of the fleet file alone; without it at all of them, side by side.',
  ],
  [
    'berth audit --fix',
    'Shows the plan that puts right what is of the fleet, and carries it out after a yes.',
  ],
  ['berth audit --fail-on critical', 'Exit code 8 for critical findings alone.'],
  ['berth audit --record seen.json', 'Keeps all that was looked at; --from audits such a file, anywhere.'],
  ['berth audit --context k3s', 'Looks at that cluster too: all namespaces where rights allow it.'],
  [
    'berth audit --objects objects.json',
    'Looks at objects of Kubernetes too, as "kubectl get KINDS -A -o json" prints them.',
  ],
] as const;

interface AuditOptions extends FileOptions {
  readonly sarif?: boolean;
  readonly failOn: string;
  readonly objects: readonly string[];
  readonly host: readonly string[];
  readonly context: readonly string[];
  readonly figures: readonly string[];
  readonly record?: string;
  readonly from?: string;
  readonly explain?: boolean;
  readonly fix?: boolean;
  readonly yes?: boolean;
  readonly idle?: string;
  readonly timeout: string;
}

/** What is looked at, and what is told of it. */
function addOptions(command: Command): Command {
  return addFileOption(command)
    .option('--sarif', 'print the findings in the SARIF form')
    .option(
      '--fail-on <severity>',
      'exit with code 8 from this severity on: info, warning or critical',
      'warning',
    )
    .option(
      '--objects <file>',
      'objects of Kubernetes as JSON or YAML, "-" for the standard input; several times',
      (file: string, before: string[]) => [...before, file],
      [],
    )
    .option(
      '--host <name>',
      'look at this host of the fleet file alone; several times',
      (name: string, before: string[]) => [...before, name],
      [],
    )
    .option(
      '--context <name>',
      'look at the cluster of this context of kubectl too; several times',
      (name: string, before: string[]) => [...before, name],
      [],
    )
    .option(
      '--figures <file>',
      'published figures to be computed again, as "berth check-claims" takes them; several times',
      (file: string, before: string[]) => [...before, file],
      [],
    )
    .option('--record <file>', 'keep what was looked at')
    .option('--from <file>', 'audit what --record kept, and look at nothing')
    .option('--fix', 'show the plan that puts right what is of the fleet, and carry it out after a yes')
    .option('--yes', 'with --fix: do not ask')
    .option('--explain', 'also tell pairs on one port that are no conflict')
    .option('--idle <time>', 'how long nobody has asked a server that counts as idle (default 7d)')
    .option('--timeout <time>', 'how long servers and tools may take to answer', '1500ms');
}

export function configure(command: Command, context: CliContext): void {
  addOptions(command).action(async (options: AuditOptions) => {
    const from = severities.findIndex((one) => one === options.failOn);
    if (from < 0) throw usage(`--fail-on is one of ${severities.join(', ')}`);
    if (options.fix && (options.from !== undefined || options.sarif))
      throw usage('--fix puts right what it sees itself: neither --from nor --sarif goes with it.');
    const loaded = await fleetIfAny(context, options);
    function look(): Promise<Observation> {
      const { timeout, host: only, figures, context: contexts, idle } = options;
      return observeHere(context, { loaded, timeout, only, figures, contexts, idle });
    }
    const observation = options.from ? await readObservation(context, options.from) : await look();
    for (const file of options.objects) observation.clusters.push(await readObjects(context, file));
    if (options.record) await record(context, options.record, observation);
    const first = pasteable(auditReport(observation, loaded?.audit.suppress ?? []), options);
    const report = options.fix ? await surely(first, look) : first;
    const left = options.fix ? await fixed(context, report, { ...options, observation }) : null;
    if (!left) await print(context, report, options);
    if ((left ?? report.findings).some((one) => severities.indexOf(one.severity) >= from))
      context.exit(exitCodes.findings);
  });
}

/** An engine is started again only if it was silent twice: a busy one may miss a question. */
async function surely(report: AuditReport, look: () => Promise<Observation>): Promise<AuditReport> {
  if (!report.findings.some(({ fix }) => fix?.restart)) return report;
  const again = auditReport(await look(), []).findings;
  const findings = report.findings.filter(
    ({ rule, object, fix }) =>
      !fix?.restart || again.some((one) => one.rule === rule && one.object === object),
  );
  return { ...report, findings };
}

/** What is printed has to work as it stands: for the file that was named, and not for the one that lies here. */
function pasteable(report: AuditReport, { file }: FileOptions): AuditReport {
  const more = file.map((one) => ` --file ${quoteWord(one)}`).join('');
  const findings = report.findings.map(({ commands, ...finding }) => ({
    ...finding,
    ...(commands && {
      commands: commands.map((one) => (one.startsWith('berth ') ? `${one}${more}` : one)),
    }),
  }));
  return { ...report, findings };
}

async function fixed(
  context: CliContext,
  report: AuditReport,
  { observation, ...options }: AuditOptions & { observation: Observation },
): Promise<AuditReport['findings']> {
  const { fixFindings } = await import('../audit-fix.ts');
  const { file, yes = false } = options;
  const left = await fixFindings(context, report, { file, yes, fleet: observation.fleet });
  return left.map((one) => one.finding);
}

function usage(detail: string): BerthError {
  return new BerthError('USAGE', { detail, command: 'audit' });
}

async function print({ output }: CliContext, report: AuditReport, options: AuditOptions): Promise<void> {
  if (!options.sarif)
    return output.result(report, () => auditText(report, { explain: options.explain ?? false }));
  const { sarifOf } = await import('../../audit/sarif.ts');
  output.raw(`${JSON.stringify(sarifOf(report, berthVersion()), null, 2)}\n`);
}

async function record({ world, cwd }: CliContext, file: string, observation: Observation): Promise<void> {
  await world.files.write(resolve(cwd, file), `${JSON.stringify(observation, null, 2)}\n`, 0o600);
}
