import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Finding } from '../../domain/finding.ts';
import type { World } from '../../io/world.ts';
import type { StartRequest } from '../contract.ts';
import { unitFacts } from './facts.ts';
import { hiddenReads, renderUnit, unitNameOf } from './render.ts';
import type { UnitFacts } from './render.ts';
import type { SystemdOptions } from './options.ts';
import { ask, ofUser, reasonOf, scopeOf } from './scope.ts';
import type { Scope } from './scope.ts';
import { unreadable } from './unreadable.ts';

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

/** systemd-analyze exits with 0 also when it has something to say, so that what it says counts. */
async function verify(world: World, scope: Scope, { request, options, facts }: Asked): Promise<Finding[]> {
  const file = `${facts.unit}.service`;
  const folder = `${world.places.runtime}/verify-${request.mark.deployment}-${request.mark.replica}`;
  const { unit } = renderUnit(request.mark, options, facts);
  try {
    await world.files.write(`${folder}/${file}`, unit);
    const front = scope.name === 'user' ? ofUser(world) : [];
    const mode = scope.name === 'user' ? ['--user'] : [];
    const argv = [...front, 'systemd-analyze', ...mode, 'verify', '--man=no', `${folder}/${file}`];
    const { code, stderr } = await world.exec.run(argv, { timeoutMs: 30_000 });
    const said = stderr
      .split('\n')
      .filter((line) => line.includes(file) && !/^Failed to|is marked/.test(line));
    if (code === null || said.length === 0) return [];
    return [
      {
        rule: 'unit-verify',
        severity: said.some((line) => /not executable|bad-setting|Missing/i.test(line))
          ? 'critical'
          : 'warning',
        object: request.mark.deployment,
        message: `systemd objects to the unit ${facts.unit}: ${said.map((line) => line.replace(`${folder}/`, '')).join('; ')}`,
        evidence: said,
        cure: 'Correct the raw keys below "target.unit", or the program of the engine.',
      },
    ];
  } finally {
    await world.files.remove(folder);
  }
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
