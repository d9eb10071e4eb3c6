import type { ReactNode } from 'react';
import { ApiError } from '../api.ts';

/** What went wrong, and what to do. */
export function Fault({ title, error }: { title: string; error: unknown }): ReactNode {
  const message = error instanceof Error ? error.message : String(error);
  return (
    <div className="notice tone-bad" role="alert">
      <strong>{title}</strong>
      <p>{message}</p>
      {error instanceof ApiError && error.cure && <p className="cure">{error.cure}</p>}
    </div>
  );
}
