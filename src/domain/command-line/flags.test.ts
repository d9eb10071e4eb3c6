import { expect, test } from 'vitest';
import { readFlags } from './flag-rows.ts';
import { firstOperand, flagNumber, flagValue, hasFlag, parseHostPort } from './flags.ts';

test('a flag is found as two words or with an equals sign, and the last one wins', () => {
  expect(flagValue(['--port', '1', '--port=2'], '--port')).toBe('2');
  expect(flagValue(['--port=2', '-p', '3'], '--port', '-p')).toBe('3');
  expect(flagValue(['--portal', '1'], '--port')).toBeNull();
  expect(flagNumber(['--port', 'none'], '--port')).toBeNull();
  expect(hasFlag(['--api-key=x'], '--api-key')).toBe(true);
});

test('the first operand is no flag and no value of one', () => {
  expect(firstOperand(['--tp', '4', '--eager', 'm/x', '--port', '1'], ['--eager'])).toBe('m/x');
  expect(firstOperand(['--tp=4', 'm/x'])).toBe('m/x');
  expect(firstOperand([])).toBeNull();
});

test('addresses are read in all the forms that servers take', () => {
  expect(parseHostPort('0.0.0.0:11434')).toEqual({ host: '0.0.0.0', port: 11434 });
  expect(parseHostPort(':8080')).toEqual({ host: null, port: 8080 });
  expect(parseHostPort('http://localhost:80/x')).toEqual({ host: 'localhost', port: 80 });
  expect(parseHostPort('[::1]:80')).toEqual({ host: '::1', port: 80 });
  expect(parseHostPort('box')).toEqual({ host: 'box', port: null });
  expect(parseHostPort(null)).toEqual({ host: null, port: null });
});

test('flags of a line of any number of words are read at once', () => {
  const words = Array.from({ length: 60_000 }, () => 'a');
  const began = performance.now();
  const { rest } = readFlags(['--x', ...words], [], { joined: true, underscores: true });
  expect(rest).toHaveLength(60_001);
  expect(performance.now() - began).toBeLessThan(1000);
});
