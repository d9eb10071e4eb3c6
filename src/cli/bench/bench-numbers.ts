import { BerthError } from '../../domain/errors/berth-error.ts';

/** Numbers of the command line of `berth bench`; each names its option when it is none. */
export function count(text: string, option: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw usage(`${option} wants a whole number above 0, not "${text}".`);
}

export function positive(text: string, option: string): number {
  const value = number(text, option);
  if (value > 0) return value;
  throw usage(`${option} wants a number above 0, not "${text}".`);
}

export function number(text: string, option: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value;
  throw usage(`${option} wants a number, not "${text}".`);
}

export function usage(detail: string): BerthError {
  return new BerthError('USAGE', { detail, command: 'bench' });
}
