/** What a prompt of a file is for: to be answered, to be embedded, or to rank documents by. */
export type PromptUse = 'prompt' | 'inputs' | 'ranking';
