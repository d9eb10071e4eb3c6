import { z } from 'zod';

/** Headers and the beginning of a body. Values of headers that may hold a secret are replaced. */
export const CapturedMessage = z.strictObject({
  headers: z.array(z.tuple([z.string(), z.string()])),
  /** As text, cut at the bound that the configuration sets. */
  body: z.string(),
  /** Of the whole body. */
  bodyBytes: z.int().min(0),
});
export type CapturedMessage = z.infer<typeof CapturedMessage>;

const about = {
  id: z.string(),
  at: z.iso.datetime(),
  key: z.string(),
  endpoint: z.string(),
  model: z.string(),
  status: z.int(),
  /** Code of the gateway's own error. */
  code: z.string().nullable(),
};

/** One request and its reply, as far as they were kept. `reply` is the engine's; null when none came. */
export const CapturedRequest = z.strictObject({
  ...about,
  instance: z.string().nullable(),
  request: CapturedMessage,
  reply: CapturedMessage.extend({ status: z.int() }).nullable(),
});
export type CapturedRequest = z.infer<typeof CapturedRequest>;

export const CaptureList = z.strictObject({
  /** Newest first. */
  captures: z.array(z.strictObject(about)),
  bytes: z.int().min(0),
  /** 0: nothing is captured. */
  maxBytes: z.int().min(0),
});
export type CaptureList = z.infer<typeof CaptureList>;
