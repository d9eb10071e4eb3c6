import { firstOperand, flagNumber, flagValue, hasFlag, toNumber } from '../domain/command-line/flags.ts';
import { unwrap } from '../domain/command-line/unwrap.ts';
import type { ProcessFacts, Recognized } from '../domain/process-facts.ts';
import type { Engine } from './contract.ts';

/** KoboldCpp: one program, or its Python script. The packed program starts itself once more. */
export const koboldcpp = {
  kind: 'koboldcpp',
  title: 'KoboldCpp',
  paths: ['/v1/models', '/v1/completions', '/v1/chat/completions'],
  options: null,
  recognize,
} as const satisfies Engine<'koboldcpp'>;

const switches = [
  '--usecublas',
  '--usehipblas',
  '--usevulkan',
  '--useclblast',
  '--flashattention',
  '--quiet',
  '--skiplauncher',
  '--multiuser',
  '--noshift',
  '--nofastforward',
  '--nommap',
  '--usemmap',
  '--usemlock',
  '--smartcontext',
  '--highpriority',
  '--foreground',
  '--lowvram',
  '--remotetunnel',
  '--noavx2',
  '--usecpu',
  '--usecuda',
];

/** Words behind the choice of a backend, any number of them: "--usecublas normal 0 mmq". */
const backendWords = /^(lowvram|normal|main|mmq|nommq|rowsplit|all|\d)$/;

function withoutBackends(args: readonly string[]): readonly string[] {
  const kept: string[] = [];
  let behind = false;
  for (const word of args) {
    behind = /^--use(cublas|cuda|hipblas|vulkan|clblast)$/.test(word) || (behind && backendWords.test(word));
    if (!behind || word.startsWith('-')) kept.push(word);
  }
  return kept;
}

function recognize(facts: ProcessFacts): Recognized | null {
  const found = unwrap(facts.argv).find(({ program }) => /^koboldcpp([-_][\w.-]+)?(\.py)?$/.test(program));
  if (!found || hasFlag(found.args, '--help', '-h')) return null;
  // Its image takes its flags from a variable.
  const told = facts.env?.['KCPP_ARGS']?.split(/\s+/).filter(Boolean) ?? [];
  const args = found.args.length > 0 ? found.args : told;
  const named = flagValue(args, '--model');
  const operand = named === null ? firstOperand(withoutBackends(args), switches) : null;
  const options = {
    context: flagNumber(args, '--contextsize'),
    gpuLayers: flagNumber(args, '--gpulayers'),
    threads: flagNumber(args, '--threads'),
  };
  return {
    engine: 'koboldcpp',
    // Its settings, which name the model, may stand there, too.
    model: named ?? (operand !== null && /\.kcpp[st]$/.test(operand) ? null : operand),
    host: flagValue(args, '--host'),
    // Its script takes the port behind the model, too.
    port: flagNumber(args, '--port') ?? (operand === null ? null : toNumber(args[args.indexOf(operand) + 1])),
    options: Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null)),
    child: false,
    keyed: hasFlag(args, '--password'),
  };
}
