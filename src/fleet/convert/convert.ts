import { stringify } from 'yaml';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { pieceAt, readTree } from '../file/tree.ts';
import type { Conversion, ConvertOptions } from './conversion.ts';
import { fromLiteLlm } from './litellm.ts';
import { fromLlamaSwap } from './llama-swap.ts';

/**
 * Makes a fleet of the file of another program, known by what is in it. Pure but for what the options hold. Throws CONFIG_INVALID for
 * faults of syntax, CONVERT_UNKNOWN for a file of nothing that is known.
 */
export function convert(file: string, text: string, options: ConvertOptions): Conversion {
  const { tree, faults } = readTree(file, text);
  if (!tree) throw new BerthError('CONFIG_INVALID', { faults });
  if (pieceAt(tree, ['model_list'])) return fromLiteLlm(tree, options);
  if (pieceAt(tree, ['models'])?.content.kind === 'map') return fromLlamaSwap(tree, options);
  throw new BerthError('CONVERT_UNKNOWN', { path: file });
}

/** The fleet file as text; what was left stands at its head. */
export function convertedText(
  { from, fleet, left }: Conversion,
  head: { schema: string; fleet: string; id: string; source: string },
): string {
  const notes = left.map(({ line, path, reason }) => `#   line ${line}, ${path}: ${reason}`);
  const parts = Object.entries(fleet).filter(([, part]) => Object.keys(part as object).length > 0);
  return [
    `# yaml-language-server: $schema=${head.schema}`,
    `# Made from ${head.source}, a file of ${from}.`,
    ...(notes.length > 0 ? ['# Not carried over as it stands there:', ...notes] : []),
    'version: 1',
    `fleet: ${head.fleet}`,
    '# Tells this fleet apart from others of the same name. Keep it.',
    `id: "${head.id}"`,
    '',
    // Nothing of it may have a counterpart, and what was left says why.
    stringify(parts.length > 0 ? Object.fromEntries(parts) : { deployments: {} }, { lineWidth: 0 }),
  ].join('\n');
}
