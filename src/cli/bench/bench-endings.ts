import type { Command } from 'commander';
import type { Wanted } from '../../bench/run/make-spec.ts';
import { count, number, positive, usage } from './bench-numbers.ts';

/** What ends a run, a request or a stage, beside the limits of the load. */
export interface EndingOptions {
  readonly stopOverSaturated?: string | true;
  readonly budgetTokens?: string;
  readonly budgetMoney?: string;
  readonly priceHour?: string;
  readonly priceTokens?: string;
  readonly timeout?: string;
  readonly drain?: string;
}

export function addEndingOptions(command: Command): Command {
  return command
    .option(
      '--stop-over-saturated [seconds]',
      'end an open loop when requests in flight and TTFT have risen for so long (default 30)',
    )
    .option('--budget-tokens <count>', 'end the run when so many prompt and output tokens are spent')
    .option('--budget-money <amount>', 'end the run when it has cost this; wants a price')
    .option('--price-hour <amount>', 'what an hour of the server costs')
    .option('--price-tokens <prompt,output>', 'what a million prompt and output tokens cost: 0.5,1.5')
    .option('--timeout <seconds>', 'longest time of one request (default 600)')
    .option('--drain <seconds>', 'time that open requests get at the end of a stage (default 60)');
}

export function endings(wanted: Wanted, options: EndingOptions): void {
  const { stopOverSaturated, budgetTokens, budgetMoney, priceHour, priceTokens, timeout, drain } = options;
  if (stopOverSaturated !== undefined)
    wanted.stopOverSaturated =
      stopOverSaturated === true ? 30 : positive(stopOverSaturated, '--stop-over-saturated');
  const budget = { ...wanted.budget };
  if (budgetTokens !== undefined) budget.tokens = count(budgetTokens, '--budget-tokens');
  if (budgetMoney !== undefined) budget.money = positive(budgetMoney, '--budget-money');
  if (priceHour !== undefined) budget.pricePerHour = positive(priceHour, '--price-hour');
  if (priceTokens !== undefined) budget.pricePerMillion = pricesOf(priceTokens);
  if (Object.keys(budget).length > 0) wanted.budget = budget;
  if (timeout !== undefined) wanted.timeoutSeconds = positive(timeout, '--timeout');
  if (drain !== undefined) wanted.drainSeconds = number(drain, '--drain');
}

function pricesOf(text: string): { prompt: number; output: number } {
  const [prompt, output, ...more] = text.split(',');
  if (prompt === undefined || output === undefined || more.length > 0)
    throw usage(`--price-tokens wants two prices, of a million prompt and output tokens, not "${text}".`);
  return { prompt: number(prompt, '--price-tokens'), output: number(output, '--price-tokens') };
}
