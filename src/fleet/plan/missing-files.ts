import { filesNamed } from '../../domain/fill-args.ts';
import type { Finding } from '../../domain/finding.ts';
import { thisMachine } from '../../domain/host-access.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import { isAddress } from '../../domain/model-source.ts';
import type { Plan } from '../../domain/plan.ts';
import { splitSet } from '../../domain/split-files.ts';
import type { World } from '../../io/world.ts';
import { accessOf, worldOn } from '../file/hosts.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import type { DesiredReplica } from './desired.ts';

/** A file that an engine opens, and what it is to it. */
export interface OpenedFile {
  readonly deployment: string;
  readonly host: string;
  readonly path: string;
  readonly what: 'model file' | 'projector file' | 'file';
}

/** Files that the plan would open, of a model in several files each of them. Pure. */
export function filesOf(plan: Plan): OpenedFile[] {
  return plan.actions.flatMap(({ deployment, host, ...action }) => {
    if (action.do !== 'start' && action.do !== 'replace') return [];
    return openedBy(action.wanted.spec).map((file) => ({ deployment, host, ...file }));
  });
}

function openedBy(spec: LaunchSpec): Pick<OpenedFile, 'path' | 'what'>[] {
  const named = [
    [spec.model, 'model file'],
    [spec.mmproj, 'projector file'],
    ...filesNamed(spec).map((path) => [path, 'file'] as const),
  ] as const;
  return named.flatMap(([path, what]) => (path ? splitSet(path).map((part) => ({ path: part, what })) : []));
}

/** Files of a cluster are seen by its nodes alone. A model can be a folder, but not where it has the name of a file. */
export async function isThere(world: World, path: string): Promise<boolean> {
  if (world.cluster) return true;
  const found = await world.files.stat(path);
  return found !== null && (found.isFile || !/\.gguf$/i.test(path));
}

/** Files that the plan would open and that are not there. */
export async function missingFiles(world: World, plan: Plan): Promise<Finding[]> {
  const asked = new Map<string, Promise<boolean>>();
  const findings: Finding[] = [];
  for (const file of filesOf(plan)) {
    const there = await worldOn(world, plan.hosts[file.host]);
    const key = `${there.machine} ${file.path}`;
    const isSeen = asked.get(key) ?? isThere(there, file.path);
    asked.set(key, isSeen);
    if (!(await isSeen)) findings.push(missing(file, plan, { isHere: there.machine === thisMachine }));
  }
  return findings;
}

/** The same of what waits for its first request, which a plan leaves alone: that request would be refused. */
export async function missingOnDemand(
  world: World,
  { hosts }: LoadedFleet,
  desired: readonly DesiredReplica[],
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { deployment, replica, spec } of desired) {
    // What has an address is fetched by that request.
    const files = openedBy(spec).filter(({ path }) => !isAddress(path));
    if (!deployment.onDemand || replica > 0 || files.length === 0) continue;
    const { name, host } = deployment;
    const there = await worldOn(world, accessOf(hosts[host]));
    for (const file of files)
      if (!(await isThere(there, file.path)))
        findings.push({
          rule: 'model-missing',
          severity: 'warning',
          object: name,
          message: `The ${file.what} ${file.path} does not exist${there.machine === thisMachine ? '' : ` on ${host}`}, so that the first request for it fails.`,
          evidence: [file.path],
          cure: cureOf({ deployment: name, host, ...file }, { comes: false, isHere: true }),
        });
  }
  return findings;
}

function missing(file: OpenedFile, plan: Plan, { isHere }: { isHere: boolean }): Finding {
  const { deployment, host, path, what } = file;
  const where = isHere ? '' : ` on ${host}`;
  const comes = plan.fetch?.some((one) => one.source === path) ?? false;
  return {
    rule: 'model-missing',
    severity: comes ? 'info' : 'critical',
    object: deployment,
    message: isAddress(path)
      ? `The model ${path} has not been fetched${where}.`
      : `The ${what} ${path} does not exist${where}.`,
    evidence: [path],
    cure: cureOf(file, { comes, isHere }),
  };
}

const saidAt = {
  'model file': 'models.*.source in the fleet file',
  'projector file': 'models.*.mmproj in the fleet file',
  file: 'what names it under engine in the fleet file, such as lora or draftModel',
} as const;

function cureOf(
  { deployment, host, path, what }: OpenedFile,
  { comes, isHere }: { comes: boolean; isHere: boolean },
): string {
  if (comes)
    return `"berth apply" fetches it before it touches anything; "berth pull ${deployment}" does so now.`;
  if (!isAddress(path)) return `Check ${saidAt[what]}; a relative path counts from the folder of that file.`;
  return isHere
    ? `Run "berth pull ${deployment}", which fetches it into the store.`
    : `"berth pull" keeps it on this machine alone: copy it to ${host}, and write its path there as the source of its model.`;
}
