import { removeCommand } from '../../domain/audit/server-words.ts';
import { formatBytes } from '../../domain/format.ts';
import type { Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const orphanUnit: Rule = {
  id: 'orphan-unit',
  severity: 'info',
  finds: 'a unit file for a model server that neither runs nor is started at boot',
  why: 'It is easily started by mistake, and it hides what is really used.',
  find: ({ hosts }) =>
    perHost(hosts, ({ host, units, modelFiles }) =>
      units
        .filter((unit) => unit.active === 'inactive' && unit.enabled === false && !unit.marked)
        .map((unit) => {
          const file = modelFiles.find((one) => one.path === unit.starts.model);
          return {
            object: unit.name,
            message: 'It does not run, and nothing starts it.',
            evidence: [
              unit.path,
              ...(file ? [`it would serve ${file.path}, ${formatBytes(file.bytes)}`] : []),
            ],
            cure: 'Remove it once you know that nobody starts it by hand; its files are kept.',
            commands: [removeCommand([`${unit.scope === 'user' ? 'user-unit' : 'unit'}:${unit.name}`], host)],
          };
        }),
    ),
};
