import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { fault } from '../file/fault.ts';
import { entriesAt, pieceAt, scalarAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';

/** Options of a unit that mean nothing in a container, or nothing without one. */
export function unitFaults(tree: Located): ConfigFault[] {
  return entriesAt(tree, ['deployments']).flatMap(([, deployment]) => {
    const target = pieceAt(deployment, ['target']);
    if (!target || scalarAt(target, ['kind']) !== 'systemd') return [];
    return isSaid(target, ['container']) ? containerFaults(target) : processFaults(target);
  });
}

function containerFaults(target: Located): ConfigFault[] {
  const useless = [
    ['hardening', 'A container shuts the engine off by itself: hardening would be without effect.', ''],
    ['user', 'The user of a unit is not that of its container.', 'write target.container.user, or '],
  ] as const;
  return [
    ...useless.flatMap(([key, message, instead]) => {
      const said = pieceAt(target, [key]);
      if (!said || !isSaid(target, [key])) return [];
      const cure = `${instead}leave ${key} out (null takes away that of the defaults).`;
      return [fault(said, said.keyAt, message, `${cure[0]?.toUpperCase()}${cure.slice(1)}`)];
    }),
    ...templateFaults(target),
  ];
}

const template = /@(\.service)?$/;

/** Podman makes one unit of one file. */
function templateFaults(target: Located): ConfigFault[] {
  const piece = pieceAt(target, ['unit', 'name']) ?? pieceAt(target, ['unit']);
  const name = piece && scalarAt(piece, []);
  if (!piece || typeof name !== 'string' || !template.test(name)) return [];
  const plain = name.replace(template, '');
  return [
    fault(
      piece,
      piece.keyAt,
      `Units of containers are no instances of a template such as ${name}.`,
      `Name it ${plain}: replicas are called ${plain}-1 and so on.`,
    ),
  ];
}

function processFaults(target: Located): ConfigFault[] {
  const raw = pieceAt(target, ['unit', 'Container']);
  if (!raw || !isSaid(target, ['unit', 'Container'])) return [];
  return [
    fault(
      raw,
      raw.keyAt,
      'There is no container here whose keys these could be.',
      'Write target.container beside them ("container: {}" takes the engine\'s own image), or remove them.',
    ),
  ];
}

/** Null takes away what the defaults say. */
function isSaid(target: Located, path: readonly string[]): boolean {
  return pieceAt(target, path) !== null && scalarAt(target, path) !== null;
}
