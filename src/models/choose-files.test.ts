import { expect, test } from 'vitest';
import { chooseFiles } from './choose-files.ts';

function chosen(quant: string | null, paths: readonly string[]): string | null {
  const listed = paths.map((path) => ({ path, size: 1, sha256: null }));
  const source = quant === null ? 'hf://o/r' : `hf://o/r:${quant}`;
  return chooseFiles(source, listed, { path: null, quant }).main;
}

test.each<[string, string, readonly string[]]>([
  ['Q4_K_XL', 'm-UD-Q4_K_XL.gguf', ['m-Q4_K_M.gguf']],
  ['i1-Q4_K_M', 'm.i1-Q4_K_M.gguf', ['m.i1-Q4_K_S.gguf']],
  ['Q8_0', 'm.f16.Q8_0.gguf', ['m.f16.gguf']],
  ['q4_k_m', 'm_f16_Q4_K_M_v2.gguf', ['m_f16_Q4_K_S_v2.gguf']],
  ['Q4_K_M', 'm-Q4_K_M.gguf', ['m-UD-Q4_K_M.gguf', 'm.f16.Q4_K_M.gguf']],
])('%s is %s, whatever stands before it in the name', (quant, name, others) => {
  expect(chosen(quant, [...others, name])).toBe(name);
  expect(chosen(quant, [name, ...others])).toBe(name);
});

test.each([
  ['Q4_0', 'm.f16.Q4_0_4_4.gguf'],
  ['Q4_K', 'm-UD-Q4_K_M.gguf'],
  ['Q4_K', 'm.f16.Q4_K_XL.gguf'],
  ['IQ4', 'm-IQ4_NL.gguf'],
  ['MXFP4', 'm-MXFP4_MOE.gguf'],
  ['4_K_M', 'm-Q4_K_M.gguf'],
])('%s is not a part of %s', (quant, name) => {
  expect(() => chosen(quant, [name, 'm-Q8_0.gguf'])).toThrow(`no model that is ${quant}`);
});

test('the usual quantization is taken also where another word stands before it', () => {
  const names = ['m-UD-Q4_K_XL.gguf', 'm-UD-Q4_K_M.gguf', 'm-Q8_0.gguf'];
  expect(chosen(null, names)).toBe('m-UD-Q4_K_M.gguf');
});

test('two that fit alike are asked for', () => {
  expect(() => chosen('Q4_K_M', ['m-UD-Q4_K_M.gguf', 'm.f16.Q4_K_M.gguf'])).toThrow('2 models are Q4_K_M');
});

test('a projector is passed over beside models, and taken where it is all that an address names', () => {
  expect(chosen(null, ['mmproj-F16.gguf', 'm-Q8_0.gguf'])).toBe('m-Q8_0.gguf');
  expect(chosen(null, ['mmproj-F16.gguf'])).toBe('mmproj-F16.gguf');
});
