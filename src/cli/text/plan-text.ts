import type { Finding } from '../../domain/finding.ts';
import type { Action, GatewayAction, Plan } from '../../domain/plan.ts';
import { table } from '../output.ts';

const signs = { start: '+', replace: '~', stop: '-', keep: '=' } as const;

/** One line an action, with its reasons, then what is worth knowing. */
export function planText(plan: Plan): string {
  const rows = plan.actions.map((action) => [
    `${signs[action.do]} ${nameOf(action)}`,
    action.do,
    whereOf(action),
    reasonsOf(action),
  ]);
  rows.push(...(plan.gateways ?? []).map(gatewayRow));
  const { reload } = plan;
  if (reload?.do === 'reload') rows.push(['~ gateway', 'reload', reload.url, reasonsOf(reload)]);
  return [
    summary(plan),
    rows.length > 0 ? table(rows) : '',
    leftOutText(plan),
    ...plan.findings.map(findingText),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function reasonsOf({ reasons }: Pick<Action, 'reasons'>): string {
  return reasons.map((reason) => reason.text).join('; ');
}

function gatewayRow(action: GatewayAction): string[] {
  const pods = action.do === 'stop' ? '' : `, ${action.wanted.replicas} of ${action.wanted.image}`;
  return [
    `${signs[action.do]} ${gatewayNameOf(action)}`,
    action.do,
    `pods on ${action.host}${pods}`,
    reasonsOf(action),
  ];
}

/** As the table and what was done have it. */
export function gatewayNameOf({ host }: Pick<GatewayAction, 'host'>): string {
  return `gateway (${host})`;
}

/** All that is to change, in words: "stop mistral". */
export function changesOf(plan: Plan, kinds: readonly Action['do'][]): string[] {
  const engines = plan.actions.filter((action) => kinds.includes(action.do));
  const gateways = (plan.gateways ?? []).filter((action) => kinds.includes(action.do));
  return [
    ...engines.map((action) => `${action.do} ${nameOf(action)}`),
    ...gateways.map((action) => `${action.do} ${gatewayNameOf(action)}`),
  ];
}

function summary(plan: Plan): string {
  function count(kind: Action['do']): number {
    return [...plan.actions, ...(plan.gateways ?? [])].filter((action) => action.do === kind).length;
  }
  const parts = [
    `${count('start')} to start`,
    `${count('replace')} to replace`,
    `${count('stop')} to stop`,
    `${count('keep')} unchanged`,
    ...(plan.onDemand && !plan.only ? [`${plan.onDemand.length} on demand`] : []),
    ...(plan.reload?.do === 'reload' ? ['the gateway to reload'] : []),
  ];
  return `Fleet ${plan.fleet}: ${parts.join(', ')}.`;
}

/** What `--only` keeps it from doing. */
function leftOutText({ leftOut }: Plan): string {
  if (!leftOut || leftOut.length === 0) return '';
  return `Left out by --only: ${leftOut.map((one) => `${one.do} ${nameOf(one)}`).join(', ')}.`;
}

export function nameOf(action: Pick<Action, 'deployment' | 'replica'>): string {
  return action.replica === 0 ? action.deployment : `${action.deployment}-${action.replica}`;
}

function whereOf(action: Action): string {
  const place = action.do === 'stop' || action.do === 'keep' ? action.running : action.wanted;
  const how = action.do === 'replace' ? (action.beside ? ', beside the old one' : ', in its place') : '';
  return `${place.target.kind} on ${place.address}:${place.port}${how}`;
}

export function findingText(finding: Finding): string {
  return `${finding.severity}: ${finding.object}: ${finding.message} ${finding.cure}`;
}
