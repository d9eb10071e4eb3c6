import { execFile } from 'node:child_process';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { findTool, liveBin } from '../../test/hosts/llama-server.ts';

const folder = join(liveBin, '../models');

/** The models under test, made once and kept in the live cache. Null: a tool that is needed to make it is missing. */
export async function benchModel(name: '100m-q8_0' | '500m-q4_k_m'): Promise<string | null> {
  const path = join(folder, name, 'model.gguf');
  if (existsSync(path)) return path;
  if (name === '100m-q8_0') {
    await makeModel(localFiles, { size: '100M', type: 'q8_0', seed: 1, path });
    return path;
  }
  const quantize = findTool('llama-quantize');
  if (!quantize) return null;
  const whole = join(folder, name, 'f16.gguf');
  await makeModel(localFiles, { size: '500M', type: 'f16', seed: 1, path: whole });
  await promisify(execFile)(quantize, [whole, `${path}.part`, 'Q4_K_M'], { maxBuffer: 64 * 1024 * 1024 });
  renameSync(`${path}.part`, path);
  rmSync(whole);
  return path;
}
