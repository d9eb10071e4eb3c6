import { BerthError } from '../domain/errors/berth-error.ts';
import type { ByteSource } from '../io/byte-file.ts';
import { splitSet } from '../domain/split-files.ts';
import { openSource } from '../io/byte-file.ts';
import { Malformed, MoreNeeded, parseGguf } from './gguf-parse.ts';
import type { GgufHeader } from './gguf-types.ts';
import { tensorBytes } from './gguf-types.ts';

const firstWindow = 1024 * 1024;
const largestHeader = 512 * 1024 * 1024;

/**
 * Reads a model's header: the front of the file only, never the weights.
 * Throws FILE_MISSING, GGUF_FOREIGN, GGUF_TRUNCATED and GGUF_BROKEN.
 */
export async function readGgufFile(path: string): Promise<GgufHeader> {
  await using source = await openSource(path);
  if (!source) throw new BerthError('FILE_MISSING', { path, what: 'model file' });
  const header = await readGgufHeader(source);
  checkData(header, source);
  return header;
}

/** The header of a whole model: of one in several files the first's, with the tensors of all. Throws as `readGgufFile` does. */
export async function readGgufModel(path: string): Promise<GgufHeader> {
  const [first, ...others] = splitSet(path);
  const header = await readGgufFile(first ?? path);
  const tensors = [...header.tensors];
  for (const part of others) tensors.push(...(await readGgufFile(part)).tensors);
  return { ...header, tensors };
}

/** Of a file that may lie elsewhere: as much of its front as the header takes. Throws as `readGgufFile` does. */
export async function readGgufHeader(source: ByteSource): Promise<GgufHeader> {
  for (let window = firstWindow; ; window *= 4) {
    const bytes = await source.read(0, window);
    checkMagic(bytes, source.path);
    try {
      return parseGguf(bytes);
    } catch (error) {
      if (error instanceof Malformed)
        throw new BerthError('GGUF_BROKEN', { path: source.path, detail: error.message }, { cause: error });
      if (!(error instanceof MoreNeeded)) throw error;
      if (bytes.length >= source.size)
        throw new BerthError('GGUF_TRUNCATED', {
          path: source.path,
          detail: 'it ends within the header',
        });
      if (window >= largestHeader)
        throw new BerthError('GGUF_BROKEN', { path: source.path, detail: 'the header is over 512 MiB' });
    }
  }
}

function checkMagic(bytes: Buffer, path: string): void {
  if (bytes.length === 0) throw new BerthError('GGUF_FOREIGN', { path, found: 'it is empty' });
  const magic = bytes.subarray(0, 4);
  if (!Buffer.from('GGUF').subarray(0, magic.length).equals(magic)) {
    const found = `it begins with the bytes ${magic.toString('hex')}`;
    throw new BerthError('GGUF_FOREIGN', { path, found });
  }
}

/** Every tensor must lie within the file; an engine would read past its end. */
function checkData(header: GgufHeader, source: ByteSource): void {
  for (const tensor of header.tensors) {
    const bytes = tensorBytes(tensor);
    if (bytes === null) continue;
    const end = header.dataOffset + tensor.offset + bytes;
    if (end > source.size) {
      const detail = `tensor ${tensor.name} ends at byte ${end}, the file at ${source.size}`;
      throw new BerthError('GGUF_TRUNCATED', { path: source.path, detail });
    }
  }
}
