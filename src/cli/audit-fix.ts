import { fixesFor } from '../audit/fix.ts';
import type { Fixes } from '../audit/fix.ts';
import type { ObservedFleet } from '../domain/audit/observation.ts';
import type { AuditReport } from '../domain/audit/report.ts';
import { preparePlan } from '../fleet/plan/prepare-plan.ts';
import { carryOut } from './carry-out.ts';
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
  const fixes = fixesFor(report.findings, fleet);
  output.progress(auditText(report, { explain: false }));
  output.progress(fixesText(fixes));
  if (!loaded || fixes.deployments.length === 0) {
    output.result({ fixed: [], left: fixes.left }, () => 'No plan puts any of it right.');
    return fixes.left;
  }
  const plan = await preparePlan(world, loaded, { only: fixes.deployments, restart: fixes.restart });
  await carryOut(context, plan, {
    yes,
    always: true,
    command: 'audit --fix',
    also: { fixed: fixes.fixed, left: fixes.left },
  });
  return fixes.left;
}

/** Each cure with what it will do, and each fault that no plan cures with the reason. */
function fixesText({ fixed, restart, left }: Fixes): string {
  const done = fixed.map(({ rule, object, fix }) => {
    const names = fix?.deployments.join(', ');
    const what = fix?.deployments.some((name) => restart.includes(name))
      ? `${names} is started again as the file says`
      : `${names} is made as the file says`;
    return `  ${object} [${rule}]: ${what}.`;
  });
  const not = left.map(({ finding, why }) => `  ${finding.object} [${finding.rule}]: ${why}`);
  return [
    ...(done.length === 0 ? [] : ['Put right by the plan below:', ...done]),
    ...(not.length === 0 ? [] : ['Left as it is:', ...not]),
  ].join('\n');
}
