import { BerthError } from '../domain/errors/berth-error.ts';
import { filesNamed } from '../domain/fill-args.ts';
import type { Finding } from '../domain/finding.ts';
import { sameObject } from '../domain/instance.ts';
import type { Plan } from '../domain/plan.ts';
import { detectMemory } from '../hardware/detect.ts';
import type { World } from '../io/world.ts';
import { targetOf } from '../targets/registry.ts';
import { desiredReplicas } from './desired.ts';
import type { DesiredReplica } from './desired.ts';
import { makePlan } from './make-plan.ts';
import { driftFindings, previewFindings } from './look-closer.ts';
import { holderOf, instancesOf, observe } from './observe.ts';
import type { Observed } from './observe.ts';
import type { LoadedFleet } from './resolve.ts';

/** Looks at the machine and says what is to be done to have it as the file says. Changes nothing. */
export async function preparePlan(
  world: World,
  loaded: LoadedFleet,
  options: { refresh?: boolean; restart?: readonly string[] } = {},
): Promise<Plan> {
  const known = loaded.deployments.map((one) => one.name);
  const unknown = options.restart?.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new BerthError('DEPLOYMENT_UNKNOWN', { name: unknown, known });
  const [desired, observed, memory] = await Promise.all([
    desiredReplicas(world, loaded),
    observe(world),
    detectMemory(world),
  ]);
  expectAbilities(desired);
  const plan = makePlan({
    loaded,
    desired,
    instances: instancesOf(observed, loaded),
    usedPorts: new Set([
      ...observed.listeners.map((one) => one.port),
      ...observed.instances.flatMap((one) => one.mark?.port ?? []),
    ]),
    refresh: options.refresh ?? false,
    restart: options.restart ?? [],
    freeBytes: memory.availableBytes,
    traits: (options) => {
      const target = targetOf(options.kind);
      return { supervises: target.supervises, beside: target.beside(options) };
    },
    modelBytes: await modelSizes(world, loaded),
  });
  const found = await Promise.all([
    missingFiles(world, plan),
    previewFindings(world, plan, observed),
    driftFindings(world, loaded, observed),
  ]);
  return { ...plan, findings: [...plan.findings, ...found.flat(), ...heldPorts(plan, observed)] };
}

/** A pair of engine and target that cannot be. Throws TARGET_REFUSES. */
function expectAbilities(desired: readonly DesiredReplica[]): void {
  for (const { deployment, spec } of desired) {
    const { kind } = deployment.target;
    const reason = targetOf(kind).refuses(spec, deployment.target);
    if (reason !== null)
      throw new BerthError('TARGET_REFUSES', { deployment: deployment.name, target: kind, reason });
  }
}

async function modelSizes(world: World, loaded: LoadedFleet): Promise<Map<string, number>> {
  const paths = loaded.deployments.flatMap(({ model }) => model?.path ?? []);
  const sizes = await Promise.all(
    paths.map(async (path) => [path, (await world.files.stat(path))?.size ?? 0] as const),
  );
  return new Map(sizes);
}

/** Model files that the plan would open and that are not there. */
async function missingFiles(world: World, plan: Plan): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { deployment, path } of filesOf(plan)) {
    if (await isThere(world, path)) continue;
    findings.push({
      rule: 'model-missing',
      severity: 'critical',
      object: deployment,
      message: `The model file ${path} does not exist.`,
      evidence: [path],
      cure: 'Check models.*.source in the fleet file; a relative path counts from the folder of that file.',
    });
  }
  return findings;
}

/** A model can be a folder, but not where it has the name of a file. */
export async function isThere(world: World, path: string): Promise<boolean> {
  const found = await world.files.stat(path);
  return found !== null && (found.isFile || !/\.gguf$/i.test(path));
}

export function filesOf(plan: Plan): { deployment: string; path: string }[] {
  return plan.actions.flatMap((action) => {
    if (action.do !== 'start' && action.do !== 'replace') return [];
    const { spec } = action.wanted;
    const paths = [spec.model, spec.mmproj, ...filesNamed(spec)];
    return paths.flatMap((path) => (path ? [{ deployment: action.deployment, path }] : []));
  });
}

/** Ports that the plan wants and that someone holds who will still be there. */
export function foreignHolders(
  plan: Plan,
  observed: Observed,
): { deployment: string; address: string; port: number; holder: string }[] {
  const leaving = plan.actions.flatMap((action) =>
    action.do === 'stop' || action.do === 'replace' ? [action.running.object] : [],
  );
  const freed = new Set(
    observed.instances
      .filter((one) => leaving.some((object) => sameObject(object, one.object)))
      .flatMap((one) => one.endpoints.map((end) => end.port)),
  );
  return plan.actions.flatMap((action) => {
    if (action.do !== 'start' && action.do !== 'replace') return [];
    const { port, address } = action.wanted;
    const holder = holderOf(observed, action.wanted);
    return holder && !freed.has(port)
      ? [{ deployment: action.deployment, address, port, holder: holder.text }]
      : [];
  });
}

function heldPorts(plan: Plan, observed: Observed): Finding[] {
  return foreignHolders(plan, observed).map(({ deployment, port, holder }) => ({
    rule: 'port-held',
    severity: 'critical',
    object: deployment,
    message: `Port ${port} is held by ${holder}.`,
    evidence: [`port ${port}`, holder],
    cure: `Stop that program, or name another port than ${port}.`,
  }));
}
