import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Finding } from '../../domain/finding.ts';
import type { Instance } from '../../domain/instance.ts';
import { objectKey } from '../../domain/instance.ts';
import type { Action, LeftOut, Plan } from '../../domain/plan.ts';
import type { LoadedFleet } from '../file/resolve.ts';

/** Who is protected: by the file, and by its mark where the file has lost it. */
export interface Protection {
  readonly loaded: LoadedFleet;
  readonly instances: readonly Instance[];
  /** Deployments that the user has named: these may be changed all the same. */
  readonly named: readonly string[];
}

/** Key of what a mark has declared. */
const stated = 'protect';

/** Tells of each instance whether it is to be left alone. */
function guard({ loaded, named }: Protection): (instance: Instance) => boolean {
  const byName = new Map(loaded.deployments.map((one) => [one.name, one.protect]));
  return ({ alive, mark }) =>
    alive &&
    mark !== null &&
    !named.includes(mark.deployment) &&
    (byName.get(mark.deployment) ?? mark.declared[stated] === true);
}

/**
 * A plan without the changes that would end a protected engine: it is kept as it runs. One that would start elsewhere in its
 * place is not started either.
 */
export function holdBack(
  actions: readonly Action[],
  protection: Protection,
): { actions: Action[]; held: LeftOut[] } {
  const untouchable = new Set(
    protection.instances.filter(guard(protection)).map((one) => objectKey(one.object)),
  );
  if (untouchable.size === 0) return { actions: [...actions], held: [] };
  const staying = new Set(
    actions
      .filter(
        (action) =>
          (action.do === 'stop' || action.do === 'replace') &&
          untouchable.has(objectKey(action.running.object)),
      )
      .map(placeOf),
  );
  const held: LeftOut[] = [];
  const left = actions.flatMap((action): Action[] => {
    const { deployment, replica, host, reasons } = action;
    if (action.do === 'keep' || !staying.has(placeOf(action))) return [action];
    held.push({ do: action.do, deployment, replica, host, reasons });
    if (action.do === 'start') return [];
    const why = { field: stated, text: `it is protected: no ${action.do} unless it is named` };
    return [{ do: 'keep', deployment, replica, host, reasons: [why], running: action.running }];
  });
  return { actions: left, held };
}

function placeOf({ deployment, replica }: Action): string {
  return `${deployment} ${replica}`;
}

/** What apply is refused for. Throws DEPLOYMENT_PROTECTED. */
export function expectNoneHeld({ held }: Plan): void {
  if (!held || held.length === 0) return;
  const changes = held.map((one) => `${one.do} ${one.deployment}`);
  throw new BerthError('DEPLOYMENT_PROTECTED', { changes: [...new Set(changes)], names: namesOf(held) });
}

/** Before a whole fleet is ended. Throws DEPLOYMENT_PROTECTED. */
export function expectNoneProtected(protection: Protection): void {
  const names = namesOf(protection.instances.filter(guard(protection)).flatMap(({ mark }) => mark ?? []));
  if (names.length === 0) return;
  throw new BerthError('DEPLOYMENT_PROTECTED', { changes: names.map((name) => `stop ${name}`), names });
}

function namesOf(held: readonly { readonly deployment: string }[]): string[] {
  return [...new Set(held.map((one) => one.deployment))];
}

export function protectedFindings({ held }: Plan): Finding[] {
  return (held ?? []).map((one) => ({
    rule: 'protected',
    severity: 'critical',
    object: one.deployment,
    message: `The file asks for a ${one.do} of ${one.deployment} (replica ${one.replica}), which is protected.`,
    evidence: one.reasons.map((reason) => reason.text),
    cure: `Name it to do that all the same ("--only ${one.deployment}"), or take the change back.`,
  }));
}
