import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Finding } from '../../domain/finding.ts';
import { isSamePlace } from '../../domain/fleet-part.ts';
import type { World } from '../../io/world.ts';
import type { StartRequest } from '../contract.ts';
import { inContainer } from './definition.ts';
import { unitFacts } from './facts.ts';
import { markOnDisk } from './observe.ts';
import { definitionFiles } from './own-files.ts';
import { previewContainer } from './preview-container.ts';
import { hiddenReads, renderUnit, unitNameOf } from './render.ts';
import type { UnitFacts } from './render.ts';
import { unitWish } from './options.ts';
import type { SystemdOptions } from './options.ts';
import { ask, reasonOf, scopeOf } from './scope.ts';
import type { Scope } from './scope.ts';
import { unreadable } from './unreadable.ts';
import { verified } from './verify.ts';

/** What systemd and the file system would object to. */
export async function preview(
  world: World,
  request: StartRequest,
  options: SystemdOptions,
): Promise<Finding[]> {
  const scope = scopeOf(world);
  const object = request.mark.deployment;
  const manager = await ask(world, scope, ['show', '-p', 'Version']);
  if (manager.code !== 0) {
    const error = new BerthError('SYSTEMD_UNREACHABLE', { scope: scope.name, reason: reasonOf(manager) });
    return [finding('critical', { rule: 'systemd-unreachable', object, error })];
  }
  const unit = unitNameOf(request.mark, options);
  try {
    await expectOwnFiles(world, scope, { request, options, unit });
    if (inContainer(options))
      return await previewContainer(world, scope, { mark: request.mark, options, unit });
    const facts = await unitFacts(world, request, { unit, scope });
    const found = await Promise.all([
      verify(world, scope, { request, options, facts }),
      unreadable(world, { mark: request.mark, options, facts }),
    ]);
    return [...found.flat(), ...letIn(request, options, facts)];
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    return [finding('critical', { rule: 'unit-impossible', object, error })];
  }
}

/** Before the unit that serves is stopped for one of its name, which would be refused then. Throws UNIT_FOREIGN. */
async function expectOwnFiles(
  world: World,
  scope: Scope,
  { request, options, unit }: { request: StartRequest; options: SystemdOptions; unit: string },
): Promise<void> {
  if (unitWish(options).name === null) return;
  const mark = await markOnDisk(world, scope, unit);
  if (!mark || !isSamePlace(mark, request.mark)) return;
  const [path] = (await definitionFiles(world, scope, { unit, mark })).foreign;
  if (path !== undefined) throw new BerthError('UNIT_FOREIGN', { unit, path });
}

function finding(
  severity: Finding['severity'],
  { rule, object, error }: { rule: string; object: string; error: BerthError },
): Finding {
  return { rule, severity, object, message: error.message, evidence: [error.code], cure: error.cure };
}

interface Asked {
  readonly request: StartRequest;
  readonly options: SystemdOptions;
  readonly facts: UnitFacts;
}

async function verify(world: World, scope: Scope, { request, options, facts }: Asked): Promise<Finding[]> {
  const { unit: text } = renderUnit(request.mark, options, facts);
  return verified(world, scope, { mark: request.mark, unit: facts.unit, text });
}

function letIn(request: StartRequest, options: SystemdOptions, facts: UnitFacts): Finding[] {
  const paths = hiddenReads(request.mark, options, facts);
  if (paths.length === 0) return [];
  return [
    {
      rule: 'behind-sandbox',
      severity: 'info',
      object: request.mark.deployment,
      message: `The unit sees neither homes nor the host's /tmp, so ${paths.join(', ')} is let in by itself, read only.`,
      evidence: paths,
      cure: 'Other files that it opens there are named with BindReadOnlyPaths below "target.unit.Service", or lie better in /srv or /opt.',
    },
  ];
}
