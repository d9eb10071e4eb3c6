import { quoteWord } from '../../domain/command-line/quote-word.ts';
import type { Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const unitNotReloaded: Rule = {
  id: 'unit-not-reloaded',
  severity: 'warning',
  finds: 'a unit whose files were changed after systemd had read them',
  why: 'It runs as it was, and its next start is another one.',
  find: ({ hosts }) =>
    perHost(hosts, ({ units }) =>
      units
        .filter((unit) => unit.needsReload)
        .map((unit) => ({
          object: unit.name,
          message: 'Its files have changed, and systemd has not read them.',
          evidence: ['NeedDaemonReload=yes', unit.path, ...unit.dropIns],
          cure: 'Look at what was changed, then have systemd read it.',
          commands: [
            `systemctl ${unit.scope === 'user' ? '--user ' : ''}cat ${quoteWord(unit.name)}`,
            `systemctl ${unit.scope === 'user' ? '--user ' : ''}daemon-reload`,
          ],
        })),
    ),
};
