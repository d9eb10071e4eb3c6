import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { crcKinds } from '../domain/listed-model.ts';
import type { CrcKind } from '../domain/listed-model.ts';
import { beginCrc } from './crc.ts';

// What the catalogue of parametrised CRC algorithms gives as the check value of each.
test.each([
  ['crc64nvme', 'ae8b14860a799888'],
  ['crc32c', 'e3069283'],
  ['crc32', 'cbf43926'],
] as const satisfies readonly (readonly [CrcKind, string])[])(
  '%s of the nine digits is %s, in one piece or several',
  (kind, expected) => {
    for (const pieces of [['123456789'], ['1', '', '2345', '6789']]) {
      const crc = beginCrc(kind);
      for (const piece of pieces) crc.update(Buffer.from(piece));
      expect(Buffer.from(crc.digest(), 'base64').toString('hex')).toBe(expected);
    }
  },
);

test('long pieces, by eight bytes at once, give what single bytes give, as zlib does', () => {
  const bytes = Buffer.from(Array.from({ length: 1001 }, (_, at) => (at * 7 + (at >> 3)) % 256));
  for (const kind of crcKinds) {
    const [whole, single] = [beginCrc(kind), beginCrc(kind)];
    whole.update(bytes.subarray(0, 500));
    whole.update(bytes.subarray(500));
    for (const byte of bytes) single.update(Uint8Array.of(byte));
    expect(whole.digest()).toBe(single.digest());
  }
  const crc = beginCrc('crc32');
  crc.update(bytes);
  expect(Buffer.from(crc.digest(), 'base64').readUInt32BE()).toBe(crc32(bytes));
});
