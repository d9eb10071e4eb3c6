/** How the next token is drawn, in llama.cpp's terms and order: bias, penalties, top-k, top-p, min-p, temperature. */
export interface Sampling {
  /** 0: always the likeliest token. */
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly seed: number;
  readonly penalties: {
    readonly repeat: number;
    readonly presence: number;
    readonly frequency: number;
    /** How many of the last tokens count. */
    readonly window: number;
  } | null;
  /** Added to the logit of a token; -Infinity forbids it. */
  readonly bias: ReadonlyMap<number, number>;
}

/** Draws the tokens of one generation; carries its random state. */
export interface Sampler extends Disposable {
  readonly sampling: Sampling;
}

/** What one slot does in one step: evaluate these tokens from `position` on and, with a sampler, draw the next token. */
export interface StepItem {
  readonly slot: number;
  readonly position: number;
  readonly tokens: readonly number[];
  readonly sampler: Sampler | null;
}

/** Evaluates tokens for several slots in one go. At most one step may run at a time. */
export interface Decoder {
  /** `direct`: one native call a step; `library`: through the library's public interface. */
  readonly kind: 'direct' | 'library';
  /** What must live as long as this one, if anything. */
  readonly needs?: Decoder;
  /** The drawn token of each item, null where no sampler was given. Rejects when the evaluation failed. */
  readonly step: (items: readonly StepItem[]) => Promise<(number | null)[]>;
  /**
   * Drops what the slot holds from `position` on; gives the position up to which it still holds tokens (0 for
   * architectures whose state cannot be cut). Never while a step runs.
   */
  readonly forget: (slot: number, position: number) => Promise<number>;
  /** `recent`: the tokens that penalties look back on at the start. */
  readonly sampler: (sampling: Sampling, recent: readonly number[]) => Sampler;
}
