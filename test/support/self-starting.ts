import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const interpreterType = 3;
const headerTable = 32;
const headerSize = 54;
const headerCount = 56;

/**
 * The same program as one that can start itself again, for a wrapper that runs it under a loader of its own: such a program finds the
 * loader in /proc/self/exe. A copy names that loader itself; where there is no such wrapper, the program is as it is.
 */
export function selfStarting(wrapper: string, folder: string): string {
  const text = readFileSync(wrapper, 'utf8');
  const found = /^exec "([^"]+)" --library-path "([^"]+)" "([^"]+)"/m.exec(text);
  if (!found) return wrapper;
  const [, loader = '', libraries = '', program = ''] = found;
  const own = join(folder, 'llama-server.own');
  writeFileSync(own, withInterpreter(readFileSync(program), loader));
  const started = join(folder, 'llama-server');
  const settings = text.split('\n').filter((line) => line.startsWith('export '));
  const lines = ['#!/bin/sh', ...settings, `export LD_LIBRARY_PATH="${libraries}"`, `exec "${own}" "$@"`, ''];
  writeFileSync(started, lines.join('\n'));
  for (const file of [own, started]) chmodSync(file, 0o755);
  return started;
}

/** An ELF program of 64 bits that asks for another loader, whose path is put behind all else. */
function withInterpreter(elf: Buffer, loader: string): Buffer {
  const path = Buffer.from(`${loader}\0`);
  const made = Buffer.concat([elf, path]);
  const table = Number(made.readBigUInt64LE(headerTable));
  const size = made.readUInt16LE(headerSize);
  for (let i = 0; i < made.readUInt16LE(headerCount); i += 1) {
    const at = table + i * size;
    if (made.readUInt32LE(at) !== interpreterType) continue;
    made.writeBigUInt64LE(BigInt(elf.length), at + 8);
    made.writeBigUInt64LE(BigInt(path.length), at + 32);
    return made;
  }
  throw new Error('It asks for no loader.');
}
