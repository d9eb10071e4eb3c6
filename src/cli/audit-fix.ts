import { fixesFor } from '../audit/fix.ts';
import type { Fixes } from '../audit/fix.ts';
import type { ObservedFleet } from '../domain/audit/observation.ts';
import type { AuditReport } from '../domain/audit/report.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import { exitCodes } from '../domain/exit-codes.ts';
import { plural } from '../domain/format.ts';
import type { LoadedFleet } from '../fleet/file/resolve.ts';
import { preparePlan } from '../fleet/plan/prepare-plan.ts';
import { consents, executeAgreed, reportApply } from './carry-out.ts';
import { closeFiles, openFilesOf, openFileText } from './close-files.ts';
import type { Closed, OpenFile } from './close-files.ts';
import type { CliContext } from './context.ts';
import { loadFrom } from './fleet-file.ts';
import type { FileOptions } from './fleet-file.ts';
import { auditText } from './text/audit-text.ts';

interface Fixing extends FileOptions {
  readonly yes: boolean;
  readonly fleet: ObservedFleet | null;
}

/** Shows what was found and what a plan does about it, asks, and carries the plan out. Gives what is left and why. */
export async function fixFindings(
  context: CliContext,
  report: AuditReport,
  { yes, fleet, file }: Fixing,
): Promise<Fixes['left']> {
  const { world, output } = context;
  const loaded = fleet && (await loadFrom(context, { file }));
  const judged = fixesFor(report.findings, fleet);
  const open = loaded ? await openFilesOf(world, loaded, judged.fixed) : { files: [], left: [] };
  const fixes = without(judged, open.left);
  output.progress(auditText(report, { explain: false }));
  output.progress(fixesText(fixes, open.files));
  if (!loaded || (fixes.deployments.length === 0 && open.files.length === 0)) {
    output.result({ fixed: [], left: fixes.left }, () => 'No plan puts any of it right.');
    return fixes.left;
  }
  const { left } = await carryOutFixes(context, { loaded, fixes, files: open.files, yes, file });
  return [...fixes.left, ...left];
}

async function carryOutFixes(
  context: CliContext,
  {
    loaded,
    fixes,
    files,
    yes,
    file,
  }: FileOptions & { loaded: LoadedFleet; fixes: Fixes; files: OpenFile[]; yes: boolean },
): Promise<Pick<Fixes, 'left'>> {
  const { world, output } = context;
  const { deployments: only, restart } = fixes;
  const plan =
    only.length === 0 ? null : await preparePlan(world, loaded, { only, restart, onWait: output.progress });
  const more = files.length === 0 ? [] : [`change the rights of ${plural(files.length, 'file')}`];
  const agreed = plan
    ? await consents(context, plan, { yes, always: true, command: 'audit --fix', more })
    : await agrees(context, { yes, what: more.join() });
  if (!agreed) return { left: [] };
  const { closed, left } = await closeFiles(world, loaded, {
    files,
    onProgress: output.progress,
    signal: context.signal,
  });
  for (const { path, before, after, undo, host } of closed)
    output.progress(`Changed ${path} (${before} → ${after}). Undo${onHost(host)}: ${undo}`);
  const also = { fixed: without(fixes, left).fixed, left: [...fixes.left, ...left], closed };
  if (!plan) {
    output.result(also, () => (closed.length === 0 ? 'Nothing was done.' : `Done: ${closedText(closed)}`));
    return { left };
  }
  const carried = await executeAgreed(context, plan, {
    yes,
    always: true,
    command: 'audit --fix',
    ...(closed.length > 0 ? { before: closedText(closed) } : {}),
    again: async () =>
      preparePlan(world, await loadFrom(context, { file }), { only, restart, onWait: output.progress }),
  });
  if (carried) reportApply(context, carried.plan, { result: carried.result, also });
  // It has been said already, beside that the plan was not agreed to.
  else if (closed.length > 0) output.result(also, () => '');
  return { left };
}

function onHost(host: string): string {
  return host === 'local' ? '' : ` on ${host}`;
}

/** What turned out not to be put right is among what is left. */
function without(fixes: Fixes, left: Fixes['left']): Fixes {
  const fixed = fixes.fixed.filter((one) => left.every(({ finding }) => finding !== one));
  return { ...fixes, fixed, left: [...fixes.left, ...left] };
}

function closedText(closed: readonly Closed[]): string {
  return `${closed.map(({ path }) => path).join(', ')} can no longer be read by all. Change what was in there: it lay open.`;
}

/** Throws USAGE where nobody can answer. */
async function agrees(
  { ask, output, exit }: CliContext,
  { yes, what }: { yes: boolean; what: string },
): Promise<boolean> {
  if (yes) return true;
  const detail = 'Nobody is here who could say yes; --yes carries it out without asking.';
  if (!ask) throw new BerthError('USAGE', { detail, command: 'audit' });
  if (/^y(es)?$/i.test((await ask(`This will ${what}. Go on? [y/N] `)).trim())) return true;
  output.progress('Nothing was done.');
  exit(exitCodes.interrupted);
  return false;
}

/** Each cure with what it will do, and each fault that no plan cures with the reason. */
function fixesText({ fixed, restart, left }: Fixes, files: readonly OpenFile[]): string {
  const done = fixed
    .filter(({ fix }) => fix?.close === undefined)
    .map(({ rule, object, fix }) => {
      const names = fix?.deployments.join(', ');
      const what = fix?.deployments.some((name) => restart.includes(name))
        ? `${names} is started again as the file says`
        : `${names} is made as the file says`;
      return `  ${object} [${rule}]: ${what}.`;
    });
  const not = left.map(({ finding, why }) => `  ${finding.object} [${finding.rule}]: ${why}`);
  return [
    ...(done.length === 0 ? [] : ['Put right by the plan below:', ...done]),
    ...(files.length === 0 ? [] : ['Put right by other rights of files:', ...files.map(openFileText)]),
    ...(not.length === 0 ? [] : ['Left as it is:', ...not]),
  ].join('\n');
}
