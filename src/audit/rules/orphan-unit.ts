import { formatBytes } from '../../domain/format.ts';
import type { Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const orphanUnit: Rule = {
  id: 'orphan-unit',
  severity: 'info',
  finds: 'a unit file for a model server that neither runs nor is started at boot',
  why: 'It is easily started by mistake, and it hides what is really used.',
  find: ({ hosts }) =>
    perHost(hosts, ({ units, modelFiles }) =>
      units
        .filter((unit) => unit.active === 'inactive' && unit.enabled === false && !unit.marked)
        .map((unit) => {
          const file = modelFiles.find((one) => one.path === unit.starts.model);
          const flag = unit.scope === 'user' ? '--user ' : '';
          return {
            object: unit.name,
            message: 'It does not run, and nothing starts it.',
            evidence: [
              unit.path,
              ...(file ? [`it would serve ${file.path}, ${formatBytes(file.bytes)}`] : []),
            ],
            cure: 'Remove it once you know that nobody starts it by hand; keep a copy.',
            commands: [
              `cp ${unit.path} ${unit.path}.kept`,
              `rm ${unit.path}`,
              `systemctl ${flag}daemon-reload`,
            ],
          };
        }),
    ),
};
