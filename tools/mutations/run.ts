import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { seededRandom } from '../../src/stats/random.ts';
import { filesWithRule } from './rule-tests.ts';
import { mutations } from './rules.ts';
import type { Mutation } from './rules.ts';

/*
 * Breaks the gateway's rules one by one in a copy of the working tree, and looks whether the tests of that rule notice.
 * Each rule's tests must pass first. `--draw N --seed S` takes N rules by the seed, `--rule N` that one, else all.
 * Prints a line each, with --json an array; exit code 1 when one went unnoticed.
 */

const root = join(import.meta.dirname, '../..');

interface Finding {
  readonly rule: number;
  readonly file: string;
  readonly outcome: 'noticed' | 'unnoticed' | 'fails without it';
}

function chosen(): readonly Mutation[] {
  const { values } = parseArgs({
    options: {
      rule: { type: 'string' },
      draw: { type: 'string' },
      seed: { type: 'string', default: '1' },
      json: { type: 'boolean' },
    },
  });
  if (values.rule !== undefined) return mutations.filter(({ rule }) => rule === Number(values.rule));
  if (values.draw === undefined) return mutations;
  const random = seededRandom(Number(values.seed));
  const left = [...new Set(mutations.map(({ rule }) => rule))];
  const drawn = Array.from({ length: Number(values.draw) }, () => left.splice(random.below(left.length), 1));
  return mutations.filter(({ rule }) => drawn.flat().includes(rule));
}

/** Tracked files and new ones, without what is ignored; the installed packages by a link. */
function copyTree(): string {
  const copy = mkdtempSync(join(tmpdir(), 'berth mutations-'));
  const listed = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
  });
  for (const file of listed.stdout.toString().split('\0').filter(Boolean)) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    copyFileSync(join(root, file), join(copy, file));
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

function passes(copy: string, rule: number): boolean {
  const args = ['run', '--project', 'unit', ...filesWithRule(copy, rule), '-t', `rule ${rule}: `];
  const vitest = join(copy, 'node_modules/vitest/vitest.mjs');
  return spawnSync(process.execPath, [vitest, ...args], { cwd: copy, stdio: 'ignore' }).status === 0;
}

/** Rules whose tests pass without a mutation. */
const whole = new Set<number>();

function tryOut(copy: string, { rule, file, search, replace }: Mutation): Finding {
  if (!whole.has(rule) && passes(copy, rule)) whole.add(rule);
  if (!whole.has(rule)) return { rule, file, outcome: 'fails without it' };
  const path = join(copy, file);
  const source = readFileSync(path, 'utf8');
  writeFileSync(
    path,
    source.replace(search, () => replace),
  );
  try {
    return { rule, file, outcome: passes(copy, rule) ? 'unnoticed' : 'noticed' };
  } finally {
    writeFileSync(path, source);
  }
}

const json = process.argv.includes('--json');
const copy = copyTree();
try {
  const findings: Finding[] = [];
  for (const mutation of chosen()) {
    const finding = tryOut(copy, mutation);
    findings.push(finding);
    if (!json) process.stdout.write(`rule ${finding.rule}\t${finding.outcome}\t${finding.file}\n`);
  }
  if (json) process.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
  process.exitCode = findings.every(({ outcome }) => outcome === 'noticed') ? 0 : 1;
} finally {
  rmSync(copy, { recursive: true });
}
