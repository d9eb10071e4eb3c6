import { z } from 'zod';
import { traceKinds } from './trace-formats.ts';

/** Keys that whatever reads a trace has. */
export const traceOptions = {
  file: z.string().min(1).describe('The trace.'),
  format: z
    .enum(['auto', ...traceKinds])
    .default('auto')
    .describe('How it is written; auto tells by its first line.'),
  from: z
    .number()
    .min(0)
    .default(0)
    .describe('Requests of the first so many seconds of the trace are left out.'),
  model: z.string().min(1).optional().describe('Lines of other models are left out, where lines name one.'),
  blockTokens: z
    .int()
    .positive()
    .default(512)
    .describe('Tokens of a block, of traces that name the blocks of prompts.'),
};
