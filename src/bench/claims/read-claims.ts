import { LineCounter, parseDocument } from 'yaml';
import { ClaimsFile } from '../../domain/claims.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Files } from '../../io/files.ts';

/** Throws FILE_MISSING, or CLAIMS_INVALID with every fault as "line:column path: what". */
export async function readClaims(files: Files, path: string): Promise<ClaimsFile> {
  const text = await files.read(path);
  if (text === null) throw new BerthError('FILE_MISSING', { path, what: 'file of claims' });
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  function place(offset: number): string {
    const { line, col } = lines.linePos(offset);
    return `${line}:${col}`;
  }
  // Those behind the first come of these.
  const syntax = document.errors.slice(0, 5).map((error) => `${place(error.pos[0])} ${error.message}`);
  if (syntax.length > 0) throw new BerthError('CLAIMS_INVALID', { path, faults: syntax });
  const parsed = ClaimsFile.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(
    (issue) => `${place(offsetOf(document, issue.path))} ${issue.path.join('.')}: ${issue.message}`,
  );
  throw new BerthError('CLAIMS_INVALID', { path, faults });
}

/** Of the value, or of the nearest thing around it that is there. */
function offsetOf(document: ReturnType<typeof parseDocument>, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range))
      return Number(node.range[0]);
  }
  return 0;
}
