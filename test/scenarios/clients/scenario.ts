import { expect } from 'vitest';

/** What the clients' scenarios need to know of the engine behind the gateway. */
export interface ClientScenario {
  /** Of the gateway, without /v1. */
  readonly url: string;
  readonly key: string;
  readonly model: string;
  /** What the engine says to `greeting` at temperature 0, 16 tokens at most; null where nobody knows it beforehand. */
  readonly says: string | null;
  /** The engine calls the tool it is given; takes it and calls none, as a model with random weights does; or refuses it. */
  readonly tools: 'called' | 'taken' | 'refused';
  /** The engine makes embeddings. */
  readonly embeds: boolean;
  /** Requests that the engine works on, by its own account. */
  readonly busy: () => Promise<number>;
  /** A prompt after which the engine writes until it is told to stop, or for long. */
  readonly longPrompt: string;
  /** Fields that keep the engine from ending before it is told to; where a flag of its own does, none. */
  readonly long: Readonly<Record<string, boolean>>;
  /** A prompt after which the engine dies midway; null where it cannot be made to. */
  readonly breakingPrompt: string | null;
}

/** The prompt of all that writes. */
export const greeting = 'Say hello.';

/** What the engine says once its tool has answered, where it calls the tool. */
export const toolsAnswer = 'It is 7 degrees in Bremen.';

export function expectSaid(text: string | null | undefined, { says }: Pick<ClientScenario, 'says'>): void {
  if (says === null) expect(text).toMatch(/./s);
  else expect(text).toBe(says);
}

/** More than is ever written before the client has left. */
export const longAnswer = 7000;

/** Of the one tool that is offered. */
export const weather = {
  name: 'weather',
  description: 'Degrees in a city',
  parameters: {
    type: 'object' as const,
    properties: { city: { type: 'string' as const } },
    required: ['city'],
    additionalProperties: false,
  },
};

/** Runs the steps in turn, then counts them: a scenario that skips one does not go unseen. */
export async function inTurn<Client>(
  client: Client,
  scenario: ClientScenario,
  steps: readonly ((client: Client, scenario: ClientScenario) => Promise<void>)[],
): Promise<number> {
  for (const step of steps) await step(client, scenario);
  return steps.length;
}
