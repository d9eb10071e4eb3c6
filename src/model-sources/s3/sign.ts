import type { Address } from '../../io/download/connect.ts';

export interface S3Keys {
  readonly keyId: string | null;
  readonly key: string | null;
  readonly sessionToken: string | null;
  readonly region: string;
}

/** A GET of this URL, signed (AWS Signature Version 4) where there are keys. It holds for 15 minutes. */
export async function signed(url: URL, { keyId, key, sessionToken, region }: S3Keys): Promise<Address> {
  if (keyId === null || key === null) return { url: url.href, headers: {} };
  const { AwsV4Signer } = await import('aws4fetch');
  const signer = new AwsV4Signer({
    url: url.href,
    accessKeyId: keyId,
    secretAccessKey: key,
    ...(sessionToken === null ? {} : { sessionToken }),
    service: 's3',
    region,
  });
  const { url: target, headers } = await signer.sign();
  return { url: target.href, headers: Object.fromEntries(headers) };
}
