import { useEffect } from 'react';
import type { ReactNode } from 'react';

/** Heading of a page, which also names the browser's tab. */
export function PageHead(props: { title: string; lead?: ReactNode; children?: ReactNode }): ReactNode {
  useEffect(() => {
    document.title = `${props.title} · berth`;
  }, [props.title]);
  return (
    <div className="page-head">
      <div>
        <h1>{props.title}</h1>
        {props.lead && <p className="lead">{props.lead}</p>}
      </div>
      {props.children && <div className="page-actions">{props.children}</div>}
    </div>
  );
}
