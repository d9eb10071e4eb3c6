import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const bin = join(import.meta.dirname, '../../bin/berth.js');

/** What a command says and how it ends when whoever reads its results goes after the first piece, as "head" does. */
function goneReader(...args: string[]): Promise<{ code: number | null; told: string }> {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let told = '';
  child.stdout.once('data', () => child.stdout.destroy());
  child.stderr.on('data', (piece: Buffer) => (told += piece.toString()));
  return new Promise((done) => void child.on('close', (code) => done({ code, told })));
}

test('a command whose results nobody reads any more ends without a word', async () => {
  expect(await goneReader('schema')).toEqual({ code: 0, told: '' });
});
