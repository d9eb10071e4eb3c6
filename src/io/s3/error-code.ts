/** The code of an error as S3 and services like it write them in XML; null where an answer has none. Pure. */
export function s3ErrorCode(text: string): string | null {
  return /<Code>([A-Za-z]+)<\/Code>/.exec(text)?.[1] ?? null;
}
