/** Each look at the global one goes through a getter of Node's. */
const bufferOf = Buffer;

/** The first `size` bytes of a buffer that is read into again and again, in one of their own. */
export function ownCopy(read: Buffer, size: number): Buffer {
  const bytes = bufferOf.allocUnsafe(size);
  read.copy(bytes, 0, 0, size);
  return bytes;
}
