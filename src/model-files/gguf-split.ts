import type { GgufHeader } from './gguf-types.ts';

export interface SplitFault {
  /** Of the headers that were given, from 0. */
  readonly part: number;
  readonly detail: string;
}

/** Why these parts, in order, are not one split model by what they say of themselves; null: they are, or do not say. */
export function splitFault(headers: readonly GgufHeader[]): SplitFault | null {
  for (const [part, { metadata }] of headers.entries()) {
    const no = metadata.get('split.no');
    const count = metadata.get('split.count');
    if (typeof count === 'number' && count > 0 && count !== headers.length)
      return { part, detail: `it is one of ${count} parts, and ${headers.length} lie here` };
    if (typeof no === 'number' && headers.length > 1 && no !== part)
      return { part, detail: `it is part ${no + 1}, and lies in the place of part ${part + 1}` };
  }
  const told = headers.map(({ metadata }) => metadata.get('split.tensors.count'));
  const tensors = headers.reduce((sum, header) => sum + header.tensors.length, 0);
  const other = told.findIndex((count) => typeof count === 'number' && count !== tensors);
  if (other === -1) return null;
  return {
    part: other,
    detail: `its model has ${String(told[other])} tensors, and the parts that lie here ${tensors}: one is of another model`,
  };
}
