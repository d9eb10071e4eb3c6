import { expect, test } from 'vitest';
import { isLoopback } from './loopback.ts';

test.each([
  '127.0.0.1',
  '127.8.8.8',
  '127.1',
  'localhost',
  'LOCALHOST',
  '::1',
  '0:0:0:0:0:0:0:1',
  '::ffff:127.0.0.1',
])('%s is reached from this machine alone', (address) => expect(isLoopback(address)).toBe(true));

test.each([
  '0.0.0.0',
  '::',
  '0',
  '192.168.1.4',
  '10.0.0.1',
  'fe80::1',
  '2001:db8::1',
  '::ffff:10.0.0.1',
  '::ffff:0.0.0.0',
  'box.lan',
  'localhost.example.com',
  '1270.0.0.1',
  '',
])('%s may be reached from elsewhere', (address) => expect(isLoopback(address)).toBe(false));
