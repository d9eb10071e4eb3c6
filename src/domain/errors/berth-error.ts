import { exitCodes } from '../exit-codes.ts';
import type { ExitCode, ExitName } from '../exit-codes.ts';
import type { ErrorKind } from './define.ts';
import { errorTable } from './table.ts';
import type { ErrorCode, ErrorFacts } from './table.ts';

/**
 * The one error of berth: a stable code, the facts, and from the table the message, the cure and the exit code. `exit` says how
 * the process exits where that depends on what was being done.
 */
export class BerthError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'BerthError';
  readonly code: Code;
  readonly facts: ErrorFacts<Code>;
  readonly cure: string;
  readonly exitCode: ExitCode;

  constructor(code: Code, facts: ErrorFacts<Code>, options: { cause?: unknown; exit?: ExitName } = {}) {
    const kind = errorTable[code] as unknown as ErrorKind<ErrorFacts<Code>>;
    super(kind.message(facts), options);
    this.code = code;
    this.facts = facts;
    this.cure = kind.cure(facts);
    this.exitCode = exitCodes[options.exit ?? kind.exit];
  }

  toJSON(): { code: string; message: string; cure: string; facts: unknown } {
    return { code: this.code, message: this.message, cure: this.cure, facts: this.facts };
  }
}
