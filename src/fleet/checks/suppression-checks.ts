import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { referenceFault } from '../file/references.ts';
import { pieceAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';

/** Suppressions of rules that do not exist. The rules are loaded only where the file speaks of them. */
export async function suppressionFaults(tree: Located): Promise<ConfigFault[]> {
  const list = pieceAt(tree, ['audit', 'suppress'])?.content;
  if (list?.kind !== 'list' || list.items.length === 0) return [];
  const { rules } = await import('../../audit/rules/registry.ts');
  const known = rules.map((rule) => rule.id);
  return list.items.flatMap((item) => {
    const rule = pieceAt(item, ['rule']);
    return rule ? referenceFault(rule, 'rule', known) : [];
  });
}
