import { resolve } from 'node:path/posix';
import type { ProcessEntry } from '../domain/process-facts.ts';

const delimiter = /[\s=,:;@"'|]/;
/** The most letters of a word that may be paths of a folder where it runs. */
const relativeLength = 4096;

/**
 * Whether a process has the path of a file in its arguments or its variables, as far as rights show those: as a word, or as a part of
 * one ("--key=x", "-kx", "cert=x,key=y", "file:///x"). It may say yes to what only looks so. Pure.
 */
export function namesFile(
  { argv, env, cwd }: Pick<ProcessEntry, 'argv' | 'env' | 'cwd'>,
  path: string,
): boolean {
  return [...argv, ...Object.values(env ?? {})].some(
    (word) => standsIn(word, path) || partsOf(word).some((part) => resolve(cwd ?? '/', part) === path),
  );
}

/** A slash before it ends the scheme of an address. */
function standsIn(word: string, path: string): boolean {
  for (let at = word.indexOf(path); at >= 0; at = word.indexOf(path, at + 1)) {
    const [before = '', after = ''] = [word[at - 1], word[at + path.length]];
    const begins = before === '' || before === '/' || delimiter.test(before);
    if (begins && (after === '' || delimiter.test(after))) return true;
  }
  return false;
}

function partsOf(word: string): string[] {
  if (word.length > relativeLength) return [];
  const glued = /^-[A-Za-z0-9]/.test(word) ? [word.slice(2)] : [];
  const value = word.includes('=') ? [word.slice(word.indexOf('=') + 1)] : [];
  return [word, ...glued, ...value, ...word.split(delimiter)].filter((part) => part !== '');
}
