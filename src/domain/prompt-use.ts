/** What a prompt is for: to be answered, with images or without, to be embedded, or to rank documents by. */
export type PromptUse = 'prompt' | 'images' | 'inputs' | 'ranking';
