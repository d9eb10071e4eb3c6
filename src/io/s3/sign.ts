import type { Address } from '../download/connect.ts';

export interface S3Keys {
  readonly keyId: string | null;
  readonly key: string | null;
  readonly sessionToken: string | null;
  readonly region: string;
}

interface Asked {
  readonly method?: 'GET' | 'HEAD' | 'PUT';
  /** What is signed too: stores believe no other `x-amz-…`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request for this URL, signed (AWS Signature Version 4) where there are keys; its body is not. It holds for 15 minutes. */
export async function signed(
  url: URL,
  { keyId, key, sessionToken, region }: S3Keys,
  { method = 'GET', headers: more = {} }: Asked = {},
): Promise<Address> {
  if (keyId === null || key === null) return { url: url.href, headers: more };
  const { AwsV4Signer } = await import('aws4fetch');
  const signer = new AwsV4Signer({
    url: url.href,
    method,
    headers: { ...more },
    accessKeyId: keyId,
    secretAccessKey: key,
    ...(sessionToken === null ? {} : { sessionToken }),
    service: 's3',
    region,
  });
  const { url: target, headers } = await signer.sign();
  return { url: target.href, headers: Object.fromEntries(headers) };
}
