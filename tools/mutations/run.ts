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
import { mutations } from './rules.ts';
import type { Mutation } from './mutation.ts';
import { runBounded, vitestOf } from './try-tests.ts';
import type { TestRun } from './try-tests.ts';

/*
 * Breaks the gateway's rules one by one in a copy of the working tree, and looks whether the tests of that rule notice.
 * Each rule's tests must pass first. `--draw N --seed S` takes N rules by the seed, `--rule N` that one, else all.
 * Tests that do not end within a bound have noticed, too. Prints a line each as it goes, with --json an array at the end;
 * exit code 1 when one went unnoticed.
 */

const root = join(import.meta.dirname, '../..');

interface Finding {
  readonly rule: number;
  readonly file: string;
  readonly outcome: 'noticed' | 'noticed: the tests did not end' | 'unnoticed' | 'fails without it';
}

const outcomes = {
  passed: 'unnoticed',
  failed: 'noticed',
  hung: 'noticed: the tests did not end',
} as const satisfies Record<TestRun, Finding['outcome']>;

/** The time limit of one test (vitest.config.ts). */
const testLimitMs = 120_000;
const longestMs = 600_000;

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

/** What the tests of a rule take without a mutation, in milliseconds; null where they fail. */
const whole = new Map<number, number | null>();

async function wholeMs(copy: string, rule: number): Promise<number | null> {
  const known = whole.get(rule);
  if (known !== undefined) return known;
  const began = performance.now();
  const run = await runBounded(vitestOf(copy, rule), { cwd: copy, boundMs: longestMs });
  const took = run === 'passed' ? performance.now() - began : null;
  whole.set(rule, took);
  return took;
}

async function tryOut(copy: string, { rule, file, search, replace }: Mutation): Promise<Finding> {
  const usualMs = await wholeMs(copy, rule);
  if (usualMs === null) return { rule, file, outcome: 'fails without it' };
  const path = join(copy, file);
  const source = readFileSync(path, 'utf8');
  writeFileSync(
    path,
    source.replace(search, () => replace),
  );
  try {
    // One test waits in vain for as long as its limit is, beside what they all take.
    const run = await runBounded(vitestOf(copy, rule), { cwd: copy, boundMs: 5 * usualMs + testLimitMs });
    return { rule, file, outcome: outcomes[run] };
  } finally {
    writeFileSync(path, source);
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const json = process.argv.includes('--json');
const copy = copyTree();
process.once('exit', () => rmSync(copy, { recursive: true, force: true }));
const findings: Finding[] = [];
for (const mutation of chosen()) {
  process.stderr.write(`rule ${mutation.rule}: ${mutation.file} …\n`);
  const finding = await tryOut(copy, mutation);
  findings.push(finding);
  if (!json) process.stdout.write(`rule ${finding.rule}\t${finding.outcome}\t${finding.file}\n`);
}
if (json) process.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
process.exitCode = findings.every(({ outcome }) => outcome.startsWith('noticed')) ? 0 : 1;
