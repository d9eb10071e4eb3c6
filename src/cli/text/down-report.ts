import type { Down } from '../../fleet/apply/down.ts';
import { leftText } from '../../domain/left.ts';
import type { CliContext } from '../context.ts';

/** What was stopped, and what could not be looked at. */
export function reportDown(
  { output }: CliContext,
  fleet: string,
  { up, stopped, gateways, silent, mute, left, only }: Down & { only: readonly string[] | null },
): void {
  const engines = stopped.map(({ mark, process, object }) => ({
    deployment: mark?.deployment ?? '',
    replica: mark?.replica ?? 0,
    pid: process?.pid ?? null,
    object: object.name,
  }));
  const unseen = [
    ...[...silent].map(([host, error]) => ({ host, target: null, message: error.message })),
    ...mute.map(({ host, target, fault }) => ({ host, target, message: fault.message })),
  ];
  output.result({ fleet, up, stopped: engines, gateways, silent: unseen, left }, () => {
    const notSeen = unseen.map(
      ({ host, target, message }) =>
        `Host ${host}${target === null ? '' : ` (${target})`} could not be looked at: ${message} What runs there goes on.`,
    );
    const names = engines.map((engine) => `${engine.deployment} (${engine.pid ?? engine.object})`);
    const doors = gateways.map((host) => `the gateway on ${host}`);
    const all = [...(up === null ? [] : ['gateway and console']), ...names, ...doors].join(', ');
    const what =
      all === ''
        ? `Nothing of ${only ? only.join(' and ') : `fleet ${fleet}`} was running.`
        : only
          ? `Stopped: ${all}. "berth apply" starts again what the file still names.`
          : `Fleet ${fleet} is down: ${all}.`;
    const stays = left.map(({ host, object, command }) =>
      leftText({ object: `${object} on ${host}`, command }),
    );
    return [what, ...stays, ...notSeen].join('\n');
  });
}
