// A table of any length: only the rows in sight exist, all of one height; heads sort, one row is current, and the whole can
// be saved as CSV. Used for candidates and as the twin of every chart.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Cell } from './csv';
import { saveAs, toCsv } from './csv';
import { count } from './figures';
import { Icon } from './icons';

/** Height of a row, CSS pixels; the style sheet says the same. */
export const ROW_HEIGHT = 28;
/** Rows drawn beyond each edge. */
const BEYOND = 6;

export interface GridColumn<R> {
  key: string;
  head: string;
  /** Share of the width, as in a grid template. */
  width: string;
  cell(row: R): ComponentChildren;
  plain(row: R): Cell;
  right?: boolean;
  sortable?: boolean;
  /** Only in the saved file. */
  unseen?: boolean;
}

interface Props<R> {
  name: string;
  columns: GridColumn<R>[];
  rows: R[];
  rowKey(row: R): number;
  current?: number;
  onPick?(row: R): void;
  sort?: string;
  onSort?(sort: string): void;
  note?: string;
  /** What is said when there are no rows. */
  none?: string;
  bare?: boolean;
  /** Narrower than this the table scrolls sideways, CSS pixels. */
  least?: number;
}

export function Grid<R>({ name, columns, rows, rowKey, current, onPick, sort, onSort, note, none = 'Nothing to list.', bare, least = 0 }: Props<R>) {
  const body = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  useEffect(() => {
    if (!body.current) return;
    const watch = new ResizeObserver(([entry]) => setHeight(entry.contentRect.height));
    watch.observe(body.current);
    return () => watch.disconnect();
  }, []);
  const first = Math.max(0, Math.floor(top / ROW_HEIGHT) - BEYOND);
  const last = Math.min(rows.length, Math.ceil((top + height) / ROW_HEIGHT) + BEYOND);
  const seen = columns.filter((column) => !column.unseen);
  const template = { gridTemplateColumns: seen.map((column) => column.width).join(' ') };
  const save = (): void => {
    const table = toCsv(columns.map((column) => column.head), rows.map((row) => columns.map((column) => column.plain(row))));
    saveAs(`${name.toLowerCase().replaceAll(' ', '-')}.csv`, table);
  };
  return (
    <div class="grid-wrap">
      {!bare && rows.length > 0 && (
        <div class="grid-bar">
          <span class="muted">
            {count(rows.length)} {rows.length === 1 ? 'row' : 'rows'}
            {note && ` · ${note}`}
          </span>
          <button class="btn small" onClick={save}>
            <Icon name="save" size={14} /> Save CSV
          </button>
        </div>
      )}
      <div class="grid-scroll" ref={body} onScroll={(event) => setTop(event.currentTarget.scrollTop)} tabIndex={0} role="region" aria-label={`${name}, rows`}>
        <div class="grid-table" role="table" aria-label={name} aria-rowcount={rows.length + 1} aria-colcount={seen.length} style={{ minWidth: `${least}px` }}>
          <div class="grid-row head" role="row" style={template}>
            {seen.map((column) => (
              <Head key={column.key} column={column} sort={sort} onSort={onSort} />
            ))}
          </div>
          <div class="grid-space" role="rowgroup" style={{ height: `${rows.length * ROW_HEIGHT}px` }}>
            {rows.slice(first, last).map((row, index) => {
              const key = rowKey(row);
              return (
                <div
                  key={key}
                  role="row"
                  aria-rowindex={first + index + 2}
                  aria-current={key === current ? 'true' : undefined}
                  class={key === current ? 'grid-row now' : 'grid-row'}
                  style={{ ...template, transform: `translateY(${(first + index) * ROW_HEIGHT}px)` }}
                  onClick={onPick && (() => onPick(row))}
                >
                  {seen.map((column) => (
                    <span key={column.key} role="cell" class={column.right ? 'r' : undefined}>
                      {column.cell(row)}
                    </span>
                  ))}
                </div>
              );
            })}
          </div>
          {rows.length === 0 && <p class="grid-none">{none}</p>}
        </div>
      </div>
    </div>
  );
}

function Head<R>({ column, sort, onSort }: { column: GridColumn<R>; sort?: string; onSort?(sort: string): void }) {
  const down = sort === `-${column.key}`;
  const up = sort === column.key;
  const order = up ? 'ascending' : down ? 'descending' : undefined;
  return (
    <span role="columnheader" class={column.right ? 'r' : undefined} aria-sort={order}>
      {onSort && column.sortable ? (
        <button onClick={() => onSort(down ? column.key : `-${column.key}`)}>
          {column.head}
          {(up || down) && <span aria-hidden="true">{up ? ' ↑' : ' ↓'}</span>}
        </button>
      ) : (
        column.head
      )}
    </span>
  );
}
